"""Judgements on weights, critical control points and materials, at and around their limits."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal as D
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foodflow_kernel.errors import Invalid
from foodflow_kernel.rules import ccp, interlock, weight
from foodflow_kernel.rules.ccp import CcpLimits, CcpVerdict, Plausibility
from foodflow_kernel.rules.interlock import Cause, LotFacts, Recipe
from foodflow_kernel.rules.weight import WeightSpec, WeightVerdict
from foodflow_kernel.units import Grams, Quantity, Uom, convert, grams

SOUP = WeightSpec(Grams(D(591)), Grams(D(600)), Grams(D(615)))


@pytest.mark.parametrize(
    ("net_g", "verdict"),
    [
        ("590.9", WeightVerdict.too_light),
        ("591", WeightVerdict.in_tolerance),
        ("603.4", WeightVerdict.in_tolerance),
        ("615", WeightVerdict.in_tolerance),
        ("615.1", WeightVerdict.too_heavy),
    ],
)
def test_weight_at_a_limit_is_in_tolerance(net_g: str, verdict: WeightVerdict) -> None:
    assert weight.judge(Grams(D(net_g)), SOUP) is verdict


def test_weight_limits_out_of_order_are_refused() -> None:
    with pytest.raises(Invalid, match="limits_out_of_order"):
        WeightSpec(Grams(D(615)), Grams(D(600)), Grams(D(591)))


COOK = CcpLimits(crit_min=D("74.0"), op_min=D("76.0"))


@pytest.mark.parametrize(
    ("value", "verdict", "margin"),
    [
        ("71.2", CcpVerdict.too_low, "-2.8"),
        ("74.0", CcpVerdict.op_limit, "0.0"),
        ("75.9", CcpVerdict.op_limit, "1.9"),
        ("76.0", CcpVerdict.ok, "2.0"),
    ],
)
def test_ccp_reading_at_a_limit_passes(value: str, verdict: CcpVerdict, margin: str) -> None:
    judged = ccp.judge(D(value), COOK)
    assert (judged.verdict, judged.margin) == (verdict, D(margin))


@given(st.decimals(-50, 150, places=1), st.decimals(-50, 150, places=1), st.decimals(0, 50, places=1))
def test_negative_margin_exactly_when_breached(value: D, low: D, width: D) -> None:
    judged = ccp.judge(value, CcpLimits(crit_min=low, crit_max=low + width))
    assert judged.margin is not None
    assert judged.verdict.is_breach == (judged.margin < 0)


def test_limits_need_a_critical_one_and_order() -> None:
    with pytest.raises(Invalid, match="limits_missing"):
        CcpLimits(op_min=D(1))
    with pytest.raises(Invalid, match="limits_out_of_order"):
        CcpLimits(crit_min=D(74), op_min=D(70))


def test_detector_must_reject_every_piece() -> None:
    assert ccp.judge_detector([True, True, True]).verdict is CcpVerdict.ok
    assert ccp.judge_detector([True, False, True]).verdict is CcpVerdict.not_rejected
    with pytest.raises(Invalid, match="no_test_pieces"):
        ccp.judge_detector([])


def test_implausible_values_are_told_apart() -> None:
    def judged(value: str, last: D | None) -> Plausibility:
        return ccp.plausibility(D(value), range_min=D(-20), range_max=D(150), last=last, jump=D(15))

    assert judged("784", None) is Plausibility.outside_range
    assert judged("50", D("78.4")) is Plausibility.jump
    assert judged("71.2", D("78.4")) is Plausibility.plausible
    assert judged("50", None) is Plausibility.plausible


BASIL, PEANUT, LINE, OTHER = UUID(int=1), UUID(int=2), UUID(int=3), UUID(int=4)
RECIPE = Recipe(frozenset({BASIL}), frozenset({"celery"}), LINE)
TODAY = date(2026, 11, 23)


def a_lot(**over: object) -> LotFacts:
    fields: dict[str, object] = {
        "item_id": BASIL,
        "allergens": frozenset({"celery"}),
        "is_held": False,
        "is_released": True,
        "expiry_on": date(2026, 12, 14),
    }
    return LotFacts(**(fields | over))  # type: ignore[arg-type]  # a factory over a frozen dataclass


@pytest.mark.parametrize(
    ("lot", "cause"),
    [
        (a_lot(), None),
        (a_lot(item_id=PEANUT, allergens=frozenset({"peanut"})), Cause.allergen),
        (a_lot(item_id=PEANUT, allergens=frozenset()), Cause.wrong_material),
        (a_lot(allergens=frozenset({"celery", "milk"})), Cause.allergen),
        (a_lot(is_held=True), Cause.on_hold),
        (a_lot(is_released=False), Cause.not_released),
        (a_lot(expiry_on=TODAY), None),
        (a_lot(expiry_on=TODAY - timedelta(days=1)), Cause.expired),
        (a_lot(line_id=OTHER), Cause.wrong_line),
    ],
)
def test_interlock_names_the_first_danger(lot: LotFacts, cause: Cause | None) -> None:
    assert interlock.judge(lot, RECIPE, TODAY).cause is cause


def test_only_wrong_line_and_near_expiry_may_be_overridden() -> None:
    assert {cause for cause in Cause if cause.may_override} == {Cause.wrong_line, Cause.near_expiry}


@given(
    st.booleans(),
    st.booleans(),
    st.sampled_from([BASIL, PEANUT]),
    st.sets(st.sampled_from(["celery", "peanut", "milk"])),
    st.integers(-5, 5),
)
def test_nothing_held_foreign_or_expired_is_ever_free(
    held: bool, released: bool, item: UUID, allergens: set[str], days: int
) -> None:
    lot = a_lot(
        is_held=held,
        is_released=released,
        item_id=item,
        allergens=frozenset(allergens),
        expiry_on=TODAY + timedelta(days=days),
    )
    safe = not held and released and item == BASIL and allergens <= {"celery"} and days >= 0
    assert (interlock.judge(lot, RECIPE, TODAY).cause is None) == safe


def test_units_convert_within_a_dimension_only() -> None:
    assert grams(Quantity(D("0.6034"), Uom.KGM)) == D("603.4")
    assert convert(Quantity(D(16), Uom.ONZ), Uom.LBR).value == 1
    with pytest.raises(Invalid, match="mixed_units"):
        convert(Quantity(D(1), Uom.H87), Uom.KGM)
    with pytest.raises(Invalid, match="mixed_units"):
        _ = Quantity(D(1), Uom.KGM) + Quantity(D(1), Uom.GRM)
