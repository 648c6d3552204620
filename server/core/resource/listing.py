"""Lists: filters, sorts, search, field selection and pages that stay right while rows are added.

Everything a request may name is looked up in the resource's whitelist; values are parsed by the
column's own type and bound, never put into the statement.
"""

from __future__ import annotations

import base64
import enum
import functools
import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    bindparam,
    cast,
    false,
    func,
    inspect,
    literal,
    literal_column,
    null,
    or_,
    select,
    tuple_,
)  # fmt: skip
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import Invalid, NotFound
from server.core.actions import seen
from server.core.actor import Actor
from server.core.db import plant_column, together
from server.core.resource.declared import Resource, column_types, wire

MAX_PAGE = 200
MAX_SORTS = 4
MAX_IN = 200
MAX_TEXT = 200
"""Characters of a search or prefix."""

PARAMETERS = frozenset({"limit", "after", "sort", "q", "search", "fields"})
"""``search`` is ``q`` under the name that released terminals use."""

Query = Sequence[tuple[str, str]]
"""The parameters of a request, repeated ones included."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a sort."""

    name: str
    is_down: bool

    def __str__(self) -> str:
        return f"-{self.name}" if self.is_down else self.name


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list request wants, checked against the whitelist.

    Args:
        fields: columns to show, ``id`` always among them.
        keys: the sort; the last is ``id``, so that no two rows are equal.
    """

    where: tuple[ColumnElement[bool], ...]
    keys: tuple[Key, ...]
    fields: tuple[str, ...]


def _contains(column: Any, text: str) -> ColumnElement[bool]:
    return cast(column, String).ilike(f"%{_escaped(text)}%", escape="\\")


def _has_words(column: Any, text: str) -> ColumnElement[bool]:
    """Whether a text has these words; written as the table's GIN index is, or the index would not answer it."""
    language: ColumnElement[str] = literal_column("'simple'::regconfig")
    return func.to_tsvector(language, column).bool_op("@@")(func.websearch_to_tsquery(language, text))


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


_OPERATORS: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "eq": lambda column, value: column == value,
    "ne": lambda column, value: column.is_distinct_from(value),
    "lt": lambda column, value: column < value,
    "le": lambda column, value: column <= value,
    "gt": lambda column, value: column > value,
    "ge": lambda column, value: column >= value,
    "in": lambda column, values: column.in_(values),
    "between": lambda column, values: column.between(*values),
    "like": lambda column, value: cast(column, String).ilike(f"{_escaped(value)}%", escape="\\"),
    "null": lambda column, value: column.is_(None) if value else column.is_not(None),
}
"""``ne`` keeps empty ones; ``between`` holds both ends; ``like`` is a prefix, whatever its case."""

_SAME = {"gte": "ge"}
"""What released terminals say."""


def parsed(hint: Any, raw: Any, name: str) -> Any:
    """A value of a parameter by its column's type.

    Raises:
        Invalid: `filter_value_bad`.
    """
    try:
        return TypeAdapter(wire(hint)).validate_python(raw)
    except ValidationError as error:
        raise Invalid("filter_value_bad", name=name, value=raw) from error


def _several(hint: Any, raw: str, name: str, *, exactly: int | None = None) -> list[Any]:
    given = raw.split(",")
    if len(given) > MAX_IN or (exactly is not None and len(given) != exactly):
        raise Invalid("filter_value_bad", name=name, value=raw[:MAX_TEXT])
    return [parsed(hint, each, name) for each in given]


def condition(resource: Resource, key: str, raw: str) -> ColumnElement[bool]:
    """The clause of one ``filter[column][op]=value``; ``eq`` where none is named.

    Raises:
        Invalid: `filter_unknown` (column or operator), `filter_value_bad`.
    """
    name, _, operator = key.removeprefix("filter[").removesuffix("]").partition("][")
    operator = _SAME.get(operator, operator or "eq")
    if name not in resource.filterable or not key.endswith("]") or operator not in resource.operators(name):
        allowed = {each: list(resource.operators(each)) for each in resource.filterable}
        raise Invalid("filter_unknown", name=key, allowed=allowed)
    hint = column_types(resource.model)[name]
    value: Any
    match operator:
        case "null":
            value = parsed(bool, raw, key)
        case "like":
            value = raw
            if len(raw) > MAX_TEXT:
                raise Invalid("filter_value_bad", name=key, value=raw[:MAX_TEXT])
        case "in":
            value = _several(hint, raw, key)
        case "between":
            value = _several(hint, raw, key, exactly=2)
        case _:
            value = parsed(hint, raw, key)
    return _OPERATORS[operator](getattr(resource.model, name), value)


