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
    amber, red = ("onWarn", "warnFill", "warnFill"), ("onState", "crit", "crit")
    by_state = {
        WeighState.silent: ChipLook(tr("Scale not connected"), "plug_off", *amber),
        WeighState.test_weight_due: ChipLook(tr("Test weight due"), "warn", *amber),
        WeighState.calibration_expired: ChipLook(tr("Calibration expired"), "crit", *red),
        WeighState.moving: ChipLook(tr("Still moving"), "approx"),
        WeighState.over: ChipLook(tr("Too heavy for this scale"), "crit", *red),
        WeighState.under: ChipLook(tr("Below zero"), "warn", *amber),
        WeighState.empty: ChipLook(tr("Nothing on the scale"), "scale"),
        WeighState.not_tared: ChipLook(tr("No tare set"), "warn", *amber),
    }
    by_verdict = {
        WeightVerdict.too_light: ChipLook(tr("Too light"), "crit", *red),
        WeightVerdict.too_heavy: ChipLook(tr("Too heavy"), "crit", *red),
        WeightVerdict.in_tolerance: ChipLook(tr("In tolerance"), "check", "ok", "okSoft", "okSoft"),
    }
    stable = ChipLook(tr("Stable"), "check_ring")
    return by_state.get(screen.gate.state) or (by_verdict[screen.verdict] if screen.verdict else stable)


def is_stable(screen: WeighScreen) -> bool:
    """Whether a second chip says "Stable"."""
    shows = (WeighState.ready, WeighState.test_weight_due, WeighState.calibration_expired)
    return screen.gate.state in shows and screen.gate.digits is Digits.ink and screen.net_g is not None


def hint(screen: WeighScreen) -> str:
    """The line under the digits: how far from target, or what to do."""
    by_state = {
        WeighState.silent: _silent(screen),
        WeighState.test_weight_due: tr("Do the test, then this weight can be recorded."),
        WeighState.calibration_expired: tr("This scale may not be used. Call maintenance."),
        WeighState.moving: tr("Wait. It can be recorded when it is steady."),
        WeighState.over: tr("Take the load off now. It can damage the scale."),
        WeighState.under: tr("Take everything off and set zero."),
        WeighState.empty: tr("Put sample {n} on the scale.", n=screen.no),
        WeighState.not_tared: tr("Take everything off and set the tare."),
    }
    if screen.is_complete and screen.gate.state in (WeighState.empty, WeighState.ready):
        return tr("Check complete: {n} samples.", n=screen.size)
    if screen.gate.state in by_state:
        return by_state[screen.gate.state]
    return tr("Recorded. Put the next one on.") if screen.is_taken else _away(screen)


def _silent(screen: WeighScreen) -> str:
    if screen.scale.silent_since is None:
        return tr("No reading yet. Check the cable and the power.")
    since = i18n.clock(screen.scale.silent_since, seconds=True)
    return tr("No reading since {at}. Check the cable and the power.", at=since)


def _away(screen: WeighScreen) -> str:
    """How far from target."""
    if screen.target_g is None or screen.net_g is None:
        return ""
    away = screen.net_g - screen.target_g
    if away > 0:
        return tr("{weight} over target", weight=grams(away))
    return tr("{weight} under target", weight=grams(-away)) if away else tr("On target")


def record(screen: WeighScreen) -> str:
    """The words of the primary button."""
    by_state = {
        WeighState.under: tr("Set zero first"),
        WeighState.not_tared: tr("Set the tare first"),
        WeighState.empty: tr("Put a sample on"),
        WeighState.calibration_expired: tr("Blocked: call maintenance"),
    }
    if screen.gate.state is not WeighState.ready or screen.net_g is None:
        return by_state.get(screen.gate.state, tr("Record when steady"))
    if screen.is_taken:
        return tr("Recorded")
    weight = grams(screen.net_g, screen.decimals)
    if screen.verdict in (None, WeightVerdict.in_tolerance):
        return tr("Record {weight}", weight=weight)
    return tr("Record {weight}, {verdict}", weight=weight, verdict=verdict(screen.verdict))
