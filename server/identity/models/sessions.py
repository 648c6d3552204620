"""What lets a person come back: rotating refresh tokens, and the one letter that resets a password.

Both are secrets shown once. Only their SHA-256 is kept: who reads the table can use nothing in it.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from server.core.db import TenantBase


class RefreshToken(TenantBase):
    """One link of a session: used once, for the next link.

    A session is a family. Its first token is the family's head: the row that is locked whenever the
    family gains a token or is revoked, and that every request of the session looks at.

    Args:
        family_id: the first token of the session; itself for the first.
        parent_id: the token that was used to get this one.
        reason: why the family was revoked: signed_out, reused, password_changed ...
    """

    __tablename__ = "identity_refresh_token"
    __table_args__ = (
        Index("uq_identity_refresh_token_token_sha256", "token_sha256", unique=True),
        Index("ix_identity_refresh_token_user_id_revoked_at", "user_id", "revoked_at"),
        Index("ix_identity_refresh_token_family_id", "family_id"),
        CheckConstraint("expires_at > issued_at", name="expires"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    token_sha256: Mapped[bytes]
    family_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("identity_refresh_token.id"))
    parent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("identity_refresh_token.id"))
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("identity_user.id"))
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    reason: Mapped[str | None]


class PasswordResetToken(TenantBase):
    """A letter that lets its reader set a new password: once, within half an hour, the newest only."""

    __tablename__ = "identity_password_reset_token"
    __table_args__ = (
        Index("uq_identity_password_reset_token_token_sha256", "token_sha256", unique=True),
        Index(
            "uq_identity_password_reset_token_open",
            "user_id",
            unique=True,
            postgresql_where=text("used_at IS NULL AND revoked_at IS NULL"),
        ),
        Index("ix_identity_password_reset_token_user_id_issued_at", "user_id", "issued_at"),
        CheckConstraint("expires_at > issued_at", name="expires"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    token_sha256: Mapped[bytes]
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("identity_user.id"))
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Invitation(TenantBase):
    """A letter that lets its reader take an account: once, within three days, the newest only."""

    __tablename__ = "identity_invitation"
    __table_args__ = (
        Index("uq_identity_invitation_token_sha256", "token_sha256", unique=True),
        Index(
            "uq_identity_invitation_open",
            "user_id",
            unique=True,
            postgresql_where=text("used_at IS NULL AND revoked_at IS NULL"),
        ),
        CheckConstraint("expires_at > issued_at", name="expires"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    token_sha256: Mapped[bytes]
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("identity_user.id"))
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class RecoveryCode(TenantBase):
    """A code to sign in with when the second factor is lost: once."""

    __tablename__ = "identity_recovery_code"
    __table_args__ = (Index("uq_identity_recovery_code_sha256", "user_id", "code_sha256", unique=True),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("identity_user.id"))
    code_sha256: Mapped[bytes]
    used_at: Mapped[datetime | None]
