import threading
from decimal import Decimal

import pytest

from foodflow_desktop.hardware.readings import DeviceState, ScaleReading, ScaleState
from foodflow_desktop.hardware.sim.balance import Balance
from foodflow_desktop.hardware.sim.scale import ScaleSim
from foodflow_desktop.hardware.sim.wire import PtyWire
from foodflow_kernel.errors import DeviceError, Overload
from foodflow_kernel.units import Grams
from tests.hardware.rigs import Rig, fast_clock, until

CUP_G = Grams(Decimal("12.0"))


@pytest.fixture
def scale(tmp_path):
    clock = fast_clock()
    with Rig(ScaleSim(PtyWire(tmp_path / "scale", clock), clock), "scale", "mt_sics", clock, tag="SC-02") as rig:
        rig.until_state(DeviceState.connected)
        yield rig


def load(rig, grams):
    """Put it on and wait until the scale says it is steady."""
    rig.sim.load(Decimal(grams))
    until(lambda: moving(rig))
    return until(lambda: steady(rig))


def moving(rig):
    reading = rig.hub.latest("scale")
    return reading is not None and reading.state is ScaleState.moving


def steady(rig):
    reading = rig.hub.latest("scale")
    return reading if reading is not None and reading.state is ScaleState.steady else None


def test_portion_settles_to_its_net_weight(scale):
    assert scale.hub.scale().set_tare(CUP_G).result(20) == CUP_G
    reading = load(scale, "615.4")
    assert (reading.net_g, reading.tare_g, reading.is_tared) == (Decimal("603.4"), CUP_G, True)
    assert (reading.device, reading.tag) == ("scale", "SC-02")
    states = [r.state for r in scale.came[ScaleReading]]
    assert ScaleState.moving in states


def test_every_frame_that_was_sent_is_a_reading(tmp_path):
    clock = fast_clock()
    rig = Rig(ScaleSim(PtyWire(tmp_path / "scale", clock), clock), "scale", "mt_sics", clock)
    with rig:
        rig.until_more(ScaleReading, 200)
        rig.sim._stop.set()
        until(lambda: len(rig.came[ScaleReading]) == rig.sim.frames_sent)
        rig.sim.wire.faults.is_mute = True
    assert rig.sim.wire.dropped == 0


def test_weight_is_steady_only_with_the_tare_it_belongs_to(scale):
    load(scale, "12.0")
    scale.came[ScaleReading].clear()
    scale.sim.balance.tare_g = CUP_G  # the worker presses the scale's own tare key
    until(lambda: (reading := steady(scale)) and reading.is_tared)
    pairs = {(r.net_g, r.tare_g) for r in scale.came[ScaleReading] if r.state is ScaleState.steady}
    assert pairs <= {(Decimal("12.0"), Decimal(0)), (Decimal("0.0"), CUP_G)}


def test_tare_takes_the_present_weight(scale):
    load(scale, "12.0")
    assert scale.hub.scale().tare().result(20) == CUP_G
    assert until(lambda: (r := steady(scale)) and r.is_tared and r).net_g == 0
    scale.hub.scale().clear_tare().result(20)
    assert until(lambda: (r := steady(scale)) and not r.is_tared and r).net_g == Decimal("12.0")


def test_zero_waits_for_rest_and_clears_the_tare(scale):
    scale.hub.scale().set_tare(CUP_G).result(20)
    scale.sim.load(Decimal("3.0"))
    scale.hub.scale().zero().result(20)
    reading = until(lambda: (r := steady(scale)) and not r.is_tared and r)
    assert reading.net_g == 0


def test_zero_of_a_loaded_scale_is_refused(scale):
    load(scale, "615.4")
    with pytest.raises(Overload) as refused:
        scale.hub.scale().zero().result(20)
    assert refused.value.code == "scale_overload"


def test_shaken_scale_never_becomes_steady_and_refuses_a_tare(scale):
    scale.sim.balance.is_shaken = True
    with pytest.raises(DeviceError) as refused:
        scale.hub.scale().tare().result(30)
    assert refused.value.code == "scale_busy"
    assert all(r.state is ScaleState.moving for r in scale.until_more(ScaleReading, 10))
    assert scale.status.state is DeviceState.connected


def test_tare_that_the_scale_cannot_take_is_refused(scale):
    with pytest.raises(DeviceError) as refused:
        scale.hub.scale().set_tare(Grams(Decimal(9000))).result(20)
    assert refused.value.code == "scale_parameter_wrong"


