"""Sensor samples become telemetry blocks (lane 3) and a newest value each ten seconds (lane 1).

A million readings at 10 Hz would be a million records; packed as whole steps and differences
they are about a byte each. The newest value travels on lane 1, so that screens are live while
a backlog of blocks still drains. Knows nothing of Qt, drivers or SQLite.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from foodflow_desktop.hardware.readings import SensorSample
from foodflow_desktop.store import Draft
from foodflow_kernel.wire import bodies, master

BLOCK_SAMPLES = 600
"""A block is closed at this many samples (sync.md: 1.1 bytes a sample at this size)."""
BLOCK_S = 20.0
"""A block is closed after this long [s of plant time]: what a power cut can cost."""
LATEST_S = 10.0
"""Newest value on lane 1 each so often [s of plant time]."""
JITTER = 2
"""A sample up to this many periods off its place is still the next one: devices and threads jitter."""
GAP_MAX = 100
"""More missing samples than this end the block instead of filling it with blanks."""


@dataclass
class _Open:
    """The block being filled for one sensor, in whole steps; None where a sample is missing."""

    from_at: datetime
    steps: list[int | None] = field(default_factory=list)


class BlockPacker:
    """Collects the samples of one sensor into ``Telemetry`` bodies.

    A sample that comes late by more than ``JITTER`` periods leaves blanks before it; one that
    comes earlier than that (the device is faster than its nominal period) starts a new block,
    so that a sample's place never lies by more than ``JITTER`` periods and none is dropped.
    """

    def __init__(self, sensor: master.Sensor) -> None:
        self._sensor = sensor
        self._period_s = sensor.period_ms / 1000
        self._open: _Open | None = None

    def add(self, at: datetime, value: Decimal | None) -> list[bodies.Telemetry]:
        """Take one sample; the blocks it completed, usually none."""
        done: list[bodies.Telemetry] = []
        step = self._steps(value)
        if self._open is not None:
            places = round((at - self._open.from_at).total_seconds() / self._period_s)
            ahead = places - len(self._open.steps)
            if ahead < -JITTER or ahead > GAP_MAX:
                done += self.flush()
            elif ahead > JITTER:
                self._open.steps += [None] * ahead
        if self._open is None:
            if step is None:
                return done
            self._open = _Open(at)
        self._open.steps.append(step)
        is_old = at - self._open.from_at >= timedelta(seconds=BLOCK_S - self._period_s)
        if len(self._open.steps) >= BLOCK_SAMPLES or is_old:
            done += self.flush()
        return done

    def flush(self) -> list[bodies.Telemetry]:
        """Close the block being filled; nothing if there is none."""
        if self._open is None:
            return []
        block, self._open = self._open, None
        return [self._body(block)]

    def _steps(self, value: Decimal | None) -> int | None:
        return None if value is None else round(value / self._sensor.step)

    def _body(self, block: _Open) -> bodies.Telemetry:
        first = block.steps[0]
        if first is None:
            raise AssertionError("a block starts with a value")
        deltas: list[int | None] = []
        last = first
        for step in block.steps[1:]:
            deltas.append(None if step is None else step - last)
            last = last if step is None else step
        return bodies.Telemetry(
            sensor_id=self._sensor.id,
            from_at=block.from_at,
            period_ms=self._sensor.period_ms,
            step=self._sensor.step,
            first=first,
            deltas=tuple(deltas),
        )


def unpack(block: bodies.Telemetry) -> list[tuple[datetime, Decimal | None]]:
    """The samples of a block with their instants; None where one is missing.

    >>> from datetime import UTC
    >>> from uuid import UUID
    >>> at = datetime(2026, 11, 23, 9, tzinfo=UTC)
    >>> block = bodies.Telemetry(
    ...     sensor_id=UUID(int=1), from_at=at, period_ms=100, step=Decimal("0.1"), first=784, deltas=(1, None, -2)
    ... )
    >>> [str(value) for _, value in unpack(block)]
    ['78.4', '78.5', 'None', '78.3']
    """
    step = block.first
    found: list[tuple[datetime, Decimal | None]] = [(block.from_at, step * block.step)]
    for place, delta in enumerate(block.deltas, start=1):
        at = block.from_at + timedelta(milliseconds=place * block.period_ms)
        step += delta or 0
        found.append((at, None if delta is None else step * block.step))
    return found


class TelemetryStation:
    """Turns the samples of this terminal's sensors into drafts of facts.

    Args:
        sensors: the sensors of this terminal by tag, asked at each new tag, so that master
            data may arrive later than the first sample.
        record: takes finished drafts; must not block (``recording.Recorder.put``).
    """

    def __init__(
        self, sensors: Callable[[], Mapping[str, master.Sensor]], record: Callable[[list[Draft]], None]
    ) -> None:
        self._sensors = sensors
        self._record = record
        self._lock = threading.Lock()
        self._packers: dict[str, tuple[master.Sensor, BlockPacker]] = {}
        self._latest_at: dict[str, datetime] = {}

    def on_sample(self, sample: SensorSample) -> None:
        """Take one sample, on the device's own thread."""
        with self._lock:
            sensor = self._sensors().get(sample.tag)
            if sensor is None:
                return
            known = self._packers.get(sample.tag)
            drafts: list[Draft] = []
            if known is None or known[0] != sensor:
                if known is not None:
                    drafts += self._blocks(known[0], known[1].flush())
                known = (sensor, BlockPacker(sensor))
                self._packers[sample.tag] = known
            value = sample.value if sample.value is not None and math.isfinite(sample.value) else None
            drafts += self._blocks(sensor, known[1].add(sample.at, value))
            last = self._latest_at.get(sample.tag)
            if last is None or not timedelta(0) <= sample.at - last < timedelta(seconds=LATEST_S):
                self._latest_at[sample.tag] = sample.at
                quality = _quality(sensor, value, sample.quality)
                newest = None if value is None else float(value)
                body = bodies.SensorLatest(sensor_id=sensor.id, value=newest, quality=quality)
                drafts.append(Draft(body, None, sensor.line_id, occurred_at=sample.at))
        if drafts:
            self._record(drafts)

    def flush(self) -> None:
        """Hand out every block being filled; when the program stops."""
        with self._lock:
            drafts = [d for sensor, packer in self._packers.values() for d in self._blocks(sensor, packer.flush())]
        if drafts:
            self._record(drafts)

    @staticmethod
    def _blocks(sensor: master.Sensor, blocks: list[bodies.Telemetry]) -> list[Draft]:
        return [Draft(block, None, sensor.line_id, occurred_at=block.from_at) for block in blocks]


def _quality(sensor: master.Sensor, value: Decimal | None, said: str) -> str:
    """Bad when there is no value or it lies outside the instrument's range (plant_ops.md, SensorReading)."""
    if value is None or not sensor.range_min <= value <= sensor.range_max:
        return "bad"
    return str(said)
