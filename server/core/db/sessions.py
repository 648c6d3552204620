"""Sessions bound to a tenant, each from that tenant's own engine and role.

A session nobody bound fails instead of leaking: no tenant, no session. ``tenant_session``
commits when its block ends well; the last statements before any commit number what goes into the
audit trail, the log of open screens and the change feed. All engines share one cap; the least
recently used is closed.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, cast

from sqlalchemy import event, inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import NotAllowed
from foodflow_kernel.machines.identity import TenantState
from server.core import audit, feed
from server.core.actor import Actor
from server.core.db import births, together
from server.core.db.base import MasterRow
from server.core.db.postgres import PLATFORM, Cluster, reader
from server.core.db.registry import Registry, Tenant, TenantRef
from server.core.live import log as live

__all__ = ["Database", "Tenant", "TenantRef", "current_tenant", "even_if_refused"]

current_tenant: ContextVar[uuid.UUID | None] = ContextVar("current_tenant", default=None)
"""The tenant of the running request, job or command."""


Work = Callable[[AsyncSession], Awaitable[None]]
_KEPT = "even_if_refused"
_CANNOT_WRITE = ("42501", "25006")
"""What PostgreSQL says to a login that may only read: no privilege; the transaction is read only."""


def even_if_refused(db: AsyncSession, work: Work) -> None:
    """Have work done in a transaction of its own if this one is refused: a failed signature is on record."""
    kept: list[Work] = db.info[_KEPT]
    kept.append(work)


class Connections(NamedTuple):
    """What of the database is open."""

    engines: int
    busy: int
    idle: int


class Database:
    """All engines of one server process.

    Args:
        cluster: where the database is.
        clock: stamps master rows.
        max_connections: requests, jobs and commands that have sessions open at once, over all tenants.
        max_engines: tenants whose engine stays open.
    """

    def __init__(self, cluster: Cluster, clock: Clock, *, max_connections: int = 40, max_engines: int = 50) -> None:
        self.cluster = cluster
        self.clock = clock
        self._cap = asyncio.Semaphore(max_connections)
        self._inside: set[asyncio.Task[Any] | None] = set()
        self._max_connections = max_connections
        self._max_engines = max_engines
        self._engines: OrderedDict[str, AsyncEngine] = OrderedDict()
        self._users: dict[str, int] = {}
        self._platform = _engine(cluster, PLATFORM)
        self.registry = Registry(cluster.url(PLATFORM), self.platform_session)

    @asynccontextmanager
    async def platform_session(self) -> AsyncIterator[AsyncSession]:
        """A session of the platform role; commits when the block ends well."""
        async with self._place(), AsyncSession(self._platform, expire_on_commit=False) as db, db.begin():
            yield db

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """One of the places for whoever needs the database; a session within a session needs no second one.

        Waiting for it with the first in hand, as many as there are places would wait for each other for ever.
        """
        task = asyncio.current_task()
        if task in self._inside:
            yield
            return
        async with self._cap:
            self._inside.add(task)
            try:
                yield
            finally:
                self._inside.discard(task)

    @asynccontextmanager
    async def tenant_session(
        self, tenant_id: uuid.UUID | None = None, actor: Actor | None = None
    ) -> AsyncIterator[AsyncSession]:
        """A session of the tenant's own role; feeds and commits when the block ends well.

        An actor who only reads gets a login that can only read. What they add to the audit trail is
        written by the tenant's own role after that, before the block is left.

        Args:
            tenant_id: which tenant; by default the one the ContextVar names.
            actor: who acts, for stamps, audit and permissions.

        Raises:
            NotAllowed: `no_tenant` when nobody said whose data this is; `tenant_archived`; `read_only` when
                an actor who only reads would write.
            NotFound: `tenant_unknown`.
        """
        wanted = tenant_id or current_tenant.get()
        if wanted is None:
            raise NotAllowed("no_tenant")
        tenant = await self.tenant(wanted)
        if tenant.state is TenantState.archived:
            raise NotAllowed("tenant_archived")
        kept: list[Work] = []
        said: list[audit.Act] = []
        is_reader = actor is not None and actor.reads_only
        role = reader(tenant.schema) if is_reader else tenant.schema
        info: dict[str, Any] = {"actor": actor, "clock": self.clock, "tenant": tenant, "tenant_id": tenant.id}
        info |= {_KEPT: kept, "channel": partial(self.cluster.channel, tenant.schema)}
        try:
            async with self._place():
                engine = await self._borrow(role)
                try:
                    async with AsyncSession(
                        engine,
                        sync_session_class=feed.FeedSession,
                        expire_on_commit=False,
                        autoflush=not is_reader,
                        info=info,
                    ) as db:
                        yield db
                        if is_reader:
                            said = audit.take(db)
                        await db.commit()
                finally:
                    self._users[role] -= 1
            if said:
                async with self.tenant_session(tenant.id) as after:
                    audit.give(after, said)
        except Exception as error:
            for work in kept:
                async with self.tenant_session(tenant.id, replace(actor, reads_only=False) if actor else None) as after:
                    await work(after)
            if is_reader and isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", "") in _CANNOT_WRITE:
                raise NotAllowed("read_only") from error
            raise

    async def tenant(self, tenant_id: uuid.UUID) -> TenantRef:
        """The tenant of an id, from the platform's registry.

        Raises:
            NotFound: `tenant_unknown`.
        """
        return await self.registry.get(tenant_id)

    async def tenant_by_slug(self, slug: str) -> TenantRef:
        """The tenant of a slug, as a person types it when signing in.

        Raises:
            NotFound: `tenant_unknown`.
        """
        return await self.registry.only(Tenant.slug == slug)

    async def tenants(self) -> list[TenantRef]:
        """All tenants, by slug."""
        return await self.registry.read()

    async def _borrow(self, role: str) -> AsyncEngine:
        engine = self._engines.pop(role, None) or _engine(self.cluster, role)
        self._engines[role] = engine
        self._users[role] = self._users.get(role, 0) + 1
        while self._is_crowded():
            idle = next((name for name in self._engines if not self._users.get(name)), None)
            if idle is None:
                break
            await self._engines.pop(idle).dispose()
        return engine

    def _is_crowded(self) -> bool:
        """Whether more engines or connections, idle ones included, are open than the cap allows."""
        pools = [cast("QueuePool", engine.pool) for engine in self._engines.values()]
        opened = sum(pool.checkedin() + pool.checkedout() for pool in pools)
        return len(self._engines) > self._max_engines or opened > self._max_connections

    def connections(self) -> Connections:
        """How many connections are open now, of all tenants."""
        pools = [cast("QueuePool", engine.pool) for engine in (*self._engines.values(), self._platform)]
        busy, idle = (sum(pool.checkedout() for pool in pools), sum(pool.checkedin() for pool in pools))
        return Connections(len(self._engines), busy, idle)

    async def forget(self, tenant: TenantRef) -> None:
        """Close a tenant's engine and drop what is known of it (suspended, offboarded)."""
        self.registry.forget(tenant.id)
        for role in (tenant.schema, reader(tenant.schema)):
            # What is in use would not be closed by this; the registry lets nobody else in.
            engine = None if self._users.get(role) else self._engines.pop(role, None)
            if engine is not None:
                await engine.dispose()

    async def close(self) -> None:
        """Close every connection."""
        await self.registry.close()
        for engine in self._engines.values():
            await engine.dispose()
        self._engines.clear()
        await self._platform.dispose()


