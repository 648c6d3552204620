"""The keys that a company's access tokens are signed with."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from server.core.db import TenantBase


class SigningKey(TenantBase):
    """One key pair (Ed25519). One signs; those before it verify until their last token has run out.

    Args:
        id: the ``kid`` of tokens.
        public_key: raw, 32 bytes (RFC 8032).
        private_sealed: sealed (``core.sealed``); gone when the key is retired.
        verifies_until: from then on tokens of this key are refused; None while it signs.
    """

    __tablename__ = "identity_signing_key"
    __table_args__ = (
        Index(
            "uq_identity_signing_key_signs",
            "algorithm",
            unique=True,
            postgresql_where=text("retired_at IS NULL"),
        ),
        CheckConstraint("algorithm = 'EdDSA'", name="algorithm"),
        CheckConstraint("octet_length(public_key) = 32", name="public_key"),
        CheckConstraint("(retired_at IS NULL) = (private_sealed IS NOT NULL)", name="private_half"),
        CheckConstraint("(retired_at IS NULL) = (verifies_until IS NULL)", name="verifies_until"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    algorithm: Mapped[str]
    public_key: Mapped[bytes]
    private_sealed: Mapped[bytes | None]
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    verifies_until: Mapped[datetime | None]
