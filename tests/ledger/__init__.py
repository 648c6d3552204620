"""The ledger: what identity and core promise, each line with the test that holds it.

A row is an invariant of a model, a move of a state machine, or an endpoint. ``tests/every/test_ledger.py``
refuses an empty field and a test that pytest does not collect, and looks for moves and endpoints without a row.
``python -m tests.ledger`` writes docs/generated/ledger.md.
"""

from __future__ import annotations

from tests.ledger import audit, content, endpoints, operations, people, places, resource, rights, tenancy, words
from tests.ledger.row import Row

ROWS: tuple[Row, ...] = (
    *tenancy.ROWS,
    *people.ROWS,
    *rights.ROWS,
    *audit.ROWS,
    *places.ROWS,
    *content.ROWS,
    *words.ROWS,
    *resource.ROWS,
    *operations.ROWS,
    *endpoints.ROWS,
)

__all__ = ["ROWS", "Row"]
