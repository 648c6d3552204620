"""Rows for a statement, as JSON text that PostgreSQL takes apart; what they all share is said once.

A parameter for each value would be understood by psycopg each, at several times the time.
"""

from __future__ import annotations

import enum
import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import ColumnElement, FromClause, Text, bindparam, column, func, true
from sqlalchemy.dialects.postgresql import JSONB

_SIMPLE = frozenset({str, uuid.UUID, bool, int, datetime, date, type(None)})
"""Types of which two values that are equal are written alike; of a decimal, a float or a structure they may not be."""


def is_shared(values: Sequence[Any]) -> bool:
    """Whether several rows hold the very same value in a column."""
    first, kind, count = values[0], type(values[0]), len(values)
    if count == 1 or first != values[-1] or not (kind in _SIMPLE or isinstance(first, enum.Enum)):
        return False
    return values.count(first) == count and (first is None or set(map(type, values)) == {kind})


def texts(columns: Mapping[str, Sequence[Any]]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The names of the columns that rows share, and the statement's parameters ``rows`` and ``shared``.

    Raises:
        PydanticSerializationError: a text that is none.
    """
    shared = tuple(name for name, values in columns.items() if is_shared(values))
    shared = shared if len(shared) < len(columns) else shared[1:]  # else nobody would say how many rows there are
    own = [name for name in columns if name not in shared]
    rows = [dict(zip(own, values, strict=True)) for values in zip(*(columns[name] for name in own), strict=True)]
    parameters = {"rows": to_json(rows).decode()}
    if shared:
        parameters["shared"] = to_json({name: columns[name][0] for name in shared}).decode()
    return shared, parameters


def source(types: Mapping[str, Any], shared: Sequence[str]) -> tuple[FromClause, dict[str, ColumnElement[Any]]]:
    """What to select rows of these columns from, and the columns."""
    rows = func.jsonb_to_recordset(bindparam("rows", type_=Text).cast(JSONB))
    each = _typed(rows, {name: kind for name, kind in types.items() if name not in shared})
    if not shared:
        return each, {name: each.c[name] for name in types}
    alike = _typed(
        func.jsonb_to_record(bindparam("shared", type_=Text).cast(JSONB)), {name: types[name] for name in shared}
    )
    return each.join(alike, true()), {name: (alike if name in shared else each).c[name] for name in types}


def _typed(called: Any, types: Mapping[str, Any]) -> FromClause:
    table: FromClause = called.table_valued(*(column(name, kind) for name, kind in types.items()))
    return table.render_derived(with_types=True)  # type: ignore[attr-defined,no-any-return]
