"""Signing in and out, and who a token's bearer is.

Five wrong passwords in fifteen minutes lock (``attempts``); the answer never says which part was
wrong. An access token lives for a quarter of an hour and falls with its session (``sessions``).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import NotAllowed, NotFound
from foodflow_kernel.machines.identity import TenantState, UserState
from server.core import access, audit, events
from server.core.actor import Actor, system
from server.core.db.sessions import current_tenant, even_if_refused
from server.core.esign import Credentials
from server.core.room import Room
from server.identity import attempts, passwords, people, pins, second_factor, sessions, tokens
from server.identity.models import User

if TYPE_CHECKING:
    from server.core.db.sessions import Database
    from server.identity.keys import Keyring

router = Room(tags=["auth"])

UNCOUNTED = frozenset({attempts.LOCKED, "totp_needed"})
"""Refusals that are no wrong tries: nobody keeps a door shut by knocking."""


class Login(BaseModel):
    """Who signs in, and where."""

    tenant: str = Field(max_length=40)
    login: str = Field(max_length=200, description="e-mail or badge")
    password: str = Field(max_length=passwords.MAX_LENGTH)
    totp: str | None = Field(
        None, max_length=40, description="code of the authenticator app, or a recovery code; only after `totp_needed`"
    )


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
    """Sign in with e-mail or badge and password, and the second factor where there is one: a new session.

    Raises:
        NotAllowed: `sign_in_failed`, `sign_in_locked`, `totp_needed`, `totp_wrong`.
    """
    database: Database = request.app.state.database
    address = request.client.host if request.client else ""
    try:
        tenant = await database.tenant_by_slug(body.tenant)
    except NotFound:
        tenant = None
    if tenant is None or tenant.state is not TenantState.active:
        await asyncio.to_thread(passwords.HASHER.hash, body.password)  # the same time as where there is a company
        raise NotAllowed("sign_in_failed")
    current_tenant.set(tenant.id)
    session: Session | None = None
    async with database.tenant_session(tenant.id, system(tenant.id, "sign-in")) as db:
        user, error = await _check(db, request.app.state.secret, body, address)
        name = attempts.name_of(user, body.login)
        if error is None:
            await attempts.right(db, name, address)
        elif error.code not in UNCOUNTED:
            await attempts.wrong(db, user, name, address)
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
    return {attempts.LOCKED: "auth.login_locked", "totp_needed": "auth.login_half"}.get(error.code, "auth.login_failed")


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
    user_id = caller.actor.person()
    await sessions.end_all(caller.db, user_id, "signed_out_everywhere")
    audit.write(caller.db, caller.actor, "auth.logout_all", "identity.user", user_id)


async def _check(db: AsyncSession, secret: bytes, body: Login, address: str) -> tuple[User | None, NotAllowed | None]:
    named = or_(User.email == body.login, User.login_code == body.login)
    user = await db.scalar(select(User).where(named).with_for_update())
    try:
        await attempts.refuse_if_locked(db, user, attempts.name_of(user, body.login), address)
    except NotAllowed as locked:
        return user, locked
    if user is None:
        # The same time as for a person who exists.
        await asyncio.to_thread(passwords.HASHER.hash, body.password)
        return None, NotAllowed("sign_in_failed")
    is_right = await asyncio.to_thread(passwords.is_right, user, body.password)
    if user.status is not UserState.active or not is_right:
        return user, NotAllowed("sign_in_failed")
    if not user.has_totp:
        return user, None
    if body.totp is None:
        return user, NotAllowed("totp_needed")
    is_right = await second_factor.spend(db, secret, user, body.totp)
    return user, None if is_right else NotAllowed("totp_wrong")


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

    Wrong passwords count with wrong sign-ins; wrong PINs make the next one wait (``pins``), so four
    digits cannot be searched for.
    """

    async def check(self, db: AsyncSession, actor: Actor, credentials: Credentials) -> None:
        """Let a signature pass only with the actor's own PIN or password.

        Raises:
            NotAllowed: `signature_failed`, `sign_in_locked` after five wrong passwords, `pin_wait` after
                five wrong PINs, `pin_change_needed`.
        """
        user = await db.get_one(User, actor.person(), with_for_update=True)
        if not user.may_go_on:
            raise NotAllowed("signature_failed")
        if credentials.pin is not None and user.pin_base is not None:
            await self._check_pin(db, actor, user, credentials.pin)
        else:
            await self._check_password(db, actor, user, credentials.password or "")

    async def _check_pin(self, db: AsyncSession, actor: Actor, user: User, text: str) -> None:
        now = db.info["clock"].now()
        pins.refuse_if_waiting(user, now)
        if not await pins.is_right(user, text):

            async def keep(after: AsyncSession) -> None:
                whose = await after.get_one(User, user.id, with_for_update=True)
                await pins.count(after, whose, is_right=False)
                audit.write(after, actor, "esign.failed", "identity.user", actor.id)

            even_if_refused(db, keep)
            raise NotAllowed("signature_failed")
        if pins.must_change(user, now):
            raise NotAllowed("pin_change_needed")
        await pins.count(db, user, is_right=True)

    async def _check_password(self, db: AsyncSession, actor: Actor, user: User, text: str) -> None:
        await attempts.refuse_if_locked(db, user, user.login_code)
        if not await asyncio.to_thread(passwords.is_right, user, text):
            raise _failed(db, actor, user, NotAllowed("signature_failed"))


async def check_totp(db: AsyncSession, actor: Actor, secret: bytes, code: str | None) -> None:
    """Let a signature pass only with a code of the actor's second factor, where they have one.

    The actor's row is locked by then: ``PinOrPassword.check`` comes first. A code is used up by the signature it
    was given for, also if what was signed is then refused.

    Args:
        secret: the server's own.

    Raises:
        NotAllowed: `totp_needed`, `totp_wrong`, which counts as a wrong password does.
    """
    user = await db.get_one(User, actor.id)
    if not user.has_totp:
        return
    if code is None:
        raise NotAllowed("totp_needed")
    if not await second_factor.spend(db, secret, user, code):
        raise _failed(db, actor, user, NotAllowed("totp_wrong"))

    async def keep(after: AsyncSession) -> None:
        whose = await after.get_one(User, user.id, with_for_update=True)
        await second_factor.spend(after, secret, whose, code)

    even_if_refused(db, keep)


def _failed(db: AsyncSession, actor: Actor, user: User, error: NotAllowed) -> NotAllowed:
    """The error, counted as a wrong try although this transaction is taken back."""

    async def keep(after: AsyncSession) -> None:
        whose = await after.get_one(User, user.id, with_for_update=True)
        await attempts.wrong(after, whose, user.login_code, "signature")
        audit.write(after, actor, "esign.failed", "identity.user", actor.id)

    even_if_refused(db, keep)
    return error
