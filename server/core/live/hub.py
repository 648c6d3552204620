"""Who in this process is woken when a tenant's commit says that something changed.

One connection of the tenant's own role listens while somebody is there. A subscriber has no queue:
it is woken, reads what lies behind its own number in the log, and may be as slow as it likes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import psycopg
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import Refused
from server.core.db.listening import listening
from server.core.db.postgres import Cluster
from server.core.db.sessions import TenantRef
from server.core.live.log import SESSION, TENANT

log = logging.getLogger(__name__)

MAX_PER_TENANT = 500
"""Open screens of one company at one process."""
_RETRY_S = 1.0
_PATIENCE_S = 10.0


@dataclass(eq=False)
class Subscription:
    """One open screen.

    Args:
        topic: what it wakes for.
        woken: set when there is something to read.
        is_tenant_in_doubt: the company's own state must be read anew.
    """

    topic: str
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    is_tenant_in_doubt: bool = False
    is_going_away: bool = False

    def hear(self, topics: frozenset[str]) -> None:
        """Wake if it concerns this one."""
        self.is_tenant_in_doubt |= TENANT in topics
        if topics & {self.topic, SESSION, TENANT}:
            self.woken.set()


@dataclass(eq=False)
class _Room:
    here: set[Subscription] = field(default_factory=set)
    is_heard: asyncio.Event = field(default_factory=asyncio.Event)
    ear: asyncio.Task[None] | None = None


class Hub:
    """All open screens of one process.

    Args:
        max_rooms: companies that are listened to at once, one connection each.
    """

    def __init__(self, cluster: Cluster, max_rooms: int) -> None:
        self._cluster, self._max_rooms = cluster, max_rooms
        self._rooms: dict[str, _Room] = {}
        self._is_closed = False

    @asynccontextmanager
    async def join(self, tenant: TenantRef, topic: str) -> AsyncIterator[Subscription]:
        """Be woken for a topic; whatever commits after this has begun is heard.

        Raises:
            Refused: `too_many_requests` while too many screens of the company, or of too many companies,
                are open, or the database does not let us listen.
        """
        room = self._rooms.get(tenant.schema, _Room())
        is_full = len(room.here) >= MAX_PER_TENANT or len(self._rooms.keys() | {tenant.schema}) > self._max_rooms
        if is_full or self._is_closed:
            raise Refused("too_many_requests", retry_after=10)
        self._rooms[tenant.schema] = room
        me = Subscription(topic)
        room.here.add(me)
        if room.ear is None:
            room.ear = asyncio.create_task(self._listen(tenant.schema, room))
        try:
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    await room.is_heard.wait()
            except TimeoutError as error:
                raise Refused("too_many_requests", retry_after=10) from error
            yield me
        finally:
            room.here.discard(me)
            if not room.here and self._rooms.get(tenant.schema) is room:
                del self._rooms[tenant.schema]
                await _stop(room)

    async def _listen(self, schema: str, room: _Room) -> None:
        is_down = False
        while True:
            try:
                async with listening(self._cluster, schema) as payloads:
                    if is_down:
                        log.warning("live updates are heard again", extra={"schema": schema})
                    is_down = False
                    room.is_heard.set()
                    # What committed while nobody listened has a number: each reads on from its own.
                    for each in room.here:
                        each.hear(frozenset({each.topic, TENANT}))
                    async for payload in payloads:
                        for each in tuple(room.here):
                            each.hear(frozenset(payload.split(",")))
            except (psycopg.OperationalError, OSError) as error:
                if not is_down:
                    log.warning("live updates are not heard", extra={"schema": schema}, exc_info=error)
                is_down = True
            await asyncio.sleep(_RETRY_S)

    async def close(self) -> None:
        """Send all screens away; they come back to a process that stays."""
        self._is_closed = True
        rooms = list(self._rooms.values())
        for room in rooms:
            for each in room.here:
                each.is_going_away = True
                each.woken.set()
        for _ in range(100):
            if not any(room.here for room in rooms):
                break
            await asyncio.sleep(0.05)
        for room in rooms:
            await _stop(room)


async def _stop(room: _Room) -> None:
    if room.ear is not None:
        room.ear.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await room.ear


async def wake_tenant(platform: AsyncSession, cluster: Cluster, schema: str) -> None:
    """Let every open screen of a company look at the company's state, once this transaction commits."""
    await platform.execute(select(func.pg_notify(cluster.channel(schema), TENANT)))
