"""Keys that programs call with: made, rotated and revoked by a person, in whose name they act.

A key opens what its scopes and its owner's rights have in common at the moment it is used. Its
text is ``ffk_<prefix>_<secret>``: the prefix is public and leads to the company, of the secret
only the SHA-256 is kept. What ends in a signature is never in a key.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

from fastapi import Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import Invalid, NotAllowed, NotFound, Refused
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines import API_KEY
from foodflow_kernel.machines.identity import ApiKeyState, PermissionState, TenantState, UserState
from server.core import access, audit
from server.core.actions import Action, perform
from server.core.actor import Actor, ActorKind, system
from server.core.db.sessions import current_tenant
from server.core.limits import Limits
from server.core.models import Plant
from server.core.room import Room
from server.identity import grants, matrix, people, sessions
from server.identity.models import ApiKey, Permission, User
from server.identity.models.api_keys import LONGEST_DAYS, MOST_RPM, OVERLAP_DAYS
from server.identity.platform import ApiKeyRoute

if TYPE_CHECKING:
    from fastapi import FastAPI

    from server.core.db.sessions import Database, TenantRef

MARK = "ffk_"
"""How the text of a key begins: that of an access token never does."""
TEXT = re.compile(r"ffk_([a-z2-7]{8})_([A-Za-z0-9_-]{43})")
_TOUCHED_EVERY = timedelta(minutes=1)
_TRIES = 5

router = Room(tags=["identity"])


class NewKey(BaseModel):
    """What a program shall be able to do, from where and how long."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=120)
    scopes: list[str] = Field(min_length=1, max_length=200, description="permission codes that you hold yourself")
    plant_id: uuid.UUID | None = Field(None, description="the one plant it is good for; none: wherever you are")
    ip_allow: list[str] = Field([], max_length=50, description="networks it may be used from; none: anywhere")
    days: int = Field(90, ge=1, le=LONGEST_DAYS, description="until it expires")
    rpm: int = Field(60, ge=1, le=MOST_RPM, description="requests a minute")


class Rotate(BaseModel):
    """How long the old key still opens, and how long the new one lives."""

    model_config = ConfigDict(extra="forbid")

    overlap_hours: int = Field(24, ge=0, le=OVERLAP_DAYS * 24)
    days: int = Field(90, ge=1, le=LONGEST_DAYS)


class _Rotation(Rotate):
    """A rotation with the new key's text, which stays out of the audit trail."""

    text: str = Field(exclude=True)


class Revoke(BaseModel):
    """Why a key may no longer be used."""

    reason: str = Field(min_length=5, max_length=500)


class MadeKey(BaseModel):
    """A key that was just made: the only time its text is shown."""

    id: uuid.UUID
    name: str
    prefix: str
    key: str = Field(description="keep it now: it is not shown again")
    scopes: list[str]
    plant_id: uuid.UUID | None
    expires_at: AwareDatetime


def _shown(row: ApiKey, text: str) -> MadeKey:
    return MadeKey(
        id=row.id,
        name=row.name,
        prefix=row.prefix,
        key=text,
        scopes=row.scopes,
        plant_id=row.plant_id,
        expires_at=row.expires_at,
    )


async def new_text(database: Database, tenant_id: uuid.UUID) -> str:
    """The text of a key whose prefix now leads to this tenant, and to no other for ever."""
    for _ in range(_TRIES):
        prefix = base64.b32encode(secrets.token_bytes(5)).decode().lower()
        try:
            async with database.platform_session() as db:
                db.add(ApiKeyRoute(prefix=prefix, tenant_id=tenant_id))
        except IntegrityError:
            continue
        return f"{MARK}{prefix}_{secrets.token_urlsafe(sessions.SECRET_BYTES)}"
    raise RuntimeError("no free prefix")


@router.post(
    "/api-keys",
    status_code=201,
    dependencies=[access.needs("identity.api_key.create")],
    responses=access.PROBLEMS,
)
async def make_key(request: Request, response: Response, caller: access.Signed, body: NewKey) -> MadeKey:
    """Make a key in one's own name. Its text is shown this once."""
    response.headers["Cache-Control"] = "no-store"
    text = await new_text(request.app.state.database, caller.actor.tenant_id)
    return _shown(await make(caller.db, text, body), text)


@router.post(
    "/api-keys/{key_id}:rotate", dependencies=[access.needs("identity.api_key.rotate")], responses=access.PROBLEMS
)
async def rotate_key(
    key_id: uuid.UUID, request: Request, response: Response, caller: access.Signed, body: Rotate
) -> MadeKey:
    """Make the successor of a key; the old one goes on for the overlap. The new text is shown this once."""
    response.headers["Cache-Control"] = "no-store"
    text = await new_text(request.app.state.database, caller.actor.tenant_id)
    command = _Rotation(text=text, **body.model_dump())
    action = Action("rotate", rotate, _Rotation)
    made = await perform(caller.db, caller.actor, ApiKey, "identity.api_key", action, key_id, command)
    return _shown(made, text)


