"""Tickets: what a browser opens a WebSocket with, since it can send no header there.

An address is written into logs, so it never holds a token: a ticket is good once, for a minute,
and opens only what its person may see while the session it was bought in lasts.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from fastapi import WebSocket
from pydantic import BaseModel
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection

from foodflow_kernel.errors import NotAllowed, Refused
from server.core import access
from server.core.actor import Actor, system
from server.core.room import Room
from server.identity import people, sessions
from server.identity.models import RefreshToken, User, WsTicket

if TYPE_CHECKING:
    from server.core.db.sessions import Database

router = Room(tags=["auth"], responses=access.PROBLEMS)

TTL_S = 60
MAX_OPEN = 20
"""Of one person: more screens do not open in one minute."""


class Ticket(BaseModel):
    """What opens one WebSocket, as its parameter ``ticket``."""

    ticket: str
    expires_in_s: int = TTL_S


@router.post("/ws/ticket", status_code=201)
async def buy(caller: access.Signed) -> Ticket:
    """A ticket for one WebSocket: for the caller, once, within a minute."""
    user_id, now = caller.actor.person(), caller.clock.now()
    mine = WsTicket.user_id == user_id
    gone = delete(WsTicket).where(mine, (WsTicket.expires_at <= now) | WsTicket.used_at.is_not(None))
    await caller.db.execute(gone, execution_options={"synchronize_session": False})
    if (await caller.db.scalar(select(func.count()).where(mine)) or 0) >= MAX_OPEN:
        raise Refused("too_many_requests", retry_after=TTL_S)
    text = sessions.new_secret(caller.actor.tenant_id)
    row = WsTicket(
        token_sha256=sessions.digest(text),
        user_id=user_id,
        session_id=caller.actor.session_id,
        issued_at=now,
        expires_at=now + timedelta(seconds=TTL_S),
    )
    caller.db.add(row)
    return Ticket(ticket=text)


async def authenticate(connection: HTTPConnection) -> Actor:
    """The actor whose ticket opens a socket; the ticket is used with this.

    Raises:
        NotAllowed: `ticket_bad`.
    """
    database: Database = connection.app.state.database
    text = connection.query_params.get("ticket", "")
    tenant = await sessions.tenant_of(database, text)
    if tenant is None:
        raise NotAllowed("ticket_bad")
    async with database.tenant_session(tenant.id, system(tenant.id, "ticket")) as db:
        now = database.clock.now()
        # One statement: of two that come with it at once, the second finds it used.
        used = (
            update(WsTicket)
            .where(
                WsTicket.token_sha256 == sessions.digest(text), WsTicket.used_at.is_(None), WsTicket.expires_at > now
            )
            .values(used_at=now)
            .returning(WsTicket.user_id, WsTicket.session_id)
        )
        row = (await db.execute(used, execution_options={"synchronize_session": False})).one_or_none()
        if row is None:
            raise NotAllowed("ticket_bad")
        connection.state.user_id, connection.state.session_id = row.user_id, row.session_id
        actor = await _person(db, connection)
        if actor is None:
            raise NotAllowed("ticket_bad")
        return actor


async def living(db: AsyncSession, ws: WebSocket) -> Actor | None:
    """The person of an open socket with the rights of now; None once their session has ended."""
    return await _person(db, ws)


async def _person(db: AsyncSession, connection: HTTPConnection) -> Actor | None:
    oldest = db.info["clock"].now() - sessions.ABSOLUTE
    asked = (
        select(User)
        .join(RefreshToken, RefreshToken.user_id == User.id)
        .where(
            User.id == connection.state.user_id,
            people.may_go_on(),
            RefreshToken.id == connection.state.session_id,
            RefreshToken.revoked_at.is_(None),
            RefreshToken.issued_at > oldest,
        )
    )
    user = await db.scalar(asked)
    return None if user is None else await people.actor_of(db, user, db.info["tenant_id"])
