"""Quantities that carry their unit, in name and type.

A fixed unit is a ``NewType`` over ``Decimal`` (``net_g: Grams``). A varying unit is a
``Quantity`` with its UN/ECE Recommendation 20 code; mixing units raises. This module is
the only place where units are converted.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import NewType

from foodflow_kernel.errors import Invalid

Grams = NewType("Grams", Decimal)
Celsius = NewType("Celsius", Decimal)
Seconds = NewType("Seconds", float)


class Uom(StrEnum):
    """Units of measure used on the floor, by UN/ECE Recommendation 20 code."""

    MGM = "MGM"
    GRM = "GRM"
    KGM = "KGM"
    TNE = "TNE"
    ONZ = "ONZ"
    LBR = "LBR"
    MLT = "MLT"
    LTR = "LTR"
    H87 = "H87"
    """Piece."""
    CEL = "CEL"
    FAH = "FAH"


_GRAMS_PER: dict[Uom, Decimal] = {
    Uom.MGM: Decimal("0.001"),
    Uom.GRM: Decimal(1),
    Uom.KGM: Decimal(1000),
    Uom.TNE: Decimal(1_000_000),
    # NIST Handbook 44, Appendix C: 1 lb = 453.592 37 g exactly, 1 oz = lb / 16.
    Uom.LBR: Decimal("453.59237"),
    Uom.ONZ: Decimal("28.349523125"),
}
_LITRES_PER: dict[Uom, Decimal] = {Uom.MLT: Decimal("0.001"), Uom.LTR: Decimal(1)}
_DIMENSIONS = (_GRAMS_PER, _LITRES_PER)

QUANTITY_STEP = Decimal("0.0001")
"""Quantities are kept to four decimals: numeric(14,4) at rest."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount and its unit. Adding or comparing different units raises ``mixed_units``.

    >>> str(Quantity(Decimal("12.5"), Uom.KGM) + Quantity(Decimal("0.5"), Uom.KGM))
    '13.0 KGM'
    """

    value: Decimal
    uom: Uom

    def _same(self, other: Quantity) -> None:
        if self.uom is not other.uom:
            raise Invalid("mixed_units", left=str(self), right=str(other))

    def __add__(self, other: Quantity) -> Quantity:
        self._same(other)
        return Quantity(self.value + other.value, self.uom)

    def __sub__(self, other: Quantity) -> Quantity:
        self._same(other)
        return Quantity(self.value - other.value, self.uom)

    def __lt__(self, other: Quantity) -> bool:
        self._same(other)
        return self.value < other.value

    def __le__(self, other: Quantity) -> bool:
        self._same(other)
        return self.value <= other.value

    def __str__(self) -> str:
        return f"{self.value} {self.uom}"


def convert(quantity: Quantity, uom: Uom) -> Quantity:
    """The same amount in another unit of the same dimension, unrounded.

    Raises:
        Invalid: `mixed_units` when the dimensions differ (each to kg needs an item factor).

    >>> convert(Quantity(Decimal("0.6"), Uom.KGM), Uom.GRM).value == 600
    True
    """
    if quantity.uom is uom:
        return quantity
    for per in _DIMENSIONS:
        if quantity.uom in per and uom in per:
            return Quantity(quantity.value * per[quantity.uom] / per[uom], uom)
    raise Invalid("mixed_units", left=str(quantity), right=str(uom))


def grams(quantity: Quantity) -> Grams:
    """A mass in grams, as its fixed-unit type."""
    return Grams(convert(quantity, Uom.GRM).value)


def kept(value: Decimal) -> Decimal:
    """A quantity rounded to what the databases keep: four decimals, half to even."""
    return value.quantize(QUANTITY_STEP, rounding=ROUND_HALF_EVEN)
