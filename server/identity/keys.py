"""A company's signing keys: one signs, the last ones still verify, and everybody may see the public halves.

Rotation takes no session away: a retired key verifies until the last token it signed has run out.
A process keeps the public halves it has seen for a minute, so a key retired at once is refused
everywhere a minute later, and a request costs no look-up.
"""

from __future__ import annotations

import base64
import logging
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel
from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import NotAllowed, NotFound
from foodflow_kernel.ids import new_id
from foodflow_kernel.wire.protocol import TOKEN_TTL_S
from server.core import access, audit, sealed
from server.core.actor import system
from server.core.db.sessions import Database, TenantRef
from server.core.jobs import Periodic
from server.core.room import Room
from server.identity import tokens
from server.identity.models import SigningKey

log = logging.getLogger(__name__)

LIFE = timedelta(days=90)
OVERLAP = timedelta(seconds=max(tokens.USER_TTL_S, TOKEN_TTL_S) + tokens.LEEWAY_S)
"""How long a retired key verifies: as long as its last token lives, and the time a signer may be late."""
KNOWN_FOR = timedelta(seconds=60)
MAX_KNOWN = 2_000
MAX_SEEN = 1_000
PURPOSE = "signing-key"

router = Room(tags=["auth"])


class Jwk(BaseModel):
    """A public key (RFC 7517, RFC 8037)."""

    kty: str = "OKP"
    crv: str = "Ed25519"
    alg: str = tokens.ALGORITHM
    use: str = "sig"
    kid: str
    x: str


class Jwks(BaseModel):
    """The keys that a company's tokens may be signed by now."""

    keys: list[Jwk]


@dataclass(frozen=True, slots=True)
class _Known:
    public: Ed25519PublicKey
    verifies_until: datetime | None
    read_at: datetime


