"""Months of the audit trail, made ahead by the owner: the tenant's own role makes no table.

A month without a partition of its own goes to the default one; no write is ever refused for it. A new
company has the default one alone: PostgreSQL looks through the constraints of all companies for each partition.
"""

from __future__ import annotations

from datetime import datetime

from psycopg import sql
from sqlalchemy import URL

from server.core.db import postgres

AHEAD = 3
"""Months that are there before they begin, this one included."""


def ensure(owner: URL, schema: str, now: datetime) -> list[str]:
    """Make this month's partition and the next ones where they are missing; the months made.

    A default partition that holds rows of one month, or of two in a row, becomes their own, and a new one takes
    its place. Waits two seconds at most for the table, then leaves the rest to the next round.
    """
    made = []
    with postgres.connect(owner) as db:
        call = sql.SQL("SELECT {}.core_audit_month(%s::date)").format(sql.Identifier(schema))
        for ahead in range(AHEAD):
            year, month = divmod(now.year * 12 + now.month - 1 + ahead, 12)
            first = f"{year:04}-{month + 1:02}-01"
            row = db.execute(call, [first]).fetchone()
            if row is None or row[0] is None:
                break
            if row[0]:
                made.append(first)
    return made
