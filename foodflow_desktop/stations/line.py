"""The line at a glance: state, count against plan, rate, scrap, the last hour, what comes next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from foodflow_desktop.stations import records, running, weigh_check
from foodflow_desktop.stations.checks import due_checks
from foodflow_desktop.stations.context import Context
from foodflow_desktop.stations.due import CheckDue, Due
from foodflow_desktop.stations.kept import Kept
from foodflow_desktop.stations.line_screen import (
    HourBar,
    LastStop,
    LineWord,
    Offline,
    Planned,
    RunScreen,
    Task,
    TaskState,
)
from foodflow_desktop.stations.running import Running
from foodflow_desktop.store import Recorded, queries
from foodflow_desktop.sync import status as sync_status
from foodflow_kernel.machines.plant_ops import BatchState, WorkOrderState
from foodflow_kernel.units import Uom
from foodflow_kernel.wire import bodies

BARS, BAR = 12, timedelta(minutes=5)
TASKS = 3
ORDERS = 3
RATE_WINDOW = timedelta(minutes=30)
"""The rate is taken over this much, stops left out."""
FRESH_NS = 5_000_000_000
"""A picture of the store older than this [plant ns] is read again: time passed."""


@dataclass(frozen=True, slots=True)
class _Stop:
    start: datetime
    end: datetime | None

    def inside(self, since: datetime, until: datetime) -> timedelta:
        """How much of a stretch it takes."""
        end = min(self.end or until, until)
        return max(timedelta(0), end - max(self.start, since))


class LineStation:
    """The Run view's logic."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._screen: Kept[RunScreen] = Kept()
        self._read_ns = 0
        self._key: tuple[object, ...] = ()
        self.on_changed: Callable[[], None] = lambda: None
        context.store.subscribe(self._on_recorded)
        context.store.on_master(lambda _: self.forget())

    def forget(self) -> None:
        """What the store knows may have changed: read it anew."""
        self._screen.forget()

    def _on_recorded(self, recorded: Recorded) -> None:
        if recorded.fact.kind not in ("telemetry", "sensor_latest", "witness"):
            self.forget()

    def screen(self) -> RunScreen:
        """The picture as of now."""
        context, now_ns = self._context, self._context.clock.mono_ns()
        key = (context.language, context.session.user, self._offline())
        if key != self._key or now_ns - self._read_ns > FRESH_NS:
            self._key = key
            self._screen.forget()
        return self._screen.get(self._made_anew)

    def _made_anew(self) -> RunScreen:
        context, now = self._context, self._context.clock.now()
        self._read_ns = context.clock.mono_ns()
        seen = running.current_batch(context.store, context.line_id)
        if seen is None:
            return RunScreen(orders=self._orders(), offline=self._offline())
        batch = seen.batch
        item = context.store.master.items.get(batch.item_id)
        stops = self._stops(now)
        made = max(int(records.counted(context.store, batch.id)), batch.total)
        scrap = max(int(self._scrapped(batch.id)), batch.scrap)
        rate = self._rate(seen, stops, now)
        target = float(60 / batch.pri_s) if batch.pri_s else None
        planned = int(batch.planned_qty)
        word, since = _word(seen, stops)
        to_at = now.replace(second=0, microsecond=0)
        return RunScreen(
            batch_no=batch.batch_no,
            product=context.named(item.names) if item else "",
            word=word,
            minutes=max(0, (now - since) // timedelta(minutes=1)) if since else 0,
            is_held=batch.output_lot_id is not None and context.store.is_held(batch.output_lot_id),
            made=made,
            planned=planned,
            unit=context.named(item.unit_names) if item else "",
            plan_now=_plan_now(seen, planned, now),
            rate=rate,
            target=target,
            good=max(0, made - scrap),
            scrap=scrap,
            finishes_at=now + timedelta(minutes=(planned - made) / rate) if rate and made < planned else None,
            bars=self._bars(batch.id, stops, to_at),
            per_bar=round(target * (BAR / timedelta(minutes=1))) if target else None,
            to_at=to_at,
            stop=_last_stop(stops, to_at - BARS * BAR, now),
            tasks=self._tasks(seen, now),
            offline=self._offline(),
        )

    def _offline(self) -> Offline | None:
        status, now = self._context.store.status(), self._context.clock.now()
        pill = sync_status.pill(status, now)
        is_off = pill.state is sync_status.PillState.offline
        return Offline(status.heard_at, pill.waiting) if is_off else None

    def _orders(self) -> tuple[Planned, ...]:
        context, picture = self._context, self._context.store.master
        found = []
        for order in picture.work_orders.values():
            batch = picture.batches.get(order.batch_id) if order.batch_id else None
            item = picture.items.get(order.item_id)
            is_ready = order.status is WorkOrderState.released and order.line_id == context.line_id
            if not is_ready or batch is None or item is None or batch.status is not BatchState.released:
                continue
            if running.of(context.store, batch).state is not BatchState.released:
                continue
            found.append(
                Planned(
                    order.wo_no,
                    batch.batch_no,
                    context.named(item.names),
                    int(order.qty_planned),
                    context.named(item.unit_names),
                    order.start_at,
                )
            )
        return tuple(sorted(found, key=lambda one: one.start_at)[:ORDERS])

    def _stops(self, now: datetime) -> list[_Stop]:
        store, line_id, since = self._context.store, self._context.line_id, now - timedelta(hours=24)
        ends = {one.body.stop_id: one.body.ended_at for one in records.taken(store, bodies.StopClosed, since=since)}
        opened = [
            _Stop(one.body.started_at, ends.get(one.body.stop_id))
            for one in records.taken(store, bodies.StopOpened, since=since)
            if one.body.line_id == line_id
        ]
        return sorted(opened, key=lambda one: one.start)

    def _scrapped(self, batch_id: UUID) -> Decimal:
        store = self._context.store
        gone = records.taken_back(store)
        found = records.taken(store, bodies.ScrapRecorded, batch_id=batch_id)
        counted = (one.body.amount for one in found if one.entry.id not in gone)
        return sum((one.value for one in counted if one.uom is Uom.H87), Decimal(0))

    def _rate(self, seen: Running, stops: Sequence[_Stop], now: datetime) -> float | None:
        since = max(now - RATE_WINDOW, seen.started_at or now)
        lasted = now - since - sum((stop.inside(since, now) for stop in stops), timedelta(0))
        minutes = lasted / timedelta(minutes=1)
        if minutes < 1:
            return None
        made = float(records.counted(self._context.store, seen.batch.id, since))
        return made / minutes if made else None

    def _bars(self, batch_id: UUID, stops: Sequence[_Stop], to_at: datetime) -> tuple[HourBar, ...]:
        from_at = to_at - BARS * BAR
        with self._context.store.reading() as db:
            counts = queries.counts_since(db, batch_id, from_at)
        sums = [0] * BARS
        for at, count in counts:
            sums[max(0, min((at - from_at) // BAR, BARS - 1))] += count  # this minute belongs to the last bar
        bars = []
        for number in range(BARS):
            start = from_at + number * BAR
            is_stop = any(stop.start < start + BAR and stop.inside(start, start + BAR) > BAR / 4 for stop in stops)
            bars.append(HourBar(start, sums[number], is_stop))
        return tuple(bars)

    def _tasks(self, seen: Running, now: datetime) -> tuple[Task, ...]:
        context = self._context
        user = context.session.user
        is_qa = user is not None and bool({"QT", "QM", "SV"} & set(user.roles))
        line_ids = [context.line_id] if context.line_id else []
        found = [
            self._check_task(one, now)
            for one in due_checks(context.store, line_ids, now, operators_only=not is_qa)
            if one.due_at is not None and one.state is not Due.paused
        ]
        spec = weigh_check.spec_of(dict(context.store.master.weight_specs), seen.batch.item_id)
        due_at = weigh_check.due_at(context.store, seen, spec) if spec else None
        if due_at is not None:
            is_late = now >= due_at + timedelta(minutes=1)
            state = TaskState.late if is_late else TaskState.at
            found.append(Task("", "scale", state, _minutes(now, due_at), due_at, "weigh"))
        far = datetime.max.replace(tzinfo=now.tzinfo)
        found.sort(key=lambda task: (task.state is not TaskState.late, task.at or far))
        return tuple(found[:TASKS])

    def _check_task(self, one: CheckDue, now: datetime) -> Task:
        state = {Due.late: TaskState.late, Due.soon: TaskState.soon}.get(one.state, TaskState.at)
        minutes = _minutes(now, one.due_at) if one.due_at else 0
        return Task(self._context.named(one.ccp.names), one.ccp.icon, state, minutes, one.due_at, "ccp", one.ccp.id)


def _minutes(now: datetime, due_at: datetime) -> int:
    return int(abs(now - due_at) // timedelta(minutes=1))


def _word(seen: Running, stops: Sequence[_Stop]) -> tuple[LineWord, datetime | None]:
    """What the line does, and since when."""
    if seen.state is BatchState.paused:
        return LineWord.paused, None
    if stops and stops[-1].end is None:
        return LineWord.stopped, stops[-1].start
    known = [at for at in (seen.started_at, seen.resumed_at) if at is not None]
    known += [stop.end for stop in stops[-1:] if stop.end is not None and (not known or stop.end > max(known))]
    return LineWord.running, max(known, default=None)


def _plan_now(seen: Running, planned: int, now: datetime) -> int | None:
    """Where the target rate would be since the start."""
    if seen.started_at is None or not seen.batch.pri_s:
        return None
    passed_s = max(0.0, (now - seen.started_at).total_seconds())
    return min(planned, int(passed_s / float(seen.batch.pri_s)))


def _last_stop(stops: Sequence[_Stop], since: datetime, now: datetime) -> LastStop | None:
    for stop in reversed(stops):
        end = stop.end or now
        if end >= since:
            return LastStop(max(1, round((end - stop.start) / timedelta(minutes=1))), stop.start)
    return None