def scope(resource: Resource, actor: Actor, verb: str) -> list[ColumnElement[bool]]:
    """The plants where the actor may do this, and what they see there, in the query itself."""
    plant = plant_column(resource.model)
    plants = actor.plants_with(f"{resource.code}.{verb}")
    mine = seen(resource.model, actor)
    if plant is None or plants is None:
        return mine
    return [*mine, or_(plant.is_(None), plant.in_(plants))]


def sorted_by(resource: Resource, sort: str) -> tuple[Key, ...]:
    """The keys of ``sort=a,-b``; ``id`` is added where it does not stand, in the direction of the last.

    Raises:
        Invalid: `sort_unknown`, also for a column named twice or too many of them.
    """
    allowed = ("id", *resource.sorts)
    keys = [Key(each.removeprefix("-"), each.startswith("-")) for each in sort.split(",")]
    seen: set[str] = set()
    for number, key in enumerate(keys):
        if key.name not in allowed or key.name in seen or number >= MAX_SORTS:
            raise Invalid("sort_unknown", name=key.name, allowed=list(allowed))
        seen.add(key.name)
    if "id" in seen:
        return tuple(keys[: [key.name for key in keys].index("id") + 1])
    return (*keys, Key("id", keys[-1].is_down))


def selected(resource: Resource, fields: str | None) -> tuple[str, ...]:
    """The columns of ``fields=a,b``, in the model's order, ``id`` always; all of them when nothing is asked.

    Raises:
        Invalid: `field_unknown`.
    """
    if fields is None:
        return resource.shown
    wanted = {*filter(None, fields.split(",")), "id"}
    for name in sorted(wanted):
        if name not in resource.shown:
            raise Invalid("field_unknown", name=name, allowed=list(resource.shown))
    return tuple(name for name in resource.shown if name in wanted)


def ask(resource: Resource, actor: Actor, query: Query, *, verbs: Sequence[str] = ("read",)) -> Asked:
    """Check what a list request wants.

    Args:
        verbs: what the rows are for; only plants where the actor may do all of that are in the query.

    Raises:
        Invalid: `parameter_unknown`, `parameter_repeated`, `filter_unknown`, `filter_value_bad`, `sort_unknown`,
            `field_unknown`, `search_unknown`.
    """
    given: dict[str, str] = {}
    where = [clause for verb in verbs for clause in scope(resource, actor, verb)]
    shows_retired = False
    for name, raw in query:
        if name.startswith("filter["):
            where.append(condition(resource, name, raw))
            shows_retired = shows_retired or name.startswith("filter[retired_at]")
        elif name not in PARAMETERS:
            raise Invalid("parameter_unknown", name=name, allowed=[*sorted(PARAMETERS), "filter[column][op]"])
        elif name in given:
            raise Invalid("parameter_repeated", name=name)
        else:
            given[name] = raw
    if not shows_retired and "retired_at" in inspect(resource.model).columns:
        where.append(resource.model.retired_at.is_(None))
    for name in ("q", "search"):
        text = given.get(name)
        if text is not None and (not (resource.search or resource.words) or len(text) > MAX_TEXT):
            allowed = [*resource.search, *resource.words]
            raise Invalid("search_unknown", name=name, allowed=allowed, most=MAX_TEXT)
        if text:
            parts = [_contains(getattr(resource.model, each), text) for each in resource.search]
            where.append(or_(*parts, *(_has_words(getattr(resource.model, each), text) for each in resource.words)))
    return Asked(tuple(where), sorted_by(resource, given.get("sort", "id")), selected(resource, given.get("fields")))


def statement(resource: Resource, asked: Asked, *, also: Iterable[str] = ()) -> Select[Any]:
    """The rows of a list in their order, as columns."""
    names = dict.fromkeys((*asked.fields, *also))
    order = []
    for key in asked.keys:
        column = getattr(resource.model, key.name)
        way = column.desc() if key.is_down else column.asc()
        # An index can only be walked backwards where nobody asks for empty ones last.
        order.append(way.nulls_last() if resource.is_nullable(key.name) else way)
    return select(*(getattr(resource.model, name) for name in names)).where(*asked.where).order_by(*order)


async def one(db: AsyncSession, resource: Resource, actor: Actor, record_id: uuid.UUID) -> dict[str, Any]:
    """The columns of one row that may be shown.

    Raises:
        NotFound: `record_unknown`; the same for one that is not there and one that is not yours.
        NotAllowed: `permission_missing` at this record's plant.
    """
    mine, key = seen(resource.model, actor), {"record_id": record_id}
    rows: Sequence[Any]
    if mine:
        rows = (await db.execute(_by_key(resource).where(*mine), key)).all()
    else:
        (rows,) = await db.run_sync(together.send, (_ready_by_key(resource), key))
    for *values, plant in rows:
        if actor.sees(plant):
            actor.require(f"{resource.code}.read", plant)
            return dict(zip(resource.shown, values, strict=True))
    raise NotFound("record_unknown", id=record_id)


