"""Nobody gives a role that holds more than they hold there themselves."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import Invalid, NotAllowed
from server.core.actor import Actor
from server.identity.models import Role

APPOINT = "identity.role.approve"
"""Who approves roles gives the system roles, whose content a company cannot change, without holding all that is in
them: otherwise nobody could make the first operator without being one."""


async def require_grantable(
    db: AsyncSession, actor: Actor, keys: Iterable[str], plant_id: uuid.UUID | None
) -> list[Role]:
    """The roles of these keys, if the actor may give them at a plant, or in the whole company.

    Raises:
        Invalid: `role_unknown`. NotAllowed: `role_beyond_own`, naming what is not held.
    """
    wanted = list(dict.fromkeys(keys))
    found = {role.key: role for role in (await db.scalars(select(Role).where(Role.key.in_(wanted)))).all()}
    for key in wanted:
        if key not in found:
            raise Invalid("role_unknown", role=key)
        role = found[key]
        if role.is_system and _holds(actor, APPOINT, plant_id):
            continue
        for code in role.permissions:
            if not _holds(actor, code, plant_id):
                raise NotAllowed("role_beyond_own", role=key, permission=code)
    return [found[key] for key in wanted]


def _holds(actor: Actor, code: str, plant_id: uuid.UUID | None) -> bool:
    plants = actor.plants_with(code)
    return actor.may(code) and (plants is None or (plant_id is not None and plant_id in plants))
