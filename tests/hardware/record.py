"""Makes the recordings in ``tests/hardware/recordings`` from the simulators.

Run ``python -m tests.hardware.record FOLDER``. Recordings of real devices, made with the
``record`` key of a hardware section, go into the same folder; the first line says which it is.
"""

from __future__ import annotations

import json
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

from foodflow_desktop.hardware.readings import DeviceState, ProbeReading, ScaleReading, Scan, SignalReading
from foodflow_desktop.hardware.sim.plant import FillerLine, Kettle
from foodflow_desktop.hardware.sim.scale import ScaleSim
from foodflow_desktop.hardware.sim.scanner import ScannerSim
from foodflow_desktop.hardware.sim.sensors import ModbusSim, Registers
from foodflow_desktop.hardware.sim.wire import PtyWire, TcpWire
from foodflow_kernel.units import Grams
from tests.hardware.rigs import Rig, fast_clock, until


def _start(path: Path, device: str) -> Path:
    path.unlink(missing_ok=True)
    note = {"way": "note", "device": device, "made_by": "the shipped simulator, not a real device"}
    path.write_text(json.dumps(note) + "\n", encoding="ascii")
    return path


def scale(folder: Path, work: Path) -> None:
    clock = fast_clock()
    record = _start(folder / "mt_sics_portion.jsonl", "scale, MT-SICS: preset tare, a portion, garbage, overload")
    sim = ScaleSim(PtyWire(work / "scale", clock), clock)
    with Rig(sim, "scale", "mt_sics", clock, record=str(record)) as rig:
        rig.until_state(DeviceState.connected)
        rig.hub.scale().set_tare(Grams(Decimal("12.0"))).result(20)
        rig.sim.load(Decimal("615.4"))
        until(lambda: (r := rig.hub.latest("scale")) and r.state == "steady" and r.net_g == Decimal("603.4"))
        sim.wire.faults.noise = 1
        rig.until_more(ScaleReading, 5)
        sim.load(Decimal(7000))
        until(lambda: rig.hub.latest("scale").state == "over")


def scanner(folder: Path, work: Path) -> None:
    clock = fast_clock()
    record = _start(folder / "scanner_codes.jsonl", "scanner: badge, GS1-128 with FNC1, garbage, DataMatrix")
    sim = ScannerSim(PtyWire(work / "scanner", clock), clock)
    with Rig(sim, "scanner", "scanner_serial", clock, record=str(record)) as rig:
        rig.until_state(DeviceState.connected)
        sim.scan("FFB-1041")
        sim.scan("010950110153000310BP-261117-A\x1d15261214", "]C1")
        until(lambda: len(rig.came[Scan]) == 2)
        sim.wire.faults.noise = 1
        sim.scan("00006141410000000012", "]d2")
        until(lambda: len(rig.came[Scan]) == 3)


def probe(folder: Path, _work: Path) -> None:
    clock = fast_clock()
    record = _start(folder / "modbus_probe_kettle.jsonl", "probe, Modbus TCP: 71.2, then the circuit opens")
    kettle = Kettle(clock, celsius=71.2)
    sim = ModbusSim(TcpWire(0, clock), clock, Registers(words={0: kettle.register}), is_rtu=False)
    points = [{"tag": "P-14", "address": 0}]
    with Rig(sim, "probe", "modbus_probe", clock, points=points, record=str(record)) as rig:
        rig.until_more(ProbeReading, 20)
        kettle.is_open = True
        rig.until_state(DeviceState.faulty)


def line(folder: Path, work: Path) -> None:
    clock = fast_clock()
    record = _start(folder / "line_signal_rollover.jsonl", "line, Modbus RTU: a 32-bit counter rolls over, a stop")
    filler = FillerLine(clock, per_min=600, count=(1 << 32) - 60)
    registers = Registers(bits={0: lambda: filler.is_running})
    registers.put32(0, filler.count)
    sim = ModbusSim(PtyWire(work / "line", clock), clock, registers, is_rtu=True)
    with Rig(sim, "line", "line_signal", clock, record=str(record)) as rig:
        rig.until_more(SignalReading, 2)
        filler.run(is_running=True)
        until(lambda: 0 < rig.came[SignalReading][-1].count_raw < 1000)
        filler.run(is_running=False)
        until(lambda: not rig.came[SignalReading][-1].is_running)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        for make in (scale, scanner, probe, line):
            make(folder, Path(work))


if __name__ == "__main__":
    main()
