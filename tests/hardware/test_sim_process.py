"""``foodflow-sim plant`` as the demo uses it: a process, a control socket, a hardware file."""

import json
import os
import signal
import socket
import subprocess
import sys
from decimal import Decimal

import pytest

from foodflow_desktop.hardware import config
from foodflow_desktop.hardware.hub import Hardware
from foodflow_desktop.hardware.readings import DeviceState, ProbeReading, ScaleReading, ScaleState, Scan, SignalReading
from foodflow_kernel.clock import CLOCK_ENV
from tests.hardware.rigs import fast_clock, until

GS = "\x1d"


class Hands:
    """The control socket, as the demo holds it."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._file = self._socket.makefile("rw", encoding="utf-8", newline="\n")
        self._n = 0

    def __call__(self, act, **parameters):
        self._n += 1
        self.say(json.dumps({"n": self._n, "do": act, **parameters}))
        told = self.hear()
        assert told["n"] == self._n
        return told

    def say(self, text):
        self._file.write(text + "\n")
        self._file.flush()

    def hear(self):
        return json.loads(self._file.readline())

    def close(self):
        self._file.close()
        self._socket.close()


@pytest.fixture
def plant(tmp_path):
    clock = fast_clock()
    folder, control = tmp_path / "line", tmp_path / "control"
    command = [sys.executable, "-m", "foodflow_desktop.hardware.sim.cli", "plant"]
    command += ["--folder", str(folder), "--control", str(control)]
    environment = {**os.environ, CLOCK_ENV: clock.to_env()}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    hub = Hardware(config.HardwareConfig(), clock)
    try:
        assert process.stdout.readline() == "ready\n"
        hands = Hands(control)
        hub = Hardware(config.load(folder / "hardware.toml"), clock)
        yield hands, hub, folder
        hands.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        hub.stop()
        process.kill()
        process.communicate()
    assert [path.name for path in folder.iterdir()] == ["hardware.toml"]
    assert not control.exists()


def test_whole_line_from_bytes_to_readings(plant):
    hands, hub, _ = plant
    scans = []
    hub.subscribe(Scan, scans.append)
    hub.start()
    for device in hub.devices():
        until(lambda device=device: hub.status(device).state is DeviceState.connected)
    assert hub.devices() == ("scale", "scanner", "probe", "line")

    assert hands("scan", code=f"010950110153000310BP-261117-A{GS}15261214", symbology="]C1")["ok"]
    until(lambda: scans)
    assert scans[0].raw == f"010950110153000310BP-261117-A{GS}15261214"

    hub.scale().set_tare(Decimal("12.0")).result(20)
    hands("scale.load", g="615.4")
    weighed = until(lambda: (r := hub.latest("scale")) and r.state is ScaleState.steady and r.net_g > 0 and r)
    assert isinstance(weighed, ScaleReading)
    assert (weighed.net_g, weighed.tare_g) == (Decimal("603.4"), Decimal("12.0"))
    assert hands("look")["scale"]["net_g"] == "603.4"

    hands("kettle.heat", c="71.2", lag_s=0)
    probed = until(lambda: (r := hub.latest("probe")) and r.is_steady and abs(r.value_c - Decimal("71.2")) < 1 and r)
    assert isinstance(probed, ProbeReading)

    hands("line.run")
    running = until(lambda: (r := hub.latest("line")) and r.is_running and r)
    assert isinstance(running, SignalReading)
    until(lambda: hub.latest("line").count_raw > running.count_raw)
    hands("line.stop")
    until(lambda: not hub.latest("line").is_running)


@pytest.mark.parametrize(
    ("device", "fault", "state"),
    [
        ("scale", "unplugged", DeviceState.unplugged),
        ("scale", "mute", DeviceState.silent),
        ("scale", "garbage", DeviceState.garbled),
        ("scale", "device_fault", DeviceState.faulty),
        ("scanner", "unplugged", DeviceState.unplugged),
        ("probe", "unplugged", DeviceState.unplugged),
        ("probe", "open_circuit", DeviceState.faulty),
        ("probe", "out_of_range", DeviceState.faulty),
        ("line", "garbage", DeviceState.garbled),
        ("line", "mute", DeviceState.silent),
    ],
)
def test_fault_on_demand_and_healed(plant, device, fault, state):
    hands, hub, _ = plant
    hub.start()
    until(lambda: hub.status(device).state is DeviceState.connected)
    assert hands("fault", device=device, fault=fault)["ok"]
    until(lambda: hub.status(device).state is state)
    assert hub.status(device).error.sentence
    assert hands("heal", device=device)["ok"]
    until(lambda: hub.status(device).state is DeviceState.connected)


def test_scale_faults_show_in_its_readings(plant):
    hands, hub, _ = plant
    hub.start()
    until(lambda: hub.latest("scale"))
    for fault, state in (("overload", ScaleState.over), ("unstable", ScaleState.moving)):
        hands("fault", device="scale", fault=fault)
        until(lambda state=state: hub.latest("scale").state is state)
        hands("fault", device="scale", fault=fault, on=False)
        until(lambda: hub.latest("scale").state is ScaleState.steady)
    hands("fault", device="scale", fault="stuck")
    hands("scale.load", g="615.4")
    until(lambda: hands("look")["scale"]["motion"] == "steady")
    assert hub.latest("scale").net_g == 0
    hands("heal", device="scale")
    until(lambda: hub.latest("scale").net_g == Decimal("615.4"))


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "[]",
        "{}",
        '{"do": "dance"}',
        '{"do": "scale.load"}',
        '{"do": "scale.load", "g": "heavy"}',
        '{"do": "fault", "device": "oven", "fault": "unplugged"}',
        '{"do": "fault", "device": "scale", "fault": "open_circuit"}',
        '{"do": "heal", "device": "oven"}',
    ],
)
def test_request_that_makes_no_sense_is_answered(plant, text):
    hands, _, _ = plant
    hands.say(text)
    assert "error" in hands.hear()
    assert hands("look")["ok"]


@pytest.mark.parametrize(
    ("arguments", "driver", "extra"),
    [
        (["scale", "--unit", "kg"], "mt_sics", {}),
        (["scanner"], "scanner_serial", {}),
        (["sensors"], "line_signal", {}),
        (["sensors"], "modbus_probe", {"points": [{"tag": "P-14", "address": 10}]}),
    ],
)
@pytest.mark.parametrize("way", ["link", "tcp"])
def test_single_device_runs_alone(tmp_path, arguments, driver, extra, way):
    clock = fast_clock()
    where = ["--link", str(tmp_path / "device")] if way == "link" else ["--tcp", "0"]
    command = [sys.executable, "-m", "foodflow_desktop.hardware.sim.cli", *arguments, *where]
    environment = {**os.environ, CLOCK_ENV: clock.to_env()}
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    hub = Hardware(config.HardwareConfig(), clock)
    try:
        address = process.stdout.readline().removeprefix("ready ").strip()
        section = {"driver": driver, "port" if way == "link" else "tcp": address, **extra}
        hub = Hardware(config.parse({"device": section}), clock)
        hub.start()
        until(lambda: hub.status("device").state is DeviceState.connected)

        def typed():
            """A scanner whose caller is not accepted yet reads into the void: pull the trigger again."""
            process.stdin.write({"mt_sics": "603.4\n", "scanner_serial": "FFB-1041\n"}.get(driver, "\n"))
            process.stdin.flush()
            return hub.latest("device")

        until(typed)
        process.terminate()
        assert process.wait(20) == 0
    finally:
        hub.stop()
        process.kill()
        process.communicate()
