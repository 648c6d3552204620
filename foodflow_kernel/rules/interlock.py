"""May this lot go into this batch? The material interlock, in the order a worker must hear it.

Wrong material, allergen, hold and expiry have no override. A wrong line and near expiry may be
overridden by QA with PIN and reason (ux.md, section 5, Interlock).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID


class Cause(StrEnum):
    """Why a material was stopped."""

    unknown_lot = "unknown_lot"
    allergen = "allergen"
    wrong_material = "wrong_material"
    on_hold = "on_hold"
    not_released = "not_released"
    expired = "expired"
    wrong_line = "wrong_line"
    near_expiry = "near_expiry"

    @property
    def may_override(self) -> bool:
        """Whether QA may overrule with PIN and reason."""
        return self in (Cause.wrong_line, Cause.near_expiry)


@dataclass(frozen=True, slots=True)
class LotFacts:
    """What the interlock must know of the scanned lot."""

    item_id: UUID
    allergens: frozenset[str]
    is_held: bool
    is_released: bool
    expiry_on: date | None
    line_id: UUID | None = None
    """The line the lot was staged for, if any."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the batch allows."""

    item_ids: frozenset[UUID]
    allergens: frozenset[str]
    """Allergens the finished product declares; anything else must not go in."""
    line_id: UUID


@dataclass(frozen=True, slots=True)
class Check:
    """One of the four checks a scan shows, and whether it passed."""

    name: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Interlock:
    """The answer: free to issue if ``cause`` is None."""

    cause: Cause | None
    foreign_allergens: frozenset[str]
    checks: tuple[Check, ...]


def judge(lot: LotFacts, recipe: Recipe, today: date, *, near_expiry_days: int = 0) -> Interlock:
    """Judge a scanned lot against the recipe on a plant-local date.

    A lot expires at the end of its expiry date. The allergen is named before the wrong material:
    a worker must hear the danger first.
    """
    foreign = lot.allergens - recipe.allergens
    on_recipe = lot.item_id in recipe.item_ids
    in_date = lot.expiry_on is None or today <= lot.expiry_on
    free = lot.is_released and not lot.is_held
    checks = (
        Check("on_recipe", on_recipe),
        Check("not_on_hold", free),
        Check("in_date", in_date),
        Check("allergens_match", not foreign),
    )
    cause = _first_cause(lot, recipe, today, near_expiry_days, foreign=foreign, on_recipe=on_recipe, in_date=in_date)
    return Interlock(cause, foreign, checks)


def _first_cause(
    lot: LotFacts,
    recipe: Recipe,
    today: date,
    near_expiry_days: int,
    *,
    foreign: Collection[str],
    on_recipe: bool,
    in_date: bool,
) -> Cause | None:
    near = lot.expiry_on is not None and (lot.expiry_on - today).days < near_expiry_days
    ordered = (
        (bool(foreign), Cause.allergen),
        (not on_recipe, Cause.wrong_material),
        (lot.is_held, Cause.on_hold),
        (not lot.is_released, Cause.not_released),
        (not in_date, Cause.expired),
        (lot.line_id is not None and lot.line_id != recipe.line_id, Cause.wrong_line),
        (near, Cause.near_expiry),
    )
    return next((cause for is_so, cause in ordered if is_so), None)
