"""Reports that need more than one context: line board, OEE, trace."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Query, Request
from pydantic import AwareDatetime
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import NotFound
from foodflow_kernel.rules import shifts
from foodflow_kernel.stats.fold import Span
from foodflow_kernel.wire.reports import Board, SyncHealth, Trace
from server.core import access
from server.core.actions import load
from server.core.actor import Actor
from server.core.models import Plant
from server.core.room import Room
from server.flows import board, trace
from server.fsq.models import Lot
from server.plant_ops import frames, reports
from server.plant_ops.models import ProductionLine

router = Room(responses=access.PROBLEMS)

Health = Callable[[Request, access.Caller], Awaitable[SyncHealth]]
"""Given by the application: what sync knows of the caller's terminals (``app.state.sync_health``)."""


class Direction(StrEnum):
    """Which way a trace goes."""

    backward = "backward"
    forward = "forward"
    both = "both"


async def _health(request: Request, caller: access.Caller) -> SyncHealth | None:
    ask: Health | None = getattr(request.app.state, "sync_health", None)
    return None if ask is None else await ask(request, caller)


async def _plant(db: AsyncSession, actor: Actor, plant_id: UUID | None, code: str) -> Plant:
    """The plant asked for, or the first where the actor holds the permission.

    Raises:
        NotFound: `record_unknown`.
    """
    statement = select(Plant).where(Plant.retired_at.is_(None)).order_by(Plant.code)
    if plant_id is not None:
        statement = statement.where(Plant.id == plant_id)
    for plant in await db.scalars(statement):
        if actor.sees(plant.id) and actor.may(code, plant.id):
            return plant
    raise NotFound("record_unknown", id=plant_id)


@router.get(
    "/plant-ops/board",
    tags=["plant_ops"],
    operation_id="plant_ops_board_read",
    dependencies=[access.needs("plant_ops.board.read")],
)
async def read_board(request: Request, caller: access.Signed, plant_id: UUID | None = None) -> Board:
    """The lines of a plant in the running shift, the open deviations, and the terminals."""
    plant = await _plant(caller.db, caller.actor, plant_id, "plant_ops.board.read")
    return await board.report(caller.db, plant, caller.clock.now(), await _health(request, caller))


@router.get(
    "/plant-ops/oee",
    tags=["plant_ops"],
    operation_id="plant_ops_oee_read",
    dependencies=[access.needs("plant_ops.oee.read")],
)
async def read_oee(
    request: Request,
    caller: access.Signed,
    plant_id: UUID | None = None,
    line_id: Annotated[list[UUID] | None, Query()] = None,
    from_at: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    to_at: Annotated[AwareDatetime | None, Query(alias="to")] = None,
    group: reports.Group = reports.Group.whole,
) -> reports.OeeReport:
    """OEE of lines in a window, by default of the running shift; components are summed, then divided."""
    db, now = caller.db, caller.clock.now()
    plant = await _plant(db, caller.actor, plant_id, "plant_ops.oee.read")
    window = await _window(db, plant, from_at, to_at, now)
    wanted = select(ProductionLine).where(ProductionLine.plant_id == plant.id).order_by(ProductionLine.code)
    if line_id:
        wanted = wanted.where(ProductionLine.id.in_(line_id))
    lines = (await db.scalars(wanted)).all()
    health = await _health(request, caller)
    heard = {line.id: board.heard_until(line, health.terminals if health else ()) for line in lines}
    silent = {key: at for key, at in heard.items() if at is not None}
    return await reports.oee(db, plant, lines, window, group=group, now=now, heard=silent)


async def _window(
    db: AsyncSession, plant: Plant, from_at: datetime | None, to_at: datetime | None, now: datetime
) -> Span:
    shift = shifts.at(await frames.shift_hours(db, plant.id), plant.tz, now)
    start = from_at or (shift.from_at if shift else now.replace(hour=0, minute=0, second=0, microsecond=0))
    return Span(start, to_at or (shift.to_at if shift and from_at is None else now))


@router.get(
    "/fsq/lots/{lot_id}/trace",
    tags=["fsq"],
    operation_id="fsq_trace_read",
    dependencies=[access.needs("fsq.trace.read")],
)
async def read_trace(
    request: Request,
    lot_id: UUID,
    caller: access.Signed,
    direction: Direction = Direction.both,
    as_of: AwareDatetime | None = None,
) -> Trace:
    """Where a lot came from and went to, with its mass balance and what may be missing."""
    db, now = caller.db, caller.clock.now()
    lot: Lot = await load(db, caller.actor, Lot, lot_id, "fsq.trace.read")
    health = await _health(request, caller)
    plant = await db.get_one(Plant, lot.plant_id)
    silent = [_silence(one.name, one.line_name, one.heard_at, now, plant.tz)
              for one in (health.terminals if health else ())
              if one.state == "offline" and one.heard_at is not None]  # fmt: skip
    return await trace.report(db, lot, direction.value, now, as_of=as_of, not_heard=silent)


def _silence(name: str, line_name: str | None, heard_at: datetime | None, now: datetime, tz: str) -> str:
    """What may be missing because a terminal is silent.

    >>> from datetime import UTC
    >>> at = datetime(2026, 11, 23, 10, 31, tzinfo=UTC)
    >>> _silence("T-07", "Line 2", at, datetime(2026, 11, 23, 10, 42, tzinfo=UTC), "UTC")
    'T-07 on Line 2 was last heard at 10:31. Up to 11 minutes of its scans may be missing here.'
    """
    if heard_at is None:
        return ""
    minutes = int((now - heard_at).total_seconds() // 60) or 1
    where = f" on {line_name}" if line_name else ""
    at = heard_at.astimezone(ZoneInfo(tz))
    return (
        f"{name}{where} was last heard at {at:%H:%M}. "
        f"Up to {minutes} minute{'' if minutes == 1 else 's'} of its scans may be missing here."
    )
