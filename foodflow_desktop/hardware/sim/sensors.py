"""A simulated Modbus unit: TCP or RTU, its registers read at the moment they are asked for.

Serves functions 1 to 4 and answers anything else, and any address it does not have, with the
exceptions of the standard.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pymodbus.constants import ExcCodes
from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsResponse, ReadDiscreteInputsResponse
from pymodbus.pdu.register_message import ReadHoldingRegistersResponse, ReadInputRegistersResponse

from foodflow_desktop.hardware.sim.machine import SimDevice
from foodflow_desktop.hardware.sim.wire import Wire
from foodflow_kernel.clock import Clock

_BITS: dict[int, type[ReadCoilsResponse | ReadDiscreteInputsResponse]] = {
    1: ReadCoilsResponse,
    2: ReadDiscreteInputsResponse,
}
_REGISTERS: dict[int, type[ReadHoldingRegistersResponse | ReadInputRegistersResponse]] = {
    3: ReadHoldingRegistersResponse,
    4: ReadInputRegistersResponse,
}


@dataclass
class Registers:
    """What the unit shows: address to what reads it. The same bits in 1 and 2, registers in 3 and 4."""

    bits: dict[int, Callable[[], bool]] = field(default_factory=dict)
    words: dict[int, Callable[[], int]] = field(default_factory=dict)

    def put32(self, address: int, read: Callable[[], int]) -> None:
        """Lay a 32-bit number at two addresses, high word first.

        The low word is the one of the number whose high word was read before it: a real unit
        answers one request from one moment.
        """
        moment = [0]

        def high() -> int:
            moment[0] = read()
            return moment[0] >> 16 & 0xFFFF

        self.words[address] = high
        self.words[address + 1] = lambda: moment[0] & 0xFFFF


class ModbusSim(SimDevice):
    """The unit."""

    period_s = 1.0

    def __init__(self, wire: Wire, clock: Clock, registers: Registers, *, is_rtu: bool, device_id: int = 1) -> None:
        super().__init__(wire, clock)
        self.registers = registers
        self.requests_answered = 0
        self._framer = FramerRTU(DecodePDU(True)) if is_rtu else FramerSocket(DecodePDU(True))
        self._device_id = device_id
        self._buffer = b""

    def receive(self, data: bytes) -> None:
        """Answer every complete request."""
        self._buffer += data
        while self._buffer:
            try:
                used, request = self._framer.handleFrame(self._buffer, 0, 0)
            except ModbusException:
                self._buffer = b""
                return
            self._buffer = self._buffer[used:]
            if request is None:
                return
            if request.dev_id == self._device_id:
                answer = self._answer(request)
                answer.dev_id, answer.transaction_id = request.dev_id, request.transaction_id
                self.wire.write(self._framer.buildFrame(answer))
                self.requests_answered += 1

    def tick(self, at_ns: int) -> None:
        """Nothing happens by itself: values are read when asked for."""

    def _answer(self, request: ModbusPDU) -> ModbusPDU:
        code, addresses = request.function_code, range(request.address, request.address + request.count)
        try:
            if code in _BITS:
                return _BITS[code](bits=[self.registers.bits[address]() for address in addresses])
            if code in _REGISTERS:
                return _REGISTERS[code](registers=[self.registers.words[address]() for address in addresses])
        except KeyError:
            return ExceptionResponse(code, ExcCodes.ILLEGAL_ADDRESS)
        return ExceptionResponse(code, ExcCodes.ILLEGAL_FUNCTION)
