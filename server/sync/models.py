"""Tables of sync in each tenant's schema: what came in, byte for byte, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, DateTime, Index, Integer, LargeBinary, SmallInteger, Text, Uuid, and_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from server.core.db.base import TenantBase

Place: TypeAlias = tuple[UUID, UUID, int, int]
"""Identity of a fact: device, incarnation, lane, seq."""
PLACE = ("device_id", "incarnation", "lane", "seq")


class _Place:
    """Where a row stands: the identity of a fact."""

    device_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    incarnation: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    lane: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


class _Bytes(_Place):
    """A row as it came: exact body, the hash recomputed here, the signature if it ended a batch."""

    body: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    sig: Mapped[bytes | None] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SyncLog(_Bytes, TenantBase):
    """Everything pushed on lanes 0 to 2, for ever. Nothing here is updated or deleted."""

    __tablename__ = "sync_log"
    __table_args__ = (Index("ix_sync_log_received_at", "received_at", postgresql_using="brin"),)


class SyncTelemetry(_Bytes, TenantBase):
    """Everything pushed on lane 3; apart, because its retention is shorter and its volume larger."""

    __tablename__ = "sync_telemetry"
    __table_args__ = (Index("ix_sync_telemetry_received_at", "received_at", postgresql_using="brin"),)


class SyncHead(TenantBase):
    """The last row of a lane of one incarnation; its lock serialises the lane's pushes."""

    __tablename__ = "sync_head"

    device_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    incarnation: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    lane: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SyncSafe(TenantBase):
    """How far a lane of one incarnation is in a backup that was restored and proved good."""

    __tablename__ = "sync_safe"

    device_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    incarnation: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    lane: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)
    backup: Mapped[str] = mapped_column(Text)
    """Name of the base copy."""
    verified_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SyncFork(TenantBase):
    """The other version of a row: same place, other hash. Both are kept; a person looks."""

    __tablename__ = "sync_fork"

    device_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    incarnation: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    lane: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    sig: Mapped[bytes | None] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class _Waiting(_Place):
    """A row that may be run again: what the server knew of its terminal when it came."""

    plant_id: Mapped[UUID] = mapped_column(Uuid)
    line_id: Mapped[UUID | None] = mapped_column(Uuid)
    clock_skew_ms: Mapped[int] = mapped_column(BigInteger)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SyncDead(_Waiting, TenantBase):
    """Quarantine: stored and acknowledged, but unreadable or refused by its verb; a person decides."""

    __tablename__ = "sync_dead"
    __table_args__ = (Index("ix_sync_dead_state", "state", "received_at"),)

    reason: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)
    kind: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    """open, applied (a replay went through) or waived."""
    decided_by: Mapped[UUID | None] = mapped_column(Uuid)
    decided_name: Mapped[str | None] = mapped_column(Text)
    decided_reason: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SyncParked(_Waiting, TenantBase):
    """Waits without a person: for an upgrade, or for a record of another lane or device."""

    __tablename__ = "sync_parked"
    __table_args__ = (Index("ix_sync_parked_waits_id", "waits_id"), Index("ix_sync_parked_kind", "kind", "ver"))

    why: Mapped[str] = mapped_column(Text)
    """unknown (kind or version) or unresolved (names a record not yet here)."""
    kind: Mapped[str] = mapped_column(Text)
    ver: Mapped[int] = mapped_column(Integer)
    waits_entity: Mapped[str | None] = mapped_column(Text)
    waits_id: Mapped[UUID | None] = mapped_column(Uuid)
    parked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SyncNonce(TenantBase):
    """A nonce that a terminal said hello with; it stands here for as long as it would be good."""

    __tablename__ = "sync_nonce"

    nonce: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    until: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SyncPresence(TenantBase):
    """When a terminal was last heard, and what it said of itself."""

    __tablename__ = "sync_presence"

    device_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    incarnation: Mapped[UUID] = mapped_column(Uuid)
    app: Mapped[str] = mapped_column(Text)
    heard_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    clock_offset_ms: Mapped[int] = mapped_column(BigInteger)
    """Device minus server at the last hello."""
    unsent: Mapped[dict[str, int]] = mapped_column(JSONB)
    feed_seq: Mapped[int] = mapped_column(BigInteger)


class SyncSnapshot(TenantBase):
    """A picture of the master data of one device, kept for a day so that it can be resumed."""

    __tablename__ = "sync_snapshot"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    device_id: Mapped[UUID] = mapped_column(Uuid)
    manifest: Mapped[dict[str, Any]] = mapped_column(JSONB)
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SyncSnapshotPart(TenantBase):
    """One part of a snapshot, packed, as it is hashed and sent."""

    __tablename__ = "sync_snapshot_part"

    snapshot_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    sha256: Mapped[str] = mapped_column(Text, primary_key=True)
    packed: Mapped[bytes] = mapped_column(LargeBinary)


def of_lane(table: type[Any], device_id: UUID, incarnation: UUID, lane: int) -> tuple[ColumnElement[bool], ...]:
    """The condition that picks one lane of one incarnation, in any of these tables."""
    return (table.device_id == device_id, table.incarnation == incarnation, table.lane == int(lane))


def at_place(table: type[Any], place: Place) -> tuple[ColumnElement[bool], ...]:
    """The condition that picks one row by its identity."""
    device_id, incarnation, lane, seq = place
    return (*of_lane(table, device_id, incarnation, lane), table.seq == seq)


def same_place(left: type[Any], right: type[Any]) -> ColumnElement[bool]:
    """The join of two of these tables on the identity of a row."""
    return and_(*(getattr(left, name) == getattr(right, name) for name in PLACE))


def log_of(lane: int) -> type[SyncLog | SyncTelemetry]:
    """The table that holds a lane's bytes."""
    return SyncTelemetry if lane == 3 else SyncLog  # noqa: PLR2004  Lane.telemetry