def _by_key(resource: Resource) -> Select[Any]:
    """The columns that are shown of the row of an id, then its plant."""
    plant = plant_column(resource.model)
    columns = [getattr(resource.model, name) for name in resource.shown]
    here = resource.model.id == bindparam("record_id")
    return select(*columns, null() if plant is None else plant.label("at_plant")).where(here)


@functools.cache
def _ready_by_key(resource: Resource) -> together.Ready:
    """Put into words once: it is what is asked for most."""
    return together.ready(_by_key(resource))


async def find(
    db: AsyncSession, resource: Resource, asked: Asked, *, limit: int = 50, after: str | None = None
) -> tuple[list[dict[str, Any]], str | None]:
    """One page of rows and the cursor of the next.

    Keyset paging: the cursor holds the sort values and the id of the last row, so a page begins
    behind that row whatever was added meanwhile.

    Raises:
        Invalid: `cursor_bad`.
    """
    wanted = statement(resource, asked, also=[key.name for key in asked.keys])
    if after is not None:
        wanted = wanted.where(_beyond(resource, asked.keys, _last(resource, asked.keys, after)))
    found = (await db.execute(wanted.limit(limit + 1))).all()
    # The columns that are shown come first, in their order.
    rows = [dict(zip(asked.fields, row, strict=False)) for row in found[:limit]]
    if len(found) <= limit:
        return rows, None
    last = zip(wanted.selected_columns.keys(), found[limit - 1], strict=True)
    return rows, _cursor(resource, asked.keys, dict(last))


def _mark(resource: Resource, keys: Sequence[Key]) -> str:
    """Which list and order a cursor belongs to."""
    said = f"{resource.path}?sort={','.join(map(str, keys))}"
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def _cursor(resource: Resource, keys: Sequence[Key], row: Any) -> str:
    shown = [_written(row[key.name]) for key in keys]
    return base64.urlsafe_b64encode(json.dumps([_mark(resource, keys), *shown]).encode()).decode()


def _written(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, enum.Enum):
        return str(value.value)
    return value.isoformat() if isinstance(value, datetime | date | time) else str(value)


def _last(resource: Resource, keys: Sequence[Key], cursor: str) -> list[Any]:
    """The sort values that a cursor stands behind.

    Raises:
        Invalid: `cursor_bad`, also for one of another list or order.
    """
    types = column_types(resource.model)
    try:
        mark, *shown = json.loads(base64.b64decode(cursor.encode(), altchars=b"-_", validate=True))
        last = [
            None if raw is None and resource.is_nullable(key.name) else parsed(types[key.name], raw, "after")
            for key, raw in zip(keys, shown, strict=True)
        ]
    except (ValueError, TypeError, RecursionError, Invalid) as error:
        raise Invalid("cursor_bad", name="after") from error
    if mark != _mark(resource, keys):
        raise Invalid("cursor_bad", name="after")
    return last


def _beyond(resource: Resource, keys: Sequence[Key], last: Sequence[Any]) -> ColumnElement[bool]:
    """The rows behind the last one, empty values last in either direction."""
    columns = [getattr(resource.model, key.name) for key in keys]
    if len({key.is_down for key in keys}) == 1 and not any(resource.is_nullable(key.name) for key in keys):
        # One comparison of whole rows: an index over the keys answers it.
        mine, theirs = tuple_(*columns), tuple_(*map(literal, last, [column.type for column in columns]))
        return mine < theirs if keys[0].is_down else mine > theirs
    clauses: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    for key, column, value in zip(keys, columns, last, strict=True):
        behind: ColumnElement[bool] = false()
        if value is not None:
            behind = column < value if key.is_down else column > value
            if resource.is_nullable(key.name):
                behind = or_(behind, column.is_(None))
        clauses.append(and_(*equal, behind))
        equal.append(column.is_(None) if value is None else column == value)
    return or_(*clauses)


def refuse_paging(query: Query) -> None:
    """An export is the whole list: nothing pages it.

    Raises:
        Invalid: `parameter_unknown`.
    """
    for name, _ in query:
        if name in ("after", "limit"):
            raise Invalid("parameter_unknown", name=name, allowed=sorted(PARAMETERS - {"after", "limit"}))
