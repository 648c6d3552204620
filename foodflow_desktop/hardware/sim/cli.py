"""``foodflow-sim``: simulated devices as a process of their own.

``plant`` starts all devices of a line, writes the kiosk's hardware file and prints ``ready``.
``scale``, ``scanner`` and ``sensors`` start one device. All run on the clock of
``FOODFLOW_CLOCK`` until they are told to end (SIGTERM, Ctrl-C).
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

from foodflow_desktop.hardware.sim import line as lines
from foodflow_desktop.hardware.sim.control import Control
from foodflow_desktop.hardware.sim.machine import SimDevice
from foodflow_desktop.hardware.sim.plant import FillerLine, Kettle
from foodflow_desktop.hardware.sim.scale import GRAMS_PER_UNIT, ScaleSim
from foodflow_desktop.hardware.sim.scanner import ScannerSim
from foodflow_desktop.hardware.sim.sensors import ModbusSim, Registers
from foodflow_desktop.hardware.sim.wire import PtyWire, TcpWire, Wire
from foodflow_kernel.clock import Clock, clock_from_env


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``foodflow-sim``."""
    asked = _parser().parse_args(arguments)
    clock = clock_from_env()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if asked.command == "plant":
        _plant(asked, clock, stop)
    else:
        _single(asked, clock, stop)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="foodflow-sim", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    plant = commands.add_parser("plant", help="all devices of a line")
    plant.add_argument("--folder", type=Path, required=True, help="where ptys and hardware.toml go")
    plant.add_argument("--control", type=Path, required=True, help="unix socket to act on the devices")
    plant.add_argument("--per-min", type=float, default=62.0, help="cups per minute while the line runs")
    for name, text in (("scale", "an MT-SICS scale"), ("scanner", "a scanner"), ("sensors", "a Modbus unit")):
        one = commands.add_parser(name, help=text)
        where = one.add_mutually_exclusive_group(required=True)
        where.add_argument("--link", type=Path, help="path that leads to the pty")
        where.add_argument("--tcp", type=int, help="TCP port; 0 takes a free one")
        if name == "scale":
            one.add_argument("--unit", choices=sorted(GRAMS_PER_UNIT), default="g")
    return parser


def _plant(asked: argparse.Namespace, clock: Clock, stop: threading.Event) -> None:
    asked.folder.mkdir(parents=True, exist_ok=True)
    line = lines.build(asked.folder, clock, per_min=asked.per_min)
    control = Control(line, asked.control)
    line.start()
    control.start()
    _tell("ready")
    stop.wait()
    control.stop()
    line.stop()


def _single(asked: argparse.Namespace, clock: Clock, stop: threading.Event) -> None:
    """One device; lines typed here act on it: a weight for the scale, a code for the scanner."""
    wire: Wire = PtyWire(asked.link, clock) if asked.link else TcpWire(asked.tcp, clock)
    device: SimDevice
    if asked.command == "scale":
        scale = ScaleSim(wire, clock, unit=asked.unit)
        device = scale
        _listen(lambda text: scale.load(Decimal(text)))
    elif asked.command == "scanner":
        scanner = ScannerSim(wire, clock)
        device = scanner
        _listen(scanner.scan)
    else:
        device = _unit(wire, clock, is_rtu=asked.link is not None)
    device.start()
    _tell(f"ready {wire.address}")
    stop.wait()
    device.stop()


def _unit(wire: Wire, clock: Clock, *, is_rtu: bool) -> ModbusSim:
    """A running line and a kettle behind one Modbus unit: words 0-1 count, 10 temperature; bit 0 runs."""
    filler, kettle = FillerLine(clock), Kettle(clock)
    filler.run(is_running=True)
    registers = Registers(bits={0: lambda: filler.is_running}, words={10: kettle.register})
    registers.put32(0, filler.count)
    return ModbusSim(wire, clock, registers, is_rtu=is_rtu)


def _listen(act: Callable[[str], None]) -> None:
    def read() -> None:
        for text in sys.stdin:
            try:
                act(text.strip())
            except ArithmeticError:
                _tell(f"not a weight: {text.strip()}")

    threading.Thread(target=read, name="stdin", daemon=True).start()


def _tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
