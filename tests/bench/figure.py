"""One figure of a benchmark, with the floor it stands beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """What was measured, and what the best simple code for the same job gave in the same run.

    Args:
        name: what a reader looks for.
        value: measured.
        unit: of value, floor and target.
        floor: the same job without the product (bare HTTP and COPY, bare fsync); None if there is none.
        target: what the design asks; None if it asks nothing.
        more_is_better: throughput True, latency False.
        note: how the floor was made, or why a target was missed.
    """

    name: str
    value: float
    unit: str
    floor: float | None = None
    target: float | None = None
    more_is_better: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Value over floor."""
        return self.value / self.floor if self.floor else None

    @property
    def verdict(self) -> str:
        """met, missed, or nothing to meet."""
        if self.target is None:
            return ""
        met = self.value >= self.target if self.more_is_better else self.value <= self.target
        return "met" if met else "missed"


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which a share of the sorted values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
