"""New master rows, written by a statement that was put into words once.

What the ORM does to find out what is new, and in which order, took longer than the database. A row
that is written here is stamped and fed as a flushed one is.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import Column, Table, Text, bindparam, insert, inspect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from foodflow_kernel.clock import Clock
from server.core import feed
from server.core.actor import Actor
from server.core.db import together
from server.core.db.base import MasterRow


def stamp(session: Session, row: MasterRow) -> None:
    """Who made a row, and when, unless that is said already."""
    clock: Clock = session.info["clock"]
    actor: Actor | None = session.info.get("actor")
    row.created_at = row.created_at or clock.now()
    row.created_by = row.created_by or (actor.id if actor else None)
    row.updated_at, row.updated_by = row.created_at, row.created_by


async def write(db: AsyncSession, rows: Sequence[MasterRow]) -> None:
    """Write new rows of one table; they stay outside the session.

    Columns that nobody gave have their default; one that only the database knows stays unset.

    Raises:
        DBAPIError: a row is refused.
    """
    if rows:
        await db.run_sync(_write, rows)


def _write(session: Session, rows: Sequence[MasterRow]) -> None:
    model: Any = type(rows[0])
    defaults = _defaults(model)
    asked = []
    for row in rows:
        stamp(session, row)
        for name, value in defaults.items():
            if name not in row.__dict__:
                setattr(row, name, value)
        given = {name: row.__dict__[name] for name in _names(model) if name in row.__dict__}
        asked.append((_statement(model, tuple(given)), given))
    together.send(session, *asked)
    for row in rows:
        feed.collect(session, row)


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


@functools.cache
def _statement(model: Any, names: tuple[str, ...]) -> together.Ready:
    table, columns = cast("Table", inspect(model).local_table), inspect(model).columns
    values = {columns[name]: bindparam(name, type_=columns[name].type) for name in names}
    return together.ready(insert(table).values(values))
