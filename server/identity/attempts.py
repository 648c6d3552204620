"""Wrong passwords and codes are counted, whatever they were tried at: five in fifteen minutes lock.

Per person and per address. A try that the lock refuses does not count: nobody keeps a door shut by
knocking. A name nobody has is counted under its hash: people type passwords into the wrong field,
and those are never kept.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import NotAllowed
from foodflow_kernel.machines import USER
from foodflow_kernel.machines.identity import UserState
from server.core import audit
from server.core.actor import system
from server.identity.models import LoginAttempt, User

MAX_WRONG = 5
MAX_WRONG_OF_ADDRESS = 20
"""A plant's laptops share one address."""
WINDOW = timedelta(minutes=15)
LOCKED = "sign_in_locked"


def name_of(user: User | None, typed: str) -> str:
    """Under what a try is counted: e-mail and badge of a person together."""
    if user is not None:
        return user.login_code
    return "?" + hashlib.sha256(typed.casefold().encode()).hexdigest()[:16]


async def right(db: AsyncSession, name: str, address: str) -> None:
    """Note a try that was right."""
    db.add(LoginAttempt(at=db.info["clock"].now(), login=name, address=address, is_success=True))


async def wrong(db: AsyncSession, user: User | None, name: str, address: str) -> None:
    """Count a wrong try; the fifth locks the person, whose row is locked, for a quarter of an hour."""
    now = db.info["clock"].now()
    db.add(LoginAttempt(at=now, login=name, address=address, is_success=False))
    await db.flush()
    if user is None or user.status is not UserState.active or await _wrong(db, LoginAttempt.login == name) < MAX_WRONG:
        return
    user.status, user.locked_until = USER.move(user.status, "lock"), now + WINDOW
    _note(db, user, "identity.user.lock", "wrong tries")


async def refuse_if_locked(db: AsyncSession, user: User | None, name: str, address: str | None = None) -> None:
    """Stop who has been wrong too often; open the lock of a person, whose row is locked, when its time is over.

    Raises:
        NotAllowed: `sign_in_locked`.
    """
    now = db.info["clock"].now()
    if user is not None and user.status is UserState.locked and user.locked_until is not None:
        if user.locked_until > now:
            raise locked()
        await unlock(db, user)
        _note(db, user, "identity.user.unlock", "time is over")
    elif user is None and await _wrong(db, LoginAttempt.login == name) >= MAX_WRONG:
        raise locked()
    if address is not None and await _wrong(db, LoginAttempt.address == address) >= MAX_WRONG_OF_ADDRESS:
        raise locked()


def locked() -> NotAllowed:
    """The refusal of a lock, the same for a person and for nobody."""
    return NotAllowed("sign_in_locked", minutes=int(WINDOW.total_seconds() // 60))


async def unlock(db: AsyncSession, user: User) -> None:
    """Open a person's lock and forget the wrong tries behind it.

    Raises:
        IllegalMove: the account is not locked.
    """
    user.status, user.locked_until = USER.move(user.status, "unlock"), None
    theirs = delete(LoginAttempt).where(LoginAttempt.login == user.login_code, LoginAttempt.is_success.is_(False))
    await db.execute(theirs, execution_options={"synchronize_session": False})


def _note(db: AsyncSession, user: User, action: str, reason: str) -> None:
    audit.write(db, system(db.info["tenant_id"], "sign-in"), action, "identity.user", user.id, reason=reason)


async def _wrong(db: AsyncSession, whose: ColumnElement[bool]) -> int:
    since = db.info["clock"].now() - WINDOW
    failed = select(func.count()).where(LoginAttempt.at > since, LoginAttempt.is_success.is_(False), whose)
    return await db.scalar(failed) or 0
