"""What the platform's own schema has of terminals, API keys and break-glass: asked before any company's data is opened.

A terminal that has just committed to its key belongs to nobody. The supervisor who approves it
decides the tenant. Sync looks a device up here to learn whose connection to open.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
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


class BreakGlass(PlatformBase):
    """Somebody who runs the platform reads one company's data: why, since when, until when at the latest.

    Never changed but to end, once. The column is not called ``tenant_id``: rows that say that go
    with a company's file to another server, and these are the platform's own.

    Args:
        ended_as: time, or who ended it: operator (the platform's), company, account (it was disabled).
        ended_by: the person, of the platform or of the company; None for time.
    """

    __tablename__ = "break_glass"
    __table_args__ = (
        CheckConstraint("ends_at > opened_at AND ends_at <= opened_at + interval '4 hours'", name="four_hours"),
        CheckConstraint("char_length(reason) BETWEEN 5 AND 500", name="reason"),
        CheckConstraint(
            "(ended_at IS NULL) = (ended_as IS NULL) AND ended_at BETWEEN opened_at AND ends_at", name="ended"
        ),
        CheckConstraint("ended_as IN ('time', 'operator', 'company', 'account')", name="ended_as"),
        Index(
            "uq_break_glass_open", "operator_id", "company_id", unique=True, postgresql_where=text("ended_at IS NULL")
        ),
        Index("ix_break_glass_company_id", "company_id", "opened_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    company_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenant.id"))
    operator_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("platform_user.id"))
    reason: Mapped[str]
    opened_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_as: Mapped[str | None]
    ended_by: Mapped[uuid.UUID | None]
