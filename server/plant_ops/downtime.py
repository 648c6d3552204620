"""Stops: what the terminals said, reduced to one row per stop that people explain and approve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import Refused
from foodflow_kernel.machines import DOWNTIME
from foodflow_kernel.machines.plant_ops import DowntimeState
from foodflow_kernel.wire.bodies import StopClosed, StopExplained, StopOpened
from server.core import stamp as stamps
from server.core.corrections import is_current
from server.core.stamp import Stamp
from server.plant_ops.models import Downtime, ReasonCode, StopFact


async def record_opened(db: AsyncSession, stamp: Stamp, body: StopOpened) -> None:
    """The line stopped."""
    row = {
        "stop_id": body.stop_id,
        "step": "opened",
        "line_id": body.line_id,
        "batch_id": body.batch_id,
        "at": body.started_at,
        "source": body.source.value,
    }
    await stamps.record(db, StopFact, [stamp.columns() | row])
    await reduce(db, body.stop_id, stamp.plant_id)


async def record_explained(db: AsyncSession, stamp: Stamp, body: StopExplained) -> None:
    """A reason was given; given while the stop is open, it categorises at the close."""
    row = {
        "stop_id": body.stop_id,
        "step": "explained",
        "line_id": stamp.line_id,
        "at": stamp.occurred_at,
        "reason_code": body.reason_code,
        "category": body.category,
        "equipment_id": body.equipment_id,
        "note": body.note,
    }
    await stamps.record(db, StopFact, [stamp.columns() | row])
    await reduce(db, body.stop_id, stamp.plant_id)


async def record_closed(db: AsyncSession, stamp: Stamp, body: StopClosed) -> None:
    """The line runs again."""
    row = {
        "stop_id": body.stop_id,
        "step": "closed",
        "line_id": stamp.line_id,
        "at": body.ended_at,
        "source": body.source.value,
    }
    await stamps.record(db, StopFact, [stamp.columns() | row])
    await reduce(db, body.stop_id, stamp.plant_id)


async def reduce_after_void(db: AsyncSession, stamp: Stamp) -> None:
    """The explanation that a fact takes back no longer counts."""
    stop_id = await db.scalar(select(StopFact.stop_id).where(StopFact.id == stamp.corrects_id))
    if stop_id is not None:
        await reduce(db, stop_id, stamp.plant_id)


@dataclass(frozen=True, slots=True)
class Reduced:
    """A stop as its facts say it, in whatever order they came."""

    started_at: datetime
    ended_at: datetime | None
    state: DowntimeState
    line_id: UUID
    batch_id: UUID | None
    equipment_id: UUID | None
    reason_code: str | None
    category: str | None
    note: str
    source: str


def reduced(facts: Sequence[StopFact]) -> Reduced | None:
    """One stop from its facts; None until it is known when and where it began.

    The earliest beginning and the last explanation count; an end before the beginning (a clock
    that jumped) ends the stop where it began.
    """
    opened = sorted((f for f in facts if f.step == "opened"), key=lambda f: (f.at, f.id))
    line_id = opened[0].line_id if opened else None
    if line_id is None:
        return None
    first = opened[0]
    explained = max(
        (f for f in facts if f.step == "explained"), key=lambda f: (f.occurred_at, f.seq or 0), default=None
    )
    closed = min((f for f in facts if f.step == "closed"), key=lambda f: (f.at, f.id), default=None)
    state = DOWNTIME.start
    if closed is not None:
        state = DOWNTIME.move(state, "close")
        if explained is not None:
            state = DOWNTIME.move(state, "categorise")
    return Reduced(
        started_at=first.at,
        ended_at=None if closed is None else max(closed.at, first.at),
        state=state,
        line_id=line_id,
        batch_id=first.batch_id,
        equipment_id=explained.equipment_id if explained else None,
        reason_code=explained.reason_code if explained else None,
        category=explained.category if explained else None,
        note=explained.note if explained else "",
        source=first.source or "signal",
    )


async def reduce(db: AsyncSession, stop_id: UUID, plant_id: UUID | None) -> Downtime | None:
    """Bring the row of a stop up to its facts. An approved one stays as it was approved."""
    await db.execute(select(func.pg_advisory_xact_lock(stop_id.int & 0x7FFF_FFFF_FFFF_FFFF)))
    facts = (await db.scalars(select(StopFact).where(StopFact.stop_id == stop_id, is_current(StopFact)))).all()
    now = reduced(facts)
    if now is None:
        return None
    row = await db.get(Downtime, stop_id)
    if row is None:
        row = Downtime(id=stop_id, plant_id=plant_id, is_failure=False, is_planned=False)
        db.add(row)
    elif row.state is DowntimeState.approved:
        return row
    row.line_id, row.batch_id, row.equipment_id = now.line_id, now.batch_id, now.equipment_id
    row.started_at, row.ended_at, row.state = now.started_at, now.ended_at, now.state
    row.note, row.source = now.note, now.source
    await _give_reason(db, row, now.reason_code, now.category)
    await db.flush()
    return row


async def _give_reason(db: AsyncSession, row: Downtime, code: str | None, category: str | None) -> None:
    reason = None
    if code is not None:
        found = select(ReasonCode).where(ReasonCode.tree == "downtime", ReasonCode.code == code)
        reason = await db.scalar(found)
    row.reason_code = code
    row.category = category or (reason.category if reason else None)
    row.is_failure = bool(reason and reason.is_failure)
    row.is_planned = bool(reason and reason.is_planned)


class Close(BaseModel):
    """End a stop by hand."""

    at: datetime


async def close(db: AsyncSession, stop: Downtime, cmd: Close) -> Downtime:
    """End a stop.

    Raises:
        IllegalMove: the stop is not open.
        Refused: `ends_before_start`.
    """
    state = DOWNTIME.move(stop.state, "close")
    if cmd.at < stop.started_at:
        raise Refused("ends_before_start", started_at=stop.started_at, at=cmd.at)
    if stop.reason_code is not None:
        state = DOWNTIME.move(state, "categorise")
    stop.state, stop.ended_at = state, cmd.at
    await db.flush()
    return stop


class Categorise(BaseModel):
    """Say why a line stopped."""

    reason_code: str
    note: str = ""


async def categorise(db: AsyncSession, stop: Downtime, cmd: Categorise) -> Downtime:
    """Give a closed stop its reason.

    Raises:
        IllegalMove: the stop is open or approved.
        Refused: `reason_unknown`.
    """
    state = DOWNTIME.move(stop.state, "categorise")
    found = select(ReasonCode.id).where(ReasonCode.tree == "downtime", ReasonCode.code == cmd.reason_code)
    if await db.scalar(found) is None:
        raise Refused("reason_unknown", code=cmd.reason_code)
    stop.state, stop.note = state, cmd.note
    await _give_reason(db, stop, cmd.reason_code, None)
    await db.flush()
    return stop


class Approve(BaseModel):
    """Agree with the reason of a stop."""


async def approve(db: AsyncSession, stop: Downtime, _cmd: Approve) -> Downtime:
    """Approve a categorised stop; later facts no longer change it.

    Raises:
        IllegalMove: the stop is not categorised.
    """
    stop.state = DOWNTIME.move(stop.state, "approve")
    await db.flush()
    return stop
