"""Two who do at once what only one of them may: the second begins before the first has committed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from sqlalchemy import Executable, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from server.core.audit import AuditHead

T = TypeVar("T")
_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = current_user")
_LOOKS = 1000
"""How often is looked whether somebody waits before it goes on anyway: ten seconds, where nobody ever comes."""


async def behind(
    first: AbstractAsyncContextManager[AsyncSession],
    change: Executable,
    second: Awaitable[T],
    *,
    waiting: int = 1,
    then: Executable | None = None,
) -> T:
    """What the second comes to when it waits for a change of the first.

    Args:
        first: a session of the same database role.
        second: what reads the row that is changed. If it takes no lock when it reads, it decides by what was there
            before, and waits only when it writes.
        waiting: how many wait before the first goes on, where the second is several.
        then: what the first does while the second waits. Where it needs what the second holds, each waits for the
            other and the database ends one of them.
    """
    async with first as db:
        await db.execute(change, execution_options={"synchronize_session": False})
        waits = asyncio.ensure_future(second)
        await until_waiting(db, waiting, waits)
        if then is not None:
            await db.execute(then, execution_options={"synchronize_session": False})
    return await waits


async def in_turn(trail: AbstractAsyncContextManager[AsyncSession], *works: Awaitable[T]) -> list[T]:
    """What several come to, of which each begins when the one before has done all but its last entry in the trail.

    Args:
        trail: a session of the same database role.
    """
    under_way: list[asyncio.Future[T]] = []
    async with trail as db:
        await db.execute(select(AuditHead).with_for_update())
        for work in works:
            under_way.append(asyncio.ensure_future(work))
            await until_waiting(db, len(under_way), under_way[-1])
    return list(await asyncio.gather(*under_way))


async def until_waiting(db: AsyncSession, how_many: int = 1, unless: asyncio.Future[T] | None = None) -> None:
    """Until so many sessions of this one's role wait for a lock, or what they are waited for is done."""
    for _ in range(_LOOKS):
        if (unless is not None and unless.done()) or (await db.scalar(_WAITING) or 0) >= how_many:
            return
        await db.execute(text("SELECT pg_stat_clear_snapshot()"))
        await asyncio.sleep(0.01)
