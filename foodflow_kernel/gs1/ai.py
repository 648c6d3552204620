"""GS1 application identifiers as data: what each means, how long it may be, what it carries.

Source: GS1 General Specifications, section 3 (definitions of AIs) and 7.8.4 (AIs of predefined
length, which need no separator). Facts of the standard in own words; identifiers that a food
plant meets on ingredient, product and logistic labels. An unlisted one is refused, never guessed:
without its length the rest of the string cannot be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from foodflow_kernel.units import Uom


class Carries(StrEnum):
    """What kind of value an AI has."""

    gtin = "gtin"
    sscc = "sscc"
    gln = "gln"
    """Any other key that ends in a check digit: GLN, shipment number."""
    date = "date"
    """YYMMDD; day 00 is the end of the month."""
    date_time = "date_time"
    text = "text"
    """GS1 character set 82."""
    digits = "digits"
    pieces = "pieces"
    measure = "measure"
    """Six digits; the AI's last digit tells the decimal places."""
    amount = "amount"
    """Money in the local currency; the AI's last digit tells the decimal places."""
    money = "money"
    """As ``amount``, after a three-digit ISO 4217 currency."""


@dataclass(frozen=True, slots=True)
class Ai:
    """One application identifier. ``code`` is without the decimal digit where it has one."""

    code: str
    title: str
    carries: Carries
    shortest: int
    longest: int
    uom: Uom | None = None

    @property
    def is_decimal(self) -> bool:
        """Whether a fourth digit of the AI gives the decimal places."""
        return self.carries in (Carries.measure, Carries.amount, Carries.money)

    @property
    def is_predefined(self) -> bool:
        """Whether its length is predefined by its first two digits: no separator follows."""
        return self.code[:2] in PREDEFINED


PREDEFINED: dict[str, int] = {
    "00": 18,
    "01": 14,
    "02": 14,
    "03": 14,
    "04": 16,
    **{f"{n}": 6 for n in range(11, 20)},
    "20": 2,
    **{f"{n}": 6 for n in range(31, 37)},
    "41": 13,
}
"""First two digits of the AI to the length of its value; fixed for ever by section 7.8.4."""


def _fixed(code: str, title: str, carries: Carries, length: int, uom: Uom | None = None) -> Ai:
    return Ai(code, title, carries, length, length, uom)


def _text(code: str, title: str, longest: int) -> Ai:
    return Ai(code, title, Carries.text, 1, longest)


AIS: tuple[Ai, ...] = (
    _fixed("00", "SSCC", Carries.sscc, 18),
    _fixed("01", "GTIN", Carries.gtin, 14),
    _fixed("02", "GTIN of contained items", Carries.gtin, 14),
    _text("10", "batch or lot", 20),
    _fixed("11", "production date", Carries.date, 6),
    _fixed("12", "due date", Carries.date, 6),
    _fixed("13", "packaging date", Carries.date, 6),
    _fixed("15", "best before date", Carries.date, 6),
    _fixed("16", "sell by date", Carries.date, 6),
    _fixed("17", "expiration date", Carries.date, 6),
    _fixed("20", "product variant", Carries.digits, 2),
    _text("21", "serial number", 20),
    _text("22", "consumer product variant", 20),
    _text("240", "additional item identification", 30),
    _text("241", "customer part number", 30),
    _text("250", "secondary serial number", 30),
    _text("251", "reference to source entity", 30),
    _text("254", "GLN extension", 20),
    Ai("30", "variable count", Carries.pieces, 1, 8),
    _fixed("310", "net weight, kilograms", Carries.measure, 6, Uom.KGM),
    _fixed("315", "net volume, litres", Carries.measure, 6, Uom.LTR),
    _fixed("320", "net weight, pounds", Carries.measure, 6, Uom.LBR),
    _fixed("330", "gross weight, kilograms", Carries.measure, 6, Uom.KGM),
    _fixed("340", "gross weight, pounds", Carries.measure, 6, Uom.LBR),
    _fixed("357", "net weight, ounces", Carries.measure, 6, Uom.ONZ),
    Ai("37", "count of contained items", Carries.pieces, 1, 8),
    Ai("390", "amount payable", Carries.amount, 1, 15),
    Ai("391", "amount payable with currency", Carries.money, 4, 18),
    Ai("392", "price of a variable measure item", Carries.amount, 1, 15),
    Ai("393", "price of a variable measure item with currency", Carries.money, 4, 18),
    _text("400", "customer purchase order", 30),
    _text("401", "consignment number", 30),
    _fixed("402", "shipment number", Carries.gln, 17),
    _text("403", "routing code", 30),
    _fixed("410", "ship to", Carries.gln, 13),
    _fixed("411", "bill to", Carries.gln, 13),
    _fixed("412", "purchased from", Carries.gln, 13),
    _fixed("413", "ship for", Carries.gln, 13),
    _fixed("414", "location", Carries.gln, 13),
    _fixed("415", "invoicing party", Carries.gln, 13),
    _fixed("416", "production or service location", Carries.gln, 13),
    _fixed("417", "party", Carries.gln, 13),
    _text("420", "ship to postal code", 20),
    _fixed("422", "country of origin", Carries.digits, 3),
    _fixed("7003", "expiration date and time", Carries.date_time, 10),
    *(_text(f"{n}", "company internal", 30 if n == 90 else 90) for n in range(90, 100)),  # noqa: PLR2004 - AI (90) is shorter
)
"""Every identifier that can be read, in order of code."""

BY_CODE: dict[str, Ai] = {ai.code: ai for ai in AIS}
_CODE_LENGTHS = (2, 3, 4)


def find(text: str) -> tuple[Ai, str] | None:
    """The AI that a text starts with, and its digits as written (with the decimal digit).

    >>> ai, written = find("3103001250")
    >>> ai.code, written
    ('310', '3103')
    """
    for length in _CODE_LENGTHS:
        ai = BY_CODE.get(text[:length])
        if ai is None or len(text) < length:
            continue
        if not ai.is_decimal:
            return ai, ai.code
        written = text[: length + 1]
        return (ai, written) if len(written) > length and written[-1].isdecimal() else None
    return None
