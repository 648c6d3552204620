"""The drivers there are. A new device dialect: one file here, one row in ``DRIVERS``."""

from __future__ import annotations

from foodflow_desktop.hardware.drivers.driver import Driver
from foodflow_desktop.hardware.drivers.line_signal import LineSignal
from foodflow_desktop.hardware.drivers.modbus_probe import ModbusProbe
from foodflow_desktop.hardware.drivers.mt_sics import MtSics
from foodflow_desktop.hardware.drivers.scanner_serial import ScannerSerial

DRIVERS: dict[str, type[Driver]] = {
    "line_signal": LineSignal,
    "modbus_probe": ModbusProbe,
    "mt_sics": MtSics,
    "scanner_serial": ScannerSerial,
}
"""The name in the hardware file to the driver."""
