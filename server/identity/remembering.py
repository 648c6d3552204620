"""Who is behind the token of a request; people are remembered, and asked about in one question.

What a person may do is put together from their assignments, roles and permissions. A process
remembers the outcome together with the mark of the last change of anybody's rights (``RightsMark``);
each request asks in its own session whether person, session and mark are as they were (decision 36).
"""

from __future__ import annotations

import uuid
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, cast

from fastapi import Request
from sqlalchemy import Table, bindparam, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import NotAllowed, NotFound
from foodflow_kernel.machines.identity import TenantState
from server.core import access
from server.core.actor import Actor, system
from server.core.db import together
from server.identity import api_keys, break_glass, people, tokens
from server.identity.models import RefreshToken, RightsMark, User, UserRole

if TYPE_CHECKING:
    from server.core.db.sessions import Database
    from server.identity.keys import Keyring

MOST = 256
"""People whom one process remembers; of a company's admin that is some 30 kB."""

# One question for person and session: the session's head is the row that a revocation marks.
_LIVING = (
    select(User, RightsMark.changed_in)
    .join(RefreshToken, RefreshToken.user_id == User.id)
    .join(RightsMark, RightsMark.id == 1)
    .where(
        User.id == bindparam("user_id"),
        User.token_epoch == bindparam("epoch"),
        people.may_go_on(),
        RefreshToken.id == bindparam("session_id"),
        RefreshToken.revoked_at.is_(None),
    )
)
_PEOPLE, _TOKENS, _MARK = (cast("Table", each.__table__) for each in (User, RefreshToken, RightsMark))
# The same of the tables, without what the ORM does for an entity: every request begins with it.
_STILL = together.ready(
    select(_PEOPLE.c.version, _MARK.c.changed_in)
    .select_from(_PEOPLE.join(_TOKENS, _TOKENS.c.user_id == _PEOPLE.c.id).join(_MARK, _MARK.c.id == 1))
    .where(
        _PEOPLE.c.id == bindparam("user_id"),
        _PEOPLE.c.token_epoch == bindparam("epoch"),
        people.may_go_on(_PEOPLE.c),
        _TOKENS.c.id == bindparam("session_id"),
        _TOKENS.c.revoked_at.is_(None),
    )
)


@dataclass(frozen=True, slots=True)
class _Claims:
    tenant_id: uuid.UUID
    user_id: uuid.UUID
    session_id: uuid.UUID
    epoch: int


@dataclass(frozen=True, slots=True)
class _Known:
    """An actor as they were put together, and what that was made of."""

    actor: Actor
    epoch: int
    version: int
    mark: int
    until: datetime | None
    """When an assignment of theirs begins or ends next."""


class Signed:
    """The application's ``access.Authenticator``."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[uuid.UUID, uuid.UUID], _Known] = OrderedDict()

    async def actor(self, request: Request) -> Actor:
        """The actor behind a request's token, with the rights they have now.

        Raises:
            NotAllowed: `not_signed_in`, `token_bad`, `token_expired`; of an API key also as ``api_keys.authenticate``,
                of the platform's people as ``break_glass.authenticate``.
        """
        token = access.bearer(request)
        if token.startswith(api_keys.MARK):
            return await api_keys.authenticate(request, token)
        if token.startswith(break_glass.MARK):
            return await break_glass.authenticate(request, token)
        claims = await _read(request, token)
        database: Database = request.app.state.database
        async with database.tenant_session(claims.tenant_id, system(claims.tenant_id, "authenticate")) as db:
            found = (await db.execute(_LIVING, _asked(claims.user_id, claims.session_id, claims.epoch))).one_or_none()
            if found is None:
                raise NotAllowed("token_bad")
            user, mark = found
            # The mark was read before the rights: what changes in between is seen at the next request.
            actor = replace(await people.actor_of(db, user, claims.tenant_id), session_id=claims.session_id)
            until = await _next_change(db, user.id)
        self._known[claims.tenant_id, claims.session_id] = _Known(actor, claims.epoch, user.version, mark, until)
        while len(self._known) > MOST:
            self._known.popitem(last=False)
        return actor

    async def remembered(self, request: Request) -> Actor | None:
        """The person behind a token as they were last put together.

        Raises:
            NotAllowed: `not_signed_in`, `token_bad`, `token_expired`.
        """
        token = access.bearer(request)
        if token.startswith((api_keys.MARK, break_glass.MARK)):
            return None
        claims = await _read(request, token)
        place = (claims.tenant_id, claims.session_id)
        known = self._known.get(place)
        if known is None or (known.actor.id, known.epoch) != (claims.user_id, claims.epoch):
            return None
        clock: Clock = request.app.state.clock
        if known.until is not None and clock.now() >= known.until:
            return None
        self._known.move_to_end(place)
        return known.actor

    async def is_still(self, db: AsyncSession, actor: Actor) -> bool:
        """Whether person and session go on, and nobody's rights have changed since."""
        if actor.id is None or actor.session_id is None:
            return False
        place = (actor.tenant_id, actor.session_id)
        known = self._known.get(place)
        if known is None or known.actor is not actor:
            return False
        asked = _STILL, _asked(actor.id, actor.session_id, known.epoch)
        (found,) = await db.run_sync(together.send, asked)
        if found == [(known.version, known.mark)]:
            return True
        self._known.pop(place, None)
        return False


def _asked(user_id: uuid.UUID, session_id: uuid.UUID, epoch: int) -> dict[str, object]:
    return {"user_id": user_id, "session_id": session_id, "epoch": epoch}


async def _read(request: Request, token: str) -> _Claims:
    database: Database = request.app.state.database
    keyring: Keyring = request.app.state.keyring
    said = await keyring.read(database, tokens.USER_AUDIENCE, token)
    try:
        tenant_id, user_id, session_id = (uuid.UUID(said[name]) for name in ("tid", "sub", "fam"))
        tenant = await database.tenant(tenant_id)
        epoch = int(said["epoch"])
    except (KeyError, ValueError, TypeError, NotFound):
        raise NotAllowed("token_bad") from None
    if tenant.state is not TenantState.active:
        raise NotAllowed("token_bad")
    return _Claims(tenant.id, user_id, session_id, epoch)


async def _next_change(db: AsyncSession, user_id: uuid.UUID) -> datetime | None:
    """When an assignment of a person begins or ends next."""
    now = db.info["clock"].now()
    own = (UserRole.user_id == user_id, UserRole.retired_at.is_(None))
    moments = union_all(
        select(UserRole.valid_from.label("at")).where(*own, UserRole.valid_from > now),
        select(UserRole.valid_to.label("at")).where(*own, UserRole.valid_to > now),
    ).subquery()
    found: datetime | None = await db.scalar(select(func.min(moments.c.at)))
    return found
