"""People, and their attempts to sign in."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, func, text
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
        totp_secret: sealed (``core.sealed``); asked for once confirmed.
        totp_last_step: the newest 30 s step whose code was used; none up to it is ever good again.
        is_password_short: too short to stand alone, without a second factor.
        locked_until: of a lock by wrong tries; None in a lock by an admin, which lasts.
        failed_attempts: wrong PINs in a row; from the fifth each makes ``pin_wait_until`` later.
        is_pin_one_use: set by somebody else: good for setting one's own, for nothing else (21 CFR 11.300).
        is_pcqi: preventive controls qualified individual, by training or experience (21 CFR 117.180(c)-(d)).
        identity_check: how an admin made sure who this is, before signatures count (21 CFR 11.100(b)).
        fda_letter_on: date of the letter that says signatures are meant as handwritten (21 CFR 11.100(c)).
    """

    __tablename__ = "identity_user"
    __feed__ = "user"
    __table_args__ = (
        Index("uq_identity_user_email", "email", unique=True),
        Index("uq_identity_user_login_code", "login_code", unique=True),
        CheckConstraint("failed_attempts >= 0", name="failed_attempts"),
        CheckConstraint("totp_confirmed_at IS NULL OR totp_secret IS NOT NULL", name="totp"),
        CheckConstraint("NOT is_password_short OR totp_confirmed_at IS NOT NULL", name="password_short"),
        CheckConstraint("locked_until IS NULL OR status = 'locked'", name="locked_until"),
        CheckConstraint("(identity_check IS NULL) = (identity_checked_at IS NULL)", name="identity_check"),
        CheckConstraint("fda_letter_on IS NULL OR identity_check IS NOT NULL", name="fda_letter"),
        CheckConstraint(
            "NOT is_pcqi OR (pcqi_valid_to IS NOT NULL AND ((pcqi_training_on IS NOT NULL AND "
            "length(pcqi_training_type) >= 5) IS TRUE OR (length(pcqi_experience) >= 5) IS TRUE))",
            name="pcqi",
        ),
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
    totp_secret: Mapped[bytes | None]
    totp_confirmed_at: Mapped[datetime | None]
    totp_last_step: Mapped[int | None] = mapped_column(BigInteger)
    is_password_short: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    pin_set_at: Mapped[datetime | None]
    pin_wait_until: Mapped[datetime | None]
    is_pin_one_use: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    is_pcqi: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    pcqi_valid_to: Mapped[date | None]
    pcqi_training_on: Mapped[date | None]
    pcqi_training_type: Mapped[str | None]
    pcqi_experience: Mapped[str | None]
    identity_check: Mapped[str | None]
    identity_checked_at: Mapped[datetime | None]
    fda_letter_on: Mapped[date | None]

    @property
    def has_totp(self) -> bool:
        """Whether a second factor is asked for."""
        return self.totp_confirmed_at is not None

    @property
    def may_go_on(self) -> bool:
        """Whether sessions and work that began go on: also while wrong tries, maybe a stranger's, bar the door."""
        return self.status is UserState.active or (self.status is UserState.locked and self.locked_until is not None)


class LoginName(TenantBase):
    """A badge or e-mail that somebody has or once had: never another's (21 CFR 11.100(a)).

    Written by a trigger of ``identity_user``, never changed. One name space for both: nobody's
    e-mail is another's badge.
    """

    __tablename__ = "identity_login_name"

    name: Mapped[str] = mapped_column(CITEXT, primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("identity_user.id"))


class LoginAttempt(TenantBase):
    """Somebody tried to sign in."""

    __tablename__ = "identity_login_attempt"
    __table_args__ = (
        Index("ix_identity_login_attempt_login_at", "login", "at"),
        Index("ix_identity_login_attempt_address_at", "address", "at"),
        Index("ix_identity_login_attempt_at", "at"),
    )

    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    login: Mapped[str] = mapped_column(CITEXT)
    address: Mapped[str]
    is_success: Mapped[bool]
