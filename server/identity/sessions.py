"""A person's session: a family of refresh tokens, of which only the newest may be used.

A used token that comes back was copied: whoever holds the newer one may be the thief, so the whole
family ends. Everything that adds to a family or ends it locks first the person, then the family's
head, in this order; so nothing is added to a family that is just being ended.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import NotAllowed, NotFound
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines.identity import TenantState
from server.core import audit, events, live
from server.core.actor import Actor, ActorKind
from server.core.db.sessions import Database, TenantRef
from server.core.live import log
from server.identity.models import RefreshToken, User

IDLE = timedelta(days=14)
ABSOLUTE = timedelta(days=30)
"""After the sign-in, however much the session is used."""
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Issued:
    """A refresh token, the only time its text is known."""

    text: str
    token: RefreshToken
    user: User


@dataclass(frozen=True, slots=True)
class TokenReused:
    """A session was ended because one of its used tokens came back."""

    user_id: uuid.UUID
    family_id: uuid.UUID


def new_secret(tenant_id: uuid.UUID) -> str:
    """A text nobody can guess, that says whose schema knows it: ``<tenant>.<random>``."""
    return f"{tenant_id.hex}.{secrets.token_urlsafe(SECRET_BYTES)}"


def digest(text: str) -> bytes:
    """What is kept of a secret, shape (32,). It is random: a slow hash would add nothing."""
    return hashlib.sha256(text.encode()).digest()


async def tenant_of(database: Database, text: str) -> TenantRef | None:
    """The tenant whose secret this says it is, if it is one that may be used now."""
    named, _, _ = text.partition(".")
    try:
        tenant = await database.tenant(uuid.UUID(hex=named))
    except (ValueError, NotFound):
        return None
    return tenant if tenant.state is TenantState.active else None


def begin(db: AsyncSession, user: User) -> Issued:
    """Start a session for a person whose row is locked."""
    now = db.info["clock"].now()
    token_id = new_id(now)
    return _add(db, user, token_id, None, now, now + IDLE, token_id)


async def rotate(db: AsyncSession, text: str) -> Issued | None:
    """Exchange a token for the next one of its family.

    Returns:
        None if the token had been used before: the family is revoked, and the caller commits that
        before refusing.

    Raises:
        NotAllowed: `token_bad`, `token_expired`.
    """
    used = await db.scalar(select(RefreshToken).where(RefreshToken.token_sha256 == digest(text)))
    if used is None:
        raise NotAllowed("token_bad")
    user = await db.get_one(User, used.user_id, with_for_update={"read": True, "key_share": True})
    head = await _lock(db, used.family_id)
    await db.refresh(used)  # another request may have used it while this one waited for the lock
    now = db.info["clock"].now()
    if head is None or head.revoked_at is not None:
        raise NotAllowed("token_bad")
    if used.used_at is not None:
        await _revoke(db, [head.id], "reused")
        audit.write(db, person(db, user), "auth.token_reused", "identity.user", user.id, {"session": head.id})
        events.announce(db, TokenReused(user.id, head.id))
        return None
    if used.expires_at <= now:
        raise NotAllowed("token_expired")
    if not user.may_go_on:
        raise NotAllowed("token_bad")
    used.used_at = now
    return _add(db, user, head.id, used.id, now, min(now + IDLE, head.issued_at + ABSOLUTE))


async def end(db: AsyncSession, text: str) -> None:
    """End the session a token belongs to; nothing happens if there is none."""
    token = await db.scalar(select(RefreshToken).where(RefreshToken.token_sha256 == digest(text)))
    head = await _lock(db, token.family_id) if token else None
    if head is None or head.revoked_at is not None:
        return
    user = await db.get_one(User, head.user_id)
    await _revoke(db, [head.id], "signed_out")
    audit.write(db, person(db, user), "auth.logout", "identity.user", user.id, {"session": head.id})


async def end_all(db: AsyncSession, user_id: uuid.UUID, reason: str, *, spare: uuid.UUID | None = None) -> None:
    """End all sessions of a person at once.

    Args:
        spare: a session that goes on; without one the access tokens lose their epoch as well.
    """
    await db.get_one(User, user_id, with_for_update={"key_share": True})
    living = (
        select(RefreshToken.id)
        .where(
            RefreshToken.user_id == user_id,
            RefreshToken.id == RefreshToken.family_id,
            RefreshToken.revoked_at.is_(None),
        )
        .order_by(RefreshToken.id)
        .with_for_update()
    )
    heads = [head for head in (await db.scalars(living)).all() if head != spare]
    await _revoke(db, heads, reason)
    if spare is None:
        # Not through the ORM: this is no news for the terminals that hold the person's row.
        raised = update(User).where(User.id == user_id).values(token_epoch=User.token_epoch + 1)
        await db.execute(raised, execution_options={"synchronize_session": False})


def person(db: AsyncSession, user: User) -> Actor:
    """The person as an actor without rights, for the audit trail."""
    return Actor(ActorKind.user, db.info["tenant_id"], user.id, user.printed_name)


def _add(
    db: AsyncSession,
    user: User,
    family_id: uuid.UUID,
    parent_id: uuid.UUID | None,
    now: datetime,
    expires_at: datetime,
    token_id: uuid.UUID | None = None,
) -> Issued:
    text = new_secret(db.info["tenant_id"])
    token = RefreshToken(
        id=token_id or new_id(now),
        token_sha256=digest(text),
        family_id=family_id,
        parent_id=parent_id,
        user_id=user.id,
        issued_at=now,
        expires_at=expires_at,
    )
    db.add(token)
    return Issued(text, token, user)


async def _lock(db: AsyncSession, family_id: uuid.UUID) -> RefreshToken | None:
    head = select(RefreshToken).where(RefreshToken.id == family_id).with_for_update()
    return await db.scalar(head, execution_options={"populate_existing": True})


async def _revoke(db: AsyncSession, heads: list[uuid.UUID], reason: str) -> None:
    ended = (
        update(RefreshToken)
        .where(RefreshToken.family_id.in_(heads), RefreshToken.revoked_at.is_(None))
        .values(revoked_at=db.info["clock"].now(), reason=reason)
    )
    await db.execute(ended, execution_options={"synchronize_session": False})
    for head in heads:
        live.tell(db, log.SESSION, head)
