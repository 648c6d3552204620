"""Signing in with password, and who a token's bearer is.

Five wrong passwords in fifteen minutes lock, per person and per address; the answer never says
which part was wrong.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import NotAllowed, NotFound
from foodflow_kernel.machines.identity import TenantState, UserState
from foodflow_kernel.wire import pin
from server.core import access, audit
from server.core.actor import Actor, ActorKind, system
from server.core.db.sessions import current_tenant, even_if_refused
from server.core.esign import Credentials
from server.identity import people, tokens
from server.identity.models import LoginAttempt, User

if TYPE_CHECKING:
    from server.core.db.sessions import Database

ATTEMPTS = 5
ATTEMPTS_OF_ADDRESS = 20
"""A plant's laptops share one address."""
WINDOW = timedelta(minutes=15)

router = APIRouter(tags=["auth"])


class Login(BaseModel):
    """Who signs in, and where."""

    tenant: str = Field(max_length=40)
    login: str = Field(max_length=200, description="e-mail or badge")
    password: str = Field(max_length=200)


class Session(BaseModel):
    """A token and what it is good for."""

    access_token: str
    expires_in_s: int
    token_type: str = "Bearer"  # noqa: S105  # the scheme of RFC 6750, no secret


class Me(BaseModel):
    """The signed-in person."""

    id: UUID
    tenant: str
    tenant_name: str
    printed_name: str
    short_no: str
    locale: str
    roles: list[str]
    permissions: list[str]
    plant_ids: list[UUID] | None


@router.post("/auth/login", responses=access.PROBLEMS)
async def login(request: Request, body: Login) -> Session:
    """Sign in with e-mail or badge and password."""
    database: Database = request.app.state.database
    address = request.client.host if request.client else ""
    try:
        tenant = await database.tenant_by_slug(body.tenant)
    except NotFound:
        raise NotAllowed("sign_in_failed") from None
    if tenant.state is not TenantState.active:
        raise NotAllowed("sign_in_failed")
    current_tenant.set(tenant.id)
    async with database.tenant_session(tenant.id, system(tenant.id, "sign-in")) as db:
        user, error = await _check(db, body, address)
        success = error is None
        login = user.login_code if user else body.login
        db.add(LoginAttempt(at=database.clock.now(), login=login, address=address, is_success=success))
        who = Actor(ActorKind.user, tenant.id, user.id, user.printed_name) if user else system(tenant.id, body.login)
        audit.write(
            db, who, "auth.login" if success else "auth.login_failed", "identity.user", user.id if user else None
        )
    if error is not None or user is None:
        raise error or NotAllowed("sign_in_failed")
    now = database.clock.now()
    claims = {"tid": str(tenant.id), "epoch": user.token_epoch, "since": int(now.timestamp())}
    return _session(request.app.state.secret, user.id, now, claims)


def _session(secret: bytes, user_id: UUID, now: datetime, claims: dict[str, Any]) -> Session:
    token = tokens.issue(secret, tokens.USER_AUDIENCE, user_id, now, tokens.USER_TTL_S, **claims)
    return Session(access_token=token, expires_in_s=tokens.USER_TTL_S)


@router.post("/auth/renew", responses=access.PROBLEMS)
async def renew(request: Request, caller: access.Signed) -> Session:
    """A new token for one that still holds: a session lives on while it is used, for half a day at most.

    Raises:
        NotAllowed: `token_expired` once the sign-in itself is too old.
    """
    secret, now = request.app.state.secret, caller.clock.now()
    claims = tokens.read(secret, tokens.USER_AUDIENCE, access.bearer(request), now)
    if now.timestamp() - claims["since"] > tokens.SESSION_MAX_S:
        raise NotAllowed("token_expired")
    return _session(secret, UUID(claims["sub"]), now, {name: claims[name] for name in ("tid", "epoch", "since")})


