"""One WebSocket: what there is, then what changes, for as long as the session lasts.

Messages are JSON: ``{"type": "snapshot" | "changed" | "beat", "seq": n, "items": [...]}``. A client
that was cut off comes back with ``after=<its last seq>`` and gets what it missed, or a snapshot if
that is no longer known. Closed with 4401 when the session ends, 4403 when the company is
suspended, 1001 when the server goes away, 1013 when the client does not keep up.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import WebSocket, WebSocketDisconnect
from pydantic_core import to_json
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.machines.identity import TenantState
from server.core import access
from server.core.actor import Actor
from server.core.db.sessions import Database, Tenant, TenantRef
from server.core.live import log as live
from server.core.live.hub import Hub, Subscription

log = logging.getLogger(__name__)

BEAT_S = 20.0
"""A sign of life, and another look at session and company, should their end not have been heard."""
PATIENCE_S = 20.0
"""A client that takes no message for so long is let go; nothing queues up for it."""
CALM_S = 0.05
"""Between two messages: what changes meanwhile comes in one."""
ENDED, SUSPENDED, GOING_AWAY, TOO_SLOW = 4401, 4403, 1001, 1013

Living = Callable[[AsyncSession, WebSocket], Awaitable[Actor | None]]
"""Given by the application: the actor of an open socket with the rights of now; None: the session has ended."""


class Stream(Protocol):
    """What a socket shows."""

    topic: str
    code: str

    async def rows(self, db: AsyncSession, actor: Actor, ids: set[Any] | None) -> Sequence[dict[str, Any]]:
        """What the actor may see of these, or of all if None."""
        ...

    async def sent(self, db: AsyncSession, actor: Actor, items: Sequence[dict[str, Any]]) -> None:
        """The client has these now."""
        ...


class _Closed(Exception):  # as the house names what happened
    def __init__(self, code: int) -> None:
        self.code = code


@dataclass
class _Session:
    ws: WebSocket
    database: Database
    tenant: TenantRef
    stream: Stream
    actor: Actor
    seq: int | None

    async def step(self, me: Subscription) -> None:
        """Read what is behind the client's number and send it."""
        if me.is_going_away:
            raise _Closed(GOING_AWAY)
        if me.is_tenant_in_doubt:
            me.is_tenant_in_doubt = False
            await self._refuse_suspended()
        async with self.database.tenant_session(self.tenant.id, self.actor) as db:
            living: Living = self.ws.app.state.living
            actor = await living(db, self.ws)
            if actor is None or not actor.may(self.stream.code):
                raise _Closed(ENDED)
            self.actor = db.info["actor"] = actor
            tail, head = await live.bounds(db)
            ids = None
            if self.seq is not None and tail <= self.seq <= head:
                ids = await live.changed(db, self.stream.topic, self.seq, head)
            is_news = ids is None or bool(ids)
            items = await self.stream.rows(db, actor, ids) if is_news else ()
        if ids is None or items:
            await self.send({"type": "snapshot" if ids is None else "changed", "seq": head, "items": items})
            async with self.database.tenant_session(self.tenant.id, actor) as db:
                await self.stream.sent(db, actor, items)
        self.seq = head

    async def send(self, message: dict[str, Any]) -> None:
        """Send one message; the next one is not made before this one has left."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self.ws.send_text(to_json(message).decode())
        except TimeoutError as error:
            raise _Closed(TOO_SLOW) from error

    async def _refuse_suspended(self) -> None:
        async with self.database.platform_session() as db:
            state = await db.scalar(select(Tenant.state).where(Tenant.id == self.tenant.id))
        if state is not TenantState.active:
            raise _Closed(SUSPENDED)


async def serve(ws: WebSocket, stream: Stream, after: int | None) -> None:
    """Serve one socket to its end."""
    actor = await access.actor_of(ws)
    database: Database = ws.app.state.database
    hub: Hub = ws.app.state.hub
    tenant = await database.tenant(actor.tenant_id)
    async with hub.join(tenant, stream.topic) as me:
        await ws.accept()
        talk = asyncio.create_task(_talk(_Session(ws, database, tenant, stream, actor, after), me))
        hang_up = asyncio.create_task(_until_gone(ws))
        try:
            await asyncio.wait((talk, hang_up), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (talk, hang_up):
                task.cancel()
            await asyncio.gather(talk, hang_up, return_exceptions=True)
    if talk.cancelled():
        return
    error = talk.exception()
    if error is not None and not isinstance(error, _Closed | WebSocketDisconnect):
        log.error("a live screen failed", exc_info=error)
    code = error.code if isinstance(error, _Closed) else 1011
    with contextlib.suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            await ws.close(code)


async def _talk(session: _Session, me: Subscription) -> None:
    while True:
        me.woken.clear()
        await session.step(me)
        await asyncio.sleep(CALM_S)
        try:
            async with asyncio.timeout(BEAT_S):
                await me.woken.wait()
        except TimeoutError:
            me.is_tenant_in_doubt = True
            await session.send({"type": "beat", "seq": session.seq})


async def _until_gone(ws: WebSocket) -> None:
    """Wait for the client to hang up; what it says means nothing, and is not kept."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while (await ws.receive())["type"] != "websocket.disconnect":  # noqa: ASYNC110  # paces a client that talks
            await asyncio.sleep(CALM_S)
