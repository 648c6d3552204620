"""What a context announces, delivered inside the announcing transaction.

``flows/reactions.py`` says who reacts; a context never knows. Events are frozen dataclasses
whose names say what happened.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

Reaction = Callable[[AsyncSession, Any], Awaitable[None]]
Reactions = Mapping[type, Sequence[Reaction]]

_ANNOUNCED = "announced"


def announce(db: AsyncSession, event: object) -> None:
    """Say that something happened; reactions run before the transaction commits."""
    db.info.setdefault(_ANNOUNCED, []).append(event)


def count(db: AsyncSession) -> int:
    """How much was announced so far."""
    return len(db.info.get(_ANNOUNCED, ()))


def forget(db: AsyncSession, after: int) -> None:
    """Take back what was announced after a ``count``: its transaction was undone."""
    del db.info.get(_ANNOUNCED, [])[after:]


async def deliver(db: AsyncSession, reactions: Reactions) -> None:
    """Run the reactions to everything announced so far, and to what they announce in turn."""
    waiting: list[object] = db.info.get(_ANNOUNCED, [])
    while waiting:
        event = waiting.pop(0)
        for react in reactions.get(type(event), ()):
            await react(db, event)
