"""Who runs the platform: people without a company, who see the registry and no company's data.

They sign in apart from everybody else, and their tokens have an audience of their own: a company's
person is nobody here, and a platform administrator is nobody in a company. What they do stands in
the platform's own audit, which nobody changes.
"""

from __future__ import annotations

import asyncio
import hmac
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Depends, Request, Response
from fastapi.params import Depends as DependsMark
from pydantic import BaseModel, Field
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, UniqueConstraint, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from starlette.requests import HTTPConnection

from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import Invalid, NotAllowed, Refused
from foodflow_kernel.ids import new_id
from server.core import access, audit, sealed
from server.core.db import PlatformBase
from server.core.room import Room
from server.identity import matrix, passwords, second_factor, tokens

if TYPE_CHECKING:
    from server.core.db.sessions import Database

AUDIENCE = "foodflow-platform"
MAX_FAILURES = 5
LOCKED = timedelta(minutes=15)
TOTP_PURPOSE = "platform-totp"
NO_COMPANY = uuid.UUID(int=0)
"""In the place of a company's id, where something is the platform's own."""

router = Room(tags=["auth"])


class PlatformUser(PlatformBase):
    """Somebody who runs the server: makes companies, suspends them, lets them go.

    Args:
        token_epoch: raised to end all tokens at once.
        totp_secret, totp_confirmed_at, totp_last_step: as of a company's ``User``.
    """

    __tablename__ = "platform_user"
    __table_args__ = (CheckConstraint("totp_confirmed_at IS NULL OR totp_secret IS NOT NULL", name="totp"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    printed_name: Mapped[str]
    password_hash: Mapped[str]
    token_epoch: Mapped[int] = mapped_column(default=0)
    failed_attempts: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    totp_secret: Mapped[bytes | None]
    totp_confirmed_at: Mapped[datetime | None]
    totp_last_step: Mapped[int | None] = mapped_column(BigInteger)

    @property
    def has_totp(self) -> bool:
        """Whether a second factor is asked for."""
        return self.totp_confirmed_at is not None


class PlatformRecoveryCode(PlatformBase):
    """A code that stands in for the second factor of somebody who runs the platform: once."""

    __tablename__ = "platform_recovery_code"
    __table_args__ = (UniqueConstraint("user_id", "code_sha256"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("platform_user.id"))
    code_sha256: Mapped[bytes]
    used_at: Mapped[datetime | None]


class PlatformAudit(PlatformBase):
    """What was done to the platform: by whom, to which company, why. Rows are never changed."""

    __tablename__ = "platform_audit"

    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    actor_id: Mapped[uuid.UUID | None]
    actor_name: Mapped[str]
    action: Mapped[str]
    subject_id: Mapped[uuid.UUID | None]
    diff: Mapped[dict[str, Any]]
    reason: Mapped[str | None]
    request_id: Mapped[str | None]
    row_hash: Mapped[bytes]


def note(
    db: AsyncSession,
    who: PlatformUser | str,
    at: datetime,
    action: str,
    subject_id: uuid.UUID | None = None,
    diff: Mapped[Any] | Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> None:
    """Add a row to the platform's audit, in the running transaction.

    Args:
        who: an administrator, or the name of what acted by itself.
    """
    row: dict[str, Any] = {
        "at": at,
        "actor_id": None if isinstance(who, str) else who.id,
        "actor_name": who if isinstance(who, str) else who.printed_name,
        "action": action,
        "subject_id": subject_id,
        "diff": audit.plain(diff or {}),
        "reason": reason,
        "request_id": audit.request_id.get(),
    }
    db.add(PlatformAudit(**row, row_hash=audit.digest(row)))


async def add(db: AsyncSession, clock: Clock, email: str, printed_name: str, password: str) -> PlatformUser:
    """Make an administrator of the platform.

    Raises:
        Invalid: `email_invalid`, `password_short`, `password_common`.
        Refused: `platform_user_exists`.
    """
    email = email.strip().lower()
    if "@" not in email or not printed_name.strip() or "\0" in email + printed_name:
        raise Invalid("email_invalid")
    passwords.check(password, (email, printed_name))
    if await db.scalar(select(PlatformUser.id).where(PlatformUser.email == email)) is not None:
        raise Refused("platform_user_exists", email=email)
    now = clock.now()
    made = PlatformUser(
        id=new_id(now),
        email=email,
        printed_name=printed_name,
        password_hash=await asyncio.to_thread(passwords.HASHER.hash, password),
        token_epoch=0,
        failed_attempts=0,
        created_at=now,
    )
    db.add(made)
    note(db, "foodflow-server", now, "platform.user.create", made.id, {"email": email})
    return made


class PlatformLogin(BaseModel):
    """Who signs in at the platform."""

    email: str = Field(max_length=200)
    password: str = Field(max_length=passwords.MAX_LENGTH)
    totp: str | None = Field(
        None, max_length=40, description="code of the authenticator app, or a recovery code; only after `totp_needed`"
    )


class PlatformSession(BaseModel):
    """A token for a quarter of an hour; afterwards one signs in again."""

    access_token: str
    expires_in_s: int
    token_type: str = "Bearer"  # noqa: S105  # the scheme of RFC 6750, no secret


@router.post("/platform/login", dependencies=[access.SELDOM], responses=access.PROBLEMS)
async def login(request: Request, response: Response, body: PlatformLogin) -> PlatformSession:
    """Sign in as an administrator of the platform, with the second factor where there is one.

    Raises:
        NotAllowed: `sign_in_failed`, also while five wrong tries keep the account locked; `totp_needed`, `totp_wrong`.
    """
    database: Database = request.app.state.database
    now = database.clock.now()
    async with database.platform_session() as db:
        # A NUL cannot be in a text of PostgreSQL, so nobody is called so.
        named = select(PlatformUser).where(PlatformUser.email == body.email.strip().lower().replace("\0", "?"))
        user = await db.scalar(named.with_for_update(key_share=True))
        error = await _refusal(db, request.app.state.secret, user, body, now)
        if user is None:
            note(db, "unknown", now, "platform.auth.login_failed")
        elif error is None:
            user.failed_attempts, user.locked_until = 0, None
            note(db, user, now, "platform.auth.login", user.id)
        elif error.code == "totp_needed":
            note(db, user, now, "platform.auth.login_half", user.id)
        else:
            wrong(db, user, now, "platform.auth.login_failed")
    if user is None or error is not None:
        raise error or NotAllowed("sign_in_failed")
    response.headers["Cache-Control"] = "no-store"  # RFC 6749, 5.1
    made = tokens.issue(key_of(request), AUDIENCE, user.id, now, tokens.USER_TTL_S, epoch=user.token_epoch)
    return PlatformSession(access_token=made, expires_in_s=tokens.USER_TTL_S)


async def _refusal(
    db: AsyncSession, secret: bytes, user: PlatformUser | None, body: PlatformLogin, now: datetime
) -> NotAllowed | None:
    """Why somebody, whose row is locked, does not get in."""
    is_right = await is_password(user, body.password)
    if user is None or user.disabled_at is not None or not is_right or is_locked(user, now):
        return NotAllowed("sign_in_failed")
    if not user.has_totp:
        return None
    if body.totp is None:
        return NotAllowed("totp_needed")
    return None if await spend(db, secret, user, body.totp, now) else NotAllowed("totp_wrong")


def is_locked(user: PlatformUser, now: datetime) -> bool:
    """Whether wrong tries keep an account shut."""
    return user.locked_until is not None and user.locked_until > now


def wrong(db: AsyncSession, user: PlatformUser, now: datetime, action: str) -> None:
    """Count a wrong try of somebody whose row is locked; the fifth shuts the account for a quarter of an hour.

    One that the lock refuses does not count: nobody keeps a door shut by knocking.
    """
    if not is_locked(user, now):
        user.failed_attempts += 1
        if user.failed_attempts >= MAX_FAILURES:
            user.failed_attempts, user.locked_until = 0, now + LOCKED
    note(db, user, now, action, user.id)


async def spend(db: AsyncSession, secret: bytes, user: PlatformUser, code: str, now: datetime) -> bool:
    """Whether a code of the app, or a recovery code, is right; it is never right again.

    Args:
        secret: the server's own.
        user: whose row is locked.
    """
    if spend_code(secret, user, code, now):
        return True
    mine = (PlatformRecoveryCode.user_id == user.id, PlatformRecoveryCode.used_at.is_(None))
    own = update(PlatformRecoveryCode).where(*mine, PlatformRecoveryCode.code_sha256 == second_factor.digest(code))
    used = own.values(used_at=now).returning(PlatformRecoveryCode.id)
    is_right = await db.scalar(used, execution_options={"synchronize_session": False}) is not None
    if is_right:
        note(db, user, now, "platform.auth.recovery_code_used", user.id)
    return is_right


def spend_code(secret: bytes, user: PlatformUser, code: str, now: datetime) -> bool:
    """Whether a code of the app is right; its step and those before are never right again."""
    if user.totp_secret is None:
        return False
    try:
        own = sealed.unseal(secret, TOTP_PURPOSE, NO_COMPANY, user.id, user.totp_secret)
    except sealed.Unopenable:
        return False
    step = second_factor.step_of(own, code, user.totp_last_step, now)
    user.totp_last_step = user.totp_last_step if step is None else step
    return step is not None


def key_of(request: HTTPConnection) -> tokens.Signing:
    """The platform's own key, derived from the server's secret: it is no company's."""
    seed = hmac.digest(request.app.state.secret, b"platform-jwt-1", "sha256")
    return tokens.Signing(NO_COMPANY, Ed25519PrivateKey.from_private_bytes(seed))


async def is_password(user: PlatformUser | None, text: str) -> bool:
    """Whether this is the password; takes as long for somebody who is not there."""
    return await asyncio.to_thread(_is_right, user, text)


def _is_right(user: PlatformUser | None, text: str) -> bool:
    if user is None:
        passwords.HASHER.hash(text)
        return False
    try:
        return passwords.HASHER.verify(user.password_hash, text)
    except (VerificationError, InvalidHashError):
        return False


async def operator_of(request: HTTPConnection) -> PlatformUser:
    """The administrator behind a request's token, as the account is now.

    Raises:
        NotAllowed: `not_signed_in`, `token_bad`, `token_expired`.
    """
    database: Database = request.app.state.database
    claims = tokens.read(key_of(request).private.public_key(), AUDIENCE, access.bearer(request))
    tokens.in_time(claims, database.clock.now())
    async with database.platform_session() as db:
        user = await db.get(PlatformUser, uuid.UUID(claims["sub"]))
    if user is None or user.disabled_at is not None or user.token_epoch != claims.get("epoch"):
        raise NotAllowed("token_bad")
    return user


class Needs(access.Needs):
    """A permission that only an administrator of the platform has."""

    async def __call__(self, request: HTTPConnection) -> None:
        """Refuse everybody else."""
        user = await operator_of(request)
        if self.code not in matrix.grants("PA", frozenset({self.code})):
            raise NotAllowed("permission_missing", permission=self.code)
        request.state.operator = user


def needs(code: str) -> DependsMark:
    """The dependency that asks for a permission on the platform."""
    mark: DependsMark = Depends(Needs(code))
    return mark
