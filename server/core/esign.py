"""Electronic signatures: who signed what version of which record, with what meaning.

One path for both forms (decision 24): ``sign`` binds the signer to the record as they saw it, by the
SHA-256 of its canonical JSON (21 CFR 11.70); an action ``redeem``s the signature once, within five
minutes, and ``use`` notes what the record became by it. Inline credentials do both at once. The
components are checked by whoever knows the signer (``Signer``).
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel, Field
from sqlalchemy import CheckConstraint, ForeignKey, Index, func, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import Invalid, NotAllowed, NotFound, Refused
from foodflow_kernel.ids import new_id
from foodflow_kernel.rules import part11
from server.core.actor import Actor
from server.core.audit import digest
from server.core.config.effective import effective
from server.core.config.keys import PART11
from server.core.db.base import FactRow, TenantBase, plant_of
from server.core.models import Plant
from server.core.regimes import regimes_of

USABLE = timedelta(minutes=5)
"""A signature is used up to this long after it was given."""
CONTINUOUS = timedelta(minutes=5)
"""A series of signings goes on while the last was no longer ago, in the same session (11.200(a)(1)(i))."""


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


OF_ACTION = {
    "release": Meaning.released,
    "approve": Meaning.approved,
    "reject": Meaning.rejected,
    "verify": Meaning.verified,
    "review": Meaning.reviewed,
}
"""A verb of this name takes no other meaning."""


class Credentials(BaseModel):
    """What a signer gives: the PIN, or password and code at the first signing of a session, and what it means."""

    pin: str | None = Field(None, max_length=12)
    password: str | None = Field(None, max_length=200)
    totp: str | None = Field(None, max_length=40, description="beside the password, of who has a second factor")
    meaning: Meaning | None = Field(None, description="by default what the action means, else approved")
    version: int | None = Field(None, description="the version of the record that the signer saw")


class Signer(Protocol):
    """Whoever can tell whether these credentials are the actor's own, and what they may sign."""

    async def check(
        self,
        db: AsyncSession,
        actor: Actor,
        credentials: Credentials,
        meaning: Meaning,
        plant_id: uuid.UUID | None,
        *,
        all_components: bool,
    ) -> None:
        """Raise ``NotAllowed("signature_failed")`` unless the credentials are right."""
        ...


