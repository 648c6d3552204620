"""The second factor: codes of an authenticator app (TOTP, RFC 6238), each good once.

The secret is sealed at rest and shown once, when it is made. A code is taken within one step of
30 s before or after now, and only if its step is newer than the last one used; that is kept under
the person's row lock, so of two who send the same code one is refused. Ten recovery codes, each
good once, stand in for a lost phone. Wrong codes count with wrong passwords.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import pyotp
from fastapi import Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from foodflow_kernel.errors import NotAllowed, Refused
from foodflow_kernel.ids import new_id
from server.core import access, audit, sealed
from server.core.actor import Actor
from server.core.db.sessions import even_if_refused
from server.core.room import Room
from server.identity import attempts, passwords, sessions
from server.identity.models import RecoveryCode, User

PURPOSE = "totp"
STEP_S = 30
WINDOW = 1
"""Steps before and after now that are taken (RFC 6238, 5.2): a phone's clock is seldom right to the second."""
RECOVERY_CODES = 10
ISSUER = "FoodFlow OS"

router = Room(tags=["auth"])

Code = Annotated[str, Field(max_length=40)]


class Enroll(BaseModel):
    """The password again: a laptop left open must not gain a second factor of somebody else."""

    password: str = Field(max_length=passwords.MAX_LENGTH)


class Enrolled(BaseModel):
    """The secret, the only time it is shown."""

    secret: str = Field(description="base32, for typing")
    uri: str = Field(description="otpauth:// address, for a QR code")


class Verify(BaseModel):
    """A code of the app that was given the secret."""

    code: Code


class Verified(BaseModel):
    """Codes for the day the phone is lost, the only time they are shown."""

    recovery_codes: list[str]


class Remove(BaseModel):
    """Both factors, once more."""

    password: str = Field(max_length=passwords.MAX_LENGTH)
    code: Code


@router.post("/auth/mfa/enroll", responses=access.PROBLEMS)
async def enroll(request: Request, response: Response, caller: access.Signed, body: Enroll) -> Enrolled:
    """Make a secret for an authenticator app; it counts once a code of it was shown (`/auth/mfa/verify`).

    Raises:
        NotAllowed: `signature_failed`, `sign_in_locked`. Refused: `totp_already`.
    """
    response.headers["Cache-Control"] = "no-store"
    db = caller.db
    user = await _proven(db, caller.actor, body.password)
    if user.has_totp:
        raise Refused("totp_already")
    made = new_secret(user.email or user.login_code)
    sealed_secret = sealed.seal(request.app.state.secret, PURPOSE, db.info["tenant_id"], user.id, made.secret.encode())
    user.totp_secret, user.totp_last_step = sealed_secret, None
    audit.write(db, caller.actor, "auth.mfa_enrolled", "identity.user", user.id)
    return made


@router.post("/auth/mfa/verify", responses=access.PROBLEMS)
async def verify(request: Request, response: Response, caller: access.Signed, body: Verify) -> Verified:
    """Show that the app has the secret: from now on each sign-in asks for a code.

    Raises:
        NotAllowed: `totp_wrong`, `sign_in_locked`. Refused: `totp_already`, `totp_not_enrolled`.
    """
    response.headers["Cache-Control"] = "no-store"
    db = caller.db
    user = await _locked(db, caller.actor)
    if user.has_totp:
        raise Refused("totp_already")
    if user.totp_secret is None:
        raise Refused("totp_not_enrolled")
    if not await _spend_code(db, request.app.state.secret, user, body.code):
        raise _refused(db, caller.actor, NotAllowed("totp_wrong"))
    user.totp_confirmed_at = db.info["clock"].now()
    codes = await _new_recovery_codes(db, user)
    audit.write(db, caller.actor, "auth.mfa_on", "identity.user", user.id)
    return Verified(recovery_codes=codes)


@router.post("/auth/mfa/remove", status_code=204, responses=access.PROBLEMS)
async def remove(request: Request, caller: access.Signed, body: Remove) -> None:
    """Sign in without a second factor from now on; the password must be long enough to stand alone.

    Raises:
        NotAllowed: `signature_failed`, `totp_wrong`, `sign_in_locked`. Refused: `totp_not_enrolled`.
        Invalid: `password_short`.
    """
    db = caller.db
    user = await _proven(db, caller.actor, body.password)
    if not user.has_totp:
        raise Refused("totp_not_enrolled")
    if not await spend(db, request.app.state.secret, user, body.code):
        raise _refused(db, caller.actor, NotAllowed("totp_wrong"))
    passwords.check(body.password, passwords.of(user))
    await clear(db, user)
    await sessions.end_all(db, user.id, "mfa_off", spare=caller.actor.session_id)
    audit.write(db, caller.actor, "auth.mfa_off", "identity.user", user.id)


