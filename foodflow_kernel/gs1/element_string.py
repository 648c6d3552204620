"""GS1 element strings: what a GS1-128, DataMatrix or QR label says, as typed values, and back.

Source: GS1 General Specifications, sections 3 (identifiers), 7.8 (concatenation, separators),
7.11 (character set 82) and 7.12 (century of a date).

Read are: the scanner's raw form with GS (0x1D) as separator, with or without AIM symbology
identifier (``]C1`` GS1-128, ``]e0`` DataBar, ``]d2`` DataMatrix, ``]Q3`` QR, ``]J1`` DotCode),
and the bracketed form printed under a symbol. Nothing is guessed: what cannot be right is `Invalid`.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from datetime import time as clock_time
from decimal import Decimal

from foodflow_kernel.errors import Invalid
from foodflow_kernel.gs1 import ai as ais
from foodflow_kernel.gs1 import check_digits
from foodflow_kernel.gs1.ai import Ai, Carries
from foodflow_kernel.units import Grams, Quantity, Uom, grams

GS = "\x1d"
"""The separator: what a scanner sends for FNC1 between elements."""
SYMBOLOGIES = ("]C1", "]e0", "]d2", "]Q3", "]J1")
"""AIM identifiers that promise a GS1 element string."""
CSET_82 = frozenset("!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
"""Every character a text value may have."""

_BRACKETED = re.compile(r"\((\d{2,4})\)")
_CENTURY_BACK, _CENTURY_AHEAD = 51, -50


@dataclass(frozen=True, slots=True)
class Element:
    """One identifier and its value.

    Args:
        ai: as written, with the decimal digit: ``3103``.
        value: the characters of the value as written.
        on: the date, where it carries one.
        time: the time of that day, local to who printed it.
        number: count, measure or amount as a decimal.
        uom: unit of a measure.
        currency: ISO 4217 number, where it carries one.
    """

    ai: str
    value: str
    on: date | None = None
    time: clock_time | None = None
    number: Decimal | None = None
    uom: Uom | None = None
    currency: str = ""

    @property
    def code(self) -> str:
        """The AI without its decimal digit."""
        return self.ai[:3] if self.ai[:3] in ais.BY_CODE and self.ai not in ais.BY_CODE else self.ai


@dataclass(frozen=True, slots=True)
class ElementString:
    """All elements of a label, in its order."""

    elements: tuple[Element, ...]

    def get(self, code: str) -> Element | None:
        """The element of an AI (``310`` finds 3100 to 3109); None if the label has none."""
        return next((element for element in self.elements if element.code == code), None)

    def text(self, code: str) -> str | None:
        """The value of an AI as written."""
        element = self.get(code)
        return element.value if element else None

    @property
    def gtin(self) -> str | None:
        """The trade item, 14 digits: of the unit itself, or of what a logistic unit contains."""
        return self.text("01") or self.text("02")

    @property
    def lot(self) -> str | None:
        """Batch or lot number."""
        return self.text("10")

    @property
    def serial(self) -> str | None:
        """Serial number."""
        return self.text("21")

    @property
    def sscc(self) -> str | None:
        """Number of the logistic unit, 18 digits."""
        return self.text("00")

    @property
    def best_before_on(self) -> date | None:
        """Best before date, for quality."""
        element = self.get("15")
        return element.on if element else None

    @property
    def expires_on(self) -> date | None:
        """Expiration date, for safety."""
        element = self.get("17")
        return element.on if element else None

    @property
    def produced_on(self) -> date | None:
        """Production date."""
        element = self.get("11")
        return element.on if element else None

    @property
    def net_weight(self) -> Quantity | None:
        """Net weight in the label's unit, metric first."""
        for code in ("310", "320", "357"):
            element = self.get(code)
            if element is not None and element.number is not None and element.uom is not None:
                return Quantity(element.number, element.uom)
        return None

    @property
    def net_weight_g(self) -> Grams | None:
        """Net weight [g]."""
        weight = self.net_weight
        return grams(weight) if weight else None

    @property
    def count(self) -> int | None:
        """How many items: of a variable count, or contained in a logistic unit."""
        element = self.get("30") or self.get("37")
        return int(element.value) if element else None

    def raw(self) -> str:
        """The scanner's form, with separators only where they are needed."""
        parts = []
        for position, element in enumerate(self.elements):
            needs_separator = not ais.BY_CODE[element.code].is_predefined and position < len(self.elements) - 1
            parts.append(f"{element.ai}{element.value}{GS if needs_separator else ''}")
        return "".join(parts)

    def bracketed(self) -> str:
        """The form printed under a symbol."""
        return "".join(f"({element.ai}){element.value}" for element in self.elements)


def build(pairs: Iterable[tuple[str, str]], *, today: date) -> ElementString:
    """An element string from AIs and values, checked as if it had been scanned.

    >>> label = build([("01", "09501101530003"), ("10", "BP-261117-A")], today=date(2026, 11, 23))
    >>> label.bracketed()
    '(01)09501101530003(10)BP-261117-A'
    """
    return _checked([_element(*_known(written, written), value, today) for written, value in pairs])


