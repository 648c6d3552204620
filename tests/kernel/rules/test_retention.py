"""Records are kept as long as the longest rule says; a company may only lengthen that."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foodflow_kernel.errors import Invalid
from foodflow_kernel.rules import retention
from foodflow_kernel.rules.retention import FLOORS, Period, period

FINITE = sorted(kind for kind, floor in FLOORS.items() if not floor.is_for_ever)

WORKED = [
    # kinds, shelf life [months], kept [months]: worked by hand from the clauses
    (["pchf_record"], 0, 36),  # 117.315: 24; product: 36
    (["pchf_record"], 24, 36),
    (["pchf_record"], 30, 42),  # shelf life and a year
    (["fsis_refrigerated"], 1, 36),
    (["juice_stable"], 60, 72),
    (["lacf"], 48, 60),
    (["dietary_shelf_life", "dietary_distribution"], 36, 48),
    (["organic"], 0, 60),
    (["recall", "pchf_record"], 12, 120),
    (["lacf_process"], 0, None),
    ([], 0, 36),
]


@pytest.mark.parametrize(("kinds", "shelf_life", "kept"), WORKED)
def test_worked(kinds: list[str], shelf_life: int, kept: int | None) -> None:
    assert period(kinds, shelf_life) == Period(kept)


# Each floor as its clause says it: months, and what they run from.
CLAUSES = {
    "pchf_record": (24, "created"), "pchf_adequacy": (24, "discontinued"), "fsma204_kde": (24, "created"),
    "fsma204_plan": (24, "updated"), "fsis_refrigerated": (12, "created"), "fsis_stable": (24, "created"),
    "seafood_refrigerated": (12, "created"), "seafood_stable": (24, "created"), "seafood_adequacy": (24, "used"),
    "juice_refrigerated": (12, "created"), "juice_stable": (24, "created"), "lacf": (36, "manufactured"),
    "lacf_process": (0, "created"), "acidified": (36, "manufactured"), "dietary_shelf_life": (12, "manufactured"),
    "dietary_distribution": (24, "distributed"), "organic": (60, "created"), "recall": (120, "created"),
}  # fmt: skip


def test_the_floors_are_those_of_the_clauses() -> None:
    assert {kind: (floor.months, floor.starts) for kind, floor in FLOORS.items()} == CLAUSES
    assert retention.floor_months(FLOORS["juice_stable"], 30) == 30
    assert retention.floor_months(FLOORS["dietary_shelf_life"], 30) == 42


@given(st.sets(st.sampled_from(FINITE)), st.integers(0, 120), st.integers(0, 400))
def test_nothing_is_ever_shorter_than_any_rule(kinds: set[str], shelf_life: int, wish: int) -> None:
    least = period(kinds, shelf_life).months
    assert least is not None
    assert least >= max([36, *(retention.floor_months(FLOORS[kind], shelf_life) for kind in kinds)])
    assert shelf_life == 0 or least >= shelf_life + 12
    if wish < least:
        with pytest.raises(Invalid, match="retention_too_short"):
            period(kinds, shelf_life, wish)
    else:
        assert period(kinds, shelf_life, wish).months == wish


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 400))
def test_a_period_never_ends_early(start: date, months: int) -> None:
    end = Period(months).ends(start)
    assert end is not None
    whole = (end.year - start.year) * 12 + end.month - start.month - (end.day < start.day)
    assert whole == months
    assert Period(None).ends(start) is None


def test_a_leap_day_ends_on_the_first_of_march() -> None:
    assert Period(36).ends(date(2024, 2, 29)) == date(2027, 3, 1)
    assert Period(48).ends(date(2024, 2, 29)) == date(2028, 2, 29)


def test_a_kind_nobody_knows_is_refused() -> None:
    with pytest.raises(Invalid, match="retention_kind_unknown"):
        period(["no_such"])
