"""Plants, locations, contacts, addresses, notes, tags."""

from __future__ import annotations

from tests.ledger.row import Row

ROWS: tuple[Row, ...] = ()
