from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from foodflow_desktop.stations import records
from foodflow_desktop.stations.context import Context
from foodflow_desktop.stations.material import Answer, MaterialStation
from foodflow_desktop.store import Draft
from foodflow_kernel.errors import Refused
from foodflow_kernel.rules.interlock import Cause
from foodflow_kernel.wire import bodies
from tests.foodflow_desktop.stations import plant

BASIL = "]C10109506000134352152612143101000120" + "10BP-261117-A"
PEANUT = "0109506000134369" + "10PP-261109-C"


@pytest.fixture
def station(context: Context) -> MaterialStation:
    plant.sign_in(context, "FFB-1041")
    return MaterialStation(context)


def issued(context: Context) -> list[bodies.MaterialIssued]:
    return [one.body for one in records.taken(context.store, bodies.MaterialIssued)]


def test_a_good_scan_shows_four_checks_and_issues_the_labels_amount(context: Context, station: MaterialStation):
    assert station.on_scan(BASIL) is None
    shown = station.screen().scanned
    assert shown is not None
    assert (shown.item_name, shown.lot_code, shown.amount) == ("Basil purée", "BP-261117-A", Decimal("12.0"))
    assert [check.passed for check in shown.checks] == [True] * 4
    assert (shown.step, shown.days_left, shown.supplier_lot) == (3, 21, "S-88213")
    plant.run(station.issue())
    assert [(one.lot_code, one.amount.value, one.source) for one in issued(context)] == [
        ("BP-261117-A", Decimal("12.0"), "label")
    ]
    need = next(one for one in station.screen().needs if one.item_id == plant.BASIL)
    assert (need.issued, need.required) == (Decimal("12.0"), Decimal(180))


def test_the_same_code_within_three_seconds_does_nothing(context: Context, station: MaterialStation):
    station.on_scan(BASIL)
    plant.run(station.issue())
    context.clock.advance(2)
    assert station.on_scan(BASIL) is None
    assert station.screen().answer is Answer.already_scanned
    assert station.screen().scanned is None
    context.clock.advance(3)
    station.on_scan(BASIL)
    assert station.screen().scanned is not None


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (PEANUT, Cause.allergen),
        ("FFL-SA-1", Cause.on_hold),
        ("FFL-OO-1", Cause.expired),
        ("FFL-OO-2", Cause.not_released),
        ("FFL-SA-3", Cause.wrong_line),
        ("FFL-NOPE", Cause.unknown_lot),
        ("FFL-TBS-261123-02", Cause.wrong_material),
    ],
)
def test_the_interlock_names_the_cause_and_keeps_the_attempt(
    context: Context, station: MaterialStation, code: str, cause: Cause
):
    plant.run(station.on_scan(code))
    stop = station.screen().stop
    assert stop is not None
    assert stop.cause is cause
    assert plant.kinds(context) == ["interlock_stopped"]
    assert issued(context) == []
    with pytest.raises(Refused):
        station.issue()


def test_bad_input_an_unknown_barcode_is_stopped_with_its_cause_and_the_right_one_goes_in(
    context: Context, station: MaterialStation
):
    plant.run(station.on_scan("FFL-NOPE"))
    stop = station.screen().stop
    assert stop is not None
    assert stop.cause is Cause.unknown_lot
    attempts = records.taken(context.store, bodies.InterlockStopped)
    assert [(one.body.cause, one.body.raw_scan) for one in attempts] == [(Cause.unknown_lot, "FFL-NOPE")]
    station.put_back()
    station.on_scan(BASIL)
    plant.run(station.issue())
    assert [one.lot_code for one in issued(context)] == ["BP-261117-A"]
    assert plant.kinds(context) == ["interlock_stopped", "material_issued"]


def test_the_peanut_stop_says_what_it_is_and_what_is_needed(station: MaterialStation):
    plant.run(station.on_scan(PEANUT))
    stop = station.screen().stop
    assert (stop.item_name, stop.lot_code, stop.foreign_allergens) == ("Peanut paste", "PP-261109-C", ("peanut",))
    assert (stop.belongs_to, stop.is_alarm_on) == ("Line 3", True)
    station.silence()
    assert not station.screen().stop.is_alarm_on
    station.put_back()
    assert station.screen().stop is None


def test_the_right_scan_closes_the_stop(station: MaterialStation):
    plant.run(station.on_scan(PEANUT))
    station.on_scan(BASIL)
    assert station.screen().stop is None
    assert station.screen().scanned.lot_code == "BP-261117-A"


def test_some_went_in_opens_a_deviation_and_holds_the_batch(context: Context, station: MaterialStation):
    opened = []
    station.on_deviation = opened.append
    plant.run(station.on_scan(PEANUT))
    plant.run(station.some_went_in())
    assert plant.kinds(context) == ["interlock_stopped", "deviation_opened", "hold_placed"]
    assert len(opened) == 1
    assert context.store.is_held(plant.LOT)


def test_a_hold_that_arrives_between_scan_and_touch_stops_the_issue(context: Context, station: MaterialStation):
    station.on_scan(BASIL)
    lot = context.store.master.lots[plant.idof("basil lot")]
    plant.change(context.store, "lot", lot.model_copy(update={"is_held": True}))
    plant.run(station.issue())
    assert station.screen().stop.cause is Cause.on_hold
    assert issued(context) == []


