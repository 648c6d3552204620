"""Roles: made as drafts, filled, given to people for a time, taken away.

A system role is what the matrix says and is not edited. Whoever changes what others may do is
stopped by ``grants``; nobody changes what they may do themselves. Who loses a role loses their
sessions in the same transaction; terminals hear of every change by the feed.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import delete, inspect, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import flag_modified

from foodflow_kernel.errors import Invalid, NotFound, Refused
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines import PERMISSION, ROLE
from foodflow_kernel.machines.identity import PermissionState, RoleState, UserState
from server.core import audit, feed
from server.core.actor import Actor, system
from server.core.models import Plant
from server.identity import grants, matrix, people, sessions
from server.identity.models import Permission, Role, RolePermission, User, UserRole

if TYPE_CHECKING:
    from fastapi import FastAPI

    from server.core.db.sessions import Database, TenantRef

KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
CUSTOM = re.compile(r"custom\.[a-z_]+\.[a-z_]+")


class Give(BaseModel):
    """A role for a person, where and how long."""

    model_config = ConfigDict(extra="forbid")

    role_id: uuid.UUID
    plant_id: uuid.UUID | None = Field(None, description="the one plant it is good for; none: the whole company")
    valid_from: AwareDatetime | None = Field(None, description="not in the past; none: now")
    valid_to: AwareDatetime | None = Field(None, description="the first instant without it; none: until taken away")


class Take(BaseModel):
    """Why somebody loses a role."""

    reason: str = Field(min_length=5, max_length=500)


class Activate(BaseModel):
    """Let a role be given from now on."""


class Edit(BaseModel):
    """One permission to put into a role or to take out of it."""

    model_config = ConfigDict(extra="forbid")

    do: Literal["add", "remove"]
    code: str = Field(max_length=120)


async def define(
    db: AsyncSession, key: str, name: str, codes: Iterable[str], *, state: RoleState = RoleState.active
) -> Role:
    """Make a role with its content, by the system: installation, seeds."""
    role = Role(id=new_id(db.info["clock"].now()), key=key, name=name, state=state)
    db.add(role)
    await db.flush()
    await fill(db, role, codes)
    return role


async def fill(db: AsyncSession, role: Role, codes: Iterable[str]) -> None:
    """Put permissions into a role; the ones it has stay."""
    await people.ensure_roles(db)
    rows = [{"role_id": role.id, "code": code} for code in sorted(set(codes))]
    if rows:
        await db.execute(insert(RolePermission).values(rows).on_conflict_do_nothing())
    await _changed(db, role)


async def check(db: AsyncSession, role: Role) -> None:
    """The last check before a role is written.

    Raises:
        NotAllowed: `permission_missing` for who administers some plants only.
        Refused: `role_is_system`, `role_retired`.
        IllegalMove: retired before it was active.
        Invalid: `role_key_bad`, `role_scope_bad`.
    """
    actor: Actor = db.info["actor"]
    is_new = inspect(role).transient
    actor.require_at(f"identity.role.{'create' if is_new else 'update'}", None)
    if role.is_system:
        raise Refused("role_is_system", key=role.key)
    if is_new:
        if not KEY.fullmatch(role.key):
            raise Invalid("role_key_bad", key=role.key)
        if role.assignable_scope not in (None, "tenant", "plant"):
            raise Invalid("role_scope_bad", scope=role.assignable_scope)
        return
    if role.state is RoleState.retired:
        raise Refused("role_retired", key=role.key)
    if role.retired_at is not None:
        role.state = ROLE.move(role.state, "retire")
        await _end_assignments(db, role)


async def _end_assignments(db: AsyncSession, role: Role) -> None:
    """Everybody who holds a role loses it."""
    mine = (UserRole.role_id == role.id, UserRole.retired_at.is_(None))
    holders = sorted(set((await db.scalars(select(UserRole.user_id).where(*mine))).all()))
    ended = update(UserRole).where(*mine).values(retired_at=db.info["clock"].now())
    await db.execute(ended, execution_options={"synchronize_session": False})
    for user_id in holders:
        await lose(db, user_id)


async def activate(db: AsyncSession, role: Role, _command: Activate) -> Role:
    """Let a draft be given.

    Raises:
        IllegalMove: it is no draft.
        NotAllowed: `permission_missing` for who administers some plants only.
        Refused: `role_is_system`.
    """
    actor: Actor = db.info["actor"]
    actor.require_at("identity.role.activate", None)
    if role.is_system:
        raise Refused("role_is_system", key=role.key)
    role.state = ROLE.move(role.state, "activate")
    return role


async def give(db: AsyncSession, user_id: uuid.UUID, given: Give) -> UserRole:
    """Give a person a role.

    Raises:
        NotFound: `record_unknown`: person, role or plant.
        NotAllowed: `grant_beyond_own`, `person_needed`.
        Refused: `own_role`, `role_not_active`, `role_needs_plant`, `role_needs_end`, `account_disabled`.
        Invalid: `term_bad`.
    """
    actor: Actor = db.info["actor"]
    now = db.info["clock"].now()
    user = await db.get(User, user_id)
    if user is None:
        raise NotFound("record_unknown", id=user_id)
    if user.status is UserState.disabled:
        raise Refused("account_disabled")
    # Held until the commit, so that a role is not retired while it is given.
    query = select(Role).where(Role.id == given.role_id).with_for_update(read=True)
    role = await db.scalar(query.execution_options(populate_existing=True))
    if role is None:
        raise NotFound("record_unknown", id=given.role_id)
    begins = given.valid_from or now
    if begins < now or (given.valid_to is not None and given.valid_to <= begins):
        raise Invalid("term_bad")
    await allow(db, actor, role, plant_id=given.plant_id, until=given.valid_to, receiver=user.id)
    row = UserRole(
        id=new_id(now),
        user_id=user.id,
        role_id=role.id,
        plant_id=given.plant_id,
        valid_from=begins,
        valid_to=given.valid_to,
        told_at=now if begins <= now else None,
    )
    db.add(row)
    await db.flush()
    feed.touch(db, "user", user.id)
    said = given.model_dump(mode="json") | {"user_id": str(user.id), "role": role.key}
    audit.write(db, actor, "identity.user_role.create", "identity.user_role", row.id, said)
    return row


async def named(db: AsyncSession, keys: Iterable[str]) -> list[Role]:
    """The roles of these keys.

    Raises:
        Invalid: `role_unknown`.
    """
    wanted = list(dict.fromkeys(keys))
    found = {role.key: role for role in (await db.scalars(select(Role).where(Role.key.in_(wanted)))).all()}
    for key in wanted:
        if key not in found:
            raise Invalid("role_unknown", role=key)
    return [found[key] for key in wanted]


async def allow(
    db: AsyncSession,
    actor: Actor,
    role: Role,
    *,
    plant_id: uuid.UUID | None,
    until: datetime | None,
    receiver: uuid.UUID | None = None,
) -> None:
    """Stop an actor who may not give this role there and so long. For invitations too, which have no receiver yet.

    Raises:
        NotFound: `record_unknown` for a plant that is not there or not theirs.
        NotAllowed: `permission_missing` at this plant, `grant_beyond_own`, `person_needed`.
        Refused: `own_role`, `role_not_active`, `role_needs_plant`, `role_needs_end`.
    """
    if plant_id is not None and (not actor.sees(plant_id) or await db.get(Plant, plant_id) is None):
        raise NotFound("record_unknown", id=plant_id)
    actor.require_at("identity.user_role.create", plant_id)
    if receiver is not None and receiver == actor.id:
        raise Refused("own_role")
    if role.state is not RoleState.active:
        raise Refused("role_not_active", key=role.key)
    check_term(role, plant_id, until)
    await grants.require(db, actor, role.permissions, plant_id=plant_id, until=until, is_appointment=role.is_system)


def check_term(role: Role, plant_id: uuid.UUID | None, until: datetime | None) -> None:
    """Refuse a role where or as long as it may not be held.

    Raises:
        Refused: `role_needs_plant`, `role_needs_end`.
    """
    if role.assignable_scope == "plant" and plant_id is None:
        raise Refused("role_needs_plant", key=role.key)
    if role.is_system and role.key in matrix.TIMED and until is None:
        raise Refused("role_needs_end", key=role.key)


async def take(db: AsyncSession, held: UserRole, _command: Take) -> UserRole:
    """Take a role away: from the next request on it is gone, and the person signs in again.

    Raises:
        Refused: `role_taken` already, `last_admin`.
        NotAllowed: `permission_missing` for who administers some plants only.
    """
    if held.plant_id is None:
        actor: Actor = db.info["actor"]
        actor.require_at("identity.user_role.take", None)
    if held.retired_at is not None:
        raise Refused("role_taken")
    role = await db.get_one(Role, held.role_id)
    if role.key == people.ADMIN and held.plant_id is None:
        await people.refuse_last_admin(db, held.user_id)
    held.retired_at = db.info["clock"].now()
    await db.flush()
    await lose(db, held.user_id)
    return held


async def lose(db: AsyncSession, user_id: uuid.UUID) -> None:
    """What follows for a person who has just lost a role, in the same transaction."""
    await sessions.end_all(db, user_id, "role_lost")
    feed.touch(db, "user", user_id)


async def edit(db: AsyncSession, role: Role, change: Edit) -> None:
    """Put a permission into a role or take it out.

    Raises:
        Invalid: `permission_unknown`.
        NotAllowed: `grant_beyond_own`, `person_needed`, `permission_missing` for who administers some plants only.
        Refused: `role_is_system`, `role_retired`, `own_role`, `permission_is_custom`, `permission_deprecated`.
    """
    actor: Actor = db.info["actor"]
    actor.require_at("identity.role.update", None)
    if role.is_system:
        raise Refused("role_is_system", key=role.key)
    if role.state is RoleState.retired:
        raise Refused("role_retired", key=role.key)
    known = await db.scalar(select(Permission).where(Permission.code == change.code))
    if known is None:
        raise Invalid("permission_unknown", permission=change.code)
    row = {"role_id": role.id, "code": known.code}
    if change.do == "remove":
        await db.execute(delete(RolePermission).filter_by(**row), execution_options={"synchronize_session": False})
    else:
        if not known.is_system:
            raise Refused("permission_is_custom", permission=known.code)
        if known.state is not PermissionState.active:
            raise Refused("permission_deprecated", permission=known.code)
        mine = select(UserRole.id).where(
            UserRole.role_id == role.id, UserRole.user_id == actor.id, UserRole.retired_at.is_(None)
        )
        if await db.scalar(mine.limit(1)) is not None:
            raise Refused("own_role")
        # A role can be given anywhere and without an end, so its content must be held so.
        await grants.require(db, actor, [known.code])
        await db.execute(insert(RolePermission).values(row).on_conflict_do_nothing())
    await _changed(db, role)


async def _changed(db: AsyncSession, role: Role) -> None:
    """A role has other permissions now: a new version of it, and news for the terminals of who holds it."""
    flag_modified(role, "updated_at")
    await db.flush()
    await db.refresh(role)
    for user_id in await db.scalars(select(UserRole.user_id).where(UserRole.role_id == role.id).distinct()):
        feed.touch(db, "user", user_id)


async def check_permission(_db: AsyncSession, row: Permission) -> None:
    """The last check before a permission is written.

    Raises:
        Refused: `permission_is_system`.
        IllegalMove: retired twice.
        Invalid: `permission_code_bad`, `permission_level_bad`.
    """
    if row.is_system:
        raise Refused("permission_is_system", permission=row.code)
    if not CUSTOM.fullmatch(row.code):
        raise Invalid("permission_code_bad", permission=row.code)
    if row.level not in (None, "normal", "high"):
        raise Invalid("permission_level_bad", level=row.level)
    if row.retired_at is not None:
        row.state = PERMISSION.move(row.state, "deprecate")


async def assignments(db: AsyncSession, user_id: uuid.UUID, plants: frozenset[uuid.UUID] | None) -> list[UserRole]:
    """Every role of a person, taken and ended ones included, by begin.

    Args:
        plants: where the asker may see them; None: everywhere.
    """
    query = select(UserRole).where(UserRole.user_id == user_id)
    if plants is not None:
        query = query.where(or_(UserRole.plant_id.is_(None), UserRole.plant_id.in_(plants)))
    return list((await db.scalars(query.order_by(UserRole.valid_from, UserRole.id))).all())


async def tell_of_time(app: FastAPI, tenant: TenantRef) -> None:
    """Tell the terminals of roles that began or ended by the clock; who lost one signs in again."""
    database: Database = app.state.database
    now = database.clock.now()
    began = (UserRole.valid_from <= now) & UserRole.told_at.is_(None)
    ended = (UserRole.valid_to <= now) & (UserRole.told_at < UserRole.valid_to)
    query = select(UserRole).where(UserRole.retired_at.is_(None), or_(began, ended)).order_by(UserRole.user_id)
    async with database.tenant_session(tenant.id, system(tenant.id, "assignments")) as db:
        for row in (await db.scalars(query.with_for_update())).all():
            row.told_at = now
            if row.valid_to is not None and row.valid_to <= now:
                await lose(db, row.user_id)
                said = {"user_id": str(row.user_id), "role_id": str(row.role_id)}
                audit.write(db, db.info["actor"], "identity.user_role.ended", "identity.user_role", row.id, said)
            else:
                feed.touch(db, "user", row.user_id)
