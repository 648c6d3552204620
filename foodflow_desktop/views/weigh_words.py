"""How the weigh states, verdicts and hints are said (ux.md, section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from foodflow_desktop.stations.weigh_screen import WeighScreen
from foodflow_desktop.views import i18n
from foodflow_desktop.views.i18n import tr
from foodflow_kernel.rules.steady import Digits, WeighState
from foodflow_kernel.rules.weight import WeightVerdict


@dataclass(frozen=True, slots=True)
class ChipLook:
    """One chip: words, icon, colours."""

    text: str
    icon: str = ""
    ink: str = "ink2"
    fill: str = "surface2"
    border: str = "line"


def grams(value: Decimal, decimals: int = 1) -> str:
    """A weight with its unit."""
    return f"{i18n.number(value, decimals)} g"


def verdict(found: WeightVerdict) -> str:
    """A verdict as the end of a sentence."""
    return {
        WeightVerdict.in_tolerance: tr("in tolerance"),
        WeightVerdict.too_light: tr("too light"),
        WeightVerdict.too_heavy: tr("too heavy"),
    }[found]


def state(screen: WeighScreen) -> ChipLook:
    """The first, large chip: what matters most now."""
    amber = {"ink": "onWarn", "fill": "warnFill", "border": "warnFill"}
    match screen.gate.state:
        case WeighState.silent:
            return ChipLook(tr("Scale not connected"), "plug_off", **amber)
        case WeighState.test_weight_due:
            return ChipLook(tr("Test weight due"), "warn", **amber)
        case WeighState.calibration_expired:
            return ChipLook(tr("Calibration expired"), "crit", "onState", "crit", "crit")
        case WeighState.moving:
            return ChipLook(tr("Still moving"), "approx")
        case WeighState.over:
            return ChipLook(tr("Too heavy for this scale"), "crit", "onState", "crit", "crit")
        case WeighState.under:
            return ChipLook(tr("Below zero"), "warn", **amber)
        case WeighState.empty:
            return ChipLook(tr("Nothing on the scale"), "scale")
        case WeighState.not_tared:
            return ChipLook(tr("No tare set"), "warn", **amber)
    match screen.verdict:
        case WeightVerdict.too_light:
            return ChipLook(tr("Too light"), "crit", "onState", "crit", "crit")
        case WeightVerdict.too_heavy:
            return ChipLook(tr("Too heavy"), "crit", "onState", "crit", "crit")
        case WeightVerdict.in_tolerance:
            return ChipLook(tr("In tolerance"), "check", "ok", "okSoft", "okSoft")
        case _:
            return ChipLook(tr("Stable"), "check_ring")


def is_stable(screen: WeighScreen) -> bool:
    """Whether a second chip says "Stable"."""
    shows = (WeighState.ready, WeighState.test_weight_due, WeighState.calibration_expired)
    return screen.gate.state in shows and screen.gate.digits is Digits.ink and screen.net_g is not None


def hint(screen: WeighScreen) -> str:
    """The line under the digits: how far from target, or what to do."""
    since = i18n.clock(screen.scale.silent_since, seconds=True) if screen.scale.silent_since else ""
    match screen.gate.state:
        case WeighState.silent:
            if not since:
                return tr("No reading yet. Check the cable and the power.")
            return tr("No reading since {at}. Check the cable and the power.", at=since)
        case WeighState.test_weight_due:
            return tr("Do the test, then this weight can be recorded.")
        case WeighState.calibration_expired:
            return tr("This scale may not be used. Call maintenance.")
        case WeighState.moving:
            return tr("Wait. It can be recorded when it is steady.")
        case WeighState.over:
            return tr("Take the load off now. It can damage the scale.")
        case WeighState.under:
            return tr("Take everything off and set zero.")
        case WeighState.empty:
            return tr("Put sample {n} on the scale.", n=screen.no) if not screen.is_complete else _complete(screen)
        case WeighState.not_tared:
            return tr("Take everything off and set the tare.")
    if screen.is_taken:
        return _complete(screen) if screen.is_complete else tr("Recorded. Put the next one on.")
    if screen.target_g is None or screen.net_g is None:
        return ""
    away = screen.net_g - screen.target_g
    if away > 0:
        return tr("{weight} over target", weight=grams(away))
    return tr("{weight} under target", weight=grams(-away)) if away else tr("On target")


def _complete(screen: WeighScreen) -> str:
    return tr("Check complete: {n} samples.", n=screen.size)


def record(screen: WeighScreen) -> str:
    """The words of the primary button."""
    match screen.gate.state:
        case WeighState.under:
            return tr("Set zero first")
        case WeighState.not_tared:
            return tr("Set the tare first")
        case WeighState.empty:
            return tr("Put a sample on")
        case WeighState.calibration_expired:
            return tr("Blocked: call maintenance")
        case WeighState.ready if screen.is_taken:
            return tr("Recorded")
        case WeighState.ready if screen.net_g is not None:
            weight = grams(screen.net_g, screen.decimals)
            if screen.verdict in (None, WeightVerdict.in_tolerance):
                return tr("Record {weight}", weight=weight)
            return tr("Record {weight}, {verdict}", weight=weight, verdict=verdict(screen.verdict))
    return tr("Record when steady")
