"""New master rows, written by a statement that was put into words once.

What the ORM does to find out what is new, and in which order, took longer than the database. A row
that is written here is stamped and fed as a flushed one is.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import Column, Table, Text, bindparam, event, insert, inspect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from foodflow_kernel.clock import Clock
from server.core import feed
from server.core.actor import Actor
from server.core.db import together
from server.core.db.base import MasterRow

_LAST = "births_last"


def stamp(session: Session, row: MasterRow) -> None:
    """Who made a row, and when, unless that is said already."""
    clock: Clock = session.info["clock"]
    actor: Actor | None = session.info.get("actor")
    row.created_at = row.created_at or clock.now()
    row.created_by = row.created_by or (actor.id if actor else None)
    row.updated_at, row.updated_by = row.created_at, row.created_by


def fill(db: AsyncSession, row: MasterRow) -> None:
    """Stamp a new row and give the columns that nobody gave their default; what only the database knows stays unset."""
    stamp(db.sync_session, row)
    model: Any = type(row)
    for name, value in _defaults(model).items():
        if name not in row.__dict__:
            setattr(row, name, value)


async def write(db: AsyncSession, rows: Sequence[MasterRow]) -> None:
    """Write new rows of one table, filled before; they stay outside the session.

    Raises:
        DBAPIError: a row is refused.
    """
    if rows:
        await db.run_sync(lambda session: together.send(session, *map(_asked, rows)))
        _tell(db, rows)


def write_last(db: AsyncSession, rows: Sequence[MasterRow]) -> None:
    """Write them when the transaction commits, in the same packet: nothing before that sees them or hears a refusal."""
    db.info.setdefault(_LAST, []).extend(map(_asked, rows))
    _tell(db, rows)


def last(session: Session) -> list[together.Asked]:
    """What is to be written when a transaction commits; it is handed out once."""
    waiting: list[together.Asked] = session.info.pop(_LAST, [])
    return waiting


def _tell(db: AsyncSession, rows: Sequence[MasterRow]) -> None:
    for row in rows:
        feed.collect(db.sync_session, row)


@event.listens_for(feed.FeedSession, "after_soft_rollback")
def _forget(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_LAST, None)


def _asked(row: MasterRow) -> together.Asked:
    model: Any = type(row)
    known, defaults = row.__dict__, _defaults(model)
    # What is empty anyway need not be said; NULL where the database has a default must be.
    given = {
        name: known[name]
        for name in _names(model)
        if name in known and (known[name] is not None or name not in defaults or defaults[name] is not None)
    }
    return _statement(model, tuple(given)), given


@functools.cache
def _names(model: Any) -> tuple[str, ...]:
    return tuple(inspect(model).columns.keys())


@functools.cache
def _defaults(model: Any) -> dict[str, Any]:
    """What a column holds where nothing is said, as far as the model says it.

    A default of the database that is written as an expression is none of these: a trigger may fill the column.
    """
    found: dict[str, Any] = {}
    for name, column in inspect(model).columns.items():
        if not isinstance(column, Column):
            continue
        if isinstance(column.default, ScalarElementColumnDefault):
            found[name] = column.default.arg
        elif column.server_default is None:
            if column.nullable:
                found[name] = None
        elif isinstance(arg := getattr(column.server_default, "arg", None), str) and isinstance(column.type, Text):
            found[name] = arg
    return found


@functools.lru_cache(1000)
def _statement(model: Any, names: tuple[str, ...]) -> together.Ready:
    table, columns = cast("Table", inspect(model).local_table), inspect(model).columns
    values = {columns[name]: bindparam(name, type_=columns[name].type) for name in names}
    return together.ready(insert(table).values(values))
