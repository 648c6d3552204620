"""A request that is sent again is done once: same key and body, same answer.

The key is claimed by the first statement of the transaction that does the work, and its answer
commits with it. A request with the same key waits at the claim: when the first one commits it
gets that answer, when the first one is refused it is done itself, so nothing is remembered of
what was not written.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Header, Request, Response
from sqlalchemy import Index, delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from foodflow_kernel.errors import Invalid, Refused
from server.core.access import Caller
from server.core.db import TenantBase
from server.core.settings import Settings

LONGEST = 128
REPLAYED = "Idempotency-Replayed"
_SWEPT = 100
"""Expired keys that one claim takes away with it."""

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="a new one for each thing to be done: sent again with the same body, the answer is the same and "
        "nothing is done twice; kept for `FOODFLOW_IDEMPOTENCY_HOURS`",
    ),
]


class IdempotencyKey(TenantBase):
    """A key that somebody sent with a request, and what they were answered."""

    __tablename__ = "core_idempotency_key"
    __table_args__ = (Index("ix_core_idempotency_key_expires_at", "expires_at"),)

    actor_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_sha256: Mapped[bytes]
    status: Mapped[int | None]
    etag: Mapped[str | None]
    answer: Mapped[bytes | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


async def once(request: Request, caller: Caller, key: str | None, work: Callable[[], Awaitable[Response]]) -> Response:
    """Do the work of a request, or answer as it was answered before.

    Raises:
        Invalid: `idempotency_key_bad`.
        Refused: `idempotency_key_reused` with another request.
    """
    if key is None:
        return await work()
    if not 1 <= len(key) <= LONGEST or not all("!" <= letter <= "~" for letter in key):
        raise Invalid("idempotency_key_bad")
    sent = await _digest(request)
    mine = {"actor_id": caller.actor.id or caller.actor.tenant_id, "key": key}
    settings: Settings = request.app.state.settings
    now = caller.clock.now()
    await _sweep(caller, now, mine)
    row = mine | {
        "request_sha256": sent,
        "created_at": now,
        "expires_at": now + timedelta(hours=settings.idempotency_hours),
    }
    claim = insert(IdempotencyKey).values(row).on_conflict_do_nothing().returning(IdempotencyKey.key)
    if await caller.db.scalar(claim) is None:
        return await _replay(caller, mine, sent)
    answer = await work()
    here = (IdempotencyKey.actor_id == mine["actor_id"], IdempotencyKey.key == key)
    if answer.status_code >= 400:  # noqa: PLR2004  # nothing was written: the key is free again
        await caller.db.execute(delete(IdempotencyKey).where(*here))
        return answer
    told = {"status": answer.status_code, "etag": answer.headers.get("etag"), "answer": bytes(answer.body)}
    await caller.db.execute(update(IdempotencyKey).where(*here).values(told))
    return answer


async def _digest(request: Request) -> bytes:
    """SHA-256 of what was asked, shape (32,): method, path, query and the body byte by byte."""
    asked = f"{request.method} {request.url.path}?{request.url.query}\n"
    return hashlib.sha256(asked.encode() + await request.body()).digest()


async def _sweep(caller: Caller, now: datetime, mine: dict[str, object]) -> None:
    """Forget this key if it has expired, and some others that have."""
    place = tuple_(IdempotencyKey.actor_id, IdempotencyKey.key)
    expired = select(IdempotencyKey.actor_id, IdempotencyKey.key).where(IdempotencyKey.expires_at <= now)
    some = expired.limit(_SWEPT).with_for_update(skip_locked=True)
    this = expired.filter_by(**mine)
    for which in (this, some):
        gone = delete(IdempotencyKey).where(place.in_(which))
        await caller.db.execute(gone, execution_options={"synchronize_session": False})


async def _replay(caller: Caller, mine: dict[str, object], sent: bytes) -> Response:
    known = (await caller.db.scalars(select(IdempotencyKey).filter_by(**mine))).one_or_none()
    if known is None or known.status is None or known.request_sha256 != sent:
        raise Refused("idempotency_key_reused")
    headers = {REPLAYED: "true"} | ({"ETag": known.etag} if known.etag else {})
    return Response(known.answer, known.status, headers, media_type="application/json")
