"""Nonces and device tokens: a terminal proves its key at each hello and gets fifteen minutes.

Nothing that can expire for good is handed out (sync.md, T14): after weeks in a drawer a terminal
still only signs a nonce. Nonces carry their time and our own stamp, so no table of open ones is
needed; one that was used stands in its company's table until it would have expired anyway.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.clock import from_ms, to_ms
from foodflow_kernel.errors import Unauthorised
from foodflow_kernel.wire.protocol import TOKEN_TTL_S
from server.core.db.sessions import Database
from server.identity import tokens
from server.identity.keys import Keyring
from server.identity.tokens import Signing
from server.sync.models import SyncNonce

NONCE_TTL_S = 120
_TIME, _RANDOM, _STAMP = 8, 16, 16


@dataclass(frozen=True, slots=True)
class DeviceToken:
    """What a device token says: who, whose, and under which incarnation it said hello."""

    device_id: UUID
    tenant_id: UUID
    incarnation: UUID


class Nonces:
    """Makes nonces and knows its own.

    Args:
        secret: the server's own; shared by its processes.
    """

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"foodflow-nonce-1", hashlib.sha256)

    def make(self, now: datetime) -> bytes:
        """A nonce that is good for two minutes."""
        start = to_ms(now).to_bytes(_TIME, "big") + os.urandom(_RANDOM)
        return start + self._stamp(start)

    async def take(self, db: AsyncSession, nonce: bytes, now: datetime) -> None:
        """Accept a nonce, once, whichever process is asked; it is used if the transaction commits.

        Raises:
            Unauthorised: `nonce_bad` for one that is not ours, too old, or used.
        """
        start, stamp = nonce[: _TIME + _RANDOM], nonce[_TIME + _RANDOM :]
        if not hmac.compare_digest(self._stamp(start), stamp):
            raise Unauthorised("nonce_bad")
        until = from_ms(int.from_bytes(start[:_TIME], "big")) + timedelta(seconds=NONCE_TTL_S)
        if until <= now:
            raise Unauthorised("nonce_bad")
        used = insert(SyncNonce).values(nonce=nonce, until=until).on_conflict_do_nothing().returning(SyncNonce.until)
        if await db.scalar(used) is None:
            raise Unauthorised("nonce_bad")

    def _stamp(self, start: bytes) -> bytes:
        return hmac.digest(self._key, start, hashlib.sha256)[:_STAMP]


async def drop_old(db: AsyncSession, now: datetime) -> None:
    """Forget nonces that are good no more."""
    await db.execute(delete(SyncNonce).where(SyncNonce.until <= now))


def issue(key: Signing, token: DeviceToken, now: datetime) -> str:
    """A device token for the next fifteen minutes."""
    claims = {"tid": str(token.tenant_id), "inc": str(token.incarnation)}
    return tokens.issue(key, tokens.DEVICE_AUDIENCE, token.device_id, now, TOKEN_TTL_S, **claims)


async def read(keyring: Keyring, database: Database, encoded: str) -> DeviceToken:
    """What a device token says.

    Raises:
        NotAllowed: `token_bad`, `token_expired`.
    """
    claims = await keyring.read(database, tokens.DEVICE_AUDIENCE, encoded)
    return DeviceToken(UUID(claims["sub"]), UUID(claims["tid"]), UUID(claims["inc"]))
