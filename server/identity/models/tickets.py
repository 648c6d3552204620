"""Tickets that open a WebSocket: a browser cannot send a header with one, and an address must hold no token."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from server.core.db import TenantBase


class WsTicket(TenantBase):
    """One ticket: for one person in one session, once, within a minute. Only its SHA-256 is kept."""

    __tablename__ = "identity_ws_ticket"
    __table_args__ = (
        CheckConstraint("expires_at > issued_at and expires_at <= issued_at + interval '60 seconds'", name="a_minute"),
        Index("ix_identity_ws_ticket_expires_at", "expires_at"),
    )

    token_sha256: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("identity_user.id"))
    session_id: Mapped[uuid.UUID]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
