"""May the weight on the scale be recorded? The table of weigh states (ux.md, section 5) as a function.

One function decides; the screen only draws its answer. A reading may be recorded only when the
scale is heard, inside its calibration and test-weight period, in range, tared and steady. The
worst obstacle wins: a worker must hear of an expired calibration before "still moving".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from foodflow_kernel.units import Grams


class ScaleState(StrEnum):
    """What the scale itself says of its weight."""

    steady = "steady"
    moving = "moving"
    over = "over"
    """More than the scale can weigh: there is no number."""
    under = "under"
    """Below the scale's range, or a gross weight below zero."""


class WeighState(StrEnum):
    """What the weigh screen shows: one row of the table each."""

    ready = "ready"
    """Stable, and it may be recorded."""
    moving = "moving"
    over = "over"
    under = "under"
    empty = "empty"
    """Steady, but nothing beyond the tare is on the scale."""
    not_tared = "not_tared"
    silent = "silent"
    """Scale not connected."""
    test_weight_due = "test_weight_due"
    calibration_expired = "calibration_expired"

    @property
    def may_record(self) -> bool:
        """Whether the record button is enabled."""
        return self is WeighState.ready


class Digits(StrEnum):
    """How the large number is drawn."""

    ink = "ink"
    approximate = "approximate"
    """Secondary colour, with ≈ before it."""
    over = "over"
    """``▲ over`` instead of a number."""
    dashes = "dashes"
    """``– – –``: there is no number."""


class WeighAction(StrEnum):
    """What a worker can do next."""

    record = "record"
    wait = "wait"
    remove_load = "remove_load"
    set_zero = "set_zero"
    place_load = "place_load"
    set_tare = "set_tare"
    try_again = "try_again"
    """Offered together with typing the weight."""
    do_test = "do_test"
    call_maintenance = "call_maintenance"


_ROWS: dict[WeighState, tuple[Digits, WeighAction]] = {
    WeighState.ready: (Digits.ink, WeighAction.record),
    WeighState.moving: (Digits.approximate, WeighAction.wait),
    WeighState.over: (Digits.over, WeighAction.remove_load),
    WeighState.under: (Digits.ink, WeighAction.set_zero),
    WeighState.empty: (Digits.ink, WeighAction.place_load),
    WeighState.not_tared: (Digits.ink, WeighAction.set_tare),
    WeighState.silent: (Digits.dashes, WeighAction.try_again),
    WeighState.test_weight_due: (Digits.ink, WeighAction.do_test),
    WeighState.calibration_expired: (Digits.ink, WeighAction.call_maintenance),
}


@dataclass(frozen=True, slots=True)
class Load:
    """What the scale last said; ``net_g`` is None where it gave no number."""

    state: ScaleState
    net_g: Grams | None
    tare_g: Grams
    is_tared: bool


@dataclass(frozen=True, slots=True)
class ScaleChecks:
    """When the instrument may be trusted, from its master row and the last test weight.

    Args:
        calibrated_until: last plant-local day of the calibration; None if it needs none.
        tested_at: last passed test weight; None if never.
        test_every: how often a test weight is due; None if it needs none.
    """

    calibrated_until: date | None = None
    tested_at: datetime | None = None
    test_every: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """The row of the table that applies now."""

    state: WeighState
    digits: Digits
    action: WeighAction

    @property
    def may_record(self) -> bool:
        """Whether the record button is enabled."""
        return self.state.may_record


EMPTY_G = Grams(Decimal(1))
"""A gross weight nearer to zero than this [g] is an empty pan."""


def judge(
    load: Load | None,
    checks: ScaleChecks,
    *,
    now: datetime,
    today: date,
    is_heard: bool,
    must_tare: bool = True,
    empty_g: Grams = EMPTY_G,
) -> Gate:
    """The weigh state for the last reading.

    Args:
        load: the last reading, None if there never was one.
        now: for the test-weight period.
        today: plant-local date, for the calibration; its last day still counts.
        is_heard: False once no frame came for 2 s (the hub's ``DeviceStatus`` decides).
        must_tare: False for goods weighed without packaging.
        empty_g: a gross weight [g] nearer to zero than this is an empty pan.

    >>> from datetime import UTC
    >>> load = Load(ScaleState.steady, Grams(Decimal("603.4")), Grams(Decimal("12.0")), True)
    >>> at = datetime(2026, 11, 23, 10, tzinfo=UTC)
    >>> gate = judge(load, ScaleChecks(), now=at, today=at.date(), is_heard=True)
    >>> str(gate.state), gate.may_record
    ('ready', True)
    """
    state = _state(load, checks, now, today, is_heard=is_heard, must_tare=must_tare, empty_g=empty_g)
    return Gate(state, *_ROWS[state])


def _state(
    load: Load | None,
    checks: ScaleChecks,
    now: datetime,
    today: date,
    *,
    is_heard: bool,
    must_tare: bool,
    empty_g: Grams,
) -> WeighState:
    if load is None or not is_heard:
        return WeighState.silent
    if checks.calibrated_until is not None and today > checks.calibrated_until:
        return WeighState.calibration_expired
    if checks.test_every is not None and (checks.tested_at is None or now - checks.tested_at >= checks.test_every):
        return WeighState.test_weight_due
    return _load_state(load, must_tare=must_tare, empty_g=empty_g)


def _load_state(load: Load, *, must_tare: bool, empty_g: Grams) -> WeighState:
    net_g = load.net_g
    gross_g = None if net_g is None else net_g + load.tare_g
    ordered = (
        (load.state is ScaleState.over, WeighState.over),
        (load.state is ScaleState.under, WeighState.under),
        (gross_g is None, WeighState.moving),  # busy with zero or tare: no number yet
        (gross_g is not None and gross_g <= -empty_g, WeighState.under),
        (load.state is ScaleState.moving, WeighState.moving),
        (must_tare and not load.is_tared, WeighState.not_tared),
        (gross_g is not None and gross_g < empty_g, WeighState.empty),
        (net_g is not None and net_g <= 0, WeighState.empty),
    )
    return next((state for is_so, state in ordered if is_so), WeighState.ready)
