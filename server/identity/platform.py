"""Terminals, in the platform's own schema: a device is known before its tenant is.

A terminal that has just committed to its key belongs to nobody. The supervisor who approves it
decides the tenant. Sync looks a device up here to learn whose connection to open.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import Index
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
