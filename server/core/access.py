"""Who is calling, and what every route must say of itself: deny by default.

``Signed`` is the dependency of a route: the actor behind the token and a session of their
tenant that commits before the answer is sent. ``needs(code)`` declares the permission;
``PUBLIC`` lists the few routes that have none. A test walks all routes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.params import Depends as DependsMark
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import NotAllowed
from server.core import events
from server.core.actor import Actor
from server.core.db.sessions import Database, current_tenant

Authenticate = Callable[[Request], Awaitable[Actor]]
"""Given by the application (identity): the actor of a request's token, or ``NotAllowed``."""

PUBLIC: dict[str, str] = {
    "/api/v1/ca": "a public certificate: the pairing words tell whether it is the right one",
    "/api/v1/health": "says up or not, nothing else",
    "/api/v1/auth/login": "the password is the proof",
    "/api/v1/auth/refresh": "the refresh token is the proof",
    "/api/v1/auth/logout": "the refresh token is the proof; the access token may have run out",
    "/api/v1/auth/password-reset/initiate": "shows nothing: the letter goes to the person's own address",
    "/api/v1/auth/password-reset/confirm": "the code of the letter is the proof",
    "/api/v1/devices:enroll": "shows nothing but a code: a person approves",
    "/api/v1/devices/{device_id}:reveal": "the key committed to is the proof",
    "/api/v1/devices/{device_id}/status": "the terminal's signature is the proof",
    "/api/v1/sync/nonce": "shows nothing: a number to sign",
    "/api/v1/sync/hello": "the signed nonce is the proof",
}
"""Routes that need no person, each with its reason."""

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": {"application/problem+json": {}}}
    for status, text in (
        (400, "The request cannot be read"),
        (401, "Not signed in"),
        (403, "The permission is missing"),
        (404, "Not there, or not yours"),
        (409, "A rule or state says no"),
        (412, "Changed since it was read"),
        (422, "A value cannot be right"),
        (428, "If-Match is missing"),
    )
}


@dataclass(frozen=True, slots=True)
class Caller:
    """The actor of a request with a session of their tenant."""

    actor: Actor
    db: AsyncSession
    clock: Clock


class Needs:
    """A permission that a route asks for; kept visible for tests and documentation."""

    def __init__(self, code: str) -> None:
        self.code = code

    async def __call__(self, request: Request) -> None:
        """Refuse a caller without the permission."""
        (await actor_of(request)).require(self.code)


def needs(code: str) -> DependsMark:
    """The dependency that asks for a permission."""
    mark: DependsMark = Depends(Needs(code))
    return mark


async def actor_of(request: Request) -> Actor:
    """The actor of this request, found once."""
    found: Actor | None = getattr(request.state, "actor", None)
    if found is None:
        authenticate: Authenticate = request.app.state.authenticate
        found = await authenticate(request)
        request.state.actor = found
    current_tenant.set(found.tenant_id)
    return found


async def _caller(request: Request) -> AsyncIterator[Caller]:
    actor = await actor_of(request)
    database: Database = request.app.state.database
    async with database.tenant_session(actor.tenant_id, actor) as db:
        yield Caller(actor, db, database.clock)
        await events.deliver(db, request.app.state.reactions)


Signed = Annotated[Caller, Depends(_caller, scope="function")]
"""A signed-in caller; the session commits before the answer leaves."""


def bearer(request: Request) -> str:
    """The token of a request.

    Raises:
        NotAllowed: `not_signed_in`.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotAllowed("not_signed_in")
    return token
