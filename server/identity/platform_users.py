"""Accounts of those who run the platform: shut out and let in again, and a second factor of their own.

Somebody is always left who can sign in. Who is shut out is out at once: tokens fall with the
account, and what they have open at companies is ended in those companies' sight. Codes and secrets
are as those of a company's people (``second_factor``).
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import IllegalMove, NotAllowed, NotFound, Refused
from foodflow_kernel.ids import new_id
from server.core import access, sealed
from server.core.room import Room
from server.identity import break_glass, operators, second_factor
from server.identity.operators import PlatformRecoveryCode, PlatformUser
from server.identity.second_factor import Enroll, Enrolled, Remove, Verified, Verify
from server.identity.tenants import Reason

if TYPE_CHECKING:
    from server.core.db.sessions import Database

router = Room(tags=["auth"])


class PlatformUserOut(BaseModel):
    """Somebody who runs the platform."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    email: str
    printed_name: str
    has_totp: bool
    created_at: datetime
    disabled_at: datetime | None


@router.get("/platform/users", dependencies=[operators.needs("platform.user.read")], responses=access.PROBLEMS)
async def list_users(request: Request) -> list[PlatformUserOut]:
    """Who runs the platform, and who did, by e-mail."""
    database: Database = request.app.state.database
    async with database.platform_session() as db:
        return [PlatformUserOut.model_validate(row) for row in await everybody(db)]


@router.post(
    "/platform/users/{user_id}:disable",
    dependencies=[operators.needs("platform.user.disable")],
    responses=access.PROBLEMS,
)
async def disable_user(request: Request, user_id: uuid.UUID, body: Reason) -> PlatformUserOut:
    """Shut somebody out at once, oneself too; never the last one."""
    database: Database = request.app.state.database
    async with database.platform_session() as db:
        user = await disable(database, db, user_id, request.state.operator, body.reason)
    return PlatformUserOut.model_validate(user)


@router.post(
    "/platform/users/{user_id}:enable",
    dependencies=[operators.needs("platform.user.enable")],
    responses=access.PROBLEMS,
)
async def enable_user(request: Request, user_id: uuid.UUID, body: Reason) -> PlatformUserOut:
    """Let somebody in again whose identity was checked anew; password and second factor are as they were."""
    database: Database = request.app.state.database
    async with database.platform_session() as db:
        user = await enable(db, user_id, request.state.operator, database.clock.now(), body.reason)
    return PlatformUserOut.model_validate(user)


@router.post("/platform/mfa/enroll", dependencies=[operators.needs("platform.user.update")], responses=access.PROBLEMS)
async def enroll(request: Request, response: Response, body: Enroll) -> Enrolled:
    """Make a secret for an authenticator app; it counts once a code of it was shown (`/platform/mfa/verify`).

    Raises:
        NotAllowed: `signature_failed`, `sign_in_locked`. Refused: `totp_already`.
    """
    response.headers["Cache-Control"] = "no-store"
    async with _own(request) as (db, user, now):
        await _prove(user, body.password)
        if user.has_totp:
            raise Refused("totp_already")
        made = second_factor.new_secret(user.email)
        bound = (operators.TOTP_PURPOSE, operators.NO_COMPANY, user.id)
        user.totp_secret = sealed.seal(request.app.state.secret, *bound, made.secret.encode())
        user.totp_last_step = None
        operators.note(db, user, now, "platform.auth.mfa_enrolled", user.id)
    return made


@router.post("/platform/mfa/verify", dependencies=[operators.needs("platform.user.update")], responses=access.PROBLEMS)
async def verify(request: Request, response: Response, body: Verify) -> Verified:
    """Show that the app has the secret: from now on each sign-in asks for a code.

    Raises:
        NotAllowed: `totp_wrong`, `sign_in_locked`. Refused: `totp_already`, `totp_not_enrolled`.
    """
    response.headers["Cache-Control"] = "no-store"
    async with _own(request) as (db, user, now):
        if user.has_totp:
            raise Refused("totp_already")
        if user.totp_secret is None:
            raise Refused("totp_not_enrolled")
        if not operators.spend_code(request.app.state.secret, user, body.code, now):
            raise NotAllowed("totp_wrong")
        user.totp_confirmed_at, codes = now, second_factor.new_codes()
        db.add_all(
            PlatformRecoveryCode(id=new_id(now), user_id=user.id, code_sha256=second_factor.digest(code))
            for code in codes
        )
        operators.note(db, user, now, "platform.auth.mfa_on", user.id)
    return Verified(recovery_codes=codes)


