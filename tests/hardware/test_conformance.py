"""What every driver must do with its device, over every transport that it has."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from foodflow_desktop.hardware.readings import DeviceState, ProbeReading, ScaleReading, Scan, SignalReading
from foodflow_desktop.hardware.sim.plant import FillerLine, Kettle
from foodflow_desktop.hardware.sim.scale import ScaleSim
from foodflow_desktop.hardware.sim.scanner import ScannerSim
from foodflow_desktop.hardware.sim.sensors import ModbusSim, Registers
from foodflow_kernel.errors import DeviceError
from tests.hardware.rigs import Rig, fast_clock, until, wire


@dataclass(frozen=True)
class Pair:
    """A driver and the simulator it must work with."""

    reading: type
    build: Callable[[Path], Rig]
    speaks_by_itself: bool = True


def _scale(kind: str, **options: Any) -> Pair:
    def build(folder: Path) -> Rig:
        clock = fast_clock()
        return Rig(ScaleSim(wire(kind, folder, clock), clock), "scale", "mt_sics", clock, **options)

    return Pair(ScaleReading, build)


def _probe(kind: str) -> Pair:
    def build(folder: Path) -> Rig:
        clock = fast_clock()
        registers = Registers(words={10: Kettle(clock).register})
        sim = ModbusSim(wire(kind, folder, clock), clock, registers, is_rtu=kind == "pty")
        return Rig(sim, "probe", "modbus_probe", clock, points=[{"tag": "P-14", "address": 10}])

    return Pair(ProbeReading, build)


def _line(kind: str) -> Pair:
    def build(folder: Path) -> Rig:
        clock = fast_clock()
        filler = FillerLine(clock)
        registers = Registers(bits={0: lambda: filler.is_running})
        registers.put32(0, filler.count)
        sim = ModbusSim(wire(kind, folder, clock), clock, registers, is_rtu=kind == "pty")
        return Rig(sim, "line", "line_signal", clock)

    return Pair(SignalReading, build)


def _scanner(kind: str) -> Pair:
    def build(folder: Path) -> Rig:
        clock = fast_clock()
        return Rig(ScannerSim(wire(kind, folder, clock), clock), "scanner", "scanner_serial", clock)

    return Pair(Scan, build, speaks_by_itself=False)


PAIRS = {
    "scale-stream-pty": _scale("pty"),
    "scale-stream-tcp": _scale("tcp"),
    "scale-poll-pty": _scale("pty", mode="poll"),
    "probe-tcp": _probe("tcp"),
    "probe-rtu": _probe("pty"),
    "line-tcp": _line("tcp"),
    "line-rtu": _line("pty"),
    "scanner-pty": _scanner("pty"),
    "scanner-tcp": _scanner("tcp"),
}


READING = {"scale": ScaleReading, "probe": ProbeReading, "line": SignalReading}


@pytest.fixture(params=PAIRS.values(), ids=PAIRS)
def pair(request) -> Pair:
    return request.param


@pytest.fixture
def rig(pair, tmp_path):
    with pair.build(tmp_path) as made:
        made.until_state(DeviceState.connected)
        yield made


@pytest.fixture(params=[name for name, pair in PAIRS.items() if pair.speaks_by_itself])
def talking(request, tmp_path):
    """Scanners are left out: their silence is normal."""
    with PAIRS[request.param].build(tmp_path) as made:
        made.until_state(DeviceState.connected)
        yield made


def provoke(rig: Rig) -> None:
    """Scanners speak only when somebody pulls the trigger."""
    if isinstance(rig.sim, ScannerSim):
        rig.sim.scan("FFB-1041")


def test_readings_come_and_name_their_device(rig, pair):
    until(lambda: provoke(rig) or rig.came[pair.reading])
    reading = rig.came[pair.reading][0]
    assert reading.device == rig.device
    assert rig.hub.latest(rig.device) is not None
    assert rig.hub.age_s(rig.device) >= 0


def test_unplugged_device_is_told_once_and_found_again(rig, pair, caplog):
    caplog.set_level(logging.INFO, "foodflow_desktop.hardware")
    until(lambda: provoke(rig) or rig.came[pair.reading])
    last = rig.hub.latest(rig.device)
    rig.sim.wire.unplug()
    status = rig.until_state(DeviceState.unplugged)
    assert status.error.code == "device_unplugged"
    assert rig.hub.latest(rig.device).at >= last.at, "the last good value stays"
    until(lambda: rig.hub._loops[rig.device]._attempts >= 3)
    rig.sim.wire.plug()
    rig.until_state(DeviceState.connected)
    rig.came[pair.reading].clear()
    until(lambda: provoke(rig) or rig.came[pair.reading])
    states = [state for state, _ in rig.states()]
    assert states[-2:] == [DeviceState.unplugged, DeviceState.connected]
    told = [record.levelname for record in caplog.records if record.name.endswith("device_loop")]
    assert told == ["WARNING", "INFO"]


def test_silent_device_is_told_and_found_again(talking):
    talking.sim.wire.faults.is_mute = True
    status = talking.until_state(DeviceState.silent)
    assert status.error.code == "device_silent"
    talking.sim.wire.faults.is_mute = False
    talking.until_state(DeviceState.connected)
    talking.until_more(READING[talking.device])


def test_lasting_garbage_is_told_apart_from_silence(talking):
    talking.sim.wire.faults.garbage = 10**9
    status = talking.until_state(DeviceState.garbled)
    assert status.error.code in ("scale_frame_garbled", "modbus_garbled")
    talking.sim.wire.faults.garbage = 0
    talking.until_state(DeviceState.connected)
    talking.until_more(READING[talking.device])


def test_one_garbage_frame_is_told_and_the_device_stays(talking):
    talking.until_more(READING[talking.device], 1)
    talking.sim.wire.faults.noise = 1
    until(lambda: talking.status.error is not None)
    assert talking.status.state is DeviceState.connected
    until(lambda: talking.status.error is None)
    talking.until_more(READING[talking.device])
    assert {state for state, _ in talking.states()} == {DeviceState.connected}


def test_slow_device_is_read_all_the_same(talking):
    talking.sim.wire.faults.slow_s = 0.4
    talking.until_more(READING[talking.device], 5)


def test_command_to_a_device_that_is_gone_fails_with_the_reason(rig):
    rig.sim.wire.unplug()
    rig.until_state(DeviceState.unplugged)
    answer = rig.hub.ask(rig.device, "anything")
    with pytest.raises(DeviceError) as failed:
        answer.result(20)
    assert failed.value.code == "device_unplugged"


def test_stopped_hub_says_so(pair, tmp_path):
    with pair.build(tmp_path) as rig:
        rig.until_state(DeviceState.connected)
    assert rig.status.state is DeviceState.stopped
