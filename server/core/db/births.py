"""New master rows, written by a statement that was put into words once.

What the ORM does to find out what is new, and in which order, took longer than the database. A row
that is written here is stamped and fed as a flushed one is.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

from pydantic_core import PydanticSerializationError
from sqlalchemy import (
    Column,
    Table,
    Text,
    event,
    insert,
    inspect,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import Invalid
from server.core import feed
from server.core.actor import Actor
from server.core.db import given, together
from server.core.db.base import MasterRow

_LAST = "births_last"


def born(model: Any, **said: Any) -> Any:
    """A new row that no session holds, with the columns that are said.

    Past the instrumentation: it has no history to keep, and keeping it took longer than all else.
    """
    row = _maker(model)()
    row.__dict__.update(said)
    return row


@functools.cache
def _maker(model: Any) -> Callable[[], Any]:
    made: Callable[[], Any] = inspect(model).class_manager.new_instance
    return made


def fill(db: AsyncSession, rows: Sequence[MasterRow]) -> None:
    """Stamp new rows and give the columns that nobody gave their default; what only the database knows stays unset."""
    clock: Clock = db.info["clock"]
    actor: Actor | None = db.info.get("actor")
    now, who = clock.now(), actor.id if actor else None
    for row in rows:
        model: Any = type(row)
        known = row.__dict__
        at, by = known.get("created_at") or now, known.get("created_by") or who
        stamps = {"created_at": at, "created_by": by, "updated_at": at, "updated_by": by}
        known.update({**_defaults(model), **known, **stamps})


async def write(db: AsyncSession, rows: Sequence[MasterRow]) -> None:
    """Write new rows of one table, filled before; they stay outside the session.

    Raises:
        DBAPIError: a row is refused; the transaction is as it was before.
        Invalid: `value_out_of_range`: a text that is none.
    """
    if rows:
        await db.run_sync(lambda session: together.send(session, *_asked(rows), guarded=True))
        _tell(db, rows)


def write_last(db: AsyncSession, rows: Sequence[MasterRow]) -> None:
    """Write them when the transaction commits, in the same packet: nothing before that sees them or hears a refusal."""
    db.info.setdefault(_LAST, []).extend(_asked(rows))
    _tell(db, rows)


def last(session: Session) -> list[together.Asked]:
    """What is to be written when a transaction commits; it is handed out once."""
    waiting: list[together.Asked] = session.info.pop(_LAST, [])
    return waiting


@event.listens_for(feed.FeedSession, "after_soft_rollback")
def _forget(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_LAST, None)


def _tell(db: AsyncSession, rows: Sequence[MasterRow]) -> None:
    for row in rows:
        feed.collect(db.sync_session, row)


def _asked(rows: Sequence[MasterRow]) -> Iterator[together.Asked]:
    """One statement for all rows that leave the same columns to the database; what they share is said once.

    What is empty where nothing is said need not be said, unless another row of the statement has a value there.
    """
    model: Any = type(rows[0])
    empty, other = _names(model)
    known_of = [row.__dict__ for row in rows]
    for must, group in itertools.groupby(known_of, key=lambda known: tuple(filter(known.__contains__, other))):
        alike = list(group)
        columns = {name: [known[name] for known in alike] for name in (*must, *empty)}
        for name in empty:
            if columns[name].count(None) == len(alike):
                del columns[name]
        try:
            shared, parameters = given.texts(columns)
        except PydanticSerializationError as error:  # half a pair of surrogates is no text
            raise Invalid("value_out_of_range") from error
        yield _statement(model, tuple(columns), shared), parameters


@functools.cache
def _names(model: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns that hold NULL where nothing is said, and the others."""
    empty = {name for name, value in _defaults(model).items() if value is None}
    names = inspect(model).columns.keys()
    return tuple(name for name in names if name in empty), tuple(name for name in names if name not in empty)


@functools.cache
def _defaults(model: Any) -> dict[str, Any]:
    """What a column holds where nothing is said, as far as the model says it.

    A default of the database that is written as an expression is none of these: a trigger may fill the column.
    """
    found: dict[str, Any] = {}
    for name, each in inspect(model).columns.items():
        if not isinstance(each, Column):
            continue
        if isinstance(each.default, ScalarElementColumnDefault):
            found[name] = each.default.arg
        elif each.server_default is None:
            if each.nullable:
                found[name] = None
        elif isinstance(arg := getattr(each.server_default, "arg", None), str) and isinstance(each.type, Text):
            found[name] = arg
    return found


@functools.lru_cache(1000)
def _statement(model: Any, names: tuple[str, ...], shared: tuple[str, ...]) -> together.Ready:
    table, columns = cast("Table", inspect(model).local_table), inspect(model).columns
    source, said = given.source({name: columns[name].type for name in names}, shared)
    return together.ready(
        insert(table).from_select([columns[name] for name in names], select(*said.values()).select_from(source))
    )