class ESignature(TenantBase):
    """One signature; never changed.

    Args:
        record_sha256: of the record as it was signed.
        session_id: where the signer was signed in; a series of signings is within one session.
        tz: the plant's time zone, for the local time of the manifestation (11.50(a)(2)).
    """

    __tablename__ = "core_esignature"
    __table_args__ = (
        Index("ix_core_esignature_record", "record_type", "record_id"),
        Index("ix_core_esignature_series", "signer_id", "session_id", "signed_at"),
        CheckConstraint("length(reason) between 5 and 500", name="reason"),
        CheckConstraint(f"meaning in ({','.join(repr(str(each)) for each in Meaning)})", name="meaning"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    record_type: Mapped[str]
    record_id: Mapped[uuid.UUID]
    record_version: Mapped[int]
    record_sha256: Mapped[bytes]
    signer_id: Mapped[uuid.UUID]
    session_id: Mapped[uuid.UUID | None]
    printed_name: Mapped[str]
    meaning: Mapped[str]
    reason: Mapped[str | None]
    signed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    tz: Mapped[str] = mapped_column(server_default=text("'UTC'"))


class ESignatureUse(TenantBase):
    """A signature was used, once, by this action; what the record became by it. Never changed."""

    __tablename__ = "core_esignature_use"

    esignature_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("core_esignature.id"), primary_key=True)
    action: Mapped[str]
    used_at: Mapped[datetime]
    version_after: Mapped[int]
    sha256_after: Mapped[bytes]


async def sign(
    db: AsyncSession,
    actor: Actor,
    signer: Signer,
    record_type: str,
    record: Any,
    credentials: Credentials,
    meaning: Meaning,
    reason: str | None,
) -> ESignature:
    """Bind the actor's signature to a locked record as it stands.

    Raises:
        Refused: `signature_stale`: the signer saw another version.
        Invalid: `signature_reason_missing` for a rejection.
        NotAllowed: what the signer's check says.
    """
    version = getattr(record, "version", 1)
    if credentials.version is not None and credentials.version != version:
        raise Refused("signature_stale", version=version)
    if meaning is Meaning.rejected and reason is None:
        raise Invalid("signature_reason_missing", meaning=meaning.value)
    plant_id = plant_of(record)
    all_components = await _is_full(db, plant_id) and not await _is_continuous(db, actor)
    await signer.check(db, actor, credentials, meaning, plant_id, all_components=all_components)
    clock: Clock = db.info["clock"]
    now = clock.now()
    plant = await db.get(Plant, plant_id) if plant_id else None
    made = ESignature(
        id=new_id(now),
        record_type=record_type,
        record_id=record.id,
        record_version=version,
        record_sha256=fingerprint(record),
        signer_id=actor.id,
        session_id=actor.session_id,
        printed_name=actor.name,
        meaning=meaning.value,
        reason=reason,
        signed_at=now,
        tz=plant.tz if plant else "UTC",
    )
    db.add(made)
    await db.flush()
    return made


async def redeem(db: AsyncSession, actor: Actor, esign_id: uuid.UUID, record_type: str, record: Any) -> ESignature:
    """The signature that the actor gave for this record as it stands, not used yet.

    Raises:
        NotFound: `signature_unknown`, also for another's, another session's or another record's.
        NotAllowed: `signature_expired`.
        Refused: `signature_used`, `signature_stale`: the record has changed since.
    """
    given = await db.get(ESignature, esign_id)
    if given is None or (given.signer_id, given.session_id, given.record_type, given.record_id) != (
        actor.id,
        actor.session_id,
        record_type,
        record.id,
    ):
        raise NotFound("signature_unknown")
    if await db.get(ESignatureUse, esign_id) is not None:
        raise Refused("signature_used")
    if db.info["clock"].now() - given.signed_at > USABLE:
        raise NotAllowed("signature_expired", minutes=int(USABLE.total_seconds() // 60))
    version = getattr(record, "version", 1)
    if (given.record_version, given.record_sha256) != (version, fingerprint(record)):
        raise Refused("signature_stale", version=version)
    return given


async def use(db: AsyncSession, signature: ESignature, action: str, record: Any) -> None:
    """Use a signature up: what the record became by the action it was given for."""
    await db.refresh(record)  # as it is stored: the database rounds
    db.add(
        ESignatureUse(
            esignature_id=signature.id,
            action=action,
            used_at=db.info["clock"].now(),
            version_after=getattr(record, "version", 1),
            sha256_after=fingerprint(record),
        )
    )
    await db.flush()


def meaning_of(action: str, said: Meaning | None) -> Meaning:
    """What a signature under an action means.

    Raises:
        Invalid: `signature_meaning_wrong`.
    """
    fixed = OF_ACTION.get(action)
    if fixed is not None and said not in (None, fixed):
        raise Invalid("signature_meaning_wrong", meaning=fixed.value)
    return fixed or said or Meaning.approved


def fingerprint(record: Any) -> bytes:
    """SHA-256 of a record's columns in canonical JSON, shape (32,)."""
    # What is computed beside a fact (whether a note was said anew) is no part of what was signed: the row is the same.
    names = (
        inspect(type(record)).local_table.columns if isinstance(record, FactRow) else inspect(type(record)).column_attrs
    )
    return digest({column.key: getattr(record, column.key) for column in names})


def is_valid(signature: ESignature, used: ESignatureUse | None, record: Any) -> bool:
    """Whether the record is still what was signed, or what its own action made of it."""
    now = (getattr(record, "version", 1), fingerprint(record))
    after = (used.version_after, used.sha256_after) if used else None
    return now in ((signature.record_version, signature.record_sha256), after)


async def _is_full(db: AsyncSession, plant_id: uuid.UUID | None) -> bool:
    """Whether the company has all controls of Part 11: always, where a rule that it works under asks for them."""
    is_on = await effective(db, PART11, db.info["clock"].now())
    return part11.applies(await regimes_of(db, plant_id), is_switched_off=not is_on)


async def _is_continuous(db: AsyncSession, actor: Actor) -> bool:
    """Whether the actor signed in this session a moment ago, so that one component is enough."""
    if actor.session_id is None:
        return False
    recent = select(ESignature.id).where(
        ESignature.signer_id == actor.id,
        ESignature.session_id == actor.session_id,
        ESignature.signed_at >= db.info["clock"].now() - CONTINUOUS,
    )
    return await db.scalar(recent.limit(1)) is not None
