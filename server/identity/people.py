"""People and their rights: make a user, give a role, sum up what somebody may do."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, Table, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import Invalid, Refused
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines import USER
from foodflow_kernel.machines.identity import PermissionState, RoleState, UserState
from server.core import feed
from server.core.actor import Actor, ActorKind
from server.core.db import copying
from server.identity import matrix, passwords, pins, sessions
from server.identity.models import Permission, Role, RolePermission, User, UserRole

ADMIN = "TA"
_PLAIN = {"synchronize_session": False}


class NewUser(BaseModel):
    """What is needed to make a person's account; whoever offers this to people checks the roles (``roles.check``)."""

    login_code: str = Field(min_length=3, max_length=40)
    short_no: str = Field(pattern=r"^\d{2,6}$")
    printed_name: str = Field(min_length=1, max_length=120)
    email: str | None = None
    names: dict[str, str] = {}
    password: str | None = None
    pin: str | None = None
    locale: str = "en"
    roles: tuple[str, ...] = ()
    plant_id: uuid.UUID | None = None
    roles_until: datetime | None = None


async def ensure_roles(db: AsyncSession) -> dict[str, Role]:
    """The system permissions and roles as the matrix has them now; what a release no longer asks for is deprecated."""
    clock: Clock = db.info["clock"]
    codes, now = matrix.declared(), clock.now()
    known = {role.key: role for role in (await db.scalars(select(Role).where(Role.is_system))).all()}
    wanted = {key: sorted(matrix.grants(key, codes)) for key in matrix.ROLES}
    if {key: role.permissions for key, role in known.items()} == wanted:
        return known
    await _ensure_permissions(db, codes, now)
    for key, name in matrix.ROLES.items():
        if key not in known:
            known[key] = Role(
                id=new_id(now), key=key, name=name, is_system=True, assignable_scope=matrix.scope(key),
                state=RoleState.active,
            )  # fmt: skip
            db.add(known[key])
    await db.flush()
    ids = [role.id for role in known.values()]
    await db.execute(delete(RolePermission).where(RolePermission.role_id.in_(ids)), execution_options=_PLAIN)
    held = [{"role_id": role.id, "code": code} for key, role in known.items() for code in wanted.get(key, ())]
    await copying.insert_new(db, cast("Table", RolePermission.__table__), held)
    fresh = select(Role).where(Role.id.in_(ids)).execution_options(populate_existing=True)
    for user_id in await db.scalars(select(UserRole.user_id).where(UserRole.role_id.in_(ids)).distinct()):
        feed.touch(db, "user", user_id)
    return {role.key: role for role in (await db.scalars(fresh)).all()}


async def _ensure_permissions(db: AsyncSession, codes: frozenset[str], now: datetime) -> None:
    rows = [{"id": new_id(now), "code": code, "level": matrix.level(code)} for code in sorted(codes)]
    ours = {
        "is_system": True,
        "state": PermissionState.active,
        "version": 1,
        "created_at": now,
        "updated_at": now,
    }
    if not await db.scalar(select(Permission.id).where(Permission.is_system).limit(1)):
        # A new company: thousands of parameters cost more than storing them.
        stamps = {"created_by": None, "updated_by": None, "retired_at": None}
        await copying.insert_new(db, cast("Table", Permission.__table__), [row | ours | stamps for row in rows])
        return
    new = upsert(Permission).values([row | ours for row in rows])
    same = {"level": new.excluded.level, "state": new.excluded.state}
    await db.execute(new.on_conflict_do_update(index_elements=["code"], set_=same), execution_options=_PLAIN)
    gone = update(Permission).where(Permission.is_system, Permission.code.not_in(codes))
    await db.execute(gone.values(state=PermissionState.deprecated), execution_options=_PLAIN)


async def add(db: AsyncSession, new: NewUser) -> User:
    """Make an active account with its roles.

    Raises:
        Invalid: `pin_weak`, `password_short`, `password_common`, `role_unknown`.
    """
    clock: Clock = db.info["clock"]
    now = clock.now()
    if new.password is not None:
        passwords.check(new.password, (new.login_code, new.email, new.printed_name))
    await ensure_roles(db)
    named = select(Role).where(Role.key.in_(new.roles), Role.state == RoleState.active)
    roles = {role.key: role for role in (await db.scalars(named)).all()}
    user = User(
        id=new_id(now),
        login_code=new.login_code,
        short_no=new.short_no,
        printed_name=new.printed_name,
        email=new.email,
        names=new.names,
        password_hash=passwords.HASHER.hash(new.password) if new.password else None,
        locale=new.locale,
        status=UserState.active,
    )
    if new.pin is not None:
        pins.give(user, new.pin, now, is_own=True)
    db.add(user)
    await db.flush()
    for key in new.roles:
        if key not in roles:
            raise Invalid("role_unknown", role=key)
        term = {"plant_id": new.plant_id, "valid_from": now, "valid_to": new.roles_until, "told_at": now}
        db.add(UserRole(id=new_id(now), user_id=user.id, role_id=roles[key].id, **term))
    await db.flush()
    return user


