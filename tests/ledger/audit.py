"""The audit trail and electronic signatures."""

from __future__ import annotations

from tests.ledger.row import Row

ROWS: tuple[Row, ...] = (
    Row(
        "AuditLog",
        "rows of facts and of the trail are never changed or deleted",
        "trigger, grant",
        "tests/every/test_facts.py::test_each_fact_table_is_guarded",
    ),
)
