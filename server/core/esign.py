"""Electronic signatures: who signed what version of which record, with what meaning.

Bound to the record by the SHA-256 of its canonical JSON (21 CFR 11.70); shown with printed name,
time and meaning (11.50). The components are checked by whoever knows the signer (``Signer``).
"""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel, Field
from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from foodflow_kernel.clock import Clock
from foodflow_kernel.ids import new_id
from server.core.actor import Actor
from server.core.audit import digest
from server.core.db.base import TenantBase


class Meaning(StrEnum):
    """What a signature says (21 CFR 11.50(a)(3))."""

    authored = "authored"
    performed = "performed"
    reviewed = "reviewed"
    verified = "verified"
    approved = "approved"
    released = "released"
    rejected = "rejected"
    acknowledged = "acknowledged"


class Credentials(BaseModel):
    """What a signer gives with the action: the second component, and what the signature means."""

    pin: str | None = Field(None, max_length=12)
    password: str | None = Field(None, max_length=200)
    meaning: Meaning = Meaning.approved


class Signer(Protocol):
    """Whoever can tell whether these credentials are the actor's own."""

    async def check(self, db: AsyncSession, actor: Actor, credentials: Credentials) -> None:
        """Raise ``NotAllowed("signature_failed")`` unless the credentials are right."""
        ...


class ESignature(TenantBase):
    """One signature; never changed."""

    __tablename__ = "core_esignature"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    record_type: Mapped[str]
    record_id: Mapped[uuid.UUID]
    record_version: Mapped[int]
    record_sha256: Mapped[bytes]
    signer_id: Mapped[uuid.UUID]
    printed_name: Mapped[str]
    meaning: Mapped[str]
    reason: Mapped[str | None]
    signed_at: Mapped[datetime] = mapped_column(server_default=func.now())


def bind(
    db: AsyncSession,
    actor: Actor,
    record_type: str,
    record: Any,
    values: dict[str, Any],
    meaning: Meaning,
    reason: str | None,
) -> ESignature:
    """Write a signature of the actor on this version of a record."""
    clock: Clock = db.info["clock"]
    now = clock.now()
    made = ESignature(
        id=new_id(now),
        record_type=record_type,
        record_id=record.id,
        record_version=getattr(record, "version", 1),
        record_sha256=digest(values),
        signer_id=actor.id,
        printed_name=actor.name,
        meaning=meaning.value,
        reason=reason,
        signed_at=now,
    )
    db.add(made)
    return made
