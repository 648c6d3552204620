"""What had happened before the demo begins: the shift so far on lines 1, 3 and 4, and older batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from foodflow_kernel.machines.fsq import LotState
from foodflow_kernel.machines.plant_ops import BatchState, WorkOrderState
from foodflow_kernel.rules.ccp import CcpVerdict
from foodflow_kernel.wire import bodies
from foodflow_kernel.wire.bodies import Source
from server.core.stamp import Stamp, server_born
from server.fsq import deviation, hold, links, lot, monitoring, nodes
from server.fsq.models import NumberSeries
from server.plant_ops import batch as batches
from server.plant_ops import downtime, line_events, scrap
from server.plant_ops.models import ProductionBatch
from server.seed import catalogue
from server.seed.world import Run, World, plan_run

D = Decimal
COUNT_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Stretch:
    """From then on the line was in a state; a stop may have a reason."""

    at: datetime
    state: str
    reason: str | None = None
    asset: str | None = None
    note: str = ""


async def tell(world: World, people: Mapping[str, UUID]) -> None:
    """All of it, oldest first."""
    await _older_batches(world)
    await _open_deviation(world, people)
    await _shift_so_far(world, people)
    await _next_on_line_2(world)


async def _older_batches(world: World) -> None:
    """Soup and pie of the last days, with what went into them and where they went."""
    soup_start, pie_start = world.when.local(7, 0, days=-3), world.when.local(7, 0, days=-5)
    soup = await plan_run(
        world,
        Run("B-2611-0415", 2, "WO-261120-02", "TBS-261120-01", 3456, soup_start, soup_start + timedelta(hours=4),
            BatchState.closed, WorkOrderState.closed, LotState.released),
    )  # fmt: skip
    pie = await plan_run(
        world,
        Run("B-2611-0411", 1, "WO-261118-01", "CPP-261118-01", 1440, pie_start, pie_start + timedelta(hours=3),
            BatchState.closed, WorkOrderState.closed, LotState.released),
    )  # fmt: skip
    for batch, good, lost in ((soup, 3456, 31), (pie, 1440, 14)):
        batch.total, batch.good, batch.scrap = good + lost, good, lost
    await _use(world, soup, {"TB-261122-B": "1200", "SA-261001-D": "9", "BP-261117-A": "180", "OO-261105-F": "30",
                             "CU-261102-C": "3500", "LF-261110-E": "2"})  # fmt: skip
    await _use(world, pie, {"BP-261117-A": "60", "CF-261122-A": "360", "PA-261120-B": "200"})
    await _waste_and_count(world, "BP-261117-A", waste="4.8", counted="234")
    world.db.add(NumberSeries(name="sscc", n=5489))
    await _ship(world, pie, cases=60, pallets=2, customers=[("114", "Depot North", 2)])
    await _skip_to(world, 5500)
    await _ship(world, soup, cases=48, pallets=6, customers=[("114", "Depot North", 2), ("131", "Depot East", 2)])


async def _skip_to(world: World, n: int) -> None:
    row = await world.db.get_one(NumberSeries, "sscc", populate_existing=True)
    row.n = n
    await world.db.flush()


async def _use(world: World, batch: ProductionBatch, parts: Mapping[str, str]) -> None:
    stamped = []
    for code, qty in parts.items():
        used = world.lots[code]
        at = (batch.started_at or world.when.now) + timedelta(minutes=20)
        link = links.Link(
            "transform",
            nodes.lot(used.id),
            nodes.batch(batch.id),
            D(qty),
            used.uom,
            event_id=batch.id,
            from_lot_id=used.id,
            to_lot_id=batch.output_lot_id,
            batch_id=batch.id,
            item_id=used.item_id,
        )
        stamped.append((server_born(at, None, world.plant.id), link))
    await links.record(world.db, stamped)


async def _waste_and_count(world: World, code: str, *, waste: str, counted: str) -> None:
    row = world.lots[code]
    at = world.when.local(15, 0, days=-2)
    link = links.Link(
        "destroy",
        nodes.lot(row.id),
        nodes.waste(row.id),
        D(waste),
        row.uom,
        from_lot_id=row.id,
        item_id=row.item_id,
        detail={"reason": "spill"},
    )
    await links.record(world.db, [(server_born(at, None, world.plant.id), link)])
    row.counted_qty, row.counted_at = D(counted), world.when.local(5, 40)
    await world.db.flush()


async def _ship(
    world: World, batch: ProductionBatch, *, cases: int, pallets: int, customers: Sequence[tuple[str, str, int]]
) -> None:
    made = world.lots[next(code for code, row in world.lots.items() if row.id == batch.output_lot_id)]
    item = next(item for item in world.items.values() if item.id == batch.item_id)
    each = D(cases * (item.units_per_case or 1))
    ended = batch.ended_at or world.when.now
    packed = [
        await lot.pack(
            world.db,
            made,
            lot.Pack(qty=each, uom=made.uom),
            made=D(batch.good or 0),
            gs1_prefix=world.tenant.gs1_company_prefix,
            actor_id=None,
            now=ended + timedelta(minutes=10 * place),
        )
        for place in range(pallets)
    ]
    waiting = iter(packed)
    for code, name, count in customers:
        document = f"DN-{ended:%y%m%d}-{code}"
        for _ in range(count):
            order = lot.Ship(partner_code=code, partner_name=name, document_no=document)
            await lot.ship(world.db, next(waiting), order, actor_id=None, now=ended + timedelta(days=1))


async def _open_deviation(world: World, people: Mapping[str, UUID]) -> None:
    """DV-0092: a wrong label on line 3, three hours old, contained, 48 cases held."""
    at = world.when.ago(hours=3, minutes=5)
    start = world.when.local(14, 0, days=-1)
    await plan_run(
        world,
        Run("B-2611-0414", 3, "WO-261122-03", "PSS-261122-01", 7200, start, start + timedelta(hours=8),
            BatchState.completed, WorkOrderState.completed, LotState.quarantine),
    )  # fmt: skip
    batch, made = world.batches["B-2611-0414"], world.lots["PSS-261122-01"]
    batch.total, batch.good, batch.scrap = 7250, 7168, 82
    world.db.add(NumberSeries(name=f"deviation:{world.plant.id}:{at.year}", n=91))
    await world.db.flush()
    row = await deviation.open_(
        world.db,
        deviation.NewDeviation(
            deviation_id=world.id(),
            plant_id=world.plant.id,
            severity="critical",
            source="check",
            detected_at=at,
            detected_by=people.get("2008"),
            batch_id=batch.id,
            line_id=world.lines[3].id,
            lot_ids=(made.id,),
            summary="Wrong allergen label",
            detail="48 cases",
        ),
    )
    await hold.place(
        world.db,
        hold.NewHold(
            hold_id=world.id(),
            lot_id=made.id,
            reason="Wrong allergen label",
            source="deviation",
            placed_at=at,
            placed_by=people.get("2008"),
            plant_id=world.plant.id,
            qty=bodies.Amount(value=D(48 * 24), uom=catalogue.PIECE),
            deviation_id=row.id,
        ),
    )


async def _shift_so_far(world: World, people: Mapping[str, UUID]) -> None:
    shift = world.when.local(6)
    runs = (
        (Run("B-2611-0417", 1, "WO-261123-01", "CPP-261123-01", 8400, shift, shift + timedelta(hours=8),
             BatchState.running, WorkOrderState.in_progress, LotState.quarantine),
         D("19.81"), D("0.010"), ("CF-261122-A", "PA-261120-B")),
        (Run("B-2611-0416", 3, "WO-261123-03", "PSS-261123-01", 7200, shift, shift + timedelta(hours=8),
             BatchState.running, WorkOrderState.in_progress, LotState.quarantine),
         D("18.43"), D("0.015"), ("PP-261109-C", "CM-261030-A", "SS-261015-B")),
        (Run("B-2611-0419", 4, "WO-261123-04", "FYG-261123-01", 9600, shift, shift + timedelta(hours=8),
             BatchState.running, WorkOrderState.in_progress, LotState.quarantine),
         D("25.92"), D("0.006"), ("YB-261122-A", "FP-261118-C")),
    )  # fmt: skip
    stretches = _stretches(world)
    for run, rate, lost, parts in runs:
        batch = await plan_run(world, run)
        await _use(world, batch, dict.fromkeys(parts, "60"))
        await _line_day(world, batch, stretches[run.line], rate, lost)
    await _states(world, None, world.lines[2].id, stretches[2])
    await _readings(world, people)


def _stretches(world: World) -> dict[int, list[Stretch]]:
    local, ago = world.when.local, world.when.ago
    start = local(6)
    return {
        1: [
            Stretch(start, "running"),
            Stretch(local(7, 36), "down", "jam"),
            Stretch(local(7, 40), "running"),
            Stretch(local(8, 40), "planned_down", "break"),
            Stretch(local(8, 55), "running"),
        ],
        2: [Stretch(start, "planned_down")],
        3: [
            Stretch(start, "running"),
            Stretch(local(7, 10), "down", "no_material"),
            Stretch(local(7, 57), "running"),
            Stretch(local(9, 33), "down", "film_change"),
            Stretch(local(9, 36), "running"),
            Stretch(ago(minutes=14), "down", "breakdown", "FH-4", "filler head 4"),
        ],
        4: [
            Stretch(start, "running"),
            Stretch(local(8, 13), "planned_down", "cleaning"),
            Stretch(local(8, 30), "running"),
            Stretch(local(9, 37), "down", "downstream"),
            Stretch(local(9, 43), "running"),
            Stretch(ago(minutes=9), "setup", "changeover"),
        ],
    }


async def _states(world: World, batch_id: UUID | None, line_id: UUID, day: Sequence[Stretch]) -> None:
    facts = [
        (_stamp(world, part.at), bodies.LineState(line_id=line_id, state=part.state, batch_id=batch_id)) for part in day
    ]
    await line_events.record_states(world.db, facts)


async def _line_day(
    world: World, batch: ProductionBatch, day: Sequence[Stretch], per_min: Decimal, lost: Decimal
) -> None:
    """States, stops, counts each five minutes and scrap each half hour of one line."""
    await _states(world, batch.id, batch.line_id, day)
    spans = [(part, after) for part, after in zip(day, [*(p.at for p in day[1:]), world.when.now], strict=True)]
    for part, until in spans:
        if part.state == "down":
            await _stop(world, batch, part, None if until == world.when.now else until)
    counts, total, exact, at = [], 0, D(0), day[0].at
    while at < world.when.now:
        to = min(at + COUNT_EVERY, world.when.now)
        ran = sum((_overlap(at, to, part.at, until) for part, until in spans if part.state == "running"), D(0))
        exact += ran * per_min
        delta = int(exact) - total
        if delta:
            total += delta
            body = bodies.LineCount(
                line_id=batch.line_id, batch_id=batch.id, delta=delta, total=total, raw=total, from_at=at
            )
            counts.append((_stamp(world, to - timedelta(seconds=1)), body))
        at = to
    await line_events.record_counts(world.db, counts)
    await _scrap(world, batch, day[0].at, int(total * lost))


async def _scrap(world: World, batch: ProductionBatch, start: datetime, pieces: int) -> None:
    times = []
    at = start + timedelta(minutes=25)
    while at < world.when.now:
        times.append(at)
        at += timedelta(minutes=30)
    facts = []
    for place, when in enumerate(times):
        qty = pieces * (place + 1) // len(times) - pieces * place // len(times)
        if qty:
            body = bodies.ScrapRecorded(
                batch_id=batch.id,
                lot_id=batch.output_lot_id,
                amount=bodies.Amount(value=D(qty), uom=catalogue.PIECE),
                reason_code=("bad_seal", "underfill", "damaged")[place % 3],
            )
            facts.append((_stamp(world, when, batch.line_id), body))
    await scrap.record(world.db, facts)


def _overlap(start: datetime, end: datetime, from_at: datetime, to_at: datetime) -> Decimal:
    """Minutes that two spans share."""
    shared = min(end, to_at) - max(start, from_at)
    return max(D(shared // timedelta(seconds=1)), D(0)) / 60


async def _stop(world: World, batch: ProductionBatch, part: Stretch, until: datetime | None) -> None:
    stop_id = world.id()
    opened = bodies.StopOpened(
        stop_id=stop_id, line_id=batch.line_id, batch_id=batch.id, started_at=part.at, source=Source.signal
    )
    await downtime.record_opened(world.db, _stamp(world, part.at, batch.line_id), opened)
    if part.reason is not None:
        explained = bodies.StopExplained(
            stop_id=stop_id,
            reason_code=part.reason,
            equipment_id=world.assets[part.asset].id if part.asset else None,
            note=part.note,
        )
        told_at = min(part.at + timedelta(minutes=2), world.when.now)
        await downtime.record_explained(world.db, _stamp(world, told_at, batch.line_id), explained)
    if until is not None:
        closed = bodies.StopClosed(stop_id=stop_id, ended_at=until, source=Source.signal)
        await downtime.record_closed(world.db, _stamp(world, until, batch.line_id), closed)


async def _readings(world: World, people: Mapping[str, UUID]) -> None:
    """Checks in their limits, so that the board knows when the next ones are due."""
    taken = (
        (1, "CCP-1", "B-2611-0417", 47, "82.4"),
        (3, "CCP-2", "B-2611-0416", 7, None),
        (4, "CCP-1", "B-2611-0419", 35, "74.6"),
    )
    for line, no, batch_no, minutes, value in taken:
        version, batch = world.checks[line, no], world.batches[batch_no]
        pieces = tuple(bodies.DetectorPiece(piece=piece, rejected=True) for piece in version.pieces)
        body = bodies.CcpReading(
            ccp_version_id=version.id,
            ccp_id=version.ccp_id,
            batch_id=batch.id,
            lot_id=batch.output_lot_id,
            value=None if value is None else D(value),
            unit=version.unit,
            pieces=pieces,
            equipment_id=version.instrument_id,
            source=Source.typed if value is None else Source.sensor,
            verdict=CcpVerdict.ok,
        )
        stamp = server_born(world.when.ago(minutes=minutes), people.get("2008"), world.plant.id)
        await monitoring.record(world.db, stamp, body)


async def _next_on_line_2(world: World) -> None:
    """The batch of the demo, released and waiting for the kiosk to start it."""
    start = world.when.now.replace(second=0, microsecond=0)
    minutes = D(4800) * D(catalogue.LINES[1].pri_s) / 60
    await plan_run(
        world,
        Run("B-2611-0418", 2, "WO-261123-02", "TBS-261123-02", 4800, start,
            start + timedelta(minutes=float(minutes)), BatchState.released, WorkOrderState.released,
            LotState.expected),
    )  # fmt: skip
    rate = await batches.rate_at(world.db, world.lines[2].id, world.items["TBS600"].id, start)
    world.batches["B-2611-0418"].pri_s = rate
    await world.db.flush()


def _stamp(world: World, at: datetime, line_id: UUID | None = None) -> Stamp:
    return replace(server_born(at, None, world.plant.id), line_id=line_id)
