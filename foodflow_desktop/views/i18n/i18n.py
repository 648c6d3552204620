"""English is in the code, other languages are tables keyed by it; stored values stay locale-free.

``tests/.../test_i18n.py`` reads every ``tr("...")`` of the views and fails on one that Spanish
does not have, so a language is complete or the build is red.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from foodflow_desktop.views.i18n.spanish import SPANISH
from foodflow_kernel.errors import FoodFlowError
from foodflow_kernel.sentences import SENTENCES

LANGUAGES = {"en": "English", "es": "Español"}
"""Code to the language's own name; also the order of the language buttons."""

_MONTHS = {
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(),
    "es": "ene feb mar abr may jun jul ago sep oct nov dic".split(),
}
_SWAP = str.maketrans(",.", ".,")


class _Now:
    language = "en"
    zone: tzinfo = ZoneInfo("UTC")


def use(language: str) -> None:
    """Switch the language; the caller then shows its screens again."""
    _Now.language = language if language in LANGUAGES else "en"


def use_zone(zone: tzinfo) -> None:
    """Times are shown as a clock on the plant's wall shows them."""
    _Now.zone = zone


def current() -> str:
    """The language in use."""
    return _Now.language


def tr(text: str, /, **filled: Any) -> str:
    """A text in the language in use; ``{name}`` is filled after translation."""
    if _Now.language == "es":
        text = SPANISH.get(text, text)
    return text.format(**filled) if filled else text


def named(names: Mapping[str, str], fallback: str = "") -> str:
    """A name that is data, in the language in use, else the plant's."""
    return names.get(_Now.language) or names.get("en") or fallback


def number(value: float | Decimal | str, decimals: int | None = None) -> str:
    """A number with the language's own marks; ``decimals`` fixes the digits after the mark."""
    value = Decimal(value) if isinstance(value, str) else value
    shown = f"{value:,}" if decimals is None else f"{value:,.{decimals}f}"
    return shown.translate(_SWAP) if _Now.language == "es" else shown


def mark() -> str:
    """The decimal mark."""
    return "," if _Now.language == "es" else "."


def typed(digits: str) -> str:
    """Digits as they are typed, ``.`` inside, with the language's mark."""
    return digits.replace(".", mark())


def percent(share: float, decimals: int = 1) -> str:
    """A share 0..1 as a percentage, without a useless zero."""
    shown = f"{share * 100:.{decimals}f}"
    if "." in shown:
        shown = shown.rstrip("0").rstrip(".")
    return f"{shown.translate(_SWAP)} %" if _Now.language == "es" else f"{shown}%"


def clock(at: datetime, *, seconds: bool = False) -> str:
    """The time of day at the plant."""
    return at.astimezone(_Now.zone).strftime("%H:%M:%S" if seconds else "%H:%M")


def day(at: datetime) -> str:
    """Day and month at the plant: 17 Nov."""
    local = at.astimezone(_Now.zone)
    return f"{local.day} {_MONTHS[_Now.language][local.month - 1]}"


def day_of(on: date) -> str:
    """Day and month of a calendar date: 17 Nov."""
    return f"{on.day} {_MONTHS[_Now.language][on.month - 1]}"


def length(span: timedelta) -> str:
    """A length in hours and minutes: 1 h 48 min."""
    hours, minutes = divmod(max(0, int(span.total_seconds() // 60)), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def age(span: timedelta) -> str:
    """A length as hours and minutes of a clock: 0:28."""
    minutes = max(0, int(span.total_seconds() // 60))
    return f"{minutes // 60}:{minutes % 60:02d}"


def sentence(error: BaseException) -> str:
    """What happened and what to do, in the language in use."""
    if not isinstance(error, FoodFlowError):
        return tr("Something went wrong in the program. Nothing was lost. Tell your supervisor.")
    english = SENTENCES.get(error.code)
    if english is None or _Now.language == "en":
        return error.sentence
    try:
        return tr(english).format(**error.data)
    except (KeyError, IndexError, ValueError):
        return error.sentence