async def make(db: AsyncSession, text: str, new: NewKey) -> ApiKey:
    """Make a key of the acting person.

    Raises:
        NotAllowed: `person_needed`, `grant_beyond_own`.
        NotFound: `record_unknown`: the plant.
        Invalid: `permission_unknown`, `address_range_bad`.
        Refused: `key_never_signs`, `permission_deprecated`.
    """
    actor: Actor = db.info["actor"]
    owner_id = actor.person()
    if new.plant_id is not None and (not actor.sees(new.plant_id) or await db.get(Plant, new.plant_id) is None):
        raise NotFound("record_unknown", id=new.plant_id)
    actor.require("identity.api_key.create", new.plant_id)
    scopes = sorted(set(new.scopes))
    await _allow(db, actor, scopes, new.plant_id)
    row = _row(db, text, days=new.days)
    row.name, row.owner_id, row.scopes, row.plant_id = new.name, owner_id, scopes, new.plant_id
    row.ip_allow, row.rpm = networks(new.ip_allow), new.rpm
    db.add(row)
    await db.flush()
    said = new.model_dump(mode="json") | {"prefix": row.prefix}
    audit.write(db, actor, "identity.api_key.create", "identity.api_key", row.id, said)
    return row


async def rotate(db: AsyncSession, key: ApiKey, command: _Rotation) -> ApiKey:
    """Put a new key in the place of one that is active.

    Who rotates learns the new text, so they must hold all that is in it themselves.

    Raises:
        IllegalMove: it is not active.
        NotAllowed: `person_needed`, `grant_beyond_own`.
        Refused: `key_not_usable` when it has expired, `key_never_signs`, `permission_deprecated`.
    """
    state, now = API_KEY.move(key.state, "rotate"), db.info["clock"].now()
    if key.expires_at <= now:
        raise Refused("key_not_usable")
    await _allow(db, db.info["actor"], key.scopes, key.plant_id)
    made = _row(db, command.text, days=command.days)
    for name in ("name", "owner_id", "scopes", "plant_id", "ip_allow", "rpm"):
        setattr(made, name, getattr(key, name))
    db.add(made)
    await db.flush()
    key.state, key.rotated_at, key.successor_id = state, now, made.id
    key.overlap_ends_at = now + timedelta(hours=command.overlap_hours)
    return made


async def revoke(db: AsyncSession, key: ApiKey, _command: Revoke) -> ApiKey:
    """Shut a key at once.

    Raises:
        IllegalMove: it is neither active nor rotating.
        NotAllowed: `permission_missing` for who administers some plants only.
    """
    actor: Actor = db.info["actor"]
    if key.plant_id is None and key.owner_id != actor.id:
        actor.require_at("identity.api_key.revoke", None)
    key.state = API_KEY.move(key.state, "revoke")
    return key


def _row(db: AsyncSession, text: str, *, days: int) -> ApiKey:
    now = db.info["clock"].now()
    prefix, secret = _parts(text)
    return ApiKey(
        id=new_id(now),
        prefix=prefix,
        secret_sha256=sessions.digest(secret),
        created_at=now,
        expires_at=now + timedelta(days=days),
        state=API_KEY.start,
    )


def _parts(text: str) -> tuple[str, str]:
    """Prefix and secret of a key's text.

    Raises:
        NotAllowed: `token_bad`.
    """
    found = TEXT.fullmatch(text)
    if found is None:
        raise NotAllowed("token_bad")
    return found[1], found[2]


async def _allow(db: AsyncSession, actor: Actor, scopes: Collection[str], plant_id: uuid.UUID | None) -> None:
    """Stop scopes that no key has, and those that the maker does not hold at this moment."""
    rows = (await db.scalars(select(Permission).where(Permission.code.in_(scopes)))).all()
    known = {row.code: row for row in rows}
    for code in scopes:
        if code not in known:
            raise Invalid("permission_unknown", permission=code)
        if known[code].level == "esign":
            raise Refused("key_never_signs", permission=code)
        if known[code].state is not PermissionState.active:
            raise Refused("permission_deprecated", permission=code)
    # How long they hold it does not matter here: the scopes are looked at again whenever the key is used.
    ours = [row.code for row in rows if row.is_system]
    await grants.require(db, actor, ours, plant_id=plant_id, until=db.info["clock"].now())


def networks(given: Iterable[str]) -> list[IPv4Network | IPv6Network]:
    """Network addresses as a person writes them.

    Raises:
        Invalid: `address_range_bad`.
    """
    found: list[IPv4Network | IPv6Network] = []
    for text in given:
        try:
            found.append(ip_network(text))
        except ValueError as error:
            raise Invalid("address_range_bad", range=text[:60]) from error
    return found


def is_inside(address: str, allowed: Collection[IPv4Network | IPv6Network]) -> bool:
    """Whether an address may use a key; where no network is named, any may.

    >>> site = [ip_network("192.0.2.0/24")]
    >>> [is_inside(each, site) for each in ("192.0.2.7", "::ffff:192.0.2.7", "203.0.113.1", "")]
    [True, True, False, False]
    """
    if not allowed:
        return True
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in network for network in allowed)


