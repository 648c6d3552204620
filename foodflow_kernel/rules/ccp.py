"""Is a reading of a critical control point within its limits?

Limits come from the CCP version the batch started with, never from the sensor. Source of the
duty to hold and correct: 21 CFR 117.150, 9 CFR 417.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from foodflow_kernel.errors import Invalid


class CcpVerdict(StrEnum):
    """How a reading lies to its limits. All but ``ok`` and ``op_limit`` are a breach."""

    ok = "ok"
    op_limit = "op_limit"
    """Inside the critical, outside the operational limit: act before it is a deviation."""
    too_low = "too_low"
    too_high = "too_high"
    not_rejected = "not_rejected"
    """A metal detector let a test piece pass."""

    @property
    def is_breach(self) -> bool:
        """Whether this opens a deviation and holds the lot."""
        return self not in (CcpVerdict.ok, CcpVerdict.op_limit)


@dataclass(frozen=True, slots=True)
class CcpLimits:
    """Critical and operational limits in the CCP's unit; a value equal to a limit passes.

    Raises:
        Invalid: `limits_missing` without any critical limit, `limits_out_of_order`.
    """

    crit_min: Decimal | None = None
    crit_max: Decimal | None = None
    op_min: Decimal | None = None
    op_max: Decimal | None = None

    def __post_init__(self) -> None:
        if self.crit_min is None and self.crit_max is None:
            raise Invalid("limits_missing")
        given = [x for x in (self.crit_min, self.op_min, self.op_max, self.crit_max) if x is not None]
        if given != sorted(given):
            raise Invalid("limits_out_of_order", limits=given)


@dataclass(frozen=True, slots=True)
class CcpJudgement:
    """Verdict and signed distance to the nearest critical limit (negative outside)."""

    verdict: CcpVerdict
    margin: Decimal | None


def judge(value: Decimal, limits: CcpLimits) -> CcpJudgement:
    """Judge a numeric reading in the CCP's own unit.

    >>> j = judge(Decimal("71.2"), CcpLimits(crit_min=Decimal("74.0")))
    >>> str(j.verdict), str(j.margin)
    ('too_low', '-2.8')
    """
    distances = []
    if limits.crit_min is not None:
        distances.append(value - limits.crit_min)
    if limits.crit_max is not None:
        distances.append(limits.crit_max - value)
    margin = min(distances)
    if limits.crit_min is not None and value < limits.crit_min:
        return CcpJudgement(CcpVerdict.too_low, margin)
    if limits.crit_max is not None and value > limits.crit_max:
        return CcpJudgement(CcpVerdict.too_high, margin)
    below_op = limits.op_min is not None and value < limits.op_min
    above_op = limits.op_max is not None and value > limits.op_max
    return CcpJudgement(CcpVerdict.op_limit if below_op or above_op else CcpVerdict.ok, margin)


def judge_detector(rejected: Sequence[bool]) -> CcpJudgement:
    """Judge a metal-detector test: every test piece must be rejected.

    Raises:
        Invalid: `no_test_pieces` when nothing was sent through.
    """
    if not rejected:
        raise Invalid("no_test_pieces")
    return CcpJudgement(CcpVerdict.ok if all(rejected) else CcpVerdict.not_rejected, None)


class Plausibility(StrEnum):
    """Whether a value may be saved as it stands."""

    plausible = "plausible"
    jump = "jump"
    """Inside the instrument's range but far from the last value: type it twice."""
    outside_range = "outside_range"
    """The instrument cannot read this: it cannot be saved."""


def plausibility(
    value: Decimal,
    *,
    range_min: Decimal,
    range_max: Decimal,
    last: Decimal | None,
    jump: Decimal,
) -> Plausibility:
    """Whether an instrument could have shown this value.

    Args:
        range_min: lower end of the instrument's range, same unit as ``value``.
        range_max: upper end.
        last: the previous reading of this CCP in this batch, if any.
        jump: a difference to ``last`` above this must be confirmed.
    """
    if not range_min <= value <= range_max:
        return Plausibility.outside_range
    if last is not None and abs(value - last) > jump:
        return Plausibility.jump
    return Plausibility.plausible
