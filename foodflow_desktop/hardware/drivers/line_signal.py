"""A line's running bit and piece counter, from a PLC or a counting module over Modbus.

Spec: Modbus V1.1b3, functions 1 to 4. The counter is a free-running register of 16 or 32 bits
that nobody needs to reset; roll-over and reset are told apart in ``foodflow_kernel.rules.signal``.
A 32-bit counter is read in one request, so that its two words belong together.

Verified on: the shipped simulator and recordings of it. Not yet verified on a real PLC.
"""

from __future__ import annotations

import contextlib
from typing import ClassVar, Literal

from foodflow_desktop.hardware.drivers import modbus
from foodflow_desktop.hardware.drivers.driver import Bench, Driver, Options
from foodflow_desktop.hardware.drivers.modbus import Exchange, Kind, ModbusOptions, Table
from foodflow_desktop.hardware.drivers.pace import Pace
from foodflow_desktop.hardware.readings import SignalReading
from foodflow_kernel.errors import Garbled

_KINDS = {16: Kind.uint16, 32: Kind.uint32}


class SignalOptions(ModbusOptions):
    """Options of a line section.

    Args:
        running_when: the bit's value while the line runs.
    """

    running_address: int = 0
    running_table: Literal[Table.coil, Table.discrete] = Table.coil
    running_when: bool = True
    count_address: int = 0
    count_table: Literal[Table.holding, Table.input] = Table.holding
    count_bits: Literal[16, 32] = 32
    low_word_first: bool = False


class LineSignal(Driver):
    """One line; emits a ``SignalReading`` each period."""

    options_type: ClassVar[type[Options]] = SignalOptions

    def __init__(self, device: str, options: SignalOptions, bench: Bench) -> None:
        super().__init__(device, options, bench)
        self._exchange = Exchange(bench.transport, options, device, bench.clock, bench.complain)
        self._pace = Pace(bench.clock, options.period_s)

    def step(self) -> None:
        """Read bit and counter once a period."""
        if not self._pace.is_due():
            return
        with contextlib.suppress(Garbled):  # told already; the hub ends it when it lasts
            self.emit(self._read())

    def _read(self) -> SignalReading:
        options = self.options
        kind = _KINDS[options.count_bits]
        (bit,) = self._exchange.bits(options.running_table, options.running_address)
        registers = self._exchange.registers(options.count_table, options.count_address, modbus.width(kind))
        raw = modbus.number(registers, kind, low_word_first=options.low_word_first)
        return SignalReading(
            at=self.clock.now(),
            is_running=bit is options.running_when,
            count_raw=int(raw or 0),
            mono_ns=self.clock.mono_ns(),
            bits=options.count_bits,
            device=self.device,
            tag=options.tag,
        )
