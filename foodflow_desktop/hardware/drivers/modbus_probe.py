"""Temperature probes (and other slow sensors) behind a Modbus transmitter.

Spec: Modbus V1.1b3, functions 3 and 4. Settings as on the transmitter; common: 9600 8E1 or
19200 8N1, unit 1, tenths of a degree in a signed 16-bit register.

A broken sensor shows as a code, not as a fault of the bus. Known codes are in ``OPEN_CODES``
(raw register values; manufacturers' manuals of two-wire and DIN-rail RTD transmitters); NaN for
floats. What lies outside the instrument's range is bad as well, and never becomes a value.

Verified on: the shipped simulator and recordings of it. Not yet verified on a real transmitter.
"""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from foodflow_desktop.hardware.drivers import modbus
from foodflow_desktop.hardware.drivers.driver import Bench, Driver, Options
from foodflow_desktop.hardware.drivers.modbus import Exchange, Kind, ModbusOptions, Table
from foodflow_desktop.hardware.drivers.pace import Pace
from foodflow_desktop.hardware.drivers.steadiness import Steadiness
from foodflow_desktop.hardware.readings import ProbeReading, Quality, SensorSample
from foodflow_kernel.errors import DeviceError, Garbled, Overload
from foodflow_kernel.units import Celsius

OPEN_CODES: dict[Kind, frozenset[int]] = {
    Kind.int16: frozenset({0x7FFF, -0x8000, 0x7FFE, 32_000, -32_000}),
    Kind.uint16: frozenset({0xFFFF, 0x7FFF}),
    Kind.int32: frozenset({0x7FFFFFFF, -0x80000000}),
    Kind.uint32: frozenset({0xFFFFFFFF}),
    Kind.float32: frozenset(),
}
"""Raw values that say "no sensor", by kind; the first of int16 by far the most common."""


class Point(BaseModel):
    """One measuring point of a transmitter: value = raw * scale + offset.

    Args:
        tag: the plant's tag of the probe, such as ``P-14``.
        low: lower end of the instrument's range, in the probe's unit; also the next.
        stuck_after_s: see ``Steadiness``; a real probe's last digit moves now and then.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tag: str
    address: int
    table: Table = Table.holding
    kind: Kind = Kind.int16
    low_word_first: bool = False
    scale: Decimal = Decimal("0.1")
    offset: Decimal = Decimal(0)
    low: Decimal = Decimal(-50)
    high: Decimal = Decimal(200)
    open_codes: frozenset[int] = frozenset()
    steady_window_s: float = 3.0
    steady_band: Decimal = Decimal("0.3")
    stuck_after_s: float | None = 120.0


class ProbeOptions(ModbusOptions):
    """Options of a probe section; all points of one transmitter share its connection."""

    period_s: float = 0.1
    points: tuple[Point, ...]


class ModbusProbe(Driver):
    """One transmitter; emits a ``ProbeReading`` and a ``SensorSample`` for each point and turn."""

    options_type: ClassVar[type[Options]] = ProbeOptions

    def __init__(self, device: str, options: ProbeOptions, bench: Bench) -> None:
        super().__init__(device, options, bench)
        self._exchange = Exchange(bench.transport, options, device, bench.clock, bench.complain)
        self._pace = Pace(bench.clock, options.period_s)
        self._rest = {
            point.tag: Steadiness(point.steady_window_s, point.steady_band, point.stuck_after_s)
            for point in options.points
        }

    def open(self) -> None:
        """Open the link; rest must be shown anew after a gap."""
        super().open()
        for rest in self._rest.values():
            rest.clear()

    def step(self) -> None:
        """Read every point once a period."""
        if not self._pace.is_due():
            return
        with contextlib.suppress(Garbled):  # told already; the hub ends it when it lasts
            for point in self.options.points:
                self._read(point)

    def _read(self, point: Point) -> None:
        registers = self._exchange.registers(point.table, point.address, modbus.width(point.kind))
        raw = modbus.number(registers, point.kind, low_word_first=point.low_word_first)
        value, fault = judge(point, raw)
        rest, mono_ns = self._rest[point.tag], self.clock.mono_ns()
        if value is None:
            rest.clear()
        else:
            rest.add(value, mono_ns)
            if rest.is_stuck:
                fault = DeviceError("probe_stuck", tag=point.tag, seconds=point.stuck_after_s)
        quality = Quality.bad if value is None else Quality.uncertain if fault else Quality.good
        at = self.clock.now()
        value_c = None if value is None else Celsius(value)
        is_steady = value is not None and rest.is_steady
        self.emit(SensorSample(at, point.tag, value, quality, mono_ns, self.device))
        self.emit(ProbeReading(at, point.tag, value_c, is_steady, quality, mono_ns, self.device, fault))


def judge(point: Point, raw: Decimal | None) -> tuple[Decimal | None, DeviceError | None]:
    """The value of a raw register number, or why there is none.

    >>> judge(Point(tag="P-14", address=0), Decimal(712))
    (Decimal('71.2'), None)
    >>> judge(Point(tag="P-14", address=0), Decimal(0x7FFF))[1].code
    'probe_open_circuit'
    """
    if raw is None or raw in (point.open_codes or OPEN_CODES[point.kind]):
        return None, DeviceError("probe_open_circuit", tag=point.tag)
    value = raw * point.scale + point.offset
    if not point.low <= value <= point.high:
        return None, Overload("probe_out_of_range", tag=point.tag, value=value, low=point.low, high=point.high)
    return value, None
