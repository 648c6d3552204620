"""Whether a process can do its work now, in one word for whoever distributes requests."""

from __future__ import annotations

import asyncio
import shutil
from functools import cache
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import column, table

from server.core.db import migrate
from server.core.db.sessions import Database

OK = "ok"
NO_DATABASE = "database_unreachable"
NOT_MIGRATED = "migration_missing"
DISK_FULL = "disk_full"

PATIENCE_S = 2.0
LEAST_FREE_BYTES = 200 * 1024 * 1024
"""Below this the next base backup or WAL segment may not fit."""

_VERSION = table("alembic_version", column("version_num"))


async def status(database: Database, folder: Path) -> str:
    """``ok``, or what stands in the way."""
    try:
        async with asyncio.timeout(PATIENCE_S), database.platform_session() as db:
            found = await db.scalar(select(_VERSION.c.version_num))
    except (OSError, DBAPIError, TimeoutError):
        return NO_DATABASE
    if found != _head():
        return NOT_MIGRATED
    return OK if await asyncio.to_thread(_free_bytes, folder) >= LEAST_FREE_BYTES else DISK_FULL


def _free_bytes(folder: Path) -> int:
    """Of the disk that a folder is on, or will be on."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    return shutil.disk_usage(there).free


@cache
def _head() -> str | None:
    return migrate.head("platform")
