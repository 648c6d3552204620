"""Many new rows at once by COPY: parsing an INSERT of thousands of parameters costs more than storing them.

Measured: 200 weighings in one INSERT take 75 ms in the driver's parser alone; COPY has none. The
stream is built here, in PostgreSQL's binary form and column by column: the driver's writer looks
up how to write each value anew, and PostgreSQL then parses the text; that took longer than the rest.

Source: PostgreSQL documentation, COPY, "Binary Format"; ``array_recv`` and the ``*_recv`` of each type.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import chain, repeat
from typing import Any, TypeAlias, cast

from psycopg import AsyncConnection, adapters, errors, sql
from psycopg.adapt import PyFormat
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    DateTime,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    String,
    Table,
    Uuid,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

FEW = 8
"""Below this an ordinary INSERT is quicker than a savepoint around a COPY."""

START = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = struct.pack("!h", -1)
NULL = struct.pack("!i", -1)

Row = Mapping[str, Any]
Field: TypeAlias = Callable[[Any], bytes]
"""A value that is not None as a field of the stream: its length, then its bytes."""

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LENGTH = struct.Struct("!i")
_INT2, _INT4, _INT8 = struct.Struct("!ih"), struct.Struct("!ii"), struct.Struct("!iq")
_ARRAY = struct.Struct("!iIIii")
_EMPTY_ARRAY = struct.Struct("!iII")
_decimal = adapters.get_dumper(Decimal, PyFormat.BINARY)(Decimal)


async def insert_new(db: AsyncSession, table: Table, rows: Sequence[Row]) -> int:
    """Insert the rows whose keys are not there yet; returns how many were new.

    All rows name the same columns. Rows that are there already are the exception (a batch that
    came twice): then the whole lot goes the slow way, one by one.
    """
    if not rows:
        return 0
    if len(rows) < FEW:
        statement = insert(table).on_conflict_do_nothing().returning(table.c.id)
        return len((await db.execute(statement, list(rows))).all())
    try:
        async with db.begin_nested():
            await _copy(db, table, rows)
    except errors.UniqueViolation:
        known = select(func.count()).where(table.c.id.in_([row["id"] for row in rows]))
        before = await db.scalar(known) or 0
        await db.execute(insert(table).on_conflict_do_nothing(), list(rows))
        return (await db.scalar(known) or 0) - before
    return len(rows)


async def _copy(db: AsyncSession, table: Table, rows: Sequence[Row]) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, rows[0]))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(sql.Identifier(table.name), names)
    stream = encode(table, rows)
    raw = await (await db.connection()).get_raw_connection()
    connection = cast("AsyncConnection[Any]", raw.driver_connection)
    async with connection.cursor() as cursor, cursor.copy(statement) as copy:
        await copy.write(stream)


def encode(table: Table, rows: Sequence[Row]) -> bytes:
    """Rows as a binary COPY stream of the columns that the first one names."""
    names = list(rows[0])
    columns = [_column([row[name] for row in rows], _field(table.c[name].type)) for name in names]
    start = repeat(struct.pack("!h", len(names)))
    return b"".join((START, *chain.from_iterable(zip(start, *columns, strict=False)), END))


def _column(values: Iterable[Any], field: Field) -> Iterator[bytes]:
    """One column's fields. Most columns of a batch repeat the very same value: it is written once."""
    last, written = None, NULL
    for value in values:
        if value is not last:
            last, written = value, NULL if value is None else field(value)
        yield written


def _field(kind: Any) -> Field:
    """How values of a column are written."""
    if isinstance(kind, ARRAY):
        return _array(kind.item_type)
    return next(field for of, field in _FIELDS if isinstance(kind, of))


def _sized(value: bytes) -> bytes:
    return _LENGTH.pack(len(value)) + value


def _text(value: str) -> bytes:
    # An enumeration's member is its value: str.encode does not ask for its name.
    return _sized(str.encode(value))


def _int8(value: int) -> bytes:
    return _INT8.pack(8, value)


def _instant(value: datetime) -> bytes:
    return _INT8.pack(8, (value - _EPOCH) // _MICROSECOND)


_FIELDS: tuple[tuple[type, Field], ...] = (
    (Uuid, lambda value: _sized(value.bytes)),
    (DateTime, _instant),
    (BigInteger, _int8),
    (SmallInteger, lambda value: _INT2.pack(2, value)),
    (Integer, lambda value: _INT4.pack(4, value)),
    (String, _text),
    (Numeric, lambda value: _sized(bytes(_decimal.dump(value) or b""))),
    (LargeBinary, _sized),
    (Boolean, lambda value: _sized(b"\1" if value else b"\0")),
    (JSONB, lambda value: _sized(b"\1" + json.dumps(value).encode())),
)
"""Subclasses before their bases. 1 before JSON is the version of its binary form."""
_OIDS: tuple[tuple[type, int], ...] = ((BigInteger, 20), (String, 25), (Uuid, 2950))
"""PostgreSQL's numbers of the types that arrays are made of."""


def _array(kind: Any) -> Field:
    oid = next(oid for of, oid in _OIDS if isinstance(kind, of))
    item = cache(_field(kind))
    empty = _sized(_EMPTY_ARRAY.pack(0, 0, oid))

    def written(values: Sequence[Any]) -> bytes:
        if not values:
            return empty
        items = b"".join([NULL if value is None else item(value) for value in values])
        return _sized(_ARRAY.pack(1, int(None in values), oid, len(values), 1) + items)

    return written
