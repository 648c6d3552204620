"""New master rows, written by a statement that was put into words once.

What the ORM does to find out what is new, and in which order, took longer than the database. A row
that is written here is stamped and fed as a flushed one is.
"""

from __future__ import annotations

import enum
import functools
import itertools
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, cast

from pydantic_core import PydanticSerializationError, to_json
from sqlalchemy import (
    Column,
    ColumnClause,
    FromClause,
    Table,
    Text,
    bindparam,
    column,
    event,
    func,
    insert,
    inspect,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import Invalid
from server.core import feed
from server.core.actor import Actor
from server.core.db import together
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
        names = (*must, *(name for name in empty if any(known[name] is not None for known in alike)))
        shared = tuple(name for name in names if is_shared(alike, name))
        own = tuple(name for name in names if name not in shared)
        contents = [{name: known[name] for name in own} for known in alike]
        said = {"rows": contents, "shared": {name: alike[0][name] for name in shared}}
        try:
            yield _statement(model, own, shared), {name: to_json(each).decode() for name, each in said.items() if each}
        except PydanticSerializationError as error:  # half a pair of surrogates is no text
            raise Invalid("value_out_of_range") from error


_SIMPLE = frozenset({str, uuid.UUID, bool, int, datetime, date, type(None)})
"""Types of which two values that are equal are written alike; of a decimal, a float or a structure they may not be."""


def is_shared(rows: Sequence[Mapping[str, Any]], name: str) -> bool:
    """Whether several rows hold the very same value."""
    first = rows[0][name]
    kind = type(first)
    if len(rows) == 1 or not (kind in _SIMPLE or isinstance(first, enum.Enum)):
        return False
    return all(row[name] is first or (type(row[name]) is kind and row[name] == first) for row in rows)


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
def _statement(model: Any, own: tuple[str, ...], shared: tuple[str, ...]) -> together.Ready:
    """Rows come as one JSON text: a value each would be understood by psycopg each, at several times the time."""
    table, columns = cast("Table", inspect(model).local_table), inspect(model).columns
    given = func.jsonb_to_recordset(bindparam("rows", type_=Text).cast(JSONB))
    each = given.table_valued(*_typed(columns, own), name="given").render_derived(with_types=True)
    source: FromClause = each
    said = dict.fromkeys(own, each)
    if shared:
        given = func.jsonb_to_record(bindparam("shared", type_=Text).cast(JSONB))
        all_alike = given.table_valued(*_typed(columns, shared), name="alike").render_derived(with_types=True)
        source, said = each.join(all_alike, true()), said | dict.fromkeys(shared, all_alike)
    into = [columns[name] for name in said]
    values = [of.c[columns[name].name] for name, of in said.items()]
    return together.ready(insert(table).from_select(into, select(*values).select_from(source)))


def _typed(columns: Any, names: Sequence[str]) -> list[ColumnClause[Any]]:
    return [column(columns[name].name, columns[name].type) for name in names]
