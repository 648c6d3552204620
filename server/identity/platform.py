"""Terminals and the prefixes of API keys, in the platform's own schema: a device is known before its tenant is.

A terminal that has just committed to its key belongs to nobody. The supervisor who approves it
decides the tenant. Sync looks a device up here to learn whose connection to open.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from foodflow_kernel.machines.identity import DeviceState
from server.core.db import PlatformBase


class DeviceRow(PlatformBase):
    """A terminal: pending, approved or revoked.

    Args:
        commitment: SHA-256 of its key and secret, sent before it learned ``server_nonce``.
        pepper: the terminal's own, for PIN verifiers (``wire.pin``).
    """

    __tablename__ = "device"
    __table_args__ = (Index("ix_device_code", "code"), Index("ix_device_tenant_id", "tenant_id"))

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[uuid.UUID | None]
    state: Mapped[DeviceState]
    commitment: Mapped[bytes]
    server_nonce: Mapped[bytes]
    public_key: Mapped[bytes | None]
    secret: Mapped[bytes | None]
    code: Mapped[str | None]
    expires_at: Mapped[datetime]
    machine_name: Mapped[str]
    app: Mapped[str]
    plant_id: Mapped[uuid.UUID | None]
    plant_name: Mapped[str | None]
    line_id: Mapped[uuid.UUID | None]
    name: Mapped[str | None]
    area: Mapped[str | None]
    pepper: Mapped[bytes]
    created_at: Mapped[datetime]
    approved_by: Mapped[uuid.UUID | None]
    approved_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class ApiKeyRoute(PlatformBase):
    """Whose key a prefix belongs to: the first thing asked of one, before any tenant's data is opened.

    Taken before the key is made, and never given to another; one whose key was then refused opens
    nothing.
    """

    __tablename__ = "api_key_route"

    prefix: Mapped[str] = mapped_column(String(8), primary_key=True)
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenant.id", ondelete="CASCADE"))