def test_more_than_two_percent_over_asks_why(context: Context, station: MaterialStation):
    station.on_scan("FFL-SA-2")
    station.edit_amount()
    for key in "9.2":
        station.digit(key)
    station.accept_amount()
    assert station.screen().scanned.over_issue == Decimal("0.2")
    with pytest.raises(Refused, match="nothing_to_issue"):
        station.issue()
    station.choose_reason("spill")
    plant.run(station.issue())
    assert issued(context)[0].over_issue_reason == "spill"
    assert issued(context)[0].source == "typed"


def test_qa_overrides_a_wrong_line_with_reason_and_pin(context: Context, station: MaterialStation):
    plant.run(station.on_scan("FFL-SA-3"))
    assert not station.screen().stop.may_override
    plant.sign_in(context, "FFB-2003")
    assert station.screen().stop.may_override
    station.start_override()
    assert station.override_digit("5") is None
    station.set_override_reason("Moved here by the supervisor")
    for key in "583":
        assert station.override_digit(key) is None
    plant.run(station.override_digit("6"))
    station.edit_amount()
    station.digit("5")
    station.accept_amount()
    plant.run(station.issue())
    body = issued(context)[0]
    assert body.override_cause is Cause.wrong_line
    assert body.override_signature.meaning == "acknowledged"


def test_nobody_overrides_an_allergen(context: Context, station: MaterialStation):
    plant.sign_in(context, "FFB-2003")
    plant.run(station.on_scan(PEANUT))
    assert not station.screen().stop.may_override
    with pytest.raises(Refused, match="no_override"):
        station.start_override()


def test_without_a_batch_a_scan_issues_nothing(context: Context, station: MaterialStation):
    moved = bodies.BatchMoved(batch_id=plant.BATCH, move="complete", base_rev=1)
    context.store.record(Draft(moved, performed_by=plant.idof("FFB-1041"), line_id=plant.LINE_2))
    assert station.on_scan(BASIL) is None
    assert station.screen().answer is Answer.no_batch


def test_a_code_that_is_no_material_is_named_so(station: MaterialStation):
    assert station.on_scan("hello") is None
    assert station.screen().answer is Answer.not_a_material


CODES = [BASIL, PEANUT, "FFL-SA-1", "FFL-SA-2", "FFL-SA-3", "FFL-OO-1", "FFL-OO-2", "FFL-NOPE", "FFB-2003", "x"]
BLOCKED = {"PP-261109-C", "SA-1", "OO-1", "OO-2", "TBS-261123-02"}
"""Lots that nothing and nobody may issue to this batch."""


class Gestures(RuleBasedStateMachine):
    """Any order of scans and touches by an operator and QA: nothing blocked is ever issued."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.context = plant.open_terminal(Path(self._folder.name))
        plant.sign_in(self.context, "FFB-1041")
        self.station = MaterialStation(self.context)
        self.is_basil_held = False
        self.allowed_after_hold = 0

    def teardown(self) -> None:
        self.context.store.close()
        self._folder.cleanup()

    def do(self, gesture) -> None:
        try:
            job = gesture()
        except Refused:
            return
        if job is not None:
            plant.run(job)

    @rule(code=st.sampled_from(CODES))
    def scan(self, code: str) -> None:
        self.context.clock.advance(4)
        self.do(lambda: self.station.on_scan(code))

    @rule(code=st.sampled_from(CODES))
    def type_a_code(self, code: str) -> None:
        self.context.clock.advance(4)
        self.station.type_code()
        self.station.set_code(code)
        self.do(self.station.submit_code)

    @rule(keys=st.lists(st.sampled_from("0123456789."), max_size=4))
    def amount(self, keys: list[str]) -> None:
        self.station.edit_amount()
        for key in keys:
            self.station.digit(key)
        self.station.accept_amount()

    @rule(who=st.sampled_from(["FFB-1041", "FFB-2003"]))
    def switch_user(self, who: str) -> None:
        plant.sign_in(self.context, who)

    @rule(pin=st.sampled_from([plant.QA_PIN, plant.OPERATOR_PIN]))
    def override(self, pin: str) -> None:
        self.do(self.station.start_override)
        self.station.set_override_reason("because I say so")
        for digit in pin:
            self.do(lambda digit=digit: self.station.override_digit(digit))

    @precondition(lambda self: not self.is_basil_held)
    @rule()
    def hold_arrives(self) -> None:
        lot = self.context.store.master.lots[plant.idof("basil lot")]
        plant.change(self.context.store, "lot", lot.model_copy(update={"is_held": True}))
        self.is_basil_held = True
        self.allowed_after_hold = sum(one.lot_code == "BP-261117-A" for one in issued(self.context))

    @rule(gesture=st.sampled_from(["cancel", "put_back", "silence", "issue", "some_went_in", "reason"]))
    def touch(self, gesture: str) -> None:
        if gesture == "reason":
            self.station.choose_reason("spill")
        else:
            self.do(getattr(self.station, gesture))

    @invariant()
    def nothing_blocked_is_issued(self) -> None:
        bodies_ = issued(self.context)
        assert not BLOCKED & {one.lot_code for one in bodies_}
        for one in bodies_:
            if one.lot_code == "SA-3":
                assert one.override_signature is not None
                assert one.override_signature.signer_id == plant.idof("FFB-2003")
        if self.is_basil_held:
            assert sum(one.lot_code == "BP-261117-A" for one in bodies_) == self.allowed_after_hold


Gestures.TestCase.settings = settings(
    max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
test_no_path_of_gestures_issues_a_blocked_material = Gestures.TestCase
