"""All simulated devices of one line, and the hardware file that leads the kiosk to them.

Scale and scanner on ptys, the kettle's probe on Modbus TCP, the line's PLC on Modbus RTU over a
pty: every transport that a real terminal has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from foodflow_desktop.hardware.sim.machine import SimDevice
from foodflow_desktop.hardware.sim.plant import FillerLine, Kettle
from foodflow_desktop.hardware.sim.scale import ScaleSim
from foodflow_desktop.hardware.sim.scanner import ScannerSim
from foodflow_desktop.hardware.sim.sensors import ModbusSim, Registers
from foodflow_desktop.hardware.sim.wire import PtyWire, TcpWire, Wire
from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import Invalid, NotFound

HARDWARE_FILE = "hardware.toml"
SLOW_S = 0.4
"""Delay of each answer of a slow device [plant s]."""

_TOML = """\
# Written by foodflow-sim: where this line's simulated devices are.

[scale]
driver = "mt_sics"
port = "{scale}"
tag = "SC-02"

[scanner]
driver = "scanner_serial"
port = "{scanner}"
tag = "SN-02"

[probe]
driver = "modbus_probe"
tcp = "{probe}"
period_s = 0.1
points = [{{ tag = "P-14", address = 0, low = -50, high = 200 }}]

[line]
driver = "line_signal"
port = "{line}"
baudrate = 19200
tag = "L2-PLC"
count_bits = 32
"""


@dataclass(frozen=True)
class SimLine:
    """The devices of one line, by the name of their section in the hardware file."""

    scale: ScaleSim
    scanner: ScannerSim
    probe: ModbusSim
    line: ModbusSim
    filler: FillerLine
    kettle: Kettle

    @property
    def devices(self) -> dict[str, SimDevice]:
        """Section name to device."""
        return {"scale": self.scale, "scanner": self.scanner, "probe": self.probe, "line": self.line}

    def start(self) -> None:
        """Start all threads."""
        for device in self.devices.values():
            device.start()

    def stop(self) -> None:
        """Stop all threads and remove the cables."""
        for device in self.devices.values():
            device.stop()

    def wire(self, device: str) -> Wire:
        """The cable of a device.

        Raises:
            NotFound: `device_unknown`.
        """
        if device not in self.devices:
            raise NotFound("device_unknown", device=device)
        return self.devices[device].wire


def build(folder: Path, clock: Clock, *, per_min: float = 62.0) -> SimLine:
    """Make the devices of a line and write the hardware file into the folder."""
    filler, kettle = FillerLine(clock, per_min=per_min), Kettle(clock)
    plc = Registers(bits={0: lambda: filler.is_running})
    plc.put32(0, filler.count)
    thermometer = Registers(words={0: kettle.register})
    line = SimLine(
        scale=ScaleSim(PtyWire(folder / "scale", clock), clock),
        scanner=ScannerSim(PtyWire(folder / "scanner", clock), clock),
        probe=ModbusSim(TcpWire(0, clock), clock, thermometer, is_rtu=False),
        line=ModbusSim(PtyWire(folder / "line", clock), clock, plc, is_rtu=True),
        filler=filler,
        kettle=kettle,
    )
    addresses = {name: device.wire.address for name, device in line.devices.items()}
    (folder / HARDWARE_FILE).write_text(_TOML.format(**addresses), encoding="utf-8")
    return line


Switch = Callable[[SimLine, str, bool], None]


def _plug(line: SimLine, device: str, is_on: bool) -> None:
    wire = line.wire(device)
    if is_on:
        wire.unplug()
    else:
        wire.plug()


def _mute(line: SimLine, device: str, is_on: bool) -> None:
    line.wire(device).faults.is_mute = is_on


def _slow(line: SimLine, device: str, is_on: bool) -> None:
    line.wire(device).faults.slow_s = SLOW_S if is_on else 0.0


def _garbage(line: SimLine, device: str, is_on: bool) -> None:
    faults = line.wire(device).faults
    faults.garbage = 10**9 if is_on else 0


def _stuck(line: SimLine, device: str, is_on: bool) -> None:
    match device:
        case "scale":
            line.scale.stick(is_stuck=is_on)
        case "probe":
            line.kettle.freeze(is_frozen=is_on)
        case "line":
            line.filler.freeze(is_frozen=is_on)
        case _:
            raise Invalid("fault_unknown", fault="stuck", device=device)


def _unstable(line: SimLine, _device: str, is_on: bool) -> None:
    line.scale.balance.is_shaken = is_on


def _overload(line: SimLine, _device: str, is_on: bool) -> None:
    line.scale.is_overloaded = is_on


def _scale_fault(line: SimLine, _device: str, is_on: bool) -> None:
    line.scale.fault = "10b" if is_on else ""


def _open_circuit(line: SimLine, _device: str, is_on: bool) -> None:
    line.kettle.is_open = is_on


def _out_of_range(line: SimLine, _device: str, is_on: bool) -> None:
    line.kettle.is_out_of_range = is_on


ANY = ("scale", "scanner", "probe", "line")

FAULTS: dict[str, tuple[tuple[str, ...], Switch]] = {
    "unplugged": (ANY, _plug),
    "mute": (ANY, _mute),
    "slow": (ANY, _slow),
    "garbage": (ANY, _garbage),
    "stuck": (("scale", "probe", "line"), _stuck),
    "unstable": (("scale",), _unstable),
    "overload": (("scale",), _overload),
    "device_fault": (("scale",), _scale_fault),
    "open_circuit": (("probe",), _open_circuit),
    "out_of_range": (("probe",), _out_of_range),
}
"""Every fault: the devices that can have it, and what switches it on and off."""


def switch_fault(line: SimLine, device: str, fault: str, *, is_on: bool) -> None:
    """Switch one fault of one device on or off.

    Raises:
        NotFound: `device_unknown`.
        Invalid: `fault_unknown`.
    """
    line.wire(device)
    devices, switch = FAULTS.get(fault, ((), None))
    if switch is None or device not in devices:
        raise Invalid("fault_unknown", fault=fault, device=device)
    switch(line, device, is_on)


def heal(line: SimLine, device: str) -> None:
    """Switch all faults of one device off.

    Raises:
        NotFound: `device_unknown`.
    """
    line.wire(device)
    for fault, (devices, _) in FAULTS.items():
        if device in devices:
            switch_fault(line, device, fault, is_on=False)


def put_load(line: SimLine, grams: Decimal) -> None:
    """Lay a load on the scale, in total [g]."""
    line.scale.load(grams)
