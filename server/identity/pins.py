"""PINs: what one may be, how wrong ones are slowed down, and when a new one is due (21 CFR 11.300).

Five wrong in a row, at whatever door, and the next try waits 30 s, then twice as long each time;
a supervisor clears it. A PIN that somebody else set, or that is a year old, is good for one thing:
setting one's own.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from pydantic import BaseModel, Field
from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from foodflow_kernel.errors import Invalid, NotAllowed, NotFound
from foodflow_kernel.machines.identity import TenantState, UserState
from foodflow_kernel.wire import pin
from server.core import access, audit
from server.core.actor import system
from server.core.db.sessions import TenantRef, current_tenant
from server.core.jobs import Periodic
from server.core.room import Room
from server.identity import attempts, sessions
from server.identity.models import User

if TYPE_CHECKING:
    from server.core.db.sessions import Database

FREE = 5
"""Wrong ones in a row before the first wait."""
FIRST_WAIT_S = 30
LONGEST_WAIT_S = 24 * 3600
MAX_AGE = timedelta(days=365)

router = Room(tags=["auth"])


class Change(BaseModel):
    """Whose PIN, the present one and the next."""

    tenant: str = Field(max_length=40)
    login: str = Field(max_length=200, description="e-mail or badge")
    old_pin: str = Field(max_length=12)
    new_pin: str = Field(max_length=12)


def check(text: str) -> None:
    """A PIN of four to six digits without runs and repeats.

    Raises:
        Invalid: `pin_weak`.
    """
    digits = [int(each) for each in text if each.isdecimal()]
    steps = {b - a for a, b in itertools.pairwise(digits)}
    if not re.fullmatch(r"[0-9]{4,6}", text) or steps in ({0}, {1}, {-1}):
        raise Invalid("pin_weak")


def give(user: User, text: str, now: datetime, *, is_own: bool) -> None:
    """Set a PIN; one that is not set by the person is good for setting their own.

    Raises:
        Invalid: `pin_weak`.
    """
    check(text)
    user.pin_base, user.pin_set_at, user.is_pin_one_use = pin.new_base(text), now, not is_own
    user.failed_attempts, user.pin_wait_until = 0, None


def refuse_if_waiting(user: User, now: datetime) -> None:
    """Stop a try while a wait lasts; it does not count.

    Raises:
        NotAllowed: `pin_wait`, with the seconds that are left.
    """
    if user.pin_wait_until is not None and user.pin_wait_until > now:
        raise NotAllowed("pin_wait", retry_after=int((user.pin_wait_until - now).total_seconds()) + 1)


def must_change(user: User, now: datetime) -> bool:
    """Whether the PIN is good for nothing but setting the next one."""
    return user.is_pin_one_use or (user.pin_set_at is not None and user.pin_set_at <= now - MAX_AGE)


async def is_right(user: User, text: str) -> bool:
    """Whether this is the person's PIN; takes as long for somebody who has none."""
    if user.pin_base is None:
        await asyncio.to_thread(pin.stretch, text, b"nobody's salt...")
        return False
    return await asyncio.to_thread(pin.verify, text, pin.for_device(user.pin_base, b"server"), b"server")


async def count(db: AsyncSession, user: User, *, is_right: bool) -> None:
    """Note a try of a person whose row is locked: a right one ends the row of wrong ones."""
    if is_right and user.failed_attempts == 0:
        return
    wrong = 0 if is_right else user.failed_attempts + 1
    wait_s = min(FIRST_WAIT_S * 2 ** min(wrong - FREE, 20), LONGEST_WAIT_S) if wrong >= FREE else 0
    until = db.info["clock"].now() + timedelta(seconds=wait_s) if wait_s else None
    # Not through the ORM: this is no news for the terminals that hold the person's row.
    noted = update(User).where(User.id == user.id).values(failed_attempts=wrong, pin_wait_until=until)
    await db.execute(noted, execution_options={"synchronize_session": False})
    set_committed_value(user, "failed_attempts", wrong)
    set_committed_value(user, "pin_wait_until", until)
    if wait_s:
        audit.write(db, sessions.person(db, user), "auth.pin_wait", "identity.user", user.id, {"seconds": wait_s})


@router.post("/auth/pin-change", status_code=204, dependencies=[access.SELDOM], responses=access.PROBLEMS)
async def change(request: Request, body: Change) -> None:
    """Set a new PIN by the present one.

    Raises:
        NotAllowed: `sign_in_failed`, `sign_in_locked`, `pin_wait`. Invalid: `pin_weak`, `pin_same`.
    """
    database: Database = request.app.state.database
    address = request.client.host if request.client else ""
    try:
        tenant = await database.tenant_by_slug(body.tenant)
    except NotFound:
        tenant = None
    if tenant is None or tenant.state is not TenantState.active:
        await asyncio.to_thread(pin.stretch, body.old_pin, b"nobody's salt...")
        raise NotAllowed("sign_in_failed")
    current_tenant.set(tenant.id)
    async with database.tenant_session(tenant.id, system(tenant.id, "pin change")) as db:
        error = await _change(db, body, address)
    if error is not None:
        raise error


async def _change(db: AsyncSession, body: Change, address: str) -> NotAllowed | None:
    """Change it, or say why not: what is counted is kept in both cases."""
    now = db.info["clock"].now()
    named = or_(User.email == body.login, User.login_code == body.login)
    user = await db.scalar(select(User).where(named).with_for_update(key_share=True))
    # Counted for the address alone: wrong PINs of a person slow the PIN down, not the password's door.
    name = attempts.name_of(None, body.login)
    try:
        await attempts.refuse_if_locked(db, None, name if user is None else "", address)
    except NotAllowed as locked:
        return locked
    if user is None:
        await asyncio.to_thread(pin.stretch, body.old_pin, b"nobody's salt...")
        await attempts.wrong(db, None, name, address)
        return NotAllowed("sign_in_failed")
    try:
        refuse_if_waiting(user, now)
    except NotAllowed as waits:
        return waits
    good = await is_right(user, body.old_pin) and user.may_go_on
    await count(db, user, is_right=good)
    if not good:
        await attempts.wrong(db, None, name, address)
        audit.write(db, sessions.person(db, user), "auth.pin_change_failed", "identity.user", user.id)
        return NotAllowed("sign_in_failed")
    if body.new_pin == body.old_pin:
        raise Invalid("pin_same")
    give(user, body.new_pin, now, is_own=True)
    audit.write(db, sessions.person(db, user), "auth.pin_change", "identity.user", user.id)
    return None


async def age(app: FastAPI, tenant: TenantRef) -> None:
    """Have PINs that are a year old changed: terminals are told, and take them no more."""
    database: Database = app.state.database
    async with database.tenant_session(tenant.id, system(tenant.id, "old PINs")) as db:
        old = select(User).where(
            User.pin_set_at <= database.clock.now() - MAX_AGE,
            User.is_pin_one_use.is_(False),
            User.status != UserState.disabled,
        )
        for user in (await db.scalars(old.with_for_update(key_share=True))).all():
            user.is_pin_one_use = True
            audit.write(db, db.info["actor"], "auth.pin_too_old", "identity.user", user.id)


JOBS = (Periodic("identity.pins", 3600, age),)
