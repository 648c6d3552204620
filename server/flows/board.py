"""The line board: all lines of a plant at one look, with what needs help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.machines.fsq import DeviationState, HoldState
from foodflow_kernel.machines.plant_ops import BatchState, DowntimeState
from foodflow_kernel.missing import Missing
from foodflow_kernel.rules import shifts
from foodflow_kernel.rules.shifts import ShiftWindow
from foodflow_kernel.stats import oee as stats
from foodflow_kernel.stats.fold import Element, Fold, Interval, LineStateName
from foodflow_kernel.wire.reports import Board, DeviationLine, LineCard, StripPart, SyncHealth, TerminalLine
from server.core.models import Plant
from server.fsq import due, hold
from server.fsq import monitoring as readings
from server.fsq.models import CcpMonitoring, CcpVersion, Deviation, DeviationStep, Lot, LotHold
from server.planning.models import Item
from server.plant_ops import batch as batches
from server.plant_ops import frames
from server.plant_ops.models import Downtime, Equipment, ProductionBatch, ProductionLine, ReasonCode

_STATE = {
    LineStateName.running: "running",
    LineStateName.setup: "changeover",
    LineStateName.down: "stopped",
    LineStateName.starved: "stopped",
    LineStateName.blocked: "stopped",
    LineStateName.planned_down: "planned",
    LineStateName.cleaning: "planned",
    LineStateName.trial: "planned",
    LineStateName.idle: "idle",
    LineStateName.unknown: "not_heard",
}
_STRIP = {
    Element.apt: "running",
    Element.aust: "setup",
    Element.adot: "stopped",
    Element.adet: "stopped",
    Element.planned: "planned",
}
_SILENT = ("offline", "revoked")


async def report(db: AsyncSession, plant: Plant, now: datetime, health: SyncHealth | None) -> Board:
    """The board as of now.

    Args:
        health: what sync knows of the terminals; a line whose terminal is silent shows its
            figures as of when it was last heard, never as if nothing had happened since.
    """
    shift = shifts.at(await frames.shift_hours(db, plant.id), plant.tz, now)
    shift = shift or ShiftWindow("", now.date(), now.replace(hour=0, minute=0, second=0, microsecond=0), now)
    found = select(ProductionLine).where(ProductionLine.plant_id == plant.id, ProductionLine.retired_at.is_(None))
    lines = (await db.scalars(found.order_by(ProductionLine.code))).all()
    terminals = health.terminals if health else ()
    cards = [await _card(db, plant, line, shift, now, terminals) for line in lines]
    return Board(
        at=now,
        plant_name=plant.name,
        tz=plant.tz,
        shift_name=shift.name,
        shift_from=shift.from_at,
        shift_to=shift.to_at,
        lines=tuple(cards),
        deviations=await _deviations(db, plant, lines),
        terminals_online=sum(one.state not in _SILENT for one in terminals),
        terminals=sum(one.state != "revoked" for one in terminals),
        waiting=sum(one.waiting or 0 for one in terminals),
        needs_decision=len(health.quarantine) if health else 0,
    )


def heard_until(line: ProductionLine, terminals: Sequence[TerminalLine]) -> datetime | None:
    """When the terminals of a line were last heard, if none of them is now."""
    here = [one for one in terminals if _is_of(one, line) and one.state != "revoked"]
    if not here or any(one.state not in _SILENT and one.heard_at is not None for one in here):
        return None
    return max((one.heard_at for one in here if one.heard_at is not None), default=None)


def _is_of(terminal: TerminalLine, line: ProductionLine) -> bool:
    return terminal.line_id == line.id if terminal.line_id is not None else terminal.line_name == line.name


async def _card(
    db: AsyncSession,
    plant: Plant,
    line: ProductionLine,
    shift: ShiftWindow,
    now: datetime,
    terminals: Sequence[TerminalLine],
) -> LineCard:
    as_of = heard_until(line, terminals)
    window = frames.clipped(shift.from_at, shift.to_at, now if as_of is None else max(as_of, shift.from_at))
    day = await frames.line_day(db, line.id, window, plant.microstop_s)
    folded = day.folded(window)
    measured = stats.oee([stats.components(folded, await frames.runs(db, line.id, window))])
    figures = None if isinstance(measured, Missing) else measured
    state, since = _now(folded)
    if as_of is not None:
        state = "not_heard"
    elif not day.events:
        state, since = "idle", None
    stop = await _open_stop(db, line.id) if state in ("stopped", "changeover", "not_heard") else _NO_STOP
    run = await _run(db, line, now)
    strip = [StripPart(from_at=i.from_at, to_at=i.to_at, state=_strip_state(i)) for i in folded.intervals]
    if as_of is not None and as_of < now:
        strip.append(StripPart(from_at=max(as_of, shift.from_at), to_at=min(now, shift.to_at), state="not_heard"))
    here = [one for one in terminals if _is_of(one, line)]
    check = run.check
    return LineCard(
        line_id=line.id,
        name=line.name,
        names=line.names,
        product=run.item.names.get("en") if run.item else None,
        product_names=run.item.names if run.item else {},
        batch_no=run.batch.batch_no if run.batch else None,
        unit_names=run.item.unit_names if run.item else {},
        state=state,
        state_since=since,
        stop_reason=stop.reason.names.get("en") if stop.reason else None,
        stop_reason_names=stop.reason.names if stop.reason else {},
        stop_detail=stop.detail,
        as_of=as_of,
        availability=figures.availability if figures else None,
        effectiveness=figures.effectiveness if figures else None,
        quality=figures.quality if figures else None,
        oee=figures.oee if figures else None,
        oee_target=float(line.oee_target),
        flags=tuple(dict.fromkeys((*folded.flags, *(figures.flags if figures else ())))),
        made=run.made,
        planned=int(run.batch.planned_qty) if run.batch else None,
        plan_now=run.plan_now,
        strip=tuple(strip),
        held_since=run.held.placed_at if run.held else None,
        held_deviation=run.held_deviation,
        next_check_at=check.due_at if check else None,
        next_check_names=check.names if check else {},
        is_check_late=check.is_late(now) if check else False,
        terminal_name=here[0].name if here else None,
        offline_since=as_of,
        waiting=sum(one.waiting or 0 for one in here),
        needs_help=sum(one.needs_help for one in here),
    )


def _strip_state(interval: Interval) -> str:
    return "not_heard" if interval.is_no_data else _STRIP[interval.element]


def _now(folded: Fold) -> tuple[str, datetime | None]:
    """What the line is doing, and since when; a micro-stop does not end a run."""
    state, since = "idle", None
    for interval in folded.intervals:
        named = "running" if interval.is_micro else _STATE[interval.state]
        if interval.element is Element.aust:
            named = "changeover"
        elif interval.element is Element.planned and named == "stopped":
            named = "planned"
        if named != state or since is None:
            state, since = named, interval.from_at
    return state, since


@dataclass(frozen=True, slots=True)
class _Stop:
    reason: ReasonCode | None = None
    detail: str | None = None


_NO_STOP = _Stop()


async def _open_stop(db: AsyncSession, line_id: UUID) -> _Stop:
    found = select(Downtime).where(Downtime.line_id == line_id, Downtime.state == DowntimeState.open)
    stop = await db.scalar(found.order_by(Downtime.started_at.desc()).limit(1))
    if stop is None or stop.reason_code is None:
        return _NO_STOP
    reasons = select(ReasonCode).where(ReasonCode.tree == "downtime", ReasonCode.code == stop.reason_code)
    asset = await db.get(Equipment, stop.equipment_id) if stop.equipment_id else None
    return _Stop(await db.scalar(reasons), stop.note or (asset.names.get("en") if asset else None))


@dataclass(slots=True)
class _Run:
    batch: ProductionBatch | None = None
    item: Item | None = None
    made: int = 0
    plan_now: int | None = None
    held: LotHold | None = None
    held_deviation: str | None = None
    check: due.DueCheck | None = None


async def _run(db: AsyncSession, line: ProductionLine, now: datetime) -> _Run:
    batch = await _batch_of(db, line)
    if batch is None:
        return _Run()
    counted = (await batches.counts(db, [batch.id])).get(batch.id, batches.Counts())
    run = _Run(batch, await db.get(Item, batch.item_id), counted.total if batch.total is None else batch.total)
    run.plan_now = _plan_now(batch, now)
    if batch.output_lot_id is not None:
        run.held = (await hold.open_on(db, [batch.output_lot_id])).get(batch.output_lot_id)
    if run.held is not None and run.held.deviation_id is not None:
        run.held_deviation = await _number(db, run.held.deviation_id)
    if batch.status in (BatchState.running, BatchState.paused) and batch.started_at is not None:
        run.check = await due.next_of(db, line.id, batch.item_id, batch.id, batch.started_at, batch.ccp_version_ids)
    return run


async def _batch_of(db: AsyncSession, line: ProductionLine) -> ProductionBatch | None:
    """The batch on the line; with none, the one that comes next."""
    mine = select(ProductionBatch).where(ProductionBatch.line_id == line.id)
    running = mine.where(ProductionBatch.status.in_((BatchState.running, BatchState.paused)))
    released = mine.where(ProductionBatch.status == BatchState.released).order_by(ProductionBatch.planned_start)
    found: ProductionBatch | None = await db.scalar(running.limit(1)) or await db.scalar(released.limit(1))
    return found


def _plan_now(batch: ProductionBatch, now: datetime) -> int:
    """How many the plan says by now: the planned time from the start on, evenly."""
    start = batch.started_at
    if start is None:
        return 0
    share = (now - start) / (batch.planned_end - batch.planned_start)
    return int(batch.planned_qty * Decimal(str(min(max(share, 0.0), 1.0))))


async def _number(db: AsyncSession, deviation_id: UUID) -> str | None:
    row = await db.get(Deviation, deviation_id)
    if row is not None and row.duplicate_of_id is not None:
        row = await db.get(Deviation, row.duplicate_of_id)
    return row.number if row is not None else None


async def _deviations(db: AsyncSession, plant: Plant, lines: Sequence[ProductionLine]) -> tuple[DeviationLine, ...]:
    """Open deviations, the newest first; duplicates are not a case of their own."""
    found = select(Deviation).where(
        Deviation.plant_id == plant.id,
        Deviation.duplicate_of_id.is_(None),
        Deviation.state.not_in((DeviationState.closed, DeviationState.void)),
    )
    line_of = {line.id: line for line in lines}
    rows = (await db.scalars(found.order_by(Deviation.detected_at.desc()))).all()
    return tuple([await _deviation(db, plant, row, line_of.get(row.line_id) if row.line_id else None) for row in rows])


async def _deviation(db: AsyncSession, plant: Plant, row: Deviation, line: ProductionLine | None) -> DeviationLine:
    holds = select(LotHold.lot_id).where(LotHold.deviation_id == row.id, LotHold.state == HoldState.open)
    held = set((await db.scalars(holds)).all())
    lots = {*row.lot_ids, *held}
    codes = await db.scalars(select(Lot.lot_code).where(Lot.id.in_(lots)).order_by(Lot.lot_code))
    taken = select(DeviationStep.action_code).where(DeviationStep.deviation_id == row.id)
    version = await db.get(CcpVersion, row.ccp_version_id) if row.ccp_version_id else None
    known = {
        action["code"]: action["names"].get("en", action["code"]) for action in (version.actions if version else [])
    }
    what = await _what(db, plant, row, line)
    return DeviationLine(
        deviation_id=row.id,
        number=row.number or row.local_no,
        title=row.summary or (version.names.get("en", "") if version else ""),
        title_names={} if row.summary or version is None else version.names,
        detail=what["en"],
        detail_names=what,
        line_name=line.name if line else None,
        severity=row.severity,
        state=row.state.value,
        is_held=bool(held),
        lot_codes=tuple(codes.all()),
        detected_at=row.detected_at,
        actions=tuple(known.get(code, code) for code in await db.scalars(taken.order_by(DeviationStep.occurred_at))),
    )


async def _what(db: AsyncSession, plant: Plant, row: Deviation, line: ProductionLine | None) -> dict[str, str]:
    """The value that was read, when as plant time, and on which line, by language."""
    reading = await db.get(CcpMonitoring, row.reading_id) if row.reading_id else None
    value = readings.shown(reading.value, reading.unit) if reading else row.detail
    names = {"en": "", "es": ""}
    if line is not None:
        names = {language: line.names.get(language) or line.name for language in names}
    if not reading or not value:
        return {language: " · ".join(part for part in (value, name) if part) for language, name in names.items()}
    at = row.detected_at.astimezone(ZoneInfo(plant.tz))
    said = {"en": f"{value} at {at:%H:%M}", "es": f"{value.replace('.', ',')} a las {at:%H:%M}"}
    return {language: " · ".join(part for part in (said[language], name) if part) for language, name in names.items()}
