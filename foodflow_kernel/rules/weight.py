"""Is a portion's weight in tolerance? The kiosk shows the verdict, the server checks it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from foodflow_kernel.errors import Invalid
from foodflow_kernel.units import Grams


class WeightVerdict(StrEnum):
    """How a net weight lies to its limits."""

    in_tolerance = "in_tolerance"
    too_light = "too_light"
    too_heavy = "too_heavy"


@dataclass(frozen=True, slots=True)
class WeightSpec:
    """Limits of one item's portion [g]; both limits still pass.

    Raises:
        Invalid: `limits_out_of_order` unless low <= target <= high.
    """

    low_g: Grams
    target_g: Grams
    high_g: Grams

    def __post_init__(self) -> None:
        if not self.low_g <= self.target_g <= self.high_g:
            raise Invalid("limits_out_of_order", low=self.low_g, target=self.target_g, high=self.high_g)


def judge(net_g: Grams, spec: WeightSpec) -> WeightVerdict:
    """The verdict on a net weight [g]; a weight equal to a limit is in tolerance.

    >>> from decimal import Decimal as D
    >>> spec = WeightSpec(Grams(D(591)), Grams(D(600)), Grams(D(615)))
    >>> str(judge(Grams(D("603.4")), spec)), str(judge(Grams(D("628.2")), spec))
    ('in_tolerance', 'too_heavy')
    """
    if net_g < spec.low_g:
        return WeightVerdict.too_light
    if net_g > spec.high_g:
        return WeightVerdict.too_heavy
    return WeightVerdict.in_tolerance
