"""The audit trail: written in the transaction that changes, never changed after.

INSERT-only by grant and by trigger. Each row carries the SHA-256 of its own content, so that a
change made by a superuser can be found. Secrets never enter a diff.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Identity
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from foodflow_kernel.clock import Clock
from server.core.actor import Actor
from server.core.db.base import TenantBase

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Of the running HTTP request; joins log lines and audit rows."""

SECRET_FIELDS = frozenset(
    {
        "password_hash",
        "pin_base",
        "totp_secret",
        "token",
        "secret",
        "pepper",
        "pin",
        "password",
        "access_token",
        "refresh_token",
        "token_sha256",
        "code_sha256",
        "private_sealed",
        "old_password",
        "new_password",
        "credentials",
    }
)


class AuditRow(TenantBase):
    """Who did what to which record, when, why."""

    __tablename__ = "core_audit"

    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_id: Mapped[uuid.UUID | None]
    actor_name: Mapped[str]
    device_id: Mapped[uuid.UUID | None]
    action: Mapped[str]
    entity: Mapped[str]
    entity_id: Mapped[uuid.UUID | None]
    diff: Mapped[dict[str, Any]]
    reason: Mapped[str | None]
    request_id: Mapped[str | None]
    row_hash: Mapped[bytes]


def write(
    db: AsyncSession,
    actor: Actor,
    action: str,
    entity: str,
    entity_id: uuid.UUID | None,
    diff: Mapped[Any] | Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> None:
    """Add an audit row to the running transaction.

    Args:
        action: permission code or event, such as ``fsq.hold.release`` or ``auth.login_failed``.
        diff: field to new value, or field to [old, new]; secrets are cut out.
    """
    clock: Clock = db.info["clock"]
    row: dict[str, Any] = {
        "at": clock.now(),
        "actor_kind": actor.kind.value,
        "actor_id": actor.id,
        "actor_name": actor.name,
        "device_id": actor.device_id,
        "action": action,
        "entity": entity,
        "entity_id": entity_id,
        "diff": plain(diff or {}),
        "reason": reason,
        "request_id": request_id.get(),
    }
    db.add(AuditRow(**row, row_hash=digest(row)))


def plain(value: Any) -> Any:
    """A value as JSON can hold it, without secrets."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items() if str(k) not in SECRET_FIELDS}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value)


def digest(row: Mapping[str, Any]) -> bytes:
    """SHA-256 of the canonical JSON of an audit row, shape (32,)."""
    return hashlib.sha256(json.dumps(plain(row), sort_keys=True, separators=(",", ":")).encode()).digest()
