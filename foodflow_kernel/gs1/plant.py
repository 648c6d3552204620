"""What was scanned? Routes a code to the part of the app that wants it (ux.md, section 9).

Plant codes: ``FFB-1041`` badge, ``FFW-<number>`` or a known work order number, ``FFL-<lot>`` or a
known lot code. GS1: an SSCC of a pallet, or a material label with a GTIN or a lot.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from foodflow_kernel.errors import Invalid
from foodflow_kernel.gs1 import check_digits, element_string
from foodflow_kernel.gs1.element_string import GS, ElementString

BADGE, WORK_ORDER, LOT = "FFB-", "FFW-", "FFL-"
REPEAT_S = 3.0
"""The same code again within this is the same touch of the trigger."""

_SHORTEST_GS1 = 16
_RETAIL_LENGTHS = (8, 12, 13, 14)
_GS1_START = re.compile(r"\d{4,}")


class ScanKind(StrEnum):
    """Who wants this code."""

    badge = "badge"
    work_order = "work_order"
    material = "material"
    """A GS1 label with a GTIN or a lot."""
    lot = "lot"
    """The plant's own label."""
    pallet = "pallet"
    """A GS1 label with an SSCC."""
    unknown = "unknown"


@dataclass(frozen=True, slots=True)
class PlantScan:
    """A routed code.

    Args:
        code: badge code, work order number, lot code, SSCC or GTIN; the raw text if unknown.
        label: the element string of a GS1 label.
        error: why a label that looked like GS1 could not be read.
    """

    kind: ScanKind
    raw: str
    code: str
    label: ElementString | None = None
    error: Invalid | None = None


def classify(
    raw: str,
    *,
    today: date,
    symbology: str | None = None,
    work_orders: Container[str] = (),
    lots: Container[str] = (),
) -> PlantScan:
    """What a scanned code is.

    Args:
        symbology: AIM identifier, if the scanner sent one.
        work_orders: numbers known to this terminal, also scanned without prefix.
        lots: lot codes known to this terminal, also scanned without prefix.

    >>> classify("FFB-1041", today=date(2026, 11, 23)).kind.value
    'badge'
    """
    text = raw.strip()
    if text.startswith(BADGE) and len(text) > len(BADGE):
        return PlantScan(ScanKind.badge, raw, text)
    if text.startswith(WORK_ORDER) and len(text) > len(WORK_ORDER):
        return PlantScan(ScanKind.work_order, raw, text.removeprefix(WORK_ORDER))
    if text.startswith(LOT) and len(text) > len(LOT):
        return PlantScan(ScanKind.lot, raw, text.removeprefix(LOT))
    if text in work_orders:
        return PlantScan(ScanKind.work_order, raw, text)
    if text in lots:
        return PlantScan(ScanKind.lot, raw, text)
    return _gs1(raw, text, today, symbology)


def _gs1(raw: str, text: str, today: date, symbology: str | None) -> PlantScan:
    if len(text) in _RETAIL_LENGTHS and check_digits.is_right(text):
        return PlantScan(ScanKind.material, raw, text.zfill(14))
    is_promised = symbology in element_string.SYMBOLOGIES or GS in text or text.startswith(("(", "]"))
    if not is_promised and not (len(text) >= _SHORTEST_GS1 and _GS1_START.match(text)):
        return PlantScan(ScanKind.unknown, raw, text)
    try:
        label = element_string.parse(text, today=today)
    except Invalid as error:
        return PlantScan(ScanKind.unknown, raw, text, error=error)
    if label.sscc is not None:
        return PlantScan(ScanKind.pallet, raw, label.sscc, label)
    if label.gtin is not None or label.lot is not None:
        return PlantScan(ScanKind.material, raw, label.gtin or label.lot or "", label)
    return PlantScan(ScanKind.unknown, raw, text, label)


@dataclass(frozen=True, slots=True)
class Seen:
    """The last code scanned and when [ns, monotonic]."""

    raw: str
    mono_ns: int


def is_repeat(last: Seen | None, raw: str, mono_ns: int) -> bool:
    """Whether this is the code just scanned, again ("Already scanned": nothing happens).

    Remember every scan as the next ``last``, repeats too: a code held before the scanner for
    ten seconds is one scan.
    """
    return last is not None and last.raw == raw and 0 <= mono_ns - last.mono_ns < REPEAT_S * 1e9
