"""What the database knows of a line in a window, as the pure computations want it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.rules.shifts import ShiftHours
from foodflow_kernel.stats.fold import ExplainedStop, Fold, LineStateName, Span, StateEvent, fold
from foodflow_kernel.stats.oee import Run
from server.core.corrections import is_current
from server.plant_ops import batch as batches
from server.plant_ops.models import Downtime, LineCount, LineEvent, ProductionBatch, ShiftPattern


@dataclass(frozen=True, slots=True)
class LineDay:
    """A line over some time: every state event and stop that matters for any part of it."""

    line_id: UUID
    events: Sequence[StateEvent]
    stops: Sequence[ExplainedStop]
    microstop_s: int

    def folded(self, window: Span, unheard: Sequence[Span] = ()) -> Fold:
        """Its intervals over a part of that time."""
        return fold(self.events, window, microstop_s=self.microstop_s, stops=self.stops, unheard=unheard)


async def line_day(db: AsyncSession, line_id: UUID, window: Span, microstop_s: int) -> LineDay:
    """Events of a window, the one before it that gives its first state, and its stops."""
    mine = (LineEvent.line_id == line_id, is_current(LineEvent))
    inside = select(LineEvent).where(
        *mine, LineEvent.occurred_at >= window.from_at, LineEvent.occurred_at < window.to_at
    )
    before = select(LineEvent).where(*mine, LineEvent.occurred_at < window.from_at)
    newest = before.order_by(LineEvent.occurred_at.desc(), LineEvent.id.desc()).limit(1)
    rows = [*await db.scalars(newest), *await db.scalars(inside)]
    running = await _runs_of(db, line_id, window)
    return LineDay(
        line_id,
        [StateEvent(row.occurred_at, _state(row, running), _key(row)) for row in rows],
        await _stops(db, line_id, window),
        microstop_s,
    )


def _key(row: LineEvent) -> tuple[str, str, int, int]:
    # A fact born on the server has no place in a log; its own id tells it from others.
    if row.device_id is None:
        return ("", str(row.id), 0, 0)
    return (str(row.device_id), str(row.incarnation), row.lane or 0, row.seq or 0)


def _state(row: LineEvent, running: Sequence[Span]) -> LineStateName:
    """Idle while a run is scheduled is down time, not planned (plant_ops.md, section 2)."""
    state = LineStateName(row.state)
    if state is LineStateName.idle and any(run.from_at <= row.occurred_at < run.to_at for run in running):
        return LineStateName.down
    return state


async def _runs_of(db: AsyncSession, line_id: UUID, window: Span) -> list[Span]:
    statement = select(ProductionBatch.started_at, ProductionBatch.ended_at).where(
        ProductionBatch.line_id == line_id,
        ProductionBatch.started_at < window.to_at,
        or_(ProductionBatch.ended_at.is_(None), ProductionBatch.ended_at > window.from_at),
    )
    return [Span(row[0], row[1] or window.to_at) for row in await db.execute(statement) if row[0] is not None]


async def _stops(db: AsyncSession, line_id: UUID, window: Span) -> list[ExplainedStop]:
    statement = select(Downtime).where(
        Downtime.line_id == line_id,
        Downtime.reason_code.is_not(None),
        Downtime.started_at < window.to_at,
        or_(Downtime.ended_at.is_(None), Downtime.ended_at > window.from_at),
    )
    return [
        ExplainedStop(row.started_at, row.ended_at or window.to_at, row.category or "", row.is_planned)
        for row in await db.scalars(statement)
    ]


async def runs(db: AsyncSession, line_id: UUID, window: Span) -> list[Run]:
    """What each batch counted on the line inside a window."""
    counted = select(LineCount.batch_id).where(
        LineCount.line_id == line_id,
        LineCount.occurred_at >= window.from_at,
        LineCount.occurred_at < window.to_at,
        LineCount.batch_id.is_not(None),
    )
    ids = [batch_id for batch_id in await db.scalars(counted.distinct()) if batch_id is not None]
    sums = await batches.counts(db, ids, from_at=window.from_at, to_at=window.to_at)
    found = []
    for row in await db.scalars(select(ProductionBatch).where(ProductionBatch.id.in_(ids))):
        pri_s = row.pri_s or await batches.rate_at(db, line_id, row.item_id, window.from_at)
        count = sums.get(row.id, batches.Counts())
        if pri_s is not None:
            found.append(Run(pri_s, count.total, count.good))
    return found


async def shift_hours(db: AsyncSession, plant_id: UUID) -> list[ShiftHours]:
    """The shifts of a plant."""
    statement = select(ShiftPattern).where(ShiftPattern.plant_id == plant_id, ShiftPattern.retired_at.is_(None))
    return [
        ShiftHours(row.name, row.starts, row.ends) for row in await db.scalars(statement.order_by(ShiftPattern.name))
    ]


def clipped(from_at: datetime, to_at: datetime, now: datetime) -> Span:
    """The part of a window that has passed."""
    return Span(from_at, max(min(to_at, now), from_at))
