"""The line signal becomes line states, counts and stops: facts that nobody has to type.

A running bit and a piece counter come in several times a second. A change of the bit is a
``line_state`` at once; pieces are a ``line_count`` each ten seconds and at each change, also when
there were none, so that the server can tell "stopped" from "not heard". A stand that reaches the
plant's micro-stop limit opens a stop, which is what makes the Downtime screen come up.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from foodflow_desktop.hardware.readings import SignalReading
from foodflow_desktop.stations.stops import StopLog
from foodflow_desktop.store import Draft
from foodflow_kernel import ids
from foodflow_kernel.rules import signal
from foodflow_kernel.rules.signal import Change, Moment, Running, SignalEvent
from foodflow_kernel.stats.fold import LineStateName
from foodflow_kernel.wire.bodies import LineCount, LineState, Source, StopClosed, StopOpened

COUNT_S = 10.0
"""A count each so often [s of plant time]."""


@dataclass(frozen=True, slots=True)
class SignalScreen:
    """What the line signal says now.

    Args:
        since: since when the line runs or stands; None until the first reading.
        total: pieces of this batch so far, by this terminal.
        heard_at: the last reading.
    """

    is_running: bool | None = None
    since: datetime | None = None
    batch_id: UUID | None = None
    total: int = 0
    heard_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SignalPast:
    """Where the recording stood when the program last ran, read from its own entries."""

    state: str | None = None
    since: datetime | None = None
    count: LineCount | None = None
    counted_at: datetime | None = None


class SignalStation:
    """Folds the readings of one line.

    Args:
        batch: the batch that runs on the line now.
        microstop_s: the plant's limit [s].
        record: takes finished drafts; must not block (``recording.Recorder.put``).
        past: where the recording stood; pieces made while this program was off are still counted.
    """

    def __init__(
        self,
        line_id: UUID,
        stops: StopLog,
        *,
        batch: Callable[[], UUID | None],
        microstop_s: Callable[[], int],
        record: Callable[[list[Draft]], None],
        past: SignalPast | None = None,
    ) -> None:
        past = past or SignalPast()
        self._line_id = line_id
        self._stops = stops
        self._batch = batch
        self._microstop_s = microstop_s
        self._record = record
        self._past: SignalPast | None = past
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._watch = signal.LineWatch()
        self._counter = signal.Counter()
        self._batch_id = past.count.batch_id if past.count else None
        self._total = past.count.total if past.count else 0
        self._counted_at = past.counted_at
        self._delta = 0
        self._was_reset = False
        self._heard_at: datetime | None = None
        self._opened_id: UUID | None = None

    def on_changed(self, callback: Callable[[], None]) -> None:
        """Call back when the line starts or stops or a count was taken, on the device's thread."""
        self._listeners.append(callback)

    def screen(self) -> SignalScreen:
        """What the line signal says now."""
        with self._lock:
            is_known = self._watch.state is not Running.unknown
            return SignalScreen(
                is_running=self._watch.state is Running.running if is_known else None,
                since=self._watch.since,
                batch_id=self._batch_id,
                total=self._total + self._delta,
                heard_at=self._heard_at,
            )

    def on_reading(self, reading: SignalReading) -> None:
        """Take one reading, on the device's own thread."""
        batch_id = self._batch()
        with self._lock:
            drafts = self._take(reading, batch_id)
        if drafts:
            self._record(drafts)
            for listener in self._listeners:
                listener()

    def flush(self, at: datetime) -> None:
        """Hand out the pieces not yet in a count; when the program stops."""
        with self._lock:
            drafts = [self._count(at)] if self._delta else []
        if drafts:
            self._record(drafts)

    def _take(self, reading: SignalReading, batch_id: UUID | None) -> list[Draft]:
        if self._past is not None:
            self._resume(self._past, reading)
            self._past = None
        drafts: list[Draft] = []
        self._heard_at = reading.at
        if batch_id != self._batch_id:
            if self._delta:
                drafts.append(self._count(reading.at))
            self._batch_id, self._total = batch_id, 0
        self._counter, step = signal.count(self._counter, reading.count_raw, reading.mono_ns)
        self._delta += step.delta
        self._was_reset |= step.change in (Change.was_reset, Change.jumped)
        self._watch, events = signal.watch(
            self._watch,
            is_running=reading.is_running,
            at=reading.at,
            mono_ns=reading.mono_ns,
            microstop_s=self._microstop_s(),
        )
        for event in events:
            drafts += self._told(event)
        counted_at = self._counted_at or reading.at
        is_change = any(event.moment is not Moment.stop_opened for event in events)
        if is_change or self._was_reset or reading.at - counted_at >= timedelta(seconds=COUNT_S):
            drafts.append(self._count(reading.at))
        return drafts

    def _resume(self, past: SignalPast, reading: SignalReading) -> None:
        """Go on where the entries stop, so that pieces made meanwhile are counted and no stop opens twice."""
        self._counter = signal.Counter(bits=reading.bits)
        if past.count is not None and past.counted_at is not None:
            ago_ns = max(0, int((reading.at - past.counted_at).total_seconds() * 1e9))
            self._counter = replace(self._counter, raw=past.count.raw, mono_ns=reading.mono_ns - ago_ns)
        if self._counted_at is None:
            self._counted_at = reading.at
        if past.state is not None and past.since is not None:
            is_running = past.state == LineStateName.running
            stands = Running.stopped if self._stops.open else Running.pausing
            state = Running.running if is_running else stands
            self._watch = signal.resume(state, past.since, now=reading.at, mono_ns=reading.mono_ns)

    def _count(self, at: datetime) -> Draft:
        self._total += self._delta
        body = LineCount(
            line_id=self._line_id,
            batch_id=self._batch_id,
            delta=self._delta,
            total=self._total,
            raw=self._counter.raw or 0,
            from_at=self._counted_at or at,
            was_reset=self._was_reset,
        )
        self._delta, self._was_reset, self._counted_at = 0, False, at
        return Draft(body, None, self._line_id, occurred_at=at)

    def _told(self, event: SignalEvent) -> list[Draft]:
        """The facts of one moment of the line."""
        match event.moment:
            case Moment.paused:
                return [self._state(LineStateName.down, event.at)]
            case Moment.stop_opened:
                return self._opened(event.at)
            case Moment.started | Moment.micro_stop | Moment.stop_closed:
                return [self._state(LineStateName.running, event.at), *self._closed(event.at)]
            case _:
                return []

    def _state(self, state: LineStateName, at: datetime) -> Draft:
        body = LineState(line_id=self._line_id, state=state, batch_id=self._batch_id)
        return Draft(body, None, self._line_id, occurred_at=at)

    def _opened(self, since: datetime) -> list[Draft]:
        if self._is_told(since) or not self._stops.claim():
            return []
        self._opened_id = ids.new_id(since)
        opened = StopOpened(
            stop_id=self._opened_id,
            line_id=self._line_id,
            batch_id=self._batch_id,
            started_at=since,
            source=Source.signal,
        )
        return [Draft(opened, None, self._line_id, occurred_at=since)]

    def _closed(self, at: datetime) -> list[Draft]:
        stop = self._stops.open
        stop_id, self._opened_id = stop.stop_id if stop else self._opened_id, None
        if stop is None and any(known.stop_id == stop_id for known in self._stops.all):
            return []  # a person closed it
        if stop_id is None:
            return []
        closed = StopClosed(stop_id=stop_id, ended_at=at, source=Source.signal)
        return [Draft(closed, None, self._line_id, occurred_at=at)]

    def _is_told(self, since: datetime) -> bool:
        """Whether a stop that covers this stand was opened before, even if a person closed it since."""
        return any(stop.ended_at is None or stop.ended_at > since for stop in self._stops.all)
