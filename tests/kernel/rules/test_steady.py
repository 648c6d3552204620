from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from foodflow_kernel.rules import steady
from foodflow_kernel.rules.steady import Digits, Load, ScaleChecks, ScaleState, WeighAction, WeighState
from foodflow_kernel.units import Grams

NOW = datetime(2026, 11, 23, 10, 31, tzinfo=UTC)
TODAY = NOW.date()
FINE = ScaleChecks(calibrated_until=date(2027, 3, 1), tested_at=NOW - timedelta(hours=1), test_every=timedelta(hours=8))


def load(state=ScaleState.steady, net="603.4", tare="12.0", is_tared=True):
    return Load(state, None if net is None else Grams(Decimal(net)), Grams(Decimal(tare)), is_tared)


def judge(given, checks=FINE, *, is_heard=True, **options):
    return steady.judge(given, checks, now=NOW, today=TODAY, is_heard=is_heard, **options)


@pytest.mark.parametrize(
    ("given", "state", "digits", "action"),
    [
        (load(), WeighState.ready, Digits.ink, WeighAction.record),
        (load(ScaleState.moving), WeighState.moving, Digits.approximate, WeighAction.wait),
        (load(ScaleState.moving, None), WeighState.moving, Digits.approximate, WeighAction.wait),
        (load(ScaleState.over, None), WeighState.over, Digits.over, WeighAction.remove_load),
        (load(ScaleState.under, None), WeighState.under, Digits.ink, WeighAction.set_zero),
        (load(net="-24.0"), WeighState.under, Digits.ink, WeighAction.set_zero),
        (load(net="-12.0"), WeighState.empty, Digits.ink, WeighAction.place_load),
        (load(net="0.0"), WeighState.empty, Digits.ink, WeighAction.place_load),
        (load(tare="0", is_tared=False), WeighState.not_tared, Digits.ink, WeighAction.set_tare),
        (None, WeighState.silent, Digits.dashes, WeighAction.try_again),
    ],
)
def test_weigh_states(given, state, digits, action):
    gate = judge(given)
    assert (gate.state, gate.digits, gate.action) == (state, digits, action)
    assert gate.may_record == (state is WeighState.ready)


def test_scale_that_is_not_heard_is_silent_whatever_it_said_last():
    assert judge(load(), is_heard=False).state is WeighState.silent


def test_goods_without_packaging_need_no_tare():
    assert judge(load(tare="0", is_tared=False), must_tare=False).may_record


@pytest.mark.parametrize(
    ("ago", "state"),
    [
        (timedelta(hours=7, minutes=59), WeighState.ready),
        (timedelta(hours=8), WeighState.test_weight_due),
        (None, WeighState.test_weight_due),
    ],
)
def test_test_weight_is_due_after_its_period(ago, state):
    checks = ScaleChecks(tested_at=None if ago is None else NOW - ago, test_every=timedelta(hours=8))
    assert judge(load(), checks).state is state


def test_calibration_counts_to_the_end_of_its_last_day():
    assert judge(load(), ScaleChecks(calibrated_until=TODAY)).may_record
    expired = judge(load(), ScaleChecks(calibrated_until=TODAY - timedelta(days=1)))
    assert (expired.state, expired.action) == (WeighState.calibration_expired, WeighAction.call_maintenance)


def test_expired_calibration_is_told_before_all_that_the_worker_could_mend():
    checks = ScaleChecks(calibrated_until=TODAY - timedelta(days=1), test_every=timedelta(hours=8))
    assert judge(load(ScaleState.moving), checks).state is WeighState.calibration_expired


def test_every_state_has_its_row():
    assert set(steady._ROWS) == set(WeighState)
