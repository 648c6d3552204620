"""A migration is on the tenant's record: from which revision to which."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, column, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from server.core import audit

_REVISION: Select[Any] = select(column("version_num")).select_from(table("alembic_version"))


async def note(db: AsyncSession, before: str | None) -> None:
    """Write the audit row if the schema has another revision than before."""
    after = await db.scalar(_REVISION)
    if after != before:
        said = {"revision": [before, after]}
        audit.write(db, db.info["actor"], "core.schema.migrate", "core.tenant", db.info["tenant_id"], said)
