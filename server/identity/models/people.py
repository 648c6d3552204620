"""People, and their attempts to sign in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, func, text
from sqlalchemy.dialects.postgresql import CITEXT
from sqlalchemy.orm import Mapped, mapped_column

from foodflow_kernel.machines.identity import UserState
from server.core.db import MasterRow, TenantBase


class User(MasterRow, TenantBase):
    """A person. Never deleted; badge and e-mail are never given to another (21 CFR 11.100(a)).

    Args:
        login_code: the badge.
        short_no: the number people know each other by, two to six digits.
        pin_base: salt and stretched PIN (``wire.pin``); never leaves the server as it is.
        token_epoch: raised to end all sessions at once.
    """

    __tablename__ = "identity_user"
    __feed__ = "user"
    __table_args__ = (
        Index("uq_identity_user_email", "email", unique=True),
        Index("uq_identity_user_login_code", "login_code", unique=True),
        CheckConstraint("failed_attempts >= 0", name="failed_attempts"),
    )

    login_code: Mapped[str]
    short_no: Mapped[str]
    printed_name: Mapped[str]
    email: Mapped[str | None] = mapped_column(CITEXT)
    names: Mapped[dict[str, str]] = mapped_column(server_default=text("'{}'"))
    password_hash: Mapped[str | None]
    pin_base: Mapped[str | None]
    locale: Mapped[str] = mapped_column(server_default=text("'en'"))
    status: Mapped[UserState]
    failed_attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    locked_until: Mapped[datetime | None]
    token_epoch: Mapped[int] = mapped_column(default=0, server_default=text("0"))


class LoginAttempt(TenantBase):
    """Somebody tried to sign in."""

    __tablename__ = "identity_login_attempt"
    __table_args__ = (Index("ix_identity_login_attempt_login_at", "login", "at"),)

    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    login: Mapped[str] = mapped_column(CITEXT)
    address: Mapped[str]
    is_success: Mapped[bool]
