import struct
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foodflow_desktop.hardware.drivers import modbus
from foodflow_desktop.hardware.drivers.modbus import Kind
from foodflow_desktop.hardware.drivers.modbus_probe import Point, judge
from foodflow_desktop.hardware.drivers.steadiness import Steadiness
from foodflow_desktop.hardware.readings import DeviceState, ProbeReading, Quality, SensorSample, SignalReading
from foodflow_desktop.hardware.sim.plant import FillerLine, Kettle
from foodflow_desktop.hardware.sim.sensors import ModbusSim, Registers
from foodflow_desktop.hardware.sim.wire import PtyWire, TcpWire
from foodflow_kernel.clock import FakeClock
from foodflow_kernel.rules import signal
from foodflow_kernel.rules.signal import Change, Counter
from tests.hardware.rigs import Rig, fast_clock, until

S = 1_000_000_000


@pytest.fixture
def kettle():
    return Kettle(fast_clock())


@pytest.fixture
def probe(kettle):
    clock = fast_clock()
    sim = ModbusSim(TcpWire(0, clock), clock, Registers(words={3: kettle.register}), is_rtu=False)
    points = [{"tag": "P-14", "address": 3, "stuck_after_s": 20}]
    with Rig(sim, "probe", "modbus_probe", clock, points=points) as rig:
        rig.until_state(DeviceState.connected)
        yield rig


def last(rig) -> ProbeReading:
    return rig.came[ProbeReading][-1]


def test_temperature_becomes_steady_at_its_value(probe, kettle):
    kettle.heat(Decimal("71.2"), tau_s=0)
    reading = until(lambda: last(probe).is_steady and abs(last(probe).value_c - Decimal("71.2")) < 1 and last(probe))
    assert abs(reading.value_c - Decimal("71.2")) <= Decimal("0.1")
    assert (reading.tag, reading.quality, reading.error) == ("P-14", Quality.good, None)


def test_rising_temperature_is_not_steady(probe, kettle):
    until(lambda: last(probe).is_steady)
    kettle.heat(Decimal(120), tau_s=20)
    until(lambda: not last(probe).is_steady)
    assert last(probe).quality is Quality.good


def test_every_reading_is_also_a_sample(probe):
    probe.until_more(ProbeReading, 20)
    count = min(len(probe.came[ProbeReading]), len(probe.came[SensorSample]))
    readings, samples = probe.came[ProbeReading][:count], probe.came[SensorSample][:count]
    assert [(r.at, r.tag, r.value_c, r.quality) for r in readings] == [
        (s.at, s.tag, s.value, s.quality) for s in samples
    ]


def test_broken_probe_is_told_and_gives_no_value(probe, kettle):
    good = probe.until_more(ProbeReading, 1)[0]
    kettle.is_open = True
    assert probe.until_state(DeviceState.faulty).error.code == "probe_open_circuit"
    until(lambda: last(probe).quality is Quality.bad)
    assert last(probe).value_c is None
    assert probe.hub.latest("probe").at >= good.at
    assert probe.hub.latest("probe").quality is Quality.good
    kettle.is_open = False
    probe.until_state(DeviceState.connected)


def test_bad_input_a_reading_outside_the_sensors_range_is_told_and_never_becomes_a_value(probe, kettle):
    good = probe.until_more(ProbeReading, 1)[0]
    kettle.is_out_of_range = True
    error = probe.until_state(DeviceState.faulty).error
    assert (error.code, error.data["tag"], error.data["value"]) == ("probe_out_of_range", "P-14", Decimal("312.0"))
    assert error.sentence.startswith("The probe P-14 shows 312.0, which it cannot measure")
    until(lambda: last(probe).quality is Quality.bad)
    assert last(probe).value_c is None
    kept = probe.hub.latest("probe")
    assert (kept.quality, kept.value_c != Decimal("312.0"), kept.at >= good.at) == (Quality.good, True, True)
    kettle.is_out_of_range = False
    probe.until_state(DeviceState.connected)
    until(lambda: last(probe).quality is Quality.good)


def test_stuck_value_is_kept_but_no_evidence(probe, kettle):
    kettle.freeze(is_frozen=True)
    until(lambda: last(probe).quality is Quality.uncertain)
    assert last(probe).value_c is not None
    assert last(probe).error.code == "probe_stuck"
    kettle.freeze(is_frozen=False)
    until(lambda: last(probe).quality is Quality.good)


def test_register_that_is_not_there_is_told(tmp_path):
    clock = fast_clock()
    sim = ModbusSim(PtyWire(tmp_path / "bus", clock), clock, Registers(), is_rtu=True)
    with Rig(sim, "probe", "modbus_probe", clock, points=[{"tag": "P-14", "address": 3}]) as rig:
        assert rig.until_state(DeviceState.faulty).error.code == "modbus_refused"


def test_one_broken_probe_of_two_is_the_devices_fault_and_the_other_goes_on():
    clock = fast_clock()
    broken, sound = Kettle(clock), Kettle(clock)
    broken.is_open = True
    registers = Registers(words={0: broken.register, 1: sound.register})
    points = [{"tag": "P-14", "address": 0}, {"tag": "P-15", "address": 1}]
    with Rig(
        ModbusSim(TcpWire(0, clock), clock, registers, is_rtu=False), "probe", "modbus_probe", clock, points=points
    ) as rig:
        rig.until_state(DeviceState.faulty)
        rig.until_more(ProbeReading, 20)
        assert rig.states() == [(DeviceState.faulty, "probe_open_circuit")]
        assert rig.hub.latest("probe").tag == "P-15"


@pytest.fixture
def filler():
    return FillerLine(fast_clock(), per_min=600, count=0)


