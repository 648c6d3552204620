"""Nobody hands out what they do not hold: the guard of roles, their content, and keys.

To hold a permission is to hold it where and for as long as it is handed out: at that plant, or in
the whole company; until that day, or without an end. The one exception is who may ``appoint`` (the
tenant admin): the system roles, whose content a company cannot change, and never to themselves.
Otherwise nobody could make the first operator without being one (docs/decisions/0021).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import NotAllowed
from foodflow_kernel.machines.identity import RoleState
from server.core.actor import Actor, ActorKind
from server.identity import people
from server.identity.models import Role, UserRole

APPOINT = "identity.user_role.appoint"
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Held:
    """Codes that somebody holds now, where and until when; None: everywhere, without an end."""

    codes: frozenset[str]
    plant_id: uuid.UUID | None
    until: datetime | None

    def covers(self, code: str, plant_id: uuid.UUID | None, until: datetime | None) -> bool:
        """Whether this is enough to hand out a code there and so long."""
        is_there = self.plant_id is None or self.plant_id == plant_id
        is_long_enough = self.until is None or (until is not None and until <= self.until)
        return code in self.codes and is_there and is_long_enough


async def held_by(db: AsyncSession, user_id: uuid.UUID) -> list[Held]:
    """What a person holds now, read afresh: a right that was just lost hands out nothing."""
    query = (
        select(Role.permissions, UserRole.plant_id, UserRole.valid_to)
        .join(Role, Role.id == UserRole.role_id)
        .where(UserRole.user_id == user_id, *people.holds_at(db.info["clock"].now()), Role.state == RoleState.active)
    )
    return [Held(frozenset(codes), plant, until) for codes, plant, until in (await db.execute(query)).all()]


async def require(
    db: AsyncSession,
    actor: Actor,
    codes: Iterable[str],
    *,
    plant_id: uuid.UUID | None = None,
    until: datetime | None = None,
    is_appointment: bool = False,
) -> None:
    """Stop who would hand out more than they hold.

    Args:
        plant_id: where it shall be good for; None: in the whole company.
        until: how long; None: without an end.
        is_appointment: a system role is given, which needs ``APPOINT`` or all that is in it.

    Raises:
        NotAllowed: `person_needed` for a program or terminal, `grant_beyond_own` naming what is not held.
    """
    if actor.kind is ActorKind.system:
        return
    held = await held_by(db, actor.person())
    if is_appointment and any(each.covers(APPOINT, plant_id, until) for each in held):
        return
    missing = sorted(code for code in set(codes) if not any(each.covers(code, plant_id, until) for each in held))
    if missing:
        raise NotAllowed("grant_beyond_own", permissions=missing[:_SHOWN])
