"""What one process keeps in memory to talk with terminals, and how it knows who is calling."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, FastAPI, Request

from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import FoodFlowError, NotAllowed, Unauthorised
from foodflow_kernel.wire.protocol import MAX_BATCH_PACKED_BYTES
from server.core import feed
from server.core.db.sessions import Database
from server.core.events import Reactions
from server.identity.keys import Keyring
from server.sync import caretaker, packing, presence, terminals, tokens
from server.sync.budgets import Budgets
from server.sync.presence import Ear
from server.sync.stored import Terminal
from server.sync.tokens import DeviceToken, Nonces
from server.sync.waiting import BELL


class Revoked(FoodFlowError):
    """The terminal was revoked: it may deposit evidence, and is told; it gets nothing: 403."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The counter at which terminals are served, one for a process."""

    database: Database
    clock: Clock
    keyring: Keyring
    reactions: Reactions
    nonces: Nonces
    ear: Ear
    budgets: Budgets


@dataclass(frozen=True, slots=True)
class Caller:
    """A terminal that showed a valid token just now."""

    terminal: Terminal
    token: DeviceToken
    now: datetime


def desk_of(request: Request) -> Desk:
    """The desk of this process, opened with the application."""
    desk: Desk = request.app.state.sync_desk
    return desk


async def caller(request: Request, desk: Annotated[Desk, Depends(desk_of)]) -> Caller:
    """Who is calling, by its token; looked up anew each time, so a revocation counts at once.

    Raises:
        Unauthorised: `token_bad`, `token_expired`, `terminal_unknown`.
    """
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not encoded:
        raise Unauthorised("token_bad")
    now = desk.clock.now()
    token = await tokens.read(desk.keyring, desk.database, encoded)
    terminal = await terminals.find(desk.database, token.device_id)
    if terminal is None or terminal.tenant_id != token.tenant_id:
        raise Unauthorised("terminal_unknown")
    return Caller(terminal, token, now)


async def refuse_if_suspended(desk: Desk, terminal: Terminal) -> None:
    """Stop a terminal that asks for data of a company that is suspended or leaving.

    Raises:
        NotAllowed: `tenant_suspended`.
    """
    if not (await desk.database.tenant(terminal.tenant_id)).is_open:
        raise NotAllowed("tenant_suspended")


async def trusted(who: Annotated[Caller, Depends(caller)], desk: Annotated[Desk, Depends(desk_of)]) -> Caller:
    """A caller that may have data.

    Raises:
        Revoked: `device_revoked`.
        NotAllowed: `tenant_suspended`.
    """
    await refuse_if_suspended(desk, who.terminal)
    if who.terminal.is_revoked:
        raise Revoked("device_revoked")
    return who


async def read_packed(request: Request) -> bytes:
    """The body of a push, never more of it than the limit.

    Raises:
        TooLarge: `push_too_large`.
    """
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BATCH_PACKED_BYTES:
            raise packing.TooLarge("push_too_large", limit=MAX_BATCH_PACKED_BYTES)
        parts.append(part)
    return b"".join(parts)


async def hear(desk: Desk, who: Caller, request: Request, feed_seq: int | None = None) -> None:
    """Note that a terminal was heard, in a short transaction of its own, if that is news."""
    unsent = presence.parse_unsent(request.headers.get("x-unsent"))
    if not who.terminal.is_revoked and desk.ear.is_news(who.terminal.device_id, who.now, unsent):
        async with desk.database.tenant_session(who.terminal.tenant_id) as db:
            await presence.heard(db, who.terminal.device_id, who.now, unsent, feed_seq)


@asynccontextmanager
async def open_desk(app: FastAPI) -> AsyncIterator[None]:
    """Open the desk for the life of an application whose database is open."""
    database: Database = app.state.database
    app.state.sync_desk = Desk(
        database, database.clock, app.state.keyring, app.state.reactions, Nonces(app.state.secret), Ear(), Budgets()
    )
    unlisten = feed.on_commit(BELL.ring)
    care = asyncio.create_task(caretaker.run(database, app.state.reactions))
    try:
        yield
    finally:
        unlisten()
        care.cancel()
        await asyncio.gather(care, return_exceptions=True)
        await BELL.close()
