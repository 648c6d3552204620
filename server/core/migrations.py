"""A migration is on the tenant's record: from which revision to which."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import Select, column, select, table
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncSession

from server.core import audit
from server.core.db.sessions import Database

_REVISION: Select[Any] = select(column("version_num")).select_from(table("alembic_version"))


async def revisions(database: Database) -> dict[uuid.UUID, str | None]:
    """The revision of each tenant's schema; nothing before the platform was ever migrated."""
    try:
        tenants = await database.tenants()
    except ProgrammingError:
        return {}
    found: dict[uuid.UUID, str | None] = {}
    for tenant in tenants:
        async with database.tenant_session(tenant.id) as db:
            found[tenant.id] = await db.scalar(_REVISION)
    return found


async def note(db: AsyncSession, before: str | None) -> None:
    """Write the audit row if the schema has another revision than before."""
    after = await db.scalar(_REVISION)
    if after != before:
        said = {"revision": [before, after]}
        audit.write(db, db.info["actor"], "core.schema.migrate", "core.tenant", db.info["tenant_id"], said)