class Keyring:
    """Signs and verifies the tokens of all companies, for one process.

    Args:
        secret: the server's own, from which the key that seals the private halves derives.
    """

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self._known: OrderedDict[tuple[uuid.UUID, uuid.UUID], _Known] = OrderedDict()
        # What a text says and that its signature is right does not change: its time and its key are asked each time.
        self._seen: OrderedDict[tuple[str, str], tuple[tokens.Named, dict[str, Any]]] = OrderedDict()

    async def signing(self, db: AsyncSession) -> tokens.Signing:
        """The key that signs for the company of a session; the first one is made when it is needed."""
        row = await _active(db)
        if row is None:
            row = await self._make(db)
        try:
            return self._opened(db, row)
        except sealed.Unopenable:
            # Restored with another secret: nobody can sign with it, its tokens still verify.
            log.warning("a signing key of %s cannot be opened: it is replaced", db.info["tenant"].slug)
            return self._opened(db, await self.rotate(db))

    async def rotate(self, db: AsyncSession, *, is_stolen: bool = False) -> SigningKey:
        """Let a new key sign.

        Args:
            is_stolen: refuse the tokens of all older keys now, instead of when they run out.
        """
        now = db.info["clock"].now()
        for row in (await db.scalars(select(SigningKey).where(_verifies(now)).with_for_update())).all():
            if is_stolen or row.retired_at is None:
                row.verifies_until = now if is_stolen else now + OVERLAP
            if row.retired_at is None:
                row.retired_at, row.private_sealed = now, None
        await db.flush()
        made = await self._make(db)
        audit.write(db, db.info["actor"], "auth.key_rotated", "identity.signing_key", made.id, {"at_once": is_stolen})
        return made

    async def read(self, database: Database, audience: str, token: str) -> dict[str, Any]:
        """The claims of a token of ours.

        Raises:
            NotAllowed: `token_bad`, `token_expired`.
        """
        now = database.clock.now()
        seen = self._seen.get((audience, token))
        said = seen[0] if seen is not None else tokens.named(token)
        key = await self._public(database, said, now)
        if key is None or (key.verifies_until is not None and key.verifies_until <= now):
            raise NotAllowed("token_bad")
        if seen is None:
            seen = self._seen[audience, token] = (said, tokens.read(key.public, audience, token))
            while len(self._seen) > MAX_SEEN:
                self._seen.popitem(last=False)
        return tokens.in_time(seen[1], now)

    async def _public(self, database: Database, said: tokens.Named, now: datetime) -> _Known | None:
        """A key by the company and the name in a token; looked for in that company's schema alone."""
        place = (said.tenant_id, said.key_id)
        known = self._known.get(place)
        if known is not None and known.read_at <= now < known.read_at + KNOWN_FOR:
            self._known.move_to_end(place)
            return known
        try:
            async with database.tenant_session(said.tenant_id, system(said.tenant_id, "authenticate")) as db:
                row = await db.get(SigningKey, said.key_id)
        except NotFound:
            return None
        if row is None:
            self._known.pop(place, None)
            return None
        return self._remember(said.tenant_id, row, now)

    def _remember(self, tenant_id: uuid.UUID, row: SigningKey, now: datetime) -> _Known:
        found = _Known(Ed25519PublicKey.from_public_bytes(row.public_key), row.verifies_until, now)
        self._known[tenant_id, row.id] = found
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return found

    async def _make(self, db: AsyncSession) -> SigningKey:
        """A new key that signs; somebody else's if they were a moment earlier."""
        now, pair = db.info["clock"].now(), Ed25519PrivateKey.generate()
        key_id = new_id(now)
        made = insert(SigningKey).values(
            id=key_id,
            algorithm=tokens.ALGORITHM,
            public_key=pair.public_key().public_bytes_raw(),
            private_sealed=sealed.seal(self.secret, PURPOSE, db.info["tenant_id"], key_id, pair.private_bytes_raw()),
            created_at=now,
        )
        await db.execute(made.on_conflict_do_nothing())
        return (await db.scalars(select(SigningKey).where(SigningKey.retired_at.is_(None)))).one()

    def _opened(self, db: AsyncSession, row: SigningKey) -> tokens.Signing:
        raw = sealed.unseal(self.secret, PURPOSE, db.info["tenant_id"], row.id, row.private_sealed or b"")
        private = Ed25519PrivateKey.from_private_bytes(raw)
        if private.public_key().public_bytes_raw() != row.public_key:
            raise sealed.Unopenable(PURPOSE) from InvalidKey()
        self._remember(db.info["tenant_id"], row, db.info["clock"].now())
        return tokens.Signing(row.id, private)


async def _active(db: AsyncSession) -> SigningKey | None:
    return await db.scalar(select(SigningKey).where(SigningKey.retired_at.is_(None)))


def _verifies(now: datetime) -> Any:
    return or_(SigningKey.verifies_until.is_(None), SigningKey.verifies_until > now)


@router.get("/auth/jwks/{tenant_id}", dependencies=[access.SELDOM], responses=access.PROBLEMS)
async def jwks(request: Request, response: Response, tenant_id: uuid.UUID) -> Jwks:
    """The public keys that a company's tokens verify with; none for a company that is not there."""
    response.headers["Cache-Control"] = f"public, max-age={int(KNOWN_FOR.total_seconds())}"
    database: Database = request.app.state.database
    try:
        tenant = await database.tenant(tenant_id)
    except NotFound:
        return Jwks(keys=[])
    async with database.tenant_session(tenant.id, system(tenant.id, "keys")) as db:
        verifying = (
            select(SigningKey)
            .where(_verifies(database.clock.now()))
            .order_by(SigningKey.retired_at.desc().nulls_first())
        )
        rows = (await db.scalars(verifying)).all()
    return Jwks(keys=[Jwk(kid=str(row.id), x=_b64(row.public_key)) for row in rows])


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


async def renew(app: FastAPI, tenant: TenantRef) -> None:
    """Rotate a key that has signed for ``LIFE``."""
    database: Database = app.state.database
    async with database.tenant_session(tenant.id, system(tenant.id, "keys")) as db:
        row = await _active(db)
        if row is not None and row.created_at <= database.clock.now() - LIFE:
            await app.state.keyring.rotate(db)


JOBS = (Periodic("identity.keys", 3600, renew),)
