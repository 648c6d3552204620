"""What belongs to a record of any kind, and is seen only with it."""

from __future__ import annotations

import uuid

from sqlalchemy import ColumnElement, and_, false, or_
from sqlalchemy.orm import InstrumentedAttribute

from server.core.actor import Actor, ActorKind

READ = ".read"


def seen_with(
    actor: Actor, entity: InstrumentedAttribute[str], plant: InstrumentedAttribute[uuid.UUID | None]
) -> list[ColumnElement[bool]]:
    """Rows whose record the actor may read: its kind, at the plant where it is.

    A record never moves to another plant (``fixed`` in its resource), so that the plant which its row
    names stays the record's.
    """
    if actor.kind is ActorKind.system:
        return []
    at: dict[frozenset[uuid.UUID] | None, list[str]] = {}
    for code in sorted(actor.permissions):
        if code.endswith(READ):
            at.setdefault(actor.plants_with(code), []).append(code.removesuffix(READ))
    parts = [
        entity.in_(kinds) if plants is None else and_(entity.in_(kinds), or_(plant.is_(None), plant.in_(plants)))
        for plants, kinds in at.items()
    ]
    return [or_(false(), *parts)]
