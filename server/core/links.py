"""A record of any kind, by its kind and id: what a file, a note or a tag belongs to."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import Invalid, NotAllowed, NotFound
from server.core.actions import load
from server.core.actor import Actor
from server.core.resource import Resource

Records = Mapping[str, type[Any]]
"""Permission prefix of a resource to its model: what something may belong to."""


def records(resources: Iterable[Resource]) -> dict[str, type[Any]]:
    """The kinds of record by their permission prefix.

    Where several tables share one (a batch and its moves), the kind is the record, not the facts about it.
    """
    found: dict[str, type[Any]] = {}
    for resource in sorted(resources, key=lambda each: each.owner == "F"):
        found.setdefault(resource.code, resource.model)
    return found


async def record(
    db: AsyncSession, actor: Actor, kinds: Records, entity: str, entity_id: uuid.UUID, *, lock: bool = False
) -> Any:
    """The record, if this actor may read it where it is.

    Raises:
        Invalid: `entity_unknown`.
        NotFound: `record_unknown`; the same for one that is not there and one that the actor may not read.
    """
    model = kinds.get(entity)
    if model is None:
        raise Invalid("entity_unknown", entity=entity)
    try:
        return await load(db, actor, model, entity_id, f"{entity}.read", lock=lock)
    except NotAllowed as refusal:
        raise NotFound("record_unknown", id=entity_id) from refusal


async def subject(db: AsyncSession, actor: Actor, kinds: Records, entity: str, entity_id: uuid.UUID) -> Any:
    """The record that a note or tag is about: none whose own rows are seen by some only, such as a note.

    Raises:
        Invalid: `entity_unknown`.
        NotFound: `record_unknown`.
    """
    if hasattr(kinds.get(entity), "seen_by"):
        raise Invalid("entity_unknown", entity=entity)
    return await record(db, actor, kinds, entity, entity_id)
