"""Keys of the nodes in the graph of material: one text per node, so that one index finds every edge."""

from __future__ import annotations

from uuid import UUID


def supplier(supplier_name: str, supplier_lot: str) -> str:
    """A supplier's own lot."""
    return f"supplier:{supplier_name}|{supplier_lot}"


def lot(lot_id: UUID) -> str:
    """A lot of ours."""
    return f"lot:{lot_id}"


def batch(batch_id: UUID) -> str:
    """A production batch."""
    return f"batch:{batch_id}"


def pallet(pallet_id: UUID) -> str:
    """A pallet."""
    return f"pallet:{pallet_id}"


def customer(code: str, document_no: str) -> str:
    """What one customer received by one document."""
    return f"customer:{code}|{document_no}"


def waste(lot_id: UUID) -> str:
    """What of a lot was thrown away."""
    return f"waste:{lot_id}"


def kind_of(key: str) -> str:
    """supplier, lot, batch, pallet, customer or waste.

    >>> kind_of("supplier:Verde Foods|S-88213")
    'supplier'
    """
    return key.partition(":")[0]


def id_of(key: str) -> UUID:
    """The row id of a lot, batch or pallet node."""
    return UUID(key.partition(":")[2])
