"""Modbus requests as bytes and bytes as answers, by pymodbus; the only place that loads it.

Spec: as in ``modbus``.
"""

from __future__ import annotations

import logging
import struct

from pymodbus.exceptions import ModbusIOException
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from foodflow_desktop.hardware.drivers.modbus import Table

logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # it prints frames; faults are told by our errors

_REQUESTS: dict[Table, type[ModbusPDU]] = {
    Table.coil: ReadCoilsRequest,
    Table.discrete: ReadDiscreteInputsRequest,
    Table.holding: ReadHoldingRegistersRequest,
    Table.input: ReadInputRegistersRequest,
}


class Frames:
    """One unit's frames, TCP or RTU."""

    def __init__(self, device_id: int, *, is_tcp: bool) -> None:
        self._device_id = device_id
        self._framer = FramerSocket(DecodePDU(False)) if is_tcp else FramerRTU(DecodePDU(False))

    def request(self, table: Table, address: int, count: int, transaction: int) -> bytes:
        """The question for some registers or bits."""
        request = _REQUESTS[table](address=address, count=count, dev_id=self._device_id)
        request.transaction_id = transaction
        return self._framer.buildFrame(request)

    def answer(self, heard: bytes, transaction: int) -> tuple[int, ModbusPDU | None]:
        """How many bytes are used up, and the answer if it is whole.

        Raises:
            ValueError: this is no answer and will not become one.
        """
        try:
            return self._framer.handleFrame(heard, self._device_id, transaction)
        except (ModbusIOException, struct.error, IndexError) as error:
            raise ValueError("no Modbus frame") from error
