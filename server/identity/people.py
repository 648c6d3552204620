"""People and their rights: make a user, give a role, sum up what somebody may do."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import Invalid, Refused
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines import USER
from foodflow_kernel.machines.identity import UserState
from server.core.actor import Actor, ActorKind
from server.identity import matrix, passwords, pins, sessions
from server.identity.models import Role, User, UserRole

ADMIN = "TA"


class NewUser(BaseModel):
    """What is needed to make a person's account."""

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


async def ensure_roles(db: AsyncSession) -> dict[str, Role]:
    """The system roles with the permissions the matrix gives them now."""
    clock: Clock = db.info["clock"]
    known = {role.key: role for role in (await db.scalars(select(Role))).all()}
    for key, name in matrix.ROLES.items():
        granted = sorted(matrix.grants(key, matrix.declared()))
        if key not in known:
            known[key] = Role(id=new_id(clock.now()), key=key, name=name, is_system=True, permissions=granted)
            db.add(known[key])
        elif known[key].permissions != granted:
            known[key].permissions = granted
    await db.flush()
    return known


async def add(db: AsyncSession, new: NewUser) -> User:
    """Make an active account with its roles.

    Raises:
        Invalid: `pin_weak`, `password_short`, `password_common`, `role_unknown`.
    """
    clock: Clock = db.info["clock"]
    now = clock.now()
    if new.password is not None:
        passwords.check(new.password, (new.login_code, new.email, new.printed_name))
    roles = await ensure_roles(db)
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
        db.add(UserRole(id=new_id(now), user_id=user.id, role_id=roles[key].id, plant_id=new.plant_id, valid_from=now))
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

    Raises:
        Refused: `last_admin`.
    """
    # Locked, so that two admins cannot disable each other at the same time.
    await db.scalar(select(Role.id).where(Role.key == ADMIN).with_for_update(key_share=True))
    now = db.info["clock"].now()
    admins = (
        select(UserRole.user_id)
        .join(Role, Role.id == UserRole.role_id)
        .join(User, User.id == UserRole.user_id)
        .where(
            Role.key == ADMIN,
            UserRole.plant_id.is_(None),
            UserRole.valid_from <= now,
            or_(UserRole.valid_to.is_(None), UserRole.valid_to > now),
            User.status == UserState.active,
        )
    )
    if set((await db.scalars(admins)).all()) == {user_id}:
        raise Refused("last_admin")


def may_go_on() -> ColumnElement[bool]:
    """``User.may_go_on`` as a question to the database."""
    is_barred = (User.status == UserState.locked) & User.locked_until.is_not(None)
    return or_(User.status == UserState.active, is_barred)


async def roles_of(
    db: AsyncSession, user_ids: Iterable[uuid.UUID], at: datetime
) -> dict[uuid.UUID, list[tuple[Role, uuid.UUID | None]]]:
    """The roles that people hold at an instant, each with the plant it is limited to."""
    query = (
        select(UserRole.user_id, Role, UserRole.plant_id)
        .join(Role, Role.id == UserRole.role_id)
        .where(
            UserRole.user_id.in_(list(user_ids)),
            UserRole.valid_from <= at,
            or_(UserRole.valid_to.is_(None), UserRole.valid_to > at),
            Role.retired_at.is_(None),
        )
    )
    found: dict[uuid.UUID, list[tuple[Role, uuid.UUID | None]]] = {}
    for user_id, role, plant_id in (await db.execute(query)).all():
        found.setdefault(user_id, []).append((role, plant_id))
    return found


async def permissions_of(db: AsyncSession, user_id: uuid.UUID, plant_id: uuid.UUID | None = None) -> frozenset[str]:
    """Effective codes of a person, at one plant or anywhere."""
    clock: Clock = db.info["clock"]
    held = (await roles_of(db, [user_id], clock.now())).get(user_id, [])
    return frozenset(
        code
        for role, plant in held
        if plant is None or plant_id is None or plant == plant_id
        for code in role.permissions
    )


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
    )
