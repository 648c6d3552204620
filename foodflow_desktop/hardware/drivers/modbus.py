"""Modbus over any transport: one request, its answer, and the registers as numbers.

Framing and messages are pymodbus's (``modbus_frames``); the wire is ours, so that serial and TCP, recording and
replay, back-off and errors are the same as for every other device.

Spec: "MODBUS Application Protocol Specification" V1.1b3; "MODBUS over Serial Line" V1.02 (RTU).
"""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from foodflow_desktop.hardware.drivers.driver import Options
from foodflow_desktop.hardware.transport import SLICE_S, Transport
from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import DeviceError, Garbled, Silent

if TYPE_CHECKING:
    from pymodbus.pdu import ModbusPDU

    from foodflow_desktop.hardware.drivers.modbus_frames import Frames

ATTEMPTS = 2
LONGEST_FRAME = 264
ANSWER_FLOOR_REAL_S = 0.3
"""On a fast demo clock, a busy machine must not look like a silent device [real s]."""
DRAINS = 5


class Table(StrEnum):
    """The four tables of a Modbus device."""

    coil = "coil"
    discrete = "discrete"
    holding = "holding"
    input = "input"


class Kind(StrEnum):
    """How a number lies in registers."""

    int16 = "int16"
    uint16 = "uint16"
    int32 = "int32"
    uint32 = "uint32"
    float32 = "float32"


_FORMATS = {Kind.int16: ">h", Kind.uint16: ">H", Kind.int32: ">i", Kind.uint32: ">I", Kind.float32: ">f"}


class ModbusOptions(Options):
    """Options of every Modbus section. ``tcp`` speaks Modbus TCP, ``port`` speaks RTU.

    Args:
        framing: for a recording, or RTU through a serial-to-Ethernet converter.
        device_id: the unit's address, 1 to 247.
        answer_s: an unanswered request is asked again after this long [plant s].
        period_s: time between two readings [plant s].
    """

    framing: Literal["auto", "tcp", "rtu"] = "auto"
    device_id: int = 1
    answer_s: float = 0.5
    period_s: float = 0.5


@dataclass
class Exchange:
    """Asks one unit at a time over a transport that the driver opens and closes."""

    transport: Transport
    options: ModbusOptions
    device: str
    clock: Clock
    complain: Callable[[DeviceError], None]

    def __post_init__(self) -> None:
        is_tcp = self.options.framing == "tcp" or (self.options.framing == "auto" and self.options.tcp is not None)
        self._is_tcp = is_tcp
        self._transaction = 0

    @functools.cached_property
    def _frames(self) -> Frames:
        # pymodbus is loaded by the first question, on the device's thread: 50 ms for which no window waits.
        from foodflow_desktop.hardware.drivers.modbus_frames import Frames  # noqa: PLC0415

        return Frames(self.options.device_id, is_tcp=self._is_tcp)

    def bits(self, table: Table, address: int, count: int = 1) -> list[bool]:
        """Read coils or discrete inputs; see ``registers`` for what can go wrong."""
        return list(self._ask(table, address, count).bits[:count])

    def registers(self, table: Table, address: int, count: int = 1) -> list[int]:
        """Read holding or input registers.

        Raises:
            Silent: `device_silent` after two attempts.
            Garbled: `modbus_garbled`.
            DeviceError: `modbus_refused` when the unit has no such register.
        """
        return list(self._ask(table, address, count).registers[:count])

    def _ask(self, table: Table, address: int, count: int) -> ModbusPDU:
        failed: DeviceError = Silent("device_silent", device=self.device, seconds=self.options.answer_s * ATTEMPTS)
        for _ in range(ATTEMPTS):
            try:
                answer = self._once(table, address, count)
            except Garbled as error:
                failed = error
                self.complain(error)
                self._drain()
                continue
            if answer is None:
                continue
            if answer.isError():
                raise DeviceError("modbus_refused", device=self.device, why=f"{table} {address}")
            return answer
        raise failed

    def _drain(self) -> None:
        """Let what is left of a broken answer pass by, so that the next one starts clean."""
        for _ in range(DRAINS):
            if not self.transport.read():
                return

    def _once(self, table: Table, address: int, count: int) -> ModbusPDU | None:
        self._transaction = self._transaction % 0xFFFF + 1 if self._is_tcp else 0
        self.transport.write(self._frames.request(table, address, count, self._transaction))
        answer_s = max(self.options.answer_s / self.clock.rate, ANSWER_FLOOR_REAL_S)
        heard, quiet = b"", 0
        while quiet < math.ceil(answer_s / SLICE_S):
            chunk = self.transport.read()
            quiet = 0 if chunk else quiet + 1
            heard += chunk
            used, answer = self._decoded(heard)
            if answer is not None:
                return answer
            heard = heard[used:] if self._is_tcp else heard
            if len(heard) > LONGEST_FRAME or self._is_foreign(heard):
                break
        if heard:
            raise Garbled("modbus_garbled", device=self.device, shown=heard[:16].hex(" "))
        return None

    def _is_foreign(self, heard: bytes) -> bool:
        """Modbus TCP has no check sum, but its third and fourth byte are always zero."""
        return self._is_tcp and any(heard[2:4])

    def _decoded(self, heard: bytes) -> tuple[int, ModbusPDU | None]:
        if not heard:
            return 0, None
        try:
            return self._frames.answer(heard, self._transaction)
        except ValueError as error:
            raise Garbled("modbus_garbled", device=self.device, shown=heard[:16].hex(" ")) from error


def width(kind: Kind) -> int:
    """How many registers a number takes."""
    return struct.calcsize(_FORMATS[kind]) // 2


def number(registers: list[int], kind: Kind, *, low_word_first: bool = False) -> Decimal | None:
    """The number in registers; None where a float is NaN or infinite.

    >>> number([0xFFFE], Kind.int16)
    Decimal('-2')
    >>> number([0, 1], Kind.uint32, low_word_first=True)
    Decimal('65536')
    """
    words = list(reversed(registers)) if low_word_first else registers
    (value,) = struct.unpack(_FORMATS[kind], b"".join(word.to_bytes(2, "big") for word in words))
    if isinstance(value, float):
        # Seven digits are all that a 32-bit float holds; more would be an invention.
        return Decimal(f"{value:.7g}") if math.isfinite(value) else None
    return Decimal(value)
