"""What the API may do with one table, and the shapes that follow from its columns."""

from __future__ import annotations

import enum
import re
import uuid
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from types import MappingProxyType, UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, WithJsonSchema, create_model
from pydantic_core import PydanticCustomError
from sqlalchemy import inspect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped

from server.core.actions import Action

ANY = "*"
"""In ``filters``: every operator that the column's type allows."""

ALWAYS = ("id", "retired_at")
"""Columns a list may be filtered by without saying so, where the table has them."""

EQUALITY = ("eq", "ne", "in")
ORDER = ("lt", "le", "gt", "ge", "between")

BeforeSave = Callable[[AsyncSession, Any], Awaitable[None]]


@dataclass(frozen=True, eq=False)
class Resource:
    """What the API may do with one table.

    Args:
        model: the mapped class.
        owner: S or M shared (create, patch, retire), F facts (create is a verb), V derived (read only).
        path: below /api/v1, kebab-case.
        code: permission prefix ``context.noun``.
        writable: columns a request may set.
        fixed: of those, the ones that may be set at birth only.
        hidden: columns that are never shown.
        filters: column to the operators it may be filtered by, ``ANY`` for all its type allows.
        sorts: columns a list may be sorted by; ``id`` always may.
        search: text columns that ``?q=`` looks through.
        words: long text columns where ``?q=`` looks for whole words, by a GIN index of the table.
        actions: the verbs.
        before_save: last check before an insert or update. A row that is retired is locked by then, one that is
            changed is not: what a change is judged by outside its own row, the check locks itself.
    """

    model: type[Any]
    owner: str
    path: str
    code: str
    writable: tuple[str, ...] = ()
    fixed: frozenset[str] | set[str] = frozenset()
    hidden: frozenset[str] | set[str] = frozenset()
    filters: Mapping[str, str] = field(default_factory=dict)
    sorts: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    before_save: BeforeSave | None = None

    def __post_init__(self) -> None:
        """Refuse a declaration that the table cannot keep, or that would leak a hidden column."""
        shown = set(column_types(self.model)) - set(self.hidden)
        for name in (*self.filters, *self.sorts, *self.search, *self.words):
            if name not in shown:
                raise TypeError(f"{self.path}: {name} is no column that may be shown")
        for name in self.filters:
            self.operators(name)

    @property
    def is_writable(self) -> bool:
        """Whether rows may be created and patched at all."""
        return self.owner in ("S", "M") and bool(self.writable)

    @property
    def name(self) -> str:
        """The class name, for schemas."""
        return self.model.__name__

    @property
    def shown(self) -> tuple[str, ...]:
        """Columns that may be read, in the model's order."""
        return tuple(name for name in column_types(self.model) if name not in self.hidden)

    @property
    def filterable(self) -> tuple[str, ...]:
        """Columns a list may be filtered by."""
        always = [name for name in ALWAYS if name in self.shown and name not in self.filters]
        return (*self.filters, *always)

    def operators(self, name: str) -> tuple[str, ...]:
        """The operators a column may be filtered by; none if it may not.

        Raises:
            TypeError: the declaration gives the column an operator its type does not have.
        """
        allowed = operators_of(column_types(self.model)[name], is_nullable=self.is_nullable(name))
        declared = self.filters.get(name, ANY if name in ALWAYS else "").split()
        if declared == [ANY]:
            return allowed
        declared = ["ge" if each == "gte" else each for each in declared]
        if not set(declared) <= set(allowed):
            raise TypeError(f"{self.path}: {name} cannot be filtered by {declared}")
        return tuple(each for each in allowed if each in declared)

    def is_nullable(self, name: str) -> bool:
        """Whether a column may be empty."""
        # What a query computes (a role's permissions) is no column of the table, and never empty.
        return bool(getattr(inspect(self.model).columns[name], "nullable", False))

    def may_be_left_out(self, name: str) -> bool:
        """Whether a row can be made without giving this column."""
        column = inspect(self.model).columns[name]
        return bool(column.nullable) or column.default is not None or column.server_default is not None

    def permissions(self) -> tuple[str, ...]:
        """Every permission code this resource asks for."""
        crud = ("read", "export", "create", "update", "retire") if self.is_writable else ("read", "export")
        return tuple(f"{self.code}.{verb}" for verb in (*crud, *(action.name for action in self.actions)))


def column_types(model: type[Any]) -> Mapping[str, Any]:
    """Each column with the Python type its model declares."""
    return _column_types(cast("Hashable", model))


@cache
def _column_types(model: Any) -> Mapping[str, Any]:
    """Read once: every list asks for it several times."""
    hints = get_type_hints(model, include_extras=True)
    found: dict[str, Any] = {}
    for column in inspect(model).column_attrs:
        hint = hints.get(column.key, Any)
        found[column.key] = get_args(hint)[0] if get_origin(hint) is Mapped else hint
    return MappingProxyType(found)


