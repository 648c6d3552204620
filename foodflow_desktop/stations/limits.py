"""A check's limit and its last reading as data; views say them in words."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from foodflow_kernel.rules.ccp import CcpVerdict
from foodflow_kernel.wire import bodies, master


def limit_of(ccp: master.Ccp) -> Limit:
    """The critical limits of a CCP version."""
    return Limit(ccp.parameter, ccp.unit, ccp.crit_min, ccp.crit_max, ccp.pieces)


def last_of(reading: bodies.CcpReading) -> Last:
    """What a reading said, for a row."""
    all_found = all(piece.rejected for piece in reading.pieces) if reading.pieces else None
    return Last(reading.value, all_found, reading.verdict)


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit as data; the view says it in words."""

    parameter: str
    unit: str | None
    low: Decimal | None
    high: Decimal | None
    pieces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Last:
    """The newest reading of a check: a value, or whether every test piece was rejected."""

    value: Decimal | None
    all_found: bool | None
    verdict: CcpVerdict
