"""Who is calling, and what every route must say of itself: deny by default.

``Signed`` is the dependency of a route: the actor behind the token and a session of their
tenant that commits before the answer is sent. ``needs(code)`` declares the permission;
``PUBLIC`` lists the few routes that have none. A test walks all routes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, replace
from typing import Annotated, Any, Protocol

from fastapi import Depends, Request
from fastapi.params import Depends as DependsMark
from fastapi.routing import APIRoute
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection

from foodflow_kernel import sentences
from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import Invalid, NotAllowed
from server.core import events
from server.core.actor import Actor, ActorKind
from server.core.db.sessions import Database, current_tenant
from server.core.limits import Limits


class Authenticator(Protocol):
    """Given by the application (identity): who is behind the token of a request."""

    async def actor(self, request: Request) -> Actor:
        """The actor, asked of the database in a session of its own; ``NotAllowed`` for a token that is not good."""
        ...

    async def remembered(self, request: Request) -> Actor | None:
        """The actor as this process last saw them, if the token is good; they count only if ``is_still`` agrees."""
        ...

    async def is_still(self, db: AsyncSession, actor: Actor) -> bool:
        """Whether a remembered actor is signed in and has the same rights now; one question to the database."""
        ...


PUBLIC: dict[str, str] = {
    "/api/v1/ca": "a public certificate: the pairing words tell whether it is the right one",
    "/api/v1/health": "says ready or not and why in one word, nothing else",
    "/api/v1/health/live": "says that the process answers, nothing else",
    "/api/v1/auth/login": "the password is the proof",
    "/api/v1/platform/login": "the password is the proof",
    "/api/v1/auth/refresh": "the refresh token is the proof",
    "/api/v1/auth/jwks/{tenant_id}": "public keys: whoever is shown a token may check it",
    "/api/v1/auth/logout": "the refresh token is the proof; the access token may have run out",
    "/api/v1/auth/register": "the code of the invitation is the proof",
    "/api/v1/auth/pin-change": "the present PIN is the proof",
    "/api/v1/auth/password-reset/initiate": "shows nothing: the letter goes to the person's own address",
    "/api/v1/auth/password-reset/confirm": "the code of the letter is the proof",
    "/api/v1/devices:enroll": "shows nothing but a code: a person approves",
    "/api/v1/devices/{device_id}:reveal": "the key committed to is the proof",
    "/api/v1/devices/{device_id}/status": "the terminal's signature is the proof",
    "/api/v1/sync/nonce": "shows nothing: a number to sign",
    "/api/v1/sync/hello": "the signed nonce is the proof",
}
"""Routes that need no person, each with its reason."""

UNLIMITED = {
    "/api/v1/ca",
    "/api/v1/health",
    "/api/v1/health/live",
    "/api/v1/devices/{device_id}/status",
    "/api/v1/sync/nonce",
    "/api/v1/sync/hello",
}
"""Of those, what may be asked as often as one likes: a hall of terminals behind one address comes back at once."""

PROBLEM = "application/problem+json"
PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong (RFC 9457); further members are the data of the case.",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string", "description": "urn:foodflow:problem:<code>"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "stable; programs key on it"},
        "detail": {"type": "string", "description": "a sentence for a person"},
        "request_id": {"type": ["string", "null"], "description": "the same as in the server's log"},
    },
    "additionalProperties": True,
}
"""Stands in the document as ``#/components/schemas/Problem``."""


def _problem(status: int, text: str, code: str, **data: Any) -> dict[str, Any]:
    example = {
        "type": f"urn:foodflow:problem:{code}",
        "title": code.replace("_", " "),
        "status": status,
        "code": code,
        "detail": sentences.sentence(code, data),
        "request_id": "7f2d0c5e9b1a4d6c8e3f",
        **data,
    }
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}}
    return {"description": text, "content": content}


