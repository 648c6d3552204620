from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal as D

import pytest

from foodflow_desktop.hardware.readings import DeviceState, ScaleReading, ScaleState
from foodflow_desktop.hardware.sim.scale import ScaleSim
from foodflow_desktop.hardware.sim.wire import PtyWire
from foodflow_desktop.stations import records
from foodflow_desktop.stations.weigh import WeighStation
from foodflow_desktop.stations.weigh_screen import Mode, RowState
from foodflow_kernel.errors import Refused
from foodflow_kernel.rules.steady import WeighState
from foodflow_kernel.rules.weight import WeightVerdict
from foodflow_kernel.wire import bodies, master
from tests.foodflow_desktop.stations import plant
from tests.hardware.rigs import Rig, fast_clock, until

SPEC = master.WeightSpecRow(
    id=plant.idof("spec"),
    item_id=plant.SOUP,
    version=1,
    low_g=D(591),
    target_g=D(600),
    high_g=D(615),
    tare_g=D("12.0"),
    sample_size=3,
    every_min=30,
)
SCALE = master.Equipment(
    id=plant.idof("SC-02"),
    tag="SC-02",
    names={"en": "Scale SC-02"},
    line_id=plant.LINE_2,
    equipment_class="scale",
    unit="g",
    range_max=D(3000),
    resolution=D("0.1"),
    test_weight_g=D(500),
    test_tolerance_g=D("0.5"),
)
HEAVY = master.Reason(id=plant.idof("heavy"), tree="weight", code="filler_high", names={"en": "Filler set too high"})


class Bench:
    """A terminal on line 2 whose scale is a simulated one on a pty."""

    def __init__(self, rig, context):
        self.rig, self.context = rig, context
        self.station = WeighStation(context)
        self.unsteady = []
        self.lock = threading.Lock()
        rig.hub.subscribe(ScaleReading, self.on_reading)

    def on_reading(self, reading):
        with self.lock:
            self.station.on_reading(reading)
            if self.station.screen().may_record:
                self.unsteady += [reading] if reading.state is not ScaleState.steady or not reading.is_tared else []

    def screen(self):
        with self.lock:
            return self.station.screen()

    def until(self, state):
        until(lambda: self.screen().gate.state is state)

    def until_ready(self):
        until(lambda: self.screen().may_record)

    def load(self, grams):
        self.rig.sim.load(D(grams))

    def do(self, gesture):
        with self.lock:
            job = gesture()
        if job is not None:
            plant.run(job)

    def weigh(self, gross):
        self.load(gross)
        self.until_ready()
        self.do(self.station.record)

    def weighings(self):
        return [one.body for one in records.taken(self.context.store, bodies.Weighing)]

    def voided(self):
        return records.taken(self.context.store, bodies.Voided)


@pytest.fixture
def bench(tmp_path):
    clock = fast_clock()
    context = plant.open_terminal(tmp_path / "kiosk", clock)
    plant.change(context.store, "weight_spec", SPEC)
    plant.change(context.store, "equipment", SCALE)
    plant.change(context.store, "reason", HEAVY)
    plant.sign_in(context, "FFB-1041")
    with Rig(ScaleSim(PtyWire(tmp_path / "scale", clock), clock), "scale", "mt_sics", clock, tag="SC-02") as rig:
        context.hardware = rig.hub
        rig.until_state(DeviceState.connected)
        yield Bench(rig, context)
    context.store.close()


@pytest.fixture
def tared(bench):
    bench.until(WeighState.not_tared)
    bench.do(bench.station.tare)
    until(lambda: bench.screen().is_tared)
    return bench


def test_recorded_frames_give_the_table_and_record_is_never_enabled_off_steady(tared):
    seen = []
    for gross, state in (
        ("615.4", WeighState.ready),
        ("0", WeighState.empty),
        ("9000", WeighState.over),
        ("627.1", WeighState.ready),
        ("0", WeighState.empty),
    ):
        tared.load(gross)
        tared.until(state)
        seen.append((state, tared.screen().may_record))
    tared.rig.sim.wire.faults.is_mute = True
    tared.until(WeighState.silent)
    assert not tared.screen().may_record
    assert [may for state, may in seen] == [state is WeighState.ready for state, may in seen]
    assert tared.unsteady == []


def test_weight_in_tolerance_is_one_touch_and_one_record(tared):
    tared.weigh("615.4")
    (body,) = tared.weighings()
    assert (body.net_g, body.tare_g, body.verdict) == (D("603.4"), D("12.0"), WeightVerdict.in_tolerance)
    assert (body.source, body.equipment_id, body.sample_no) == (bodies.Source.scale, SCALE.id, 1)
    assert (body.limits.low_g, body.limits.high_g) == (D(591), D(615))
    screen = tared.screen()
    assert screen.saved is not None
    assert screen.saved.no == 1


def test_same_portion_is_not_recorded_twice(tared):
    tared.weigh("615.4")
    assert not tared.screen().may_record
    with pytest.raises(Refused, match="reading_not_ready"):
        tared.station.record()
    tared.load("612.0")
    tared.until_ready()