@pytest.fixture(params=[16, 32])
def line(request, filler, tmp_path):
    clock = filler._clock
    filler._bits = request.param
    registers = Registers(bits={7: lambda: filler.is_running})
    if request.param == 32:
        registers.put32(20, filler.count)
    else:
        registers.words[20] = filler.count
    sim = ModbusSim(PtyWire(tmp_path / "bus", clock), clock, registers, is_rtu=True, device_id=3)
    options = {"running_address": 7, "count_address": 20, "count_bits": request.param, "device_id": 3}
    with Rig(sim, "line", "line_signal", clock, **options) as rig:
        rig.until_state(DeviceState.connected)
        yield rig


def pieces(rig, max_per_s=50.0):
    counter, total, changes = Counter(bits=rig.came[SignalReading][0].bits, max_per_s=max_per_s), 0, []
    for reading in rig.came[SignalReading]:
        counter, step = signal.count(counter, reading.count_raw, reading.mono_ns)
        total += step.delta
        changes.append(step.change)
    return total, changes


def test_running_line_counts_over_its_roll_over(line, filler):
    filler.set_count((1 << filler._bits) - 40)
    line.came[SignalReading].clear()
    line.until_more(SignalReading, 2)
    filler.run(is_running=True)
    until(lambda: 40 <= line.came[SignalReading][-1].count_raw < 1000)
    filler.run(is_running=False)
    until(lambda: not line.came[SignalReading][-1].is_running)
    total, changes = pieces(line)
    assert changes.count(Change.rolled_over) == 1
    assert Change.was_reset not in changes
    assert total == 40 + line.came[SignalReading][-1].count_raw


def test_reset_counter_is_told_from_a_roll_over(line, filler):
    filler.set_count(1200)
    line.came[SignalReading].clear()
    until(lambda: line.came[SignalReading] and line.came[SignalReading][-1].count_raw == 1200)
    filler.set_count(0)
    until(lambda: line.came[SignalReading][-1].count_raw == 0)
    total, changes = pieces(line)
    assert changes.count(Change.was_reset) == 1
    assert total == 0


@pytest.mark.parametrize(
    ("point", "raw", "value", "code"),
    [
        (Point(tag="P", address=0), Decimal(-50), Decimal("-5.0"), None),
        (
            Point(tag="P", address=0, scale=Decimal("0.01"), offset=Decimal(-40)),
            Decimal(11_120),
            Decimal("71.20"),
            None,
        ),
        (Point(tag="P", address=0), Decimal(2000), Decimal("200.0"), None),
        (Point(tag="P", address=0), Decimal(2001), None, "probe_out_of_range"),
        (Point(tag="P", address=0), Decimal(-0x8000), None, "probe_open_circuit"),
        (Point(tag="P", address=0, kind=Kind.uint16), Decimal(0xFFFF), None, "probe_open_circuit"),
        (Point(tag="P", address=0, open_codes=frozenset({9999})), Decimal(9999), None, "probe_open_circuit"),
        (Point(tag="P", address=0, kind=Kind.float32, scale=Decimal(1)), None, None, "probe_open_circuit"),
    ],
)
def test_raw_value_is_scaled_or_refused(point, raw, value, code):
    shown, fault = judge(point, raw)
    assert shown == value
    assert (fault.code if fault else None) == code


@given(st.floats(-1e6, 1e6, width=32), st.booleans())
def test_float_registers_are_read_in_both_word_orders(value, low_word_first):
    words = list(struct.unpack(">HH", struct.pack(">f", value)))
    shown = modbus.number(words[::-1] if low_word_first else words, Kind.float32, low_word_first=low_word_first)
    assert struct.unpack(">f", struct.pack(">f", float(shown)))[0] == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("pattern", [b"\x7f\xc0\x00\x00", b"\x7f\x80\x00\x00", b"\xff\x80\x00\x00"])
def test_nan_and_infinity_are_no_number(pattern):
    assert modbus.number(list(struct.unpack(">HH", pattern)), Kind.float32) is None


def test_steady_needs_a_full_window_within_the_band():
    rest = Steadiness(3.0, Decimal("0.3"), None)
    for tenth in range(30):
        rest.add(Decimal("71.2"), tenth * S // 10)
        assert not rest.is_steady
    rest.add(Decimal("71.5"), 3 * S)
    assert rest.is_steady
    rest.add(Decimal("71.6"), 31 * S // 10)
    assert not rest.is_steady
    rest.clear()
    assert not rest.is_steady


def test_stuck_needs_the_very_same_value_for_long():
    rest = Steadiness(3.0, Decimal("0.3"), 60.0)
    for second in range(60):
        rest.add(Decimal("71.2"), second * S)
        assert not rest.is_stuck
    rest.add(Decimal("71.2"), 60 * S)
    assert rest.is_stuck
    rest.add(Decimal("71.3"), 61 * S)
    assert not rest.is_stuck


def test_simulated_line_counts_in_plant_time():
    clock = FakeClock()
    line = FillerLine(clock, per_min=60, bits=16, count=65_530)
    clock.advance(100)
    assert line.count() == 65_530
    line.run(is_running=True)
    clock.advance(10)
    assert line.count() == 4
    line.run(is_running=False)
    clock.advance(10)
    assert line.count() == 4


def test_simulated_kettle_follows_its_set_temperature():
    clock = FakeClock()
    kettle = Kettle(clock, celsius=78.4)
    kettle.heat(Decimal("71.2"), tau_s=20)
    clock.advance(20)
    assert 73 < kettle.celsius() < 75
    clock.advance(200)
    assert kettle.register() in (711, 712, 713)
