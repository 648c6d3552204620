"""The drivers on recorded bytes. Each recording says in its first line what it was made from."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from foodflow_desktop.hardware import drivers
from foodflow_desktop.hardware.drivers.driver import Bench
from foodflow_desktop.hardware.drivers.mt_sics import MtSics
from foodflow_desktop.hardware.readings import ProbeReading, Quality, ScaleState
from foodflow_desktop.hardware.transport import Recorder, Replay
from foodflow_kernel.clock import FakeClock
from foodflow_kernel.errors import Garbled, Unplugged
from foodflow_kernel.rules import signal
from foodflow_kernel.rules.signal import Change, Counter

FOLDER = Path(__file__).parent / "recordings"


def play(name, driver, *, period_s=0.1, **options):
    """Run a driver over a whole recording; readings and complaints in order."""
    readings, complaints, clock = [], [], FakeClock()
    path = FOLDER / f"{name}.jsonl"
    kind = drivers.DRIVERS[driver]
    bench = Bench(Replay(path), clock, readings.append, complaints.append)
    device = kind("device", kind.options_type(replay=path, **options), bench)
    device.open()
    with pytest.raises(Unplugged, match="end of the recording"):
        while True:
            device.step()
            clock.advance(period_s)
    device.close()
    return readings, [error.code for error in complaints]


def test_every_recording_says_what_it_was_made_from():
    recordings = sorted(FOLDER.glob("*.jsonl"))
    assert len(recordings) >= 4
    for path in recordings:
        first = json.loads(path.read_text(encoding="ascii").splitlines()[0])
        assert first["way"] == "note"
        assert first["device"]
        assert first["made_by"]


def test_portion_on_the_scale():
    readings, complaints = play("mt_sics_portion", "mt_sics")
    steady = [r for r in readings if r.state is ScaleState.steady]
    assert (Decimal("603.4"), Decimal("12.0")) in {(r.net_g, r.tare_g) for r in steady}
    assert readings[-1].state is ScaleState.over
    assert readings[-1].net_g is None
    assert complaints == ["scale_frame_garbled"]
    sent = (FOLDER / "mt_sics_portion.jsonl").read_text(encoding="ascii")
    rows = [json.loads(line) for line in sent.splitlines()]
    stream = b"".join(bytes.fromhex(row["hex"]) for row in rows if row["way"] == "rx")
    frames = [line for line in stream.split(b"\n") if line.startswith(b"S ") and line.endswith(b"\r")]
    assert len(readings) == len(frames)


def test_codes_of_a_scanner():
    readings, complaints = play("scanner_codes", "scanner_serial")
    assert [(scan.raw, scan.symbology) for scan in readings] == [
        ("FFB-1041", None),
        ("010950110153000310BP-261117-A\x1d15261214", "]C1"),
        ("00006141410000000012", "]d2"),
    ]
    assert complaints == ["scan_garbled"]


def test_kettle_probe_until_its_circuit_opens():
    readings, complaints = play(
        "modbus_probe_kettle", "modbus_probe", framing="tcp", points=[{"tag": "P-14", "address": 0}]
    )
    probes = [r for r in readings if isinstance(r, ProbeReading)]
    assert {r.value_c for r in probes if r.quality is Quality.good} <= {
        Decimal("71.1"),
        Decimal("71.2"),
        Decimal("71.3"),
    }
    assert probes[-1].quality is Quality.bad
    assert probes[-1].error.code == "probe_open_circuit"
    assert complaints == []


def test_counter_rolls_over_and_the_line_stops():
    readings, complaints = play("line_signal_rollover", "line_signal", period_s=0.5, framing="rtu")
    counter, total, changes = Counter(bits=32, max_per_s=100), 0, []
    for reading in readings:
        counter, step = signal.count(counter, reading.count_raw, reading.mono_ns)
        total += step.delta
        changes.append(step.change)
    assert changes.count(Change.rolled_over) == 1
    assert total == readings[-1].count_raw + (1 << 32) - readings[0].count_raw
    assert not readings[-1].is_running
    assert complaints == []


def test_driver_that_says_something_else_is_found_out():
    path = FOLDER / "mt_sics_portion.jsonl"
    replay = Replay(path)
    replay.open()
    with pytest.raises(Garbled) as found:
        replay.write(b"PWR 1\r\n")
    assert found.value.code == "recording_differs"


def test_unreadable_recording_is_no_device(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text("nonsense\n", encoding="ascii")
    for missing in (path, tmp_path / "none.jsonl"):
        with pytest.raises(Unplugged):
            Replay(missing).open()


def test_recorder_keeps_both_ways_in_order(tmp_path):
    source, copy, clock = FOLDER / "scanner_codes.jsonl", tmp_path / "copy.jsonl", FakeClock()
    recorder = Recorder(Replay(source), copy, clock)
    recorder.open()
    got = b""
    with pytest.raises(Unplugged):
        while True:
            got += recorder.read()
            clock.advance(1)
    recorder.close()
    rows = [json.loads(line) for line in copy.read_text(encoding="ascii").splitlines()]
    assert [row["way"] for row in rows[:2]] == ["open", "rx"]
    assert b"".join(bytes.fromhex(row["hex"]) for row in rows[1:]) == got
    assert [row["t_ms"] for row in rows[1:]] == [second * 1000 for second in range(len(rows) - 1)]


def test_driver_names_its_spec_and_what_it_was_verified_on():
    for kind in {*drivers.DRIVERS.values(), MtSics}:
        text = __import__(kind.__module__, fromlist=["x"]).__doc__
        assert "Spec:" in text
        assert "Verified on:" in text
