"""Rows that wait: in quarantine for a person, or parked without one. The bytes stay in the log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import FoodFlowError, Invalid
from foodflow_kernel.wire import facts
from server.core import audit, events
from server.core.actor import Actor, ActorKind
from server.sync.models import PLACE, SyncDead, SyncParked
from server.sync.reactions import FactsQuarantined
from server.sync.stored import StoredFact, place, skew_flags

OPEN = "open"
APPLIED = "applied"
WAIVED = "waived"

UNKNOWN = "unknown"
UNRESOLVED = "unresolved"

BUG = "bug"
"""Reason of a row whose verb failed in a way nobody meant: our fault, logged as an error."""
REVOKED = "device_revoked"


def dead_row(stored: StoredFact, kind: str | None, error: Exception) -> dict[str, Any]:
    """A quarantine row for a fact and what its verb said of it."""
    if isinstance(error, FoodFlowError):
        reason, detail = error.code, {key: str(value) for key, value in error.data.items()}
    else:
        reason, detail = BUG, {"error": type(error).__name__}
    return _waiting(stored) | {"reason": reason, "detail": detail, "kind": kind, "state": OPEN}


def parked_row(
    stored: StoredFact, fact: facts.Fact, parked_at: datetime, waits: tuple[str, UUID] | None
) -> dict[str, Any]:
    """A parked row: of an unknown kind, or waiting for the named record."""
    return _waiting(stored) | {
        "why": UNKNOWN if waits is None else UNRESOLVED,
        "kind": fact.kind[:64],
        "ver": fact.ver,
        "waits_entity": None if waits is None else waits[0],
        "waits_id": None if waits is None else waits[1],
        "parked_at": parked_at,
    }


def _waiting(stored: StoredFact) -> dict[str, Any]:
    return {
        **dict(zip(PLACE, place(stored), strict=True)),
        "plant_id": stored.plant_id,
        "line_id": stored.line_id,
        "clock_skew_ms": stored.clock_skew_ms,
        "received_at": stored.received_at,
    }


def stored_again(row: Any, row_hash: bytes) -> StoredFact:
    """A row of one of these tables as its verb will see it again."""
    return StoredFact(
        device_id=row.device_id,
        incarnation=row.incarnation,
        lane=row.lane,
        seq=row.seq,
        hash=row_hash,
        received_at=row.received_at,
        plant_id=row.plant_id,
        line_id=row.line_id,
        clock_skew_ms=row.clock_skew_ms,
        flags=skew_flags(row.clock_skew_ms),
    )


async def bury(db: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Put rows into quarantine; one that is there already keeps its first reason. What is new there is on record."""
    columns = [getattr(SyncDead, name) for name in PLACE]
    for start in range(0, len(rows), _CHUNK):
        some = rows[start : start + _CHUNK]
        put = insert(SyncDead).values(list(some)).on_conflict_do_nothing().returning(*columns)
        new = {tuple(place) for place in (await db.execute(put)).all()}
        rejected = [row for row in some if tuple(row[name] for name in PLACE) in new and row["state"] == OPEN]
        for device_id in {row["device_id"] for row in rejected}:
            of_device = [row for row in rejected if row["device_id"] == device_id]
            _note(db, of_device)
            events.announce(db, FactsQuarantined(device_id, of_device[0]["plant_id"], len(of_device)))


_CHUNK = 500
"""Rows of one statement: PostgreSQL takes 65,535 values."""


def _note(db: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """The audit row of what was set aside at once; the rows themselves say all of it."""
    first = rows[0]
    actor = Actor(ActorKind.device, db.info["tenant_id"], first["device_id"], device_id=first["device_id"])
    said = {
        "count": len(rows),
        "rows": [{name: row[name] for name in ("incarnation", "lane", "seq", "kind", "reason")} for row in rows],
    }
    audit.write(db, actor, "sync.inbox.reject", "identity.device", first["device_id"], said, plant_id=first["plant_id"])


async def park(db: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Let rows wait without a person."""
    if rows:
        await db.execute(insert(SyncParked).on_conflict_do_nothing(), list(rows))


async def keep_evidence(db: AsyncSession, rows: Iterable[tuple[StoredFact, bytes]]) -> None:
    """Everything a revoked device brings is evidence: kept, not applied, shown to a person."""
    evidence = []
    for stored, raw in rows:
        try:
            kind: str | None = facts.decode(raw).kind[:64]
        except Invalid:
            kind = None
        evidence.append(dead_row(stored, kind, Invalid(REVOKED)))
    await bury(db, evidence)