class Disable(BaseModel):
    """Why somebody may no longer sign in."""

    reason: str = Field(min_length=5, max_length=500)


async def disable(db: AsyncSession, user: User, _command: Disable) -> User:
    """Shut a person out at once: account, sessions and tokens in one transaction.

    Raises:
        IllegalMove: the account is not active.
        Refused: `last_admin`: nobody would be left who could undo it.
    """
    state = USER.move(user.status, "disable")
    await refuse_last_admin(db, user.id)
    user.status, user.locked_until = state, None
    await db.flush()
    await sessions.end_all(db, user.id, "disabled")
    return user


async def refuse_last_admin(db: AsyncSession, user_id: uuid.UUID) -> None:
    """Stop what would leave a company without anybody who administers all of it.

    Who administers only until some day does not count: after that day nobody would.

    Raises:
        Refused: `last_admin`.
    """
    # Locked, so that two admins cannot disable each other at the same time.
    await db.scalar(select(Role.id).where(Role.key == ADMIN).with_for_update(key_share=True))
    admins = (
        select(UserRole.user_id, UserRole.valid_to)
        .join(Role, Role.id == UserRole.role_id)
        .join(User, User.id == UserRole.user_id)
        .where(
            Role.key == ADMIN,
            UserRole.plant_id.is_(None),
            *holds_at(db.info["clock"].now()),
            User.status == UserState.active,
        )
    )
    held = (await db.execute(admins)).all()
    lasting = {user for user, until in held if until is None}
    if user_id in {user for user, _ in held} and not lasting - {user_id}:
        raise Refused("last_admin")


def holds_at(at: datetime) -> tuple[ColumnElement[bool], ...]:
    """The assignments that count at an instant."""
    return (
        UserRole.valid_from <= at,
        or_(UserRole.valid_to.is_(None), UserRole.valid_to > at),
        UserRole.retired_at.is_(None),
    )


def may_go_on(of: Any = User) -> ColumnElement[bool]:
    """``User.may_go_on`` as a question to the database, of the model or its table's columns."""
    is_barred = (of.status == UserState.locked) & of.locked_until.is_not(None)
    return or_(of.status == UserState.active, is_barred)


async def roles_of(
    db: AsyncSession, user_ids: Iterable[uuid.UUID], at: datetime
) -> dict[uuid.UUID, list[tuple[Role, uuid.UUID | None]]]:
    """The roles that people hold at an instant, each with the plant it is limited to."""
    query = (
        select(UserRole.user_id, Role, UserRole.plant_id)
        .join(Role, Role.id == UserRole.role_id)
        .where(UserRole.user_id.in_(list(user_ids)), *holds_at(at), Role.state == RoleState.active)
    )
    found: dict[uuid.UUID, list[tuple[Role, uuid.UUID | None]]] = {}
    for user_id, role, plant_id in (await db.execute(query)).all():
        found.setdefault(user_id, []).append((role, plant_id))
    return found


async def actor_of(db: AsyncSession, user: User, tenant_id: uuid.UUID, device_id: uuid.UUID | None = None) -> Actor:
    """The actor that a person is, with all rights and the plants they are limited to."""
    clock: Clock = db.info["clock"]
    held = (await roles_of(db, [user.id], clock.now())).get(user.id, [])
    plants = {plant for _, plant in held}
    rights: dict[uuid.UUID | None, frozenset[str]] = {}
    for role, plant in held:
        rights[plant] = rights.get(plant, frozenset()) | frozenset(role.permissions)
    return Actor(
        ActorKind.user,
        tenant_id,
        user.id,
        user.printed_name,
        frozenset(itertools.chain.from_iterable(rights.values())),
        None if None in plants else frozenset(plant for plant in plants if plant is not None),
        device_id,
        rights,
        reads_only=bool(held) and all(role.is_system and role.key in matrix.READ_ONLY for role, _ in held),
    )
