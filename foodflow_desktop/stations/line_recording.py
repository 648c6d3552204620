"""What this terminal records without anybody touching it: line signal, stops and telemetry.

Wires devices to the stations that fold them and to the thread that writes. Nothing runs before
the terminal knows its line, which the first snapshot after pairing tells it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import UUID

from foodflow_desktop.hardware.readings import SensorSample, SignalReading
from foodflow_desktop.stations import records, running
from foodflow_desktop.stations.context import Context
from foodflow_desktop.stations.recording import Recorder
from foodflow_desktop.stations.signal import SignalPast, SignalStation
from foodflow_desktop.stations.stops import StopLog
from foodflow_desktop.stations.telemetry import TelemetryStation
from foodflow_desktop.store import Recorded, queries
from foodflow_kernel.wire import master
from foodflow_kernel.wire.bodies import LineCount, LineState, StopClosed, StopExplained, StopOpened

STOP_BODIES: dict[str, type[StopOpened | StopExplained | StopClosed]] = {
    "stop_opened": StopOpened,
    "stop_explained": StopExplained,
    "stop_closed": StopClosed,
}
REMEMBERED = timedelta(hours=36)
"""How far back stops are read at start: a shift, the one before and a night."""

MICROSTOP_S = 120
"""Until the plant's own limit is known [s] (plant_ops.md, Downtime)."""


class LineRecording:
    """Records the line of this terminal from ``start`` to ``stop``."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._recorder = Recorder(context.store)
        self._telemetry = TelemetryStation(self._sensors, self._recorder.put)
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._batch_id: UUID | None = None
        self._is_running = False
        self.stops: StopLog | None = None
        self.signal: SignalStation | None = None

    def on_changed(self, callback: Callable[[], None]) -> None:
        """Call back when a stop, a state or a count is new, on the thread that found it."""
        self._listeners.append(callback)

    def start(self) -> None:
        """Begin to listen to the devices and to write."""
        store, hardware = self._context.store, self._context.hardware
        self._recorder.start()
        self._is_running = True
        store.subscribe(self._on_saved)
        store.on_master(lambda *_: self._on_master())
        self._on_master()
        hardware.subscribe(SignalReading, self._on_signal)
        hardware.subscribe(SensorSample, self._on_sample)

    def stop(self) -> None:
        """Write what was collected and end."""
        self._is_running = False
        if self.signal is not None:
            self.signal.flush(self._context.clock.now())
        self._telemetry.flush()
        self._recorder.stop()

    def settle(self) -> None:
        """Wait until what the devices said so far is written."""
        self._recorder.settle()

    def _on_signal(self, reading: SignalReading) -> None:
        if self.signal is not None and self._is_running:
            self.signal.on_reading(reading)

    def _on_sample(self, sample: SensorSample) -> None:
        if self._is_running:
            self._telemetry.on_sample(sample)

    def _on_master(self) -> None:
        with self._lock:
            line_id = self._context.line_id
            if line_id is not None and (self.stops is None or self.stops.line_id != line_id):
                self._begin(line_id)
        self._look_up_batch()

    def _on_saved(self, recorded: Recorded) -> None:
        fact = recorded.fact
        if fact.kind == "batch_moved":
            self._look_up_batch()
        elif fact.kind in STOP_BODIES and self.stops is not None:
            body = STOP_BODIES[fact.kind].model_validate(fact.body)
            self.stops.saved(fact.id, fact.occurred_at, body)

    def _begin(self, line_id: UUID) -> None:
        store, since = self._context.store, self._context.clock.now() - REMEMBERED
        stops = StopLog(line_id)
        found = [record for kind in STOP_BODIES.values() for record in records.taken(store, kind, since=since)]
        found.sort(key=lambda record: (record.entry.lane, record.entry.seq))
        stops.load((record.entry.id, record.at, record.body) for record in found)
        stops.on_changed(self._tell)
        self.stops = stops
        self.signal = SignalStation(
            line_id,
            stops,
            batch=lambda: self._batch_id,
            microstop_s=self._microstop_s,
            record=self._recorder.put,
            past=self._past(line_id),
        )
        self.signal.on_changed(self._tell)

    def _past(self, line_id: UUID) -> SignalPast:
        store, since = self._context.store, self._context.clock.now() - REMEMBERED
        with store.reading() as db:
            found = [
                queries.entries(db, kinds=(kind,), line_id=line_id, since=since, limit=1)
                for kind in ("line_state", "line_count")
            ]
        states, counts = found
        return SignalPast(
            state=LineState.model_validate(states[0].data).state if states else None,
            since=states[0].occurred_at if states else None,
            count=LineCount.model_validate(counts[0].data) if counts else None,
            counted_at=counts[0].occurred_at if counts else None,
        )

    def _look_up_batch(self) -> None:
        found = running.current_batch(self._context.store, self._context.line_id)
        self._batch_id = found.batch.id if found else None
        self._tell()

    def _microstop_s(self) -> int:
        plants = self._context.store.master.plants.values()
        return next((plant.microstop_s for plant in plants), MICROSTOP_S)

    def _sensors(self) -> Mapping[str, master.Sensor]:
        return self._context.store.master.sensors_by_tag

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()
