"""The people whom facts name: each fact runs as its operator, with what is known of them now."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.wire.facts import Fact
from server.core.actor import Actor, ActorKind
from server.identity import people
from server.identity.models import User
from server.sync.stored import StoredFact

STALE_USER = "STALE_USER"


class People:
    """The operators of one batch, looked up once.

    A fact of somebody unknown or disabled here is applied all the same, without rights and flagged:
    the terminal's list of people may be older than ours, and what happened has happened.
    """

    def __init__(self, db: AsyncSession, device: Actor) -> None:
        self._db = db
        self._known: dict[UUID, Actor] = {}
        self.device = device

    async def meet(self, user_ids: Iterable[UUID | None]) -> None:
        """Look up everybody a batch names, with their rights at the terminal's plant."""
        ids = {user_id for user_id in user_ids if user_id is not None} - set(self._known)
        if not ids:
            return
        question = select(User.id, User.printed_name).where(User.id.in_(ids), people.may_go_on())
        held = await people.roles_of(self._db, ids, self._db.info["clock"].now())
        plants = self.device.plant_ids or frozenset()
        for user_id, name in await self._db.execute(question):
            rights = (role.permissions for role, plant in held.get(user_id, []) if plant is None or plant in plants)
            self._known[user_id] = replace(
                self.device,
                kind=ActorKind.user,
                id=user_id,
                name=name,
                permissions=frozenset(itertools.chain.from_iterable(rights)),
            )

    def actor(self, user_id: UUID | None) -> Actor:
        """Who acts: the person, or the terminal itself when nobody did."""
        if user_id is None:
            return self.device
        known = self._known.get(user_id)
        return known or replace(self.device, kind=ActorKind.user, id=user_id, name="", permissions=frozenset())

    def flagged(self, stored: StoredFact, fact: Fact) -> StoredFact:
        """The stored fact, flagged if its operator is not an active user here."""
        if fact.performed_by is None or fact.performed_by in self._known:
            return stored
        return replace(stored, flags=(*stored.flags, STALE_USER))
