"""GS1 check digits and the keys that carry one: GTIN, SSCC, GLN.

Source: GS1 General Specifications, section 7.9: modulo 10, weights 3 and 1 from the right.
"""

from __future__ import annotations

from foodflow_kernel.errors import Invalid

_DIGITS = frozenset("0123456789")
_PREFIX_LENGTHS = range(4, 13)
_SSCC_PAYLOAD, _GTIN_PAYLOAD, _GLN_PAYLOAD = 17, 13, 12
_GTIN_LENGTHS = (8, 12, 13, 14)


def is_digits(text: str) -> bool:
    """Whether a text is made of ASCII digits only (``str.isdigit`` also takes ² and ٣)."""
    return bool(text) and _DIGITS.issuperset(text)


def check_digit(digits: str) -> str:
    """The check digit for a key without one.

    Raises:
        Invalid: `gs1_not_digits`.

    >>> check_digit("629104150021")
    '3'
    """
    if not is_digits(digits):
        raise Invalid("gs1_not_digits", ai="", value=digits)
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def with_check(digits: str) -> str:
    """The key with its check digit appended."""
    return digits + check_digit(digits)


def is_right(key: str) -> bool:
    """Whether the last digit of a key is its check digit."""
    return len(key) > 1 and is_digits(key) and check_digit(key[:-1]) == key[-1]


def gtin14(key: str) -> str:
    """A GTIN of 8, 12, 13 or 14 digits in its 14-digit form.

    Raises:
        Invalid: `gs1_not_digits`, `gs1_wrong_length`, `gs1_check_digit`.

    >>> gtin14("9501101530003")
    '09501101530003'
    """
    if not is_digits(key):
        raise Invalid("gs1_not_digits", ai="01", value=key)
    if len(key) not in _GTIN_LENGTHS:
        raise Invalid("gs1_wrong_length", ai="01", value=key, needed="8, 12, 13 or 14")
    if not is_right(key):
        raise Invalid("gs1_check_digit", ai="01", value=key, needed=check_digit(key[:-1]))
    return key.zfill(14)


def build_gtin(company_prefix: str, item_reference: int, *, indicator: int = 0) -> str:
    """A GTIN-14 from its parts.

    Args:
        indicator: 0 for the base unit, 1 to 8 for packings, 9 for variable measure.

    >>> build_gtin("9501101", 53000)
    '09501101530003'
    """
    return _built("01", f"{indicator}", company_prefix, item_reference, _GTIN_PAYLOAD)


def build_sscc(company_prefix: str, serial: int, *, extension: int = 0) -> str:
    """An SSCC from its parts; a serial number must not be used twice within a year.

    >>> build_sscc("0614141", 1)
    '006141410000000012'
    """
    return _built("00", f"{extension}", company_prefix, serial, _SSCC_PAYLOAD)


def build_gln(company_prefix: str, location: int) -> str:
    """A GLN from its parts.

    >>> build_gln("0614141", 2)
    '0614141000029'
    """
    return _built("414", "", company_prefix, location, _GLN_PAYLOAD)


def _built(ai: str, lead: str, prefix: str, number: int, payload: int) -> str:
    if not is_digits(prefix) or len(prefix) not in _PREFIX_LENGTHS:
        raise Invalid("gs1_prefix_missing", prefix=prefix)
    places = payload - len(lead) - len(prefix)
    if number < 0 or places < 0 or number >= 10**places or len(lead) > 1:
        raise Invalid("gs1_value_too_long", ai=ai, value=str(number), longest=max(places, 0))
    body = f"{number:0{places}d}" if places else ""
    return with_check(f"{lead}{prefix}{body}")