@router.post(
    "/platform/mfa/remove",
    status_code=204,
    dependencies=[operators.needs("platform.user.update")],
    responses=access.PROBLEMS,
)
async def remove(request: Request, body: Remove) -> None:
    """Sign in without a second factor from now on; all tokens end, this one too.

    Raises:
        NotAllowed: `signature_failed`, `totp_wrong`, `sign_in_locked`. Refused: `totp_not_enrolled`.
    """
    async with _own(request) as (db, user, now):
        await _prove(user, body.password)
        if not user.has_totp:
            raise Refused("totp_not_enrolled")
        if not await operators.spend(db, request.app.state.secret, user, body.code, now):
            raise NotAllowed("totp_wrong")
        await _clear(db, user)
        operators.note(db, user, now, "platform.auth.mfa_off", user.id)


async def everybody(db: AsyncSession) -> Sequence[PlatformUser]:
    """Who runs the platform, and who did, by e-mail."""
    return (await db.scalars(select(PlatformUser).order_by(PlatformUser.email))).all()


async def disable(
    database: Database, db: AsyncSession, user_id: uuid.UUID, who: PlatformUser | str, reason: str
) -> PlatformUser:
    """Shut somebody out: account, tokens and what they have open at companies.

    Raises:
        NotFound: `record_unknown`. IllegalMove: they are shut out already.
        Refused: `platform_user_last`: nobody would be left who could undo it.
    """
    # All of them locked, in one order: two cannot shut each other out at the same time.
    asked = select(PlatformUser).where(PlatformUser.disabled_at.is_(None)).order_by(PlatformUser.id)
    active = {user.id: user for user in (await db.scalars(asked.with_for_update(key_share=True))).all()}
    user = active.get(user_id)
    if user is None:
        await _load(db, user_id)
        raise IllegalMove("platform user", "disabled", "disable")
    if len(active) == 1:
        raise Refused("platform_user_last")
    now = database.clock.now()
    user.disabled_at = now
    user.token_epoch += 1
    await db.flush()
    operators.note(db, who, now, "platform.user.disable", user.id, reason=reason)
    await break_glass.end_all_of(database, db, user.id)
    return user


async def enable(
    db: AsyncSession, user_id: uuid.UUID, who: PlatformUser | str, now: datetime, reason: str
) -> PlatformUser:
    """Let somebody in again.

    Raises:
        NotFound: `record_unknown`. IllegalMove: they are not shut out.
    """
    user = await _load(db, user_id)
    if user.disabled_at is None:
        raise IllegalMove("platform user", "active", "enable")
    user.disabled_at = user.locked_until = None
    user.failed_attempts = 0
    operators.note(db, who, now, "platform.user.enable", user.id, reason=reason)
    return user


async def reset_mfa(
    db: AsyncSession, user_id: uuid.UUID, who: PlatformUser | str, now: datetime, reason: str
) -> PlatformUser:
    """Forget somebody's second factor: the phone and the recovery codes are lost.

    Raises:
        NotFound: `record_unknown`. Refused: `totp_not_enrolled`.
    """
    user = await _load(db, user_id)
    if user.totp_secret is None:
        raise Refused("totp_not_enrolled")
    await _clear(db, user)
    operators.note(db, who, now, "platform.user.reset_mfa", user.id, reason=reason)
    return user


async def named(db: AsyncSession, email: str) -> uuid.UUID:
    """Whose e-mail it is.

    Raises:
        NotFound: `platform_user_unknown`.
    """
    found = await db.scalar(select(PlatformUser.id).where(PlatformUser.email == email.strip().lower()))
    if found is None:
        raise NotFound("platform_user_unknown", email=email)
    return found


async def _load(db: AsyncSession, user_id: uuid.UUID) -> PlatformUser:
    user = await db.get(PlatformUser, user_id, with_for_update={"key_share": True})
    if user is None:
        raise NotFound("record_unknown", id=user_id)
    return user


async def _clear(db: AsyncSession, user: PlatformUser) -> None:
    user.totp_secret = user.totp_confirmed_at = user.totp_last_step = None
    user.token_epoch += 1
    mine = delete(PlatformRecoveryCode).where(PlatformRecoveryCode.user_id == user.id)
    await db.execute(mine, execution_options={"synchronize_session": False})


@asynccontextmanager
async def _own(request: Request) -> AsyncIterator[tuple[AsyncSession, PlatformUser, datetime]]:
    """The caller's own account, locked; what is not allowed there is a wrong try, and counted although it is refused.

    Raises:
        NotAllowed: `sign_in_locked`.
    """
    database: Database = request.app.state.database
    now, refused = database.clock.now(), None
    async with database.platform_session() as db:
        user = await _load(db, request.state.operator.id)
        if operators.is_locked(user, now):
            raise NotAllowed("sign_in_locked", minutes=int(operators.LOCKED.total_seconds() // 60))
        try:
            yield db, user, now
        except NotAllowed as error:
            operators.wrong(db, user, now, "platform.auth.mfa_failed")
            refused = error
    if refused is not None:
        raise refused


async def _prove(user: PlatformUser, password: str) -> None:
    """Stop whoever does not know the password of the account they are signed in at."""
    if not await operators.is_password(user, password):
        raise NotAllowed("signature_failed")
