"""``foodflow-server platform user``: what is done with accounts of those who run the platform, in words."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from server.core.db.sessions import Database
from server.identity import platform_users
from server.identity.operators import PlatformUser

WHO = "foodflow-server"
SHORTEST, LONGEST = 5, 500
"""Letters of a reason."""

Change = Callable[[Database, AsyncSession, UUID, str], Awaitable[PlatformUser]]


async def listed(database: Database) -> None:
    """Say who runs the platform."""
    async with database.platform_session() as db:
        for each in await platform_users.everybody(db):
            factor = "second factor" if each.has_totp else "password only"
            sys.stdout.write(f"{each.email}  {each.printed_name}  {_state(each)}  {factor}\n")


async def change(database: Database, email: str, reason: str, how: Change) -> None:
    """Change the account of an e-mail and say what it is now."""
    async with database.platform_session() as db:
        user = await how(database, db, await platform_users.named(db, email), reason)
    sys.stdout.write(f"{user.email}: {_state(user)}\n")


def reason(text: str) -> str:
    """A reason as a command takes it."""
    if not SHORTEST <= len(text) <= LONGEST or "\0" in text:
        raise argparse.ArgumentTypeError(f"{SHORTEST} to {LONGEST} letters")
    return text


async def _disable(database: Database, db: AsyncSession, user_id: UUID, why: str) -> PlatformUser:
    return await platform_users.disable(database, db, user_id, WHO, why)


async def _enable(database: Database, db: AsyncSession, user_id: UUID, why: str) -> PlatformUser:
    return await platform_users.enable(db, user_id, WHO, database.clock.now(), why)


async def _reset_mfa(database: Database, db: AsyncSession, user_id: UUID, why: str) -> PlatformUser:
    return await platform_users.reset_mfa(db, user_id, WHO, database.clock.now(), why)


CHANGES: dict[str, tuple[Change, str]] = {
    "disable": (_disable, "shut somebody out at once who runs the platform; never the last one"),
    "enable": (_enable, "let somebody in again, once it is sure who it is"),
    "reset-mfa": (_reset_mfa, "forget a second factor whose phone and recovery codes are lost"),
}
"""Verb to what it does, and how the command says it."""


def _state(user: PlatformUser) -> str:
    return "active" if user.disabled_at is None else f"disabled {user.disabled_at:%Y-%m-%d}"
