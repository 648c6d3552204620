"""Wrong passwords and PINs are counted, whatever they were tried at: five in fifteen minutes lock.

Per person and per address. A name nobody has is counted under its hash: people type passwords
into the wrong field, and those are never kept.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import NotAllowed
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


def add(db: AsyncSession, name: str, address: str, *, is_success: bool) -> None:
    """Count a try."""
    db.add(LoginAttempt(at=db.info["clock"].now(), login=name, address=address, is_success=is_success))


async def refuse_if_locked(db: AsyncSession, name: str, address: str | None = None) -> None:
    """Stop who has been wrong too often.

    Raises:
        NotAllowed: `sign_in_locked`.
    """
    is_locked = await _wrong(db, LoginAttempt.login == name) >= MAX_WRONG
    if not is_locked and address is not None:
        is_locked = await _wrong(db, LoginAttempt.address == address) >= MAX_WRONG_OF_ADDRESS
    if is_locked:
        raise NotAllowed("sign_in_locked", minutes=int(WINDOW.total_seconds() // 60))


async def _wrong(db: AsyncSession, whose: ColumnElement[bool]) -> int:
    since = db.info["clock"].now() - WINDOW
    failed = select(func.count()).where(LoginAttempt.at >= since, LoginAttempt.is_success.is_(False), whose)
    return await db.scalar(failed) or 0