def _engine(cluster: Cluster, role: str) -> AsyncEngine:
    return create_async_engine(
        cluster.url(role), pool_size=8, max_overflow=0, pool_recycle=900, pool_pre_ping=True, hide_parameters=True
    )


@event.listens_for(feed.FeedSession, "before_flush")
def _stamp(session: Session, _context: Any, _instances: Any) -> None:
    """Who and when, on every master row that is about to be written."""
    clock: Clock = session.info["clock"]
    actor: Actor | None = session.info.get("actor")
    for row in session.new:
        if isinstance(row, MasterRow):
            row.created_at = row.created_at or clock.now()
            row.created_by = row.created_by or (actor.id if actor else None)
            row.updated_at, row.updated_by = row.created_at, row.created_by
    for row in session.dirty:
        if isinstance(row, MasterRow) and session.is_modified(row) and not inspect(row).deleted:
            row.updated_at, row.updated_by = clock.now(), actor.id if actor else None


@event.listens_for(feed.FeedSession, "before_commit")
def _number(session: Session) -> None:
    """Take the counters last, and by everybody in this order, so that no two transactions block each other.

    They are locked from here to the end of the transaction, which goes in the same packet.
    """
    if session.in_nested_transaction():
        return
    session.flush()
    counted = (audit.number(session), live.write(session), feed.write(session))
    last = [*births.last(session), *(asked for asked in counted if asked is not None)]
    if last:
        together.send(session, *last, commit=True)