async def authenticate(request: Request, text: str) -> Actor:
    """The actor behind a key: its owner's rights of this moment, as far as its scopes go.

    Raises:
        NotAllowed: `token_bad` for every reason a key is dead, `address_not_allowed`.
        Refused: `too_many_requests`.
    """
    database: Database = request.app.state.database
    prefix, secret = _parts(text)
    tenant = await _tenant_of(database, prefix)
    current_tenant.set(tenant.id)
    living = select(ApiKey, User).join(User, User.id == ApiKey.owner_id).where(ApiKey.prefix == prefix)
    async with database.tenant_session(tenant.id, system(tenant.id, "authenticate")) as db:
        found = (await db.execute(living)).one_or_none()
        kept = found[0].secret_sha256 if found is not None else bytes(32)
        if not hmac.compare_digest(kept, sessions.digest(secret)) or found is None:
            raise NotAllowed("token_bad")
        key, owner = found
        now = database.clock.now()
        if not is_usable(key, now) or owner.status is not UserState.active:
            raise NotAllowed("token_bad")
        if not is_inside(request.client.host if request.client else "", key.ip_allow):
            raise NotAllowed("address_not_allowed")
        limits: Limits = request.app.state.limits
        limits.of("key", str(key.id), key.rpm)
        await _touch(db, key.id, now)
        rights = (await people.actor_of(db, owner, tenant.id)).rights or {}
        return actor_of(tenant.id, key, rights, await _custom(db, key.scopes))


async def _tenant_of(database: Database, prefix: str) -> TenantRef:
    async with database.platform_session() as db:
        tenant_id = await db.scalar(select(ApiKeyRoute.tenant_id).where(ApiKeyRoute.prefix == prefix))
    try:
        tenant = await database.tenant(tenant_id) if tenant_id is not None else None
    except NotFound:
        tenant = None
    if tenant is None or tenant.state is not TenantState.active:
        raise NotAllowed("token_bad")
    return tenant


def is_usable(key: ApiKey, now: datetime) -> bool:
    """Whether a key opens at an instant, whatever the housekeeping has got to."""
    if now >= key.expires_at:
        return False
    if key.state is ApiKeyState.rotating:
        return key.overlap_ends_at is not None and now < key.overlap_ends_at
    return key.state is ApiKeyState.active


def actor_of(
    tenant_id: uuid.UUID,
    key: ApiKey,
    rights: Mapping[uuid.UUID | None, frozenset[str]],
    custom: frozenset[str] = frozenset(),
) -> Actor:
    """A key as an actor.

    Args:
        rights: what its owner holds now, by plant; None: in the whole company.
        custom: the company's own scopes among its own.
    """
    scopes = frozenset(code for code in key.scopes if matrix.level(code) != "esign")
    held: dict[uuid.UUID | None, frozenset[str]] = {}
    for plant, codes in rights.items():
        if key.plant_id is None or plant in (None, key.plant_id):
            place = plant if key.plant_id is None else key.plant_id
            held[place] = held.get(place, frozenset()) | (codes & scopes)
    plants = frozenset(plant for plant in held if plant is not None)
    permissions = frozenset[str]().union(*held.values(), custom)
    return Actor(
        ActorKind.apikey,
        tenant_id,
        key.id,
        key.name,
        permissions,
        None if None in held else plants,
        rights=held | {key.plant_id: held.get(key.plant_id, frozenset()) | custom},
    )


async def _custom(db: AsyncSession, scopes: Collection[str]) -> frozenset[str]:
    named = [code for code in scopes if code.startswith("custom.")]
    if not named:
        return frozenset()
    living = select(Permission.code).where(Permission.code.in_(named), Permission.state == PermissionState.active)
    return frozenset((await db.scalars(living)).all())


async def _touch(db: AsyncSession, key_id: uuid.UUID, now: datetime) -> None:
    """Remember that a key was used, at most once a minute."""
    is_old = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= now - _TOUCHED_EVERY)
    used = update(ApiKey).where(ApiKey.id == key_id, is_old).values(last_used_at=now)
    await db.execute(used, execution_options={"synchronize_session": False})


async def tidy(app: FastAPI, tenant: TenantRef) -> None:
    """Write down which keys have expired and which overlaps are over; both have opened nothing since."""
    database: Database = app.state.database
    actor = system(tenant.id, "api keys")
    now = database.clock.now()
    over = or_(
        (ApiKey.state == ApiKeyState.active) & (ApiKey.expires_at <= now),
        (ApiKey.state == ApiKeyState.rotating) & ((ApiKey.overlap_ends_at <= now) | (ApiKey.expires_at <= now)),
    )
    async with database.tenant_session(tenant.id, actor) as db:
        for key in await db.scalars(select(ApiKey).where(over).order_by(ApiKey.id).with_for_update()):
            before = key.state
            key.state = API_KEY.move(before, "expire" if before is ApiKeyState.active else "revoke")
            said = {"state": [before.value, key.state.value]}
            audit.write(db, actor, f"identity.api_key.{key.state.value}", "identity.api_key", key.id, said)