def test_weight_out_of_tolerance_asks_for_one_reason(tared):
    tared.weigh("640.2")
    screen = tared.screen()
    assert (screen.mode, screen.held_g, screen.held_verdict) == (Mode.reason, D("628.2"), WeightVerdict.too_heavy)
    assert tared.weighings() == []
    tared.load("0")  # the load may go: the weight was taken while it was steady
    tared.do(lambda: tared.station.reason("filler_high"))
    (body,) = tared.weighings()
    assert (body.net_g, body.verdict, body.reason_code) == (D("628.2"), WeightVerdict.too_heavy, "filler_high")


def test_check_fills_then_a_new_one_begins(tared):
    for gross in ("612.1", "613.2", "614.3", "611.4"):
        tared.weigh(gross)
    found = tared.weighings()
    assert [one.sample_no for one in found] == [1, 2, 3, 1]
    assert len({one.check_id for one in found[:3]}) == 1
    assert found[3].check_id != found[0].check_id


def test_check_goes_on_after_a_restart(tared):
    tared.weigh("612.1")
    again = WeighStation(tared.context).screen()
    assert (again.no, [row.state for row in again.samples]) == (2, [RowState.done, RowState.now, RowState.todo])


def test_typed_weight_is_offered_only_without_the_scale_and_is_marked(tared):
    tared.station.type_weight()
    assert tared.screen().mode is Mode.weigh
    tared.rig.sim.wire.faults.is_mute = True
    tared.until(WeighState.silent)
    tared.station.type_weight()
    for key in "601.5":
        tared.station.key(key)
    assert tared.screen().typed_verdict is WeightVerdict.in_tolerance
    tared.do(tared.station.save_typed)
    (body,) = tared.weighings()
    assert (body.net_g, body.source, body.equipment_id) == (D("601.5"), bodies.Source.typed, None)
    assert tared.screen().samples[0].is_typed


def test_typed_weight_that_cannot_be_is_not_saved(tared):
    tared.rig.sim.wire.faults.is_mute = True
    tared.until(WeighState.silent)
    tared.station.type_weight()
    for key in "60150":
        tared.station.key(key)
    with pytest.raises(Refused, match="reading_not_ready"):
        tared.station.save_typed()


def test_test_weight_due_blocks_until_it_passed(tared):
    plant.change(tared.context.store, "equipment", SCALE.model_copy(update={"test_every_min": 240}), version=3)
    tared.load("615.4")
    tared.until(WeighState.test_weight_due)
    assert not tared.screen().may_record
    tared.station.do_test()
    tared.load("498.0")
    until(lambda: (part := tared.screen().test) is not None and part.is_steady and part.shown_g == D("498.0"))
    tared.do(tared.station.save_test)
    assert (tared.screen().gate.state, tared.screen().test.passed) == (WeighState.test_weight_due, False)
    tared.load("500.2")
    until(lambda: (part := tared.screen().test) is not None and part.is_steady and part.shown_g == D("500.2"))
    tared.do(tared.station.save_test)
    tared.load("615.4")
    tared.until_ready()
    assert [one.body.passed for one in records.taken(tared.context.store, bodies.TestWeight)] == [False, True]


def test_expired_calibration_blocks(tared):
    past = tared.context.today() - timedelta(days=1)
    plant.change(tared.context.store, "equipment", SCALE.model_copy(update={"calib_due_on": past}), version=3)
    tared.load("615.4")
    tared.until(WeighState.calibration_expired)
    assert not tared.screen().may_record


def test_undo_takes_the_sample_back_within_ten_seconds(tared):
    tared.weigh("615.4")
    tared.do(tared.station.undo)
    (void,) = tared.voided()
    assert (void.body.reason, void.body.signature) == ("undo_10s", None)
    assert len(tared.weighings()) == 1  # it stays readable
    until(lambda: tared.screen().no == 1)  # whoever waits for a fact may hear of it before the picture does
    tared.until_ready()


def test_correction_needs_reason_and_pin_and_opens_the_place_again(tared):
    tared.weigh("612.1")
    tared.weigh("613.2")
    station = tared.station
    station.correct()
    assert station.pin_digit("4") is None  # nothing chosen yet
    station.choose_sample(1)
    station.choose_why("wrong_portion")
    for pin, voids in (("1111", 0), (plant.OPERATOR_PIN, 1)):
        for digit in pin:
            tared.do(lambda d=digit: station.pin_digit(d))
        assert len(tared.voided()) == voids
    (void,) = tared.voided()
    assert void.body.signature is not None
    assert (void.body.reason, void.body.signature.meaning) == ("wrong_portion", "corrected")
    screen = tared.screen()
    assert (screen.mode, screen.no, screen.samples[0].state) == (Mode.weigh, 1, RowState.now)


def test_nobody_signed_in_records_nothing(tared):
    tared.context.session.user = None
    tared.load("615.4")
    tared.until(WeighState.ready)
    assert not tared.screen().may_record


def test_alarm_is_silenced_until_the_load_is_off(tared):
    tared.load("9000")
    tared.until(WeighState.over)
    tared.station.silence()
    assert tared.screen().is_silenced
    tared.load("0")
    tared.until(WeighState.empty)
    tared.load("9000")
    tared.until(WeighState.over)
    assert not tared.screen().is_silenced