def test_overload_has_no_number(scale):
    scale.sim.load(Decimal(7000))
    reading = until(lambda: (r := scale.hub.latest("scale")) and r.state is ScaleState.over and r)
    assert reading.net_g is None
    scale.sim.load(Decimal(0))
    until(lambda: steady(scale))


def test_lifted_pan_is_under_range(scale):
    scale.sim.load(Decimal(-500))
    assert until(lambda: (r := scale.hub.latest("scale")) and r.state is ScaleState.under and r).net_g is None


def test_fault_of_the_scale_is_told_until_it_is_mended(scale):
    scale.sim.fault = "10b"
    assert scale.until_state(DeviceState.faulty).error.data == {"fault": "10b"}
    scale.sim.fault = ""
    scale.until_state(DeviceState.connected)


def test_scale_tells_who_it_is(scale):
    assert scale.hub.scale().identity().result(20) == {
        "type": "ICS425 simulated 6000.0 g",
        "software": "1.00 00.00.00.00000",
        "serial": "B012345678",
    }


@pytest.mark.parametrize(("unit", "shown"), [("kg", "603.4"), ("lb", "603.4139"), ("oz", "603.3913")])
def test_other_units_become_grams(tmp_path, unit, shown):
    clock = fast_clock()
    sim = ScaleSim(PtyWire(tmp_path / "scale", clock), clock, unit=unit)
    with Rig(sim, "scale", "mt_sics", clock) as rig:
        rig.until_state(DeviceState.connected)
        assert load(rig, "603.4").net_g == Decimal(shown)
        assert abs(rig.hub.scale().set_tare(CUP_G).result(20) - CUP_G) < Decimal("0.05")


def test_weights_that_nobody_read_are_not_taken_for_new_ones(tmp_path):
    clock = fast_clock()
    sim = ScaleSim(PtyWire(tmp_path / "scale", clock), clock)
    sim.start()
    try:
        first = Rig(sim, "scale", "mt_sics", clock)
        first.hub.start()
        load(first, "615.4")
        first.hub.stop()
        sim.load(Decimal(0))  # the stream goes on with nobody listening
        until(lambda: sim.balance.weigh(clock.mono_ns()).motion == "S")
        second = Rig(sim, "scale", "mt_sics", clock)
        second.hub.start()
        until(lambda: steady(second))
        second.hub.stop()
        assert {r.net_g for r in second.came[ScaleReading]} == {Decimal("0.0")}
    finally:
        sim.stop()


def test_subscriber_that_fails_stops_nothing(scale, caplog):
    def broken(_reading):
        raise ValueError("a screen's fault")

    scale.hub.subscribe(ScaleReading, broken)
    scale.until_more(ScaleReading, 5)
    failures = [r for r in caplog.records if "subscriber" in r.message]
    assert len(failures) == 1


def test_unsubscribed_callback_hears_nothing_more(scale):
    heard, done = [], threading.Event()
    unsubscribe = scale.hub.subscribe(ScaleReading, lambda r: (heard.append(r), done.set()))
    assert done.wait(20)
    unsubscribe()
    scale.until_more(ScaleReading, 2)
    count = len(heard)
    scale.until_more(ScaleReading, 5)
    assert len(heard) == count


def test_balance_swings_before_it_rests():
    balance = Balance()
    balance.put(Decimal("603.4"), 0)
    shown = [balance.weigh(int(tenth * 1e8)) for tenth in range(30)]
    motions = "".join(w.motion for w in shown)
    assert motions == "D" * motions.count("D") + "S" * motions.count("S")
    assert 5 <= motions.count("D") <= 20
    assert {w.net_g for w in shown if w.motion == "S"} == {Decimal("603.4")}
    assert max(w.net_g for w in shown) > Decimal("603.4")


def test_bad_input_a_garbage_scale_frame_is_told_and_no_weight_comes_of_it(scale):
    good = load(scale, "615.4")
    scale.sim.wire.faults.noise = 1
    until(lambda: scale.status.error is not None)
    assert scale.status.error.code == "scale_frame_garbled"
    assert scale.status.error.sentence == "The scale sent something that cannot be read. It was not used."
    assert scale.status.state is DeviceState.connected
    until(lambda: scale.status.error is None)
    assert until(lambda: steady(scale)).net_g == good.net_g
    assert {r.net_g for r in scale.came[ScaleReading] if r.state is ScaleState.steady} <= {Decimal(0), good.net_g}
