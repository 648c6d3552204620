"""The one door: every verb on a record runs through ``perform``.

Permission, row lock, signature, the verb, audit; in that order, in one transaction. Routes, the
command line and later jobs and the copilot call nothing else.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, func, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import Invalid, NotAllowed, NotFound
from server.core import audit, esign
from server.core.actor import Actor
from server.core.db import FactRow, plant_of

Verb = Callable[[AsyncSession, Any, Any], Awaitable[Any]]
"""``async def close(db, row, command) -> row``: refuses first, then changes."""


@dataclass(frozen=True)
class Action:
    """A verb that the API offers on a resource.

    Args:
        name: last part of the permission, and of the URL after the colon.
        verb: what it does.
        command: the shape of its input.
        signature: whether the actor must sign with PIN or password.
        risk: read, confirm, approve or forbidden: what a copilot may do with it.
    """

    name: str
    verb: Verb
    command: type[BaseModel]
    signature: bool = False
    risk: str = "confirm"


async def perform(
    db: AsyncSession,
    actor: Actor,
    model: type[Any],
    code: str,
    action: Action,
    record_id: uuid.UUID,
    command: BaseModel,
    *,
    credentials: esign.Credentials | None = None,
    esign_id: uuid.UUID | None = None,
    signer: esign.Signer | None = None,
) -> Any:
    """Run a verb on one record on behalf of an actor.

    Args:
        code: the resource's permission prefix, such as ``fsq.lot``.
        credentials: for an action that must be signed, here and now.
        esign_id: or the signature that was given before.

    Returns:
        What the verb returns: the changed record, or what it made.

    Raises:
        NotAllowed: `permission_missing`, `signature_needed`, and what ``esign.sign`` and ``redeem`` say.
        NotFound: `record_unknown`, also for records of another plant.
        FoodFlowError: whatever the verb refuses.
    """
    record = await load(db, actor, model, record_id, f"{code}.{action.name}", lock=True)
    before = values(record)
    reason = getattr(command, "reason", None)
    signature = None
    if action.signature:
        signature = await _signature(db, actor, code, action, record, credentials, esign_id, signer, reason)
    result = await action.verb(db, record, command)
    await db.flush()
    if signature is not None:
        await esign.use(db, signature, f"{code}.{action.name}", record)
    audit.write(
        db,
        actor,
        f"{code}.{action.name}",
        code,
        record_id,
        on_record(model, changes(before, values(record))) | said(model, command),
        reason=reason,
        plant_id=plant_of(record),
        esign_id=signature.id if signature else None,
    )
    return result


async def _signature(
    db: AsyncSession,
    actor: Actor,
    code: str,
    action: Action,
    record: Any,
    credentials: esign.Credentials | None,
    esign_id: uuid.UUID | None,
    signer: esign.Signer | None,
    reason: str | None,
) -> esign.ESignature:
    """The signature under an action: given before, or given now; the same one path either way."""
    if credentials is not None and esign_id is not None:
        raise Invalid("signature_twice")
    if esign_id is not None:
        given = await esign.redeem(db, actor, esign_id, code, record)
        esign.meaning_of(action.name, esign.Meaning(given.meaning))
        return given
    if credentials is None or signer is None:
        raise NotAllowed("signature_needed", action=f"{code}.{action.name}")
    meaning = esign.meaning_of(action.name, credentials.meaning)
    return await esign.sign(db, actor, signer, code, record, credentials, meaning, reason)


async def load(
    db: AsyncSession, actor: Actor, model: type[Any], record_id: uuid.UUID, code: str, *, lock: bool = False
) -> Any:
    """A record within the actor's scope.

    Args:
        code: the permission that the actor must hold at the record's own plant.

    Raises:
        NotFound: `record_unknown`; the same for one that is not there and one that is not yours.
        NotAllowed: `permission_missing` at this record's plant.
    """
    query = select(model).where(model.id == record_id, *seen(model, actor))
    if lock and issubclass(model, FactRow):
        # Nobody may lock a row that nobody may change: whoever acts on a fact waits at its id.
        await db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"fact {record_id}", 0))))
    elif lock:
        query = query.with_for_update()
    record = await db.scalar(query)
    if record is None or not actor.sees(plant_of(record)):
        raise NotFound("record_unknown", id=record_id)
    actor.require(code, plant_of(record))
    return record


def seen(model: type[Any], actor: Actor) -> list[ColumnElement[bool]]:
    """Which rows of a table the actor sees at all, beyond the plant they are at: a model says it in ``seen_by``."""
    of_model: Callable[[Actor], list[ColumnElement[bool]]] | None = getattr(model, "seen_by", None)
    return [] if of_model is None else of_model(actor)


def values(record: Any) -> dict[str, Any]:
    """The columns of a record as they stand."""
    model: Any = type(record)
    known = record.__dict__
    return {name: known[name] if name in known else getattr(record, name) for name in columns_of(model)}


@functools.cache
def columns_of(model: Any) -> tuple[str, ...]:
    """The names of a model's columns, as its attributes have them."""
    return tuple(inspect(model).column_attrs.keys())


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Field to [old, new] of what differs; stamps and version are not news."""
    return {
        k: [before[k], v]
        for k, v in after.items()
        if before.get(k) != v and k not in ("version", "updated_at", "updated_by")
    }


def on_record(model: type[Any], diff: dict[str, Any]) -> dict[str, Any]:
    """What the trail keeps of a change: that a personal field changed, never what it held.

    The trail is sealed: what stands in it can never be erased (a model names such fields in ``__personal__``).
    """
    personal: frozenset[str] = getattr(model, "__personal__", frozenset())
    if not personal:
        return diff
    return {name: "personal" if name in personal and value is not None else value for name, value in diff.items()}


def said(model: type[Any], command: BaseModel) -> dict[str, Any]:
    """The command as part of an audit row, what is personal in it left out as it is of a change."""
    return {"command": on_record(model, command.model_dump(mode="json", exclude_none=True))}
