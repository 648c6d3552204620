"""How limits, readings, amounts and allergens are said on the kiosk."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from foodflow_desktop.stations.limits import Last, Limit
from foodflow_desktop.views.i18n import length, number, tr
from foodflow_kernel.units import Uom

UOMS = {
    Uom.MGM: "mg",
    Uom.GRM: "g",
    Uom.KGM: "kg",
    Uom.TNE: "t",
    Uom.ONZ: "oz",
    Uom.LBR: "lb",
    Uom.MLT: "ml",
    Uom.LTR: "l",
    Uom.CEL: "°C",
    Uom.FAH: "°F",
    Uom.H87: "",
}


def allergen(code: str) -> str:
    """An allergen's name: the fourteen of EU 1169/2011 annex II and the nine of the FDA."""
    names = {
        "celery": tr("celery"),
        "crustaceans": tr("crustaceans"),
        "egg": tr("egg"),
        "fish": tr("fish"),
        "gluten": tr("gluten"),
        "lupin": tr("lupin"),
        "milk": tr("milk"),
        "molluscs": tr("molluscs"),
        "mustard": tr("mustard"),
        "nuts": tr("nuts"),
        "peanut": tr("peanut"),
        "sesame": tr("sesame"),
        "soy": tr("soy"),
        "sulphites": tr("sulphites"),
        "wheat": tr("wheat"),
    }
    return names.get(code, code)


ICONS = {"metal": "detector", "ph": "flask", "time": "snow", "force": "lid", "temperature": "thermometer"}
"""A parameter's own icon, where the plan names none."""


def icon(name: str) -> str:
    """The icon of a check."""
    return ICONS.get(name, name) or "clipboard"


def limit(one: Limit) -> str:
    """A critical limit in words: at least 74.0 °C."""
    if one.pieces:
        return " · ".join(one.pieces) + " mm"
    low, high = (_value(one, value) if value is not None else "" for value in (one.low, one.high))
    if one.low is not None and one.high is not None:
        return tr("{low} to {high}", low=number(one.low), high=high)
    if one.low is not None:
        return tr("at least {v}", v=low)
    return tr("within {v}", v=high) if one.parameter == "time" else tr("{v} or less", v=high)


def reading(one: Limit, last: Last | None) -> str:
    """The last reading of a check in words."""
    if last is None:
        return "–"
    if last.all_found is not None:
        return tr("all found") if last.all_found else tr("not all found")
    return _value(one, last.value) if last.value is not None else "–"


def value_with_unit(value: Decimal, unit: str | None) -> str:
    """A number and its unit with a space that does not break."""
    return f"{number(value)} {unit}" if unit else number(value)


def amount(value: Decimal, uom: Uom, unit_name: str = "") -> str:
    """A quantity: 1,200 kg, 2 rolls."""
    unit = UOMS[uom] or unit_name
    return f"{plain(value)} {unit}".strip()


def plain(value: Decimal) -> str:
    """A number without useless zeros at its end."""
    shown = value.normalize()
    return number(shown.quantize(Decimal(1)) if shown == shown.to_integral() else shown)


def _value(one: Limit, value: Decimal) -> str:
    if one.parameter == "time" and one.unit == "h":
        return f"{plain(value)} h" if value == value.to_integral() else length(timedelta(hours=float(value)))
    return value_with_unit(value, one.unit)
