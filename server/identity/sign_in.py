"""Signing in and out, and who a token's bearer is.

Five wrong passwords in fifteen minutes lock (``attempts``); the answer never says which part was
wrong. An access token lives for a quarter of an hour and falls with its session (``sessions``).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import NotAllowed, NotFound
from foodflow_kernel.machines.identity import TenantState, UserState
from foodflow_kernel.wire import pin
from server.core import access, audit, events
from server.core.actor import Actor, system
from server.core.db.sessions import current_tenant, even_if_refused
from server.core.esign import Credentials
from server.identity import attempts, passwords, people, sessions, tokens
from server.identity.models import RefreshToken, User

if TYPE_CHECKING:
    from server.core.db.sessions import Database
    from server.identity.keys import Keyring

router = APIRouter(tags=["auth"])


class Login(BaseModel):
    """Who signs in, and where."""

    tenant: str = Field(max_length=40)
    login: str = Field(max_length=200, description="e-mail or badge")
    password: str = Field(max_length=passwords.MAX_LENGTH)


class Refresh(BaseModel):
    """The newest refresh token of a session."""

    refresh_token: str = Field(max_length=200)


class Session(BaseModel):
    """Two tokens: one to call with, one to get the next two."""

    access_token: str
    expires_in_s: int
    refresh_token: str = Field(description="to be used once; if it is used twice, the session ends")
    refresh_expires_in_s: int
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


@router.post("/auth/login", dependencies=[access.SELDOM], responses=access.PROBLEMS)
async def login(request: Request, response: Response, body: Login) -> Session:
    """Sign in with e-mail or badge and password: a new session."""
    database: Database = request.app.state.database
    address = request.client.host if request.client else ""
    try:
        tenant = await database.tenant_by_slug(body.tenant)
    except NotFound:
        raise NotAllowed("sign_in_failed") from None
    if tenant.state is not TenantState.active:
        raise NotAllowed("sign_in_failed")
    current_tenant.set(tenant.id)
    session: Session | None = None
    async with database.tenant_session(tenant.id, system(tenant.id, "sign-in")) as db:
        user, error = await _check(db, body, address)
        attempts.add(db, attempts.name_of(user, body.login), address, is_success=error is None)
        who = sessions.person(db, user) if user else system(tenant.id, "unknown")
        audit.write(db, who, _event(error), "identity.user", user.id if user else None)
        if user is not None and error is None:
            issued = sessions.begin(db, user)
            session = await _session(request, response, db, issued)
    if session is None:
        raise error or NotAllowed("sign_in_failed")
    return session


def _event(error: NotAllowed | None) -> str:
    if error is None:
        return "auth.login"
    return "auth.login_locked" if error.code == attempts.LOCKED else "auth.login_failed"


async def _session(request: Request, response: Response, db: AsyncSession, issued: sessions.Issued) -> Session:
    response.headers["Cache-Control"] = "no-store"  # RFC 6749, 5.1
    keyring: Keyring = request.app.state.keyring
    now, token, user, key = db.info["clock"].now(), issued.token, issued.user, await keyring.signing(db)
    claims = {"tid": str(db.info["tenant_id"]), "epoch": user.token_epoch, "fam": str(token.family_id)}
    return Session(
        access_token=tokens.issue(key, tokens.USER_AUDIENCE, user.id, now, tokens.USER_TTL_S, **claims),
        expires_in_s=tokens.USER_TTL_S,
        refresh_token=issued.text,
        refresh_expires_in_s=int((token.expires_at - token.issued_at).total_seconds()),
    )


@router.post("/auth/refresh", dependencies=[access.SELDOM], responses=access.PROBLEMS)
async def refresh(request: Request, response: Response, body: Refresh) -> Session:
    """Exchange a refresh token for the next two tokens of the session.

    Raises:
        NotAllowed: `token_bad`, also for a token used before, which ends the session; `token_expired`.
    """
    database: Database = request.app.state.database
    tenant = await sessions.tenant_of(database, body.refresh_token)
    if tenant is None:
        raise NotAllowed("token_bad")
    current_tenant.set(tenant.id)
    async with database.tenant_session(tenant.id, system(tenant.id, "refresh")) as db:
        issued = await sessions.rotate(db, body.refresh_token)
        session = await _session(request, response, db, issued) if issued else None
        await events.deliver(db, request.app.state.reactions)
    if session is None:
        raise NotAllowed("token_bad")
    return session


@router.post("/auth/logout", status_code=204, dependencies=[access.SELDOM], responses=access.PROBLEMS)
async def logout(request: Request, body: Refresh) -> None:
    """End the session of a refresh token, used or not; the same answer if there is none."""
    database: Database = request.app.state.database
    tenant = await sessions.tenant_of(database, body.refresh_token)
    if tenant is None:
        return
    current_tenant.set(tenant.id)
    async with database.tenant_session(tenant.id, system(tenant.id, "logout")) as db:
        await sessions.end(db, body.refresh_token)


@router.post("/auth/logout-all", status_code=204, responses=access.PROBLEMS)
async def logout_all(caller: access.Signed) -> None:
    """End all sessions of the person who calls, this one too."""
    if caller.actor.id is None:
        raise NotAllowed("not_signed_in")
    await sessions.end_all(caller.db, caller.actor.id, "signed_out_everywhere")
    audit.write(caller.db, caller.actor, "auth.logout_all", "identity.user", caller.actor.id)


async def _check(db: AsyncSession, body: Login, address: str) -> tuple[User | None, NotAllowed | None]:
    named = or_(User.email == body.login, User.login_code == body.login)
    user = await db.scalar(select(User).where(named).with_for_update())
    try:
        await attempts.refuse_if_locked(db, attempts.name_of(user, body.login), address)
    except NotAllowed as locked:
        return user, locked
    if user is None:
        # The same time as for a person who exists.
        await asyncio.to_thread(passwords.HASHER.hash, body.password)
        return None, NotAllowed("sign_in_failed")
    is_right = await asyncio.to_thread(passwords.is_right, user, body.password)
    if user.status is not UserState.active or not is_right:
        return user, NotAllowed("sign_in_failed")
    return user, None


async def authenticate(request: Request) -> Actor:
    """The actor behind a request's token, with the rights they have now.

    Raises:
        NotAllowed: `not_signed_in`, `token_bad`, `token_expired`.
    """
    database: Database = request.app.state.database
    keyring: Keyring = request.app.state.keyring
    claims = await keyring.read(database, tokens.USER_AUDIENCE, access.bearer(request))
    try:
        tenant_id, user_id, family_id = (UUID(claims[name]) for name in ("tid", "sub", "fam"))
        tenant = await database.tenant(tenant_id)
    except (KeyError, ValueError, NotFound):
        raise NotAllowed("token_bad") from None
    if tenant.state is not TenantState.active:
        raise NotAllowed("token_bad")
    # One question for person and session: the session's head is the row that a revocation marks.
    living = (
        select(User)
        .join(RefreshToken, RefreshToken.user_id == User.id)
        .where(User.id == user_id, RefreshToken.id == family_id, RefreshToken.revoked_at.is_(None))
    )
    async with database.tenant_session(tenant.id, system(tenant.id, "authenticate")) as db:
        user = await db.scalar(living)
        if user is None or user.status is not UserState.active or user.token_epoch != claims.get("epoch"):
            raise NotAllowed("token_bad")
        request.state.session_id = family_id
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
        await attempts.refuse_if_locked(db, user.login_code)
        if await asyncio.to_thread(_is_own, user, credentials):
            return
        name = attempts.name_of(user, "")

        async def keep(after: AsyncSession) -> None:
            attempts.add(after, name, "signature", is_success=False)
            audit.write(after, actor, "esign.failed", "identity.user", actor.id)

        even_if_refused(db, keep)
        raise NotAllowed("signature_failed")


def _is_own(user: User, credentials: Credentials) -> bool:
    if credentials.pin is not None and user.pin_base is not None:
        return pin.verify(credentials.pin, pin.for_device(user.pin_base, b"server"), b"server")
    return credentials.password is not None and passwords.is_right(user, credentials.password)
