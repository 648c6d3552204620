"""Does what went in come out again? Mass balances of a lot and of a batch.

Source: formulas_ops_fsq.md, section 10. A term that nobody recorded makes the balance open,
never passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

BATCH_TOLERANCE = Decimal("0.02")
"""Policy: two per cent, unless the item says otherwise."""


class BalanceVerdict(StrEnum):
    """Whether a balance closes."""

    ok = "ok"
    off = "off"
    open = "open"


@dataclass(frozen=True, slots=True)
class BatchBalance:
    """In against out, in one unit.

    Args:
        variance: (out - in) / in [1]; None while a term is missing.
        missing: names of the terms that nobody recorded.
    """

    in_qty: Decimal
    out_qty: Decimal
    variance: Decimal | None
    verdict: BalanceVerdict
    missing: tuple[str, ...]


def batch_balance(
    inputs: Mapping[str, Decimal | None],
    outputs: Mapping[str, Decimal | None],
    tolerance: Decimal = BATCH_TOLERANCE,
) -> BatchBalance:
    """Balance of a batch: issued, opening WIP, rework in; good, scrap, rework, samples, WIP, known loss.

    Args:
        inputs: term to quantity, all in one unit; None where it was not recorded.
        outputs: the same.
        tolerance: largest share that may be missing or too much [1].

    >>> D = Decimal
    >>> b = batch_balance({"issued": D(1000), "wip": D(35)}, {"good": D(930), "scrap": D(42), "rest": D(48)})
    >>> round(100 * b.variance, 4), str(b.verdict)
    (Decimal('-1.4493'), 'ok')
    """
    missing = tuple(name for name, value in (*inputs.items(), *outputs.items()) if value is None)
    went_in = sum((value for value in inputs.values() if value is not None), Decimal(0))
    came_out = sum((value for value in outputs.values() if value is not None), Decimal(0))
    if missing or went_in <= 0:
        return BatchBalance(went_in, came_out, None, BalanceVerdict.open, missing)
    variance = (came_out - went_in) / went_in
    verdict = BalanceVerdict.ok if abs(variance) <= tolerance else BalanceVerdict.off
    return BatchBalance(went_in, came_out, variance, verdict, ())


@dataclass(frozen=True, slots=True)
class LotBalance:
    """received = used + in_store + waste + not_found, all in the lot's unit."""

    received: Decimal
    used: Decimal
    in_store: Decimal
    waste: Decimal
    not_found: Decimal


def lot_balance(
    *,
    received: Decimal,
    used: Decimal,
    waste: Decimal,
    counted: Decimal | None,
    used_since_count: Decimal = Decimal(0),
    waste_since_count: Decimal = Decimal(0),
) -> LotBalance:
    """Balance of a lot.

    Args:
        received: received or made.
        used: went into batches, onto pallets or to customers.
        waste: recorded as lost or destroyed.
        counted: what the last stock count found; None if never counted, then the books stand.
        used_since_count: the part of ``used`` after that count.
        waste_since_count: the part of ``waste`` after that count.
    """
    book = received - used - waste
    in_store = book if counted is None else counted - used_since_count - waste_since_count
    return LotBalance(received, used, in_store, waste, book - in_store)