async def spend(db: AsyncSession, secret: bytes, user: User, code: str) -> bool:
    """Whether a code of the app, or a recovery code, is right; it is never right again.

    Args:
        secret: the server's own.
        user: whose row is locked.
    """
    return await _spend_code(db, secret, user, code) or await _spend_recovery(db, user, code)


async def clear(db: AsyncSession, user: User) -> None:
    """Forget the second factor; a password too short to stand alone is forgotten with it."""
    user.totp_secret = user.totp_confirmed_at = user.totp_last_step = None
    if user.is_password_short:
        user.password_hash, user.is_password_short = None, False
    await db.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))


def new_secret(name: str) -> Enrolled:
    """A secret for an authenticator app, which shows it under this name."""
    secret = pyotp.random_base32()
    return Enrolled(secret=secret, uri=pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER))


def step_of(secret: bytes, code: str, last_step: int | None, now: datetime) -> int | None:
    """The step of 30 s that a code of the app is of; None for one that is not right, or not newer than the last."""
    digits = code.replace(" ", "")
    if not re.fullmatch(r"[0-9]{6}", digits):
        return None
    app, here = pyotp.TOTP(secret.decode()), int(now.timestamp()) // STEP_S
    for step in range(here - WINDOW, here + WINDOW + 1):
        is_new = last_step is None or step > last_step
        if is_new and hmac.compare_digest(app.generate_otp(step), digits):
            return step
    return None


async def _spend_code(db: AsyncSession, secret: bytes, user: User, code: str) -> bool:
    if user.totp_secret is None:
        return False
    try:
        own = sealed.unseal(secret, PURPOSE, db.info["tenant_id"], user.id, user.totp_secret)
    except sealed.Unopenable:
        return False
    step = step_of(own, code, user.totp_last_step, db.info["clock"].now())
    if step is None:
        return False
    # Not through the ORM: this is no news for the terminals that hold the person's row.
    used = update(User).where(User.id == user.id).values(totp_last_step=step)
    await db.execute(used, execution_options={"synchronize_session": False})
    set_committed_value(user, "totp_last_step", step)
    return True


async def _spend_recovery(db: AsyncSession, user: User, code: str) -> bool:
    used = (
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user.id,
            RecoveryCode.code_sha256 == digest(code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=db.info["clock"].now())
        .returning(RecoveryCode.id)
    )
    is_right = await db.scalar(used, execution_options={"synchronize_session": False}) is not None
    if is_right:
        audit.write(db, sessions.person(db, user), "auth.recovery_code_used", "identity.user", user.id)
    return is_right


async def _new_recovery_codes(db: AsyncSession, user: User) -> list[str]:
    await db.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    now, codes = db.info["clock"].now(), new_codes()
    db.add_all(RecoveryCode(id=new_id(now), user_id=user.id, code_sha256=digest(code)) for code in codes)
    return codes


def new_codes() -> list[str]:
    """Recovery codes as they are shown, of 80 random bits each."""
    return [_written(secrets.token_hex(10)) for _ in range(RECOVERY_CODES)]


def _written(text: str) -> str:
    parts: Sequence[str] = [text[at : at + 5] for at in range(0, len(text), 5)]
    return "-".join(parts)


def digest(code: str) -> bytes:
    """What is kept of a recovery code, shape (32,). It is random: a slow hash would add nothing."""
    return hashlib.sha256(re.sub(r"[\s-]", "", code).lower().encode()).digest()


async def _locked(db: AsyncSession, actor: Actor) -> User:
    user = await db.get_one(User, actor.person(), with_for_update={"key_share": True})
    await attempts.refuse_if_locked(db, user, user.login_code)
    return user


async def _proven(db: AsyncSession, actor: Actor, password: str) -> User:
    """The caller, whose row is locked, if this is their password."""
    user = await _locked(db, actor)
    if not await asyncio.to_thread(passwords.is_right, user, password):
        raise _refused(db, actor, NotAllowed("signature_failed"))
    return user


def _refused(db: AsyncSession, actor: Actor, error: NotAllowed) -> NotAllowed:
    """The error, counted as a wrong try although this transaction is taken back."""

    async def keep(after: AsyncSession) -> None:
        user = await after.get_one(User, actor.id, with_for_update={"key_share": True})
        await attempts.wrong(after, user, user.login_code, "second factor")
        audit.write(after, actor, "auth.mfa_failed", "identity.user", actor.id)

    even_if_refused(db, keep)
    return error
