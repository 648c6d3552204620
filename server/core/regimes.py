"""The rules that a company works under."""

from __future__ import annotations

import uuid

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.core.models import Plant


async def regimes_of(db: AsyncSession, plant_id: uuid.UUID | None = None) -> frozenset[str]:
    """The regimes of the company and of a plant; without one, of all its plants."""
    asked = select(func.unnest(Plant.regimes)).distinct()
    if plant_id is not None:
        asked = asked.where(Plant.id == plant_id)
    return frozenset(db.info["tenant"].regimes) | frozenset((await db.scalars(asked)).all())
