"""Overall equipment effectiveness with the components it is made of, ISO 22400-2.

Seconds are ``Decimal`` and stay exact, so the losses add up to the planned busy time to the
last microsecond; only the ratios are floats. A ratio without a denominator is None, never 0.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal

from foodflow_kernel.missing import Missing
from foodflow_kernel.stats.fold import Element, Fold

_ZERO = Decimal(0)
SUSPECT_E = 1.0
"""Effectiveness above this means that the planned run time per item is wrong."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one product's run counted inside the window.

    Args:
        pri_s: planned run time per item [s], as copied into the batch at its start.
        pq: produced quantity: good, scrap and rework.
        gq: good quantity at the first pass.
    """

    pri_s: Decimal
    pq: int
    gq: int


@dataclass(frozen=True, slots=True)
class Shift:
    """The components of one shift, or of any part of it; all times [s].

    Args:
        pot_s: planned operating time.
        pdt_s: planned down time inside it.
        pbt_s: planned busy time = pot - pdt = apt + aust + adot + adet.
        pri_pq_s: sum(PRI x PQ).
        pri_gq_s: sum(PRI x GQ).
    """

    pbt_s: Decimal
    apt_s: Decimal
    pri_pq_s: Decimal
    pri_gq_s: Decimal
    pot_s: Decimal = _ZERO
    pdt_s: Decimal = _ZERO
    aust_s: Decimal = _ZERO
    adot_s: Decimal = _ZERO
    adet_s: Decimal = _ZERO
    no_data_s: Decimal = _ZERO
    microstops: int = 0
    microstop_s: Decimal = _ZERO
    pq: int = 0
    gq: int = 0


@dataclass(frozen=True, slots=True)
class Losses:
    """Where the planned busy time went [s]; the four add up to it exactly.

    Args:
        speed_s: may be negative when the planned run time is too long: shown, not clipped.
    """

    availability_s: Decimal
    speed_s: Decimal
    quality_s: Decimal
    productive_s: Decimal


@dataclass(frozen=True, slots=True)
class Oee:
    """Factors [1] and the components they come from; None where a denominator is 0."""

    availability: float | None
    effectiveness: float | None
    quality: float | None
    oee: float
    nee: float | None
    teep: float | None
    losses: Losses
    total: Shift
    flags: tuple[str, ...] = ()


def components(folded: Fold, runs: Sequence[Run]) -> Shift:
    """The components of a folded window and what was counted in it."""
    whole = sum((i.seconds for i in folded.intervals), _ZERO)
    planned = folded.total_s(Element.planned)
    return Shift(
        pot_s=whole,
        pdt_s=planned,
        pbt_s=whole - planned,
        apt_s=folded.total_s(Element.apt),
        aust_s=folded.total_s(Element.aust),
        adot_s=folded.total_s(Element.adot),
        adet_s=folded.total_s(Element.adet),
        no_data_s=sum((i.seconds for i in folded.intervals if i.is_no_data), _ZERO),
        microstops=folded.microstops,
        microstop_s=folded.microstop_s,
        pri_pq_s=sum((run.pri_s * run.pq for run in runs), _ZERO),
        pri_gq_s=sum((run.pri_s * run.gq for run in runs), _ZERO),
        pq=sum(run.pq for run in runs),
        gq=sum(run.gq for run in runs),
    )


def total(shifts: Sequence[Shift]) -> Shift:
    """Components added up; a ratio is only ever taken of the sum."""
    return functools.reduce(_added, shifts)


def _added(left: Shift, right: Shift) -> Shift:
    return Shift(*(getattr(left, field.name) + getattr(right, field.name) for field in fields(Shift)))


def oee(shifts: Sequence[Shift]) -> Oee | Missing:
    """Overall equipment effectiveness of one or more shifts.

    Formula: OEE = A * E * Q = sum(PRI * GQ) / PBT, with A = APT / PBT,
    E = sum(PRI * PQ) / APT, Q = sum(PRI * GQ) / sum(PRI * PQ). Components are summed first,
    then divided once: the mean of shift ratios is a different, wrong number.

    Args:
        shifts: pbt_s, apt_s [s]; pri_pq_s = sum(PRI * PQ), pri_gq_s = sum(PRI * GQ) [s].

    Returns:
        Factors [1], None where a denominator is 0; `Missing` if PBT is 0. E above 1
        is kept and flagged ``PRI_SUSPECT``: the planned run time per item is wrong.

    Source: ISO 22400-2, as restated in OPC 40501-1 annex C.2.4. NEE is its net equipment
    effectiveness; TEEP is not ISO and is taken over the planned operating time.

    >>> D = Decimal
    >>> oee([Shift(pbt_s=D(12_000), apt_s=D(7_200), pri_pq_s=D(5_760), pri_gq_s=D(5_472))]).oee
    0.456
    """
    if not shifts:
        return Missing("no_shift")
    sums = total(shifts)
    if sums.pbt_s <= 0:
        return Missing("no_busy_time")
    effectiveness = _ratio(sums.pri_pq_s, sums.apt_s)
    quality = _ratio(sums.pri_gq_s, sums.pri_pq_s)
    nee = None
    if effectiveness is not None:
        nee = float((sums.apt_s + sums.aust_s) * sums.pri_gq_s / (sums.pbt_s * sums.apt_s))
    flags = []
    if sums.no_data_s > 0:
        flags.append("NO_DATA")
    if effectiveness is not None and effectiveness > SUSPECT_E:
        flags.append("PRI_SUSPECT")
    return Oee(
        availability=_ratio(sums.apt_s, sums.pbt_s),
        effectiveness=effectiveness,
        quality=quality,
        oee=float(sums.pri_gq_s / sums.pbt_s),
        nee=nee,
        teep=_ratio(sums.pri_gq_s, sums.pot_s),
        losses=Losses(
            availability_s=sums.pbt_s - sums.apt_s,
            speed_s=sums.apt_s - sums.pri_pq_s,
            quality_s=sums.pri_pq_s - sums.pri_gq_s,
            productive_s=sums.pri_gq_s,
        ),
        total=sums,
        flags=tuple(flags),
    )


def _ratio(part: Decimal, whole: Decimal) -> float | None:
    return float(part / whole) if whole > 0 else None
