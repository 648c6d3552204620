"""The next number of a series, given under a lock that lasts to the end of the transaction."""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from server.fsq.models import NumberSeries


async def lock(db: AsyncSession, name: str) -> int:
    """Lock a series and say which number was given last; others wait here."""
    statement = insert(NumberSeries).values(name=name, n=0)
    statement = statement.on_conflict_do_update(index_elements=[NumberSeries.name], set_={"n": NumberSeries.n})
    return (await db.execute(statement.returning(NumberSeries.n))).scalar_one()


async def take(db: AsyncSession, name: str) -> int:
    """The next number of a series; none is given twice or left out."""
    statement = insert(NumberSeries).values(name=name, n=1)
    statement = statement.on_conflict_do_update(index_elements=[NumberSeries.name], set_={"n": NumberSeries.n + 1})
    return (await db.execute(statement.returning(NumberSeries.n))).scalar_one()
