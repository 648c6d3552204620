"""Serial shipping container codes: one number per pallet, never used twice.

Source: GS1 General Specifications, AI (00): extension digit, company prefix, serial
reference, check digit; 18 digits. Check digit: weights 3, 1 from the right (section 7.9).
"""

from __future__ import annotations

from foodflow_kernel.errors import Invalid

_PAYLOAD = 17
_PREFIX_LENGTHS = range(6, 13)


def check_digit(digits: str) -> int:
    """The GS1 check digit of a number without one.

    >>> check_digit("061414100000")
    5
    """
    weighted = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return -weighted % 10


def sscc(company_prefix: str, serial: int, *, extension: int = 0) -> str:
    """The SSCC of a pallet, 18 digits.

    Raises:
        Invalid: `gs1_prefix_missing` without a usable company prefix, `sscc_serial_too_long`.

    >>> sscc("0614141", 1)
    '006141410000000012'
    """
    if not company_prefix.isdecimal() or len(company_prefix) not in _PREFIX_LENGTHS:
        raise Invalid("gs1_prefix_missing", prefix=company_prefix)
    places = _PAYLOAD - 1 - len(company_prefix)
    if not 0 <= serial < 10**places:
        raise Invalid("sscc_serial_too_long", serial=serial, places=places)
    payload = f"{extension}{company_prefix}{serial:0{places}d}"
    return f"{payload}{check_digit(payload)}"