async def _check(db: AsyncSession, body: Login, address: str) -> tuple[User | None, NotAllowed | None]:
    named = or_(User.email == body.login, User.login_code == body.login)
    user = await db.scalar(select(User).where(named).with_for_update())
    login = user.login_code if user else body.login  # e-mail and badge count together
    if await _failures(db, LoginAttempt.login == login) >= ATTEMPTS:
        return user, NotAllowed("sign_in_locked", minutes=int(WINDOW.total_seconds() // 60))
    if await _failures(db, LoginAttempt.address == address) >= ATTEMPTS_OF_ADDRESS:
        return user, NotAllowed("sign_in_locked", minutes=int(WINDOW.total_seconds() // 60))
    if user is None:
        # The same time as for a person who exists.
        await asyncio.to_thread(people.PASSWORDS.hash, body.password)
        return None, NotAllowed("sign_in_failed")
    is_right = await asyncio.to_thread(people.is_password, user, body.password)
    if user.status is not UserState.active or not is_right:
        return user, NotAllowed("sign_in_failed")
    return user, None


async def _failures(db: AsyncSession, whose: ColumnElement[bool]) -> int:
    since = db.info["clock"].now() - WINDOW
    failed = select(func.count()).where(LoginAttempt.at >= since, LoginAttempt.is_success.is_(False), whose)
    return await db.scalar(failed) or 0


async def authenticate(request: Request) -> Actor:
    """The actor behind a request's token, with the rights they have now.

    Raises:
        NotAllowed: `not_signed_in`, `token_bad`, `token_expired`.
    """
    database: Database = request.app.state.database
    token = access.bearer(request)
    claims = tokens.read(request.app.state.secret, tokens.USER_AUDIENCE, token, database.clock.now())
    tenant = await database.tenant(UUID(claims["tid"]))
    if tenant.state is not TenantState.active:
        raise NotAllowed("token_bad")
    async with database.tenant_session(tenant.id, system(tenant.id, "authenticate")) as db:
        user = await db.get(User, UUID(claims["sub"]))
        if user is None or user.status is not UserState.active or user.token_epoch != claims["epoch"]:
            raise NotAllowed("token_bad")
        return await people.actor_of(db, user, tenant.id)


@router.get("/me", responses=access.PROBLEMS)
async def me(caller: access.Signed) -> Me:
    """The signed-in person with all rights."""
    user = await caller.db.get_one(User, caller.actor.id)
    held = (await people.roles_of(caller.db, [user.id], caller.clock.now())).get(user.id, [])
    tenant = caller.db.info["tenant"]
    return Me(
        id=user.id,
        tenant=tenant.slug,
        tenant_name=tenant.name,
        printed_name=user.printed_name,
        short_no=user.short_no,
        locale=user.locale,
        roles=sorted({role.key for role, _ in held}),
        permissions=sorted(caller.actor.permissions),
        plant_ids=None if caller.actor.plant_ids is None else sorted(caller.actor.plant_ids),
    )


class PinOrPassword:
    """Checks the second component of a signature: the signer's PIN or password.

    Wrong ones count with wrong sign-ins, so a PIN of four digits cannot be searched for.
    """

    async def check(self, db: AsyncSession, actor: Actor, credentials: Credentials) -> None:
        """Let a signature pass only with the actor's own PIN or password.

        Raises:
            NotAllowed: `signature_failed`, `sign_in_locked` after five wrong ones.
        """
        user = await db.get(User, actor.id, with_for_update=True) if actor.id else None
        if user is None or user.status is not UserState.active:
            raise NotAllowed("signature_failed")
        if await _failures(db, LoginAttempt.login == user.login_code) >= ATTEMPTS:
            raise NotAllowed("sign_in_locked", minutes=int(WINDOW.total_seconds() // 60))
        if await asyncio.to_thread(_is_own, user, credentials):
            return
        login, now = user.login_code, db.info["clock"].now()

        async def keep(after: AsyncSession) -> None:
            after.add(LoginAttempt(at=now, login=login, address="signature", is_success=False))
            audit.write(after, actor, "esign.failed", "identity.user", actor.id)

        even_if_refused(db, keep)
        raise NotAllowed("signature_failed")


def _is_own(user: User, credentials: Credentials) -> bool:
    if credentials.pin is not None and user.pin_base is not None:
        return pin.verify(credentials.pin, pin.for_device(user.pin_base, b"server"), b"server")
    return credentials.password is not None and people.is_password(user, credentials.password)
