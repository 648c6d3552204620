"""Rows that wait: in quarantine for a person, or parked without one. The bytes stay in the log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import FoodFlowError, Invalid
from foodflow_kernel.wire import facts
from server.sync.batch import Proven
from server.sync.models import Place, SyncDead, SyncParked

OPEN = "open"
APPLIED = "applied"
WAIVED = "waived"

UNKNOWN = "unknown"
UNRESOLVED = "unresolved"

BUG = "bug"
"""Reason of a row whose verb failed in a way nobody meant: our fault, logged as an error."""
REVOKED = "device_revoked"


def dead_row(place: Place, kind: str | None, error: Exception, now: datetime) -> dict[str, Any]:
    """A quarantine row for a fact and what its verb said of it."""
    device_id, incarnation, lane, seq = place
    if isinstance(error, FoodFlowError):
        reason, detail = error.code, {key: str(value) for key, value in error.data.items()}
    else:
        reason, detail = BUG, {"error": type(error).__name__}
    return {
        "device_id": device_id,
        "incarnation": incarnation,
        "lane": lane,
        "seq": seq,
        "reason": reason,
        "detail": detail,
        "kind": kind,
        "received_at": now,
        "state": OPEN,
    }


def parked_row(
    place: Place,
    fact: facts.Fact,
    now: datetime,
    waits: tuple[str, UUID] | None = None,
) -> dict[str, Any]:
    """A parked row: of an unknown kind, or waiting for the named record."""
    device_id, incarnation, lane, seq = place
    return {
        "device_id": device_id,
        "incarnation": incarnation,
        "lane": lane,
        "seq": seq,
        "why": UNKNOWN if waits is None else UNRESOLVED,
        "kind": fact.kind[:64],
        "ver": fact.ver,
        "waits_entity": None if waits is None else waits[0],
        "waits_id": None if waits is None else waits[1],
        "parked_at": now,
    }


async def bury(db: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Put rows into quarantine; one that is there already keeps its first reason."""
    if rows:
        await db.execute(insert(SyncDead).on_conflict_do_nothing(), list(rows))


async def park(db: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Let rows wait without a person."""
    if rows:
        await db.execute(insert(SyncParked).on_conflict_do_nothing(), list(rows))


async def keep_evidence(db: AsyncSession, batch: Proven, now: datetime) -> None:
    """Everything a revoked device brings is evidence: kept, not applied, shown to a person."""
    rows = []
    for seq, raw in enumerate(batch.bodies, batch.first):
        try:
            kind: str | None = facts.decode(raw).kind[:64]
        except Invalid:
            kind = None
        place = (batch.device, batch.incarnation, int(batch.lane), seq)
        rows.append(dead_row(place, kind, Invalid(REVOKED), now))
    await bury(db, rows)