_EVERY: dict[int | str, dict[str, Any]] = {
    400: _problem(400, "The request cannot be read", "request_invalid"),
    401: _problem(401, "Not signed in", "not_signed_in"),
    403: _problem(403, "The permission is missing", "permission_missing", permission="plant_ops.line.update"),
    404: _problem(404, "Not there, or not yours", "record_unknown"),
    409: _problem(409, "A rule or state says no", "illegal_move", machine="lot", state="released", move="release"),
    412: _problem(412, "Changed since it was read", "version_stale", version=3),
    410: _problem(410, "No longer here", "feed_gone"),
    413: _problem(413, "Too large", "body_too_large"),
    415: _problem(415, "Of a type that is not taken here", "import_type_unknown", allowed=["text/csv"]),
    422: _problem(422, "A value cannot be right", "filter_unknown", name="filter[no_such]"),
    426: _problem(426, "The sender is too old", "protocol_too_old", needs=2, has=1),
    428: _problem(428, "If-Match is missing", "if_match_missing"),
    429: _problem(429, "Too many at once", "too_many_requests", retry_after=10),
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: _EVERY[status] for status in (400, 401, 403, 404, 409, 412, 413, 422, 428, 429)
}
"""What any route may answer."""


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What any route may answer, and these."""
    return PROBLEMS | {status: _EVERY[status] for status in statuses}


@dataclass(frozen=True, slots=True)
class Caller:
    """The actor of a request with a session of their tenant."""

    actor: Actor
    db: AsyncSession
    clock: Clock


async def actor_of(request: HTTPConnection) -> Actor:
    """The actor of this request, found once; of a WebSocket, by its ticket."""
    found: Actor | None = getattr(request.state, "actor", None)
    if found is None:
        if _is_socket(request):
            found = await request.app.state.authenticate_ticket(request)
        else:
            found = await request.app.state.authenticator.actor(request)
        found = _known(request, found)
    current_tenant.set(found.tenant_id)
    return found


def _known(request: HTTPConnection, actor: Actor) -> Actor:
    """Somebody who was found: counted once, and whose data this is about."""
    limits: Limits = request.app.state.limits
    limits.person(str(actor.id))
    request.state.actor = actor
    current_tenant.set(actor.tenant_id)
    return actor


def _is_socket(connection: HTTPConnection) -> bool:
    return bool(connection.scope["type"] == "websocket")


async def _caller(request: Request) -> AsyncIterator[Caller]:
    database: Database = request.app.state.database
    authenticator: Authenticator = request.app.state.authenticator
    remembered = None if hasattr(request.state, "actor") else await authenticator.remembered(request)
    if remembered is not None:
        actor = _of_route(request, remembered)
        async with database.tenant_session(actor.tenant_id, actor) as db:
            if await authenticator.is_still(db, remembered):
                _known(request, remembered)
                yield Caller(actor, db, database.clock)
                await events.deliver(db, request.app.state.reactions)
                return
    actor = _of_route(request, await actor_of(request))
    async with database.tenant_session(actor.tenant_id, actor) as db:
        yield Caller(actor, db, database.clock)
        await events.deliver(db, request.app.state.reactions)


def _of_route(request: Request, actor: Actor) -> Actor:
    """The actor as a route takes them.

    What everybody may do is done to oneself, to one's session or password: an auditor's too, but no program's, and
    nobody's who is not of the company.
    """
    if _is_ruled(request.scope["route"]):
        return actor
    if actor.kind in (ActorKind.apikey, ActorKind.platform):
        raise NotAllowed("person_needed")
    return replace(actor, reads_only=False)


def _is_ruled(route: APIRoute) -> bool:
    """Whether a route asks for a permission, or is open to programs without one."""
    return any(mark is ALSO_KEYS or isinstance(mark.dependency, Needs) for mark in route.dependencies)


async def not_too_often(request: Request) -> None:
    """What needs nobody signed in may be asked so often only by one address.

    Raises:
        Refused: `too_many_requests`.
    """
    limits: Limits = request.app.state.limits
    limits.address(request.client.host if request.client else "")


SELDOM: DependsMark = Depends(not_too_often)
"""The dependency of a route that proves who somebody is."""

Signed = Annotated[Caller, Depends(_caller, scope="function")]
"""A signed-in caller; the session commits before the answer leaves."""


class Needs:
    """A permission that a route asks for; kept visible for tests and documentation."""

    def __init__(self, code: str) -> None:
        self.code = code


class NeedsSigned(Needs):
    """It is asked of the caller whose session the route works in."""

    async def __call__(self, caller: Signed) -> None:
        """Refuse a caller without the permission."""
        caller.actor.require(self.code)


class NeedsAlone(Needs):
    """No session stays open: while a body comes in slowly, or as long as a screen is open."""

    async def __call__(self, connection: HTTPConnection) -> None:
        """Refuse a caller without the permission."""
        (await actor_of(connection)).require(self.code)


def only(names: Collection[str]) -> DependsMark:
    """The dependency of a route whose query says these and nothing else: what is misspelt would be taken for unsaid.

    It refuses with `parameter_unknown`.
    """

    async def refuse_others(request: Request) -> None:
        for name in request.query_params:
            if name not in names:
                raise Invalid("parameter_unknown", name=name, allowed=sorted(names))

    mark: DependsMark = Depends(refuse_others)
    return mark


def needs(code: str) -> DependsMark:
    """The dependency that asks for a permission."""
    mark: DependsMark = Depends(NeedsSigned(code))
    return mark


def needs_alone(code: str) -> DependsMark:
    """The dependency that asks for a permission and leaves no session open."""
    mark: DependsMark = Depends(NeedsAlone(code))
    return mark


async def _also_keys() -> None:
    """Nothing to do: the mark is what counts."""


ALSO_KEYS: DependsMark = Depends(_also_keys)
"""Of a route without a permission that programs with a key may call too."""


def bearer(request: HTTPConnection) -> str:
    """The token of a request.

    Raises:
        NotAllowed: `not_signed_in`.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotAllowed("not_signed_in")
    return token