def parse(raw: str, *, today: date) -> ElementString:
    r"""Read an element string in its scanned or its bracketed form.

    Args:
        today: decides the century of two-digit years.

    Raises:
        Invalid: `gs1_empty`, `gs1_unknown_ai`, `gs1_value_too_short`, `gs1_value_too_long`,
            `gs1_separator_missing`, `gs1_not_digits`, `gs1_character`, `gs1_check_digit`,
            `gs1_date`, `gs1_repeated`.

    >>> label = parse("]C1010950110153000315261214310301250010BP-261117-A", today=date(2026, 11, 23))
    >>> label.lot, label.best_before_on, str(label.net_weight)
    ('BP-261117-A', datetime.date(2026, 12, 14), '12.500 KGM')
    """
    text = raw.strip("\r\n")
    if text.startswith(SYMBOLOGIES):
        text = text[3:]
    text = text.lstrip(GS)
    if not text:
        raise Invalid("gs1_empty")
    return _checked(_bracketed(text, today) if text.startswith("(") else _scanned(text, today))


def _scanned(text: str, today: date) -> list[Element]:
    elements = []
    has_separator = GS in text.rstrip(GS)
    while text:
        ai, written = _known(text, text)
        text = text[len(written) :]
        length = ais.PREDEFINED.get(written[:2])
        if length is None:
            value, _, text = text.partition(GS)
            if len(value) > ai.longest and not has_separator:
                raise Invalid("gs1_separator_missing", ai=written, value=value, longest=ai.longest)
        else:
            value, text = text[:length], text[length:].removeprefix(GS)
        elements.append(_element(ai, written, value, today))
    return elements


def _bracketed(text: str, today: date) -> list[Element]:
    parts = _BRACKETED.split(text)
    if parts[0] or len(parts) == 1:
        raise Invalid("gs1_unknown_ai", ai=text[:6])
    return [
        _element(*_known(written, written), value, today)
        for written, value in zip(parts[1::2], parts[2::2], strict=True)
    ]


def _known(text: str, shown: str) -> tuple[Ai, str]:
    found = ais.find(text)
    if found is None:
        raise Invalid("gs1_unknown_ai", ai=shown[:4])
    return found


def _checked(elements: list[Element]) -> ElementString:
    seen: dict[str, str] = {}
    for element in elements:
        if seen.setdefault(element.ai, element.value) != element.value:
            raise Invalid("gs1_repeated", ai=element.ai)
    return ElementString(tuple(elements))


def _element(ai: Ai, written: str, value: str, today: date) -> Element:
    if len(value) < ai.shortest:
        raise Invalid("gs1_value_too_short", ai=written, value=value, shortest=ai.shortest)
    if len(value) > ai.longest:
        raise Invalid("gs1_value_too_long", ai=written, value=value, longest=ai.longest)
    if ai.carries is Carries.text:
        foreign = next((c for c in value if c not in CSET_82), None)
        if foreign is not None:
            raise Invalid("gs1_character", ai=written, character=repr(foreign))
        return Element(written, value)
    if not check_digits.is_digits(value):
        raise Invalid("gs1_not_digits", ai=written, value=value)
    return _numeric(ai, written, value, today)


def _numeric(ai: Ai, written: str, value: str, today: date) -> Element:
    element = Element(written, value, uom=ai.uom)
    match ai.carries:
        case Carries.gtin | Carries.sscc | Carries.gln if not check_digits.is_right(value):
            needed = check_digits.check_digit(value[:-1])
            raise Invalid("gs1_check_digit", ai=written, value=value, needed=needed)
        case Carries.date:
            element = replace(element, on=_date(written, value, today))
        case Carries.date_time:
            element = replace(element, on=_date(written, value[:6], today), time=_time(written, value))
        case Carries.pieces:
            element = replace(element, number=Decimal(value))
        case Carries.measure | Carries.amount:
            element = replace(element, number=_scaled(value, written))
        case Carries.money:
            element = replace(element, number=_scaled(value[3:], written), currency=value[:3])
    return element


def _scaled(digits: str, written: str) -> Decimal:
    return Decimal(digits).scaleb(-int(written[-1]))


def year_of(two_digits: int, today: date) -> int:
    """The full year of a two-digit one: within 49 years back and 50 ahead of today.

    >>> year_of(26, date(2026, 1, 1)), year_of(77, date(2026, 1, 1)), year_of(76, date(2026, 1, 1))
    (2026, 1977, 2076)
    """
    century, this_year = today.year - today.year % 100, today.year % 100
    ahead = two_digits - this_year
    if ahead >= _CENTURY_BACK:
        return century - 100 + two_digits
    if ahead <= _CENTURY_AHEAD:
        return century + 100 + two_digits
    return century + two_digits


def _date(written: str, value: str, today: date) -> date:
    year, month, day = year_of(int(value[:2]), today), int(value[2:4]), int(value[4:6])
    try:
        return date(year, month, day or calendar.monthrange(year, month)[1])
    except (ValueError, calendar.IllegalMonthError):
        raise Invalid("gs1_date", ai=written, value=value) from None


def _time(written: str, value: str) -> clock_time:
    """Hours and minutes of AI (7003), local to the plant that printed the label."""
    try:
        return clock_time(int(value[6:8]), int(value[8:10]))
    except ValueError:
        raise Invalid("gs1_date", ai=written, value=value) from None