def plain_type(hint: Any) -> Any:
    """A column's bare Python type: neither optional nor annotated; ``list`` and ``dict`` without their parts."""
    if get_origin(hint) is Annotated:
        return plain_type(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        return plain_type(next(each for each in get_args(hint) if each is not type(None)))
    return get_origin(hint) or hint


def operators_of(hint: Any, *, is_nullable: bool) -> tuple[str, ...]:
    """The filter operators that a column of this type has."""
    kind = plain_type(hint)
    null = ("null",) if is_nullable else ()
    if not isinstance(kind, type) or issubclass(kind, list | dict | bytes):
        return null
    if issubclass(kind, bool):
        return ("eq", "ne", *null)
    if issubclass(kind, enum.Enum | uuid.UUID):
        return (*EQUALITY, *null)
    if issubclass(kind, str):
        return (*EQUALITY, *ORDER, "like", *null)
    if issubclass(kind, int | float | Decimal | datetime | date | time):
        return (*EQUALITY, *ORDER, *null)
    return null


LocalTime = Annotated[
    time,
    WithJsonSchema(
        {"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?$", "examples": ["06:00:00"]}
    ),
]
"""A time of day where the plant is; JSON schema's own format asks for an offset."""


LONGEST_TEXT = 4000
"""Characters of a text that master data may hold: it goes to every terminal, onto labels and into reports."""
_STEERS = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"


def printable(given: str) -> str:
    """A text as a request may set it.

    Raises:
        PydanticCustomError: it is too long, or holds a control character.
    """
    if len(given) > LONGEST_TEXT:
        raise PydanticCustomError("text_too_long", "longer than {most} characters", {"most": LONGEST_TEXT})
    if not given.isprintable() and re.search(_STEERS, given):
        raise PydanticCustomError(
            "text_steers", "holds a control character, which would steer a printer or a screen: take it out"
        )
    return given


Written = Annotated[
    str,
    AfterValidator(printable),
    WithJsonSchema({"type": "string", "maxLength": LONGEST_TEXT, "pattern": f"^[^{_STEERS[1:]}*$"}),
]
"""A text as a request may set it; tabs and line ends are text."""


def _settable(hint: Any) -> Any:
    """A column's type as a request may set it."""
    shown = wire(hint)
    if shown is str:
        return Written
    if get_origin(shown) in (Union, UnionType) and str in get_args(shown):
        return Written | None
    return {dict[str, str]: dict[Written, Written], list[str]: list[Written]}.get(shown, shown)


def wire(hint: Any) -> Any:
    """A column's type as the API shows it: aware instants, numbers as strings where they are exact."""
    if hint is datetime:
        return AwareDatetime
    if hint is time:
        return LocalTime
    if get_origin(hint) is not None and datetime in get_args(hint):
        return AwareDatetime | None
    if get_origin(hint) is Annotated:
        return get_args(hint)[0]
    return hint


def shown_model(resource: Resource) -> type[BaseModel]:
    """The shape of a row as it is read."""
    types = column_types(resource.model)
    fields: dict[str, Any] = {name: (wire(types[name]), ...) for name in resource.shown}
    config = ConfigDict(from_attributes=True, ser_json_bytes="hex")
    made: type[BaseModel] = create_model(resource.name, __config__=config, **fields)
    return made


def page_model(resource: Resource, shape: type[BaseModel]) -> type[BaseModel]:
    """The shape of a page of a list; ``fields=`` leaves columns out."""
    types = column_types(resource.model)
    fields: dict[str, Any] = {name: (wire(types[name]) | None, None) for name in resource.shown if name != "id"}
    part = create_model(f"{resource.name}Part", id=(uuid.UUID, ...), **fields)
    page: dict[str, Any] = {"items": (list[shape | part], ...), "next": (str | None, None)}  # type: ignore[valid-type]
    made: type[BaseModel] = create_model(f"{resource.name}Page", **page)
    return made


def input_model(resource: Resource, *, is_patch: bool) -> type[BaseModel]:
    """The shape of what a request may set, at birth or later."""
    types = column_types(resource.model)
    fields: dict[str, Any] = {}
    for name in resource.writable:
        if is_patch and name in resource.fixed:
            continue
        kind = _settable(types[name])
        if resource.is_nullable(name):
            kind = kind | None
        optional = is_patch or resource.may_be_left_out(name)
        # Left out is not the same as null: a column that cannot be empty refuses null.
        fields[name] = (kind, Field(default_factory=lambda: None) if optional else ...)
    suffix = "Patch" if is_patch else "New"
    made: type[BaseModel] = create_model(f"{resource.name}{suffix}", __config__=ConfigDict(extra="forbid"), **fields)
    return made
