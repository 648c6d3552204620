"""How long a record must be kept: the floors of law as data, and the product's own rule over them.

A company may lengthen a period, never shorten it. Nothing is deleted here.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from foodflow_kernel.errors import Invalid

PRODUCT_MONTHS = 36
"""The product keeps every record three years at least (policy)."""
RECALL_MONTHS = 120
"""Records of a recall: ten years (policy)."""
BEYOND_SHELF_LIFE_MONTHS = 12
"""And a year beyond shelf life (policy; 111.605(a)(1) asks the same)."""


@dataclass(frozen=True, slots=True)
class Floor:
    """The least time that a law asks for.

    Args:
        months: from ``starts``.
        starts: what the time runs from: created, discontinued, updated, manufactured, distributed, used.
        plus_shelf_life: whether shelf life is added to the months.
        or_shelf_life: whether a longer shelf life stands instead.
        is_for_ever: never deleted.
    """

    source: str
    months: int
    starts: str = "created"
    plus_shelf_life: bool = False
    or_shelf_life: bool = False
    is_for_ever: bool = False


FLOORS: dict[str, Floor] = {
    "pchf_record": Floor("21 CFR 117.315(a)", 24),
    "pchf_adequacy": Floor("21 CFR 117.315(b)", 24, "discontinued"),
    "fsma204_kde": Floor("21 CFR 1.1455(c)", 24),
    "fsma204_plan": Floor("21 CFR 1.1315(b)", 24, "updated"),
    "fsis_refrigerated": Floor("9 CFR 417.5(e)(1)", 12),
    "fsis_stable": Floor("9 CFR 417.5(e)(1)", 24),
    "seafood_refrigerated": Floor("21 CFR 123.9(b)(1)", 12),
    "seafood_stable": Floor("21 CFR 123.9(b)(1)", 24),
    "seafood_adequacy": Floor("21 CFR 123.9(b)(2)", 24, "used"),
    "juice_refrigerated": Floor("21 CFR 120.12(d)(1)", 12),
    "juice_stable": Floor("21 CFR 120.12(d)(1)", 24, or_shelf_life=True),
    "lacf": Floor("21 CFR 113.100(g)", 36, "manufactured"),
    "lacf_process": Floor("21 CFR 113.83", 0, is_for_ever=True),
    "acidified": Floor("21 CFR 114.100(e)", 36, "manufactured"),
    "dietary_shelf_life": Floor("21 CFR 111.605(a)(1)", 12, "manufactured", plus_shelf_life=True),
    "dietary_distribution": Floor("21 CFR 111.605(a)(2)", 24, "distributed"),
    "organic": Floor("7 CFR 205.103(b)(3)", 60),
    "recall": Floor("policy", RECALL_MONTHS),
}
"""Kind of record to its floor (identity and core, retention). A company under 111 takes both dietary floors."""


@dataclass(frozen=True, slots=True)
class Period:
    """How long a record is kept after the start of its time; ``months`` None: for ever."""

    months: int | None

    def ends(self, start: date) -> date | None:
        """The first day on which the record may go; None: never.

        >>> Period(36).ends(date(2024, 2, 29))
        datetime.date(2027, 3, 1)
        """
        return None if self.months is None else _later(start, self.months)


def period(kinds: Iterable[str], shelf_life_months: int = 0, tenant_months: int | None = None) -> Period:
    """How long a record that falls under these kinds is kept: the longest of all that asks.

    Formula: max(floors, shelf life + 1 year, 3 years, what the company chose).

    Args:
        kinds: of ``FLOORS``, by which the record is covered; none: the product's rule alone.
        shelf_life_months: of the product; 0 where there is none.
        tenant_months: what the company chose; None: nothing.

    Raises:
        Invalid: `retention_kind_unknown`; `retention_too_short` when the company chose less than must be.

    >>> period(["pchf_record"])                      # 2 years asked, 3 kept
    Period(months=36)
    >>> period(["juice_stable"], 48)                 # shelf life of 4 years and one more
    Period(months=60)
    >>> period(["organic", "fsis_stable"], 6)
    Period(months=60)
    >>> period(["lacf_process", "lacf"])
    Period(months=None)
    >>> period(["pchf_record"], tenant_months=84)
    Period(months=84)
    """
    months = max(PRODUCT_MONTHS, shelf_life_months + BEYOND_SHELF_LIFE_MONTHS if shelf_life_months else 0)
    is_for_ever = False
    for kind in kinds:
        floor = FLOORS.get(kind)
        if floor is None:
            raise Invalid("retention_kind_unknown", kind=kind)
        is_for_ever = is_for_ever or floor.is_for_ever
        months = max(months, floor_months(floor, shelf_life_months))
    if tenant_months is not None and tenant_months < months:
        raise Invalid("retention_too_short", months=months)
    return Period(None if is_for_ever else max(months, tenant_months or 0))


def floor_months(floor: Floor, shelf_life_months: int) -> int:
    """What one law asks for, in months from its start.

    >>> floor_months(FLOORS["dietary_shelf_life"], 24), floor_months(FLOORS["juice_stable"], 30)
    (36, 30)
    """
    if floor.plus_shelf_life:
        return floor.months + shelf_life_months
    return max(floor.months, shelf_life_months if floor.or_shelf_life else 0)


def _later(start: date, months: int) -> date:
    """The same day months later; a day that month has not is the first of the next, so that nothing goes early."""
    years, month = divmod(start.month - 1 + months, 12)
    year, month = start.year + years, month + 1
    if start.day <= calendar.monthrange(year, month)[1]:
        return start.replace(year=year, month=month)
    return _first_of_next(year, month)


def _first_of_next(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1)
