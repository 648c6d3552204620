"""Signing in with password, and who a token's bearer is.

Five wrong passwords in fifteen minutes lock, per person and per address; the answer never says
which part was wrong.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import NotAllowed, NotFound
from foodflow_kernel.machines.identity import TenantState, UserState
from foodflow_kernel.wire import pin
from server.core import access, audit
from server.core.actor import Actor, ActorKind, system
from server.core.db.sessions import current_tenant
from server.core.esign import Credentials
from server.identity import people, tokens
from server.identity.models import LoginAttempt, User

if TYPE_CHECKING:
    from server.core.db.sessions import Database

ATTEMPTS = 5
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
        db.add(LoginAttempt(at=database.clock.now(), login=body.login, address=address, is_success=success))
        who = Actor(ActorKind.user, tenant.id, user.id, user.printed_name) if user else system(tenant.id, body.login)
        audit.write(
            db, who, "auth.login" if success else "auth.login_failed", "identity.user", user.id if user else None
        )
    if error is not None or user is None:
        raise error or NotAllowed("sign_in_failed")
    now = database.clock.now()
    claims = {"tid": str(tenant.id), "epoch": user.token_epoch}
    token = tokens.issue(request.app.state.secret, tokens.USER_AUDIENCE, user.id, now, tokens.USER_TTL_S, **claims)
    return Session(access_token=token, expires_in_s=tokens.USER_TTL_S)


async def _check(db: AsyncSession, body: Login, address: str) -> tuple[User | None, NotAllowed | None]:
    since = db.info["clock"].now() - WINDOW
    failed = select(func.count()).where(
        LoginAttempt.at >= since,
        LoginAttempt.is_success.is_(False),
        or_(LoginAttempt.login == body.login, LoginAttempt.address == address),
    )
    by_login = failed.where(LoginAttempt.login == body.login)
    if (await db.scalar(by_login) or 0) >= ATTEMPTS or (await db.scalar(failed) or 0) >= ATTEMPTS * 4:
        return None, NotAllowed("sign_in_locked", minutes=int(WINDOW.total_seconds() // 60))
    user = await db.scalar(select(User).where(or_(User.email == body.login, User.login_code == body.login)))
    if user is None:
        people.PASSWORDS.hash(body.password)  # the same time as for a person who exists
        return None, NotAllowed("sign_in_failed")
    if user.status is not UserState.active or not people.is_password(user, body.password):
        return user, NotAllowed("sign_in_failed")
    return user, None


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
    """Checks the second component of a signature: the signer's PIN or password."""

    async def check(self, db: AsyncSession, actor: Actor, credentials: Credentials) -> None:
        """Raise `signature_failed` unless PIN or password is the actor's own."""
        user = await db.get(User, actor.id) if actor.id else None
        good = user is not None and user.status is UserState.active
        if user is not None and good and credentials.pin is not None and user.pin_base is not None:
            good = pin.verify(credentials.pin, pin.for_device(user.pin_base, b"server"), b"server")
        elif user is not None and good and credentials.password is not None:
            good = people.is_password(user, credentials.password)
        else:
            good = False
        if not good:
            raise NotAllowed("signature_failed")
