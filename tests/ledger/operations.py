"""Running the server."""

from __future__ import annotations

from tests.ledger.row import Row

ROWS: tuple[Row, ...] = ()
