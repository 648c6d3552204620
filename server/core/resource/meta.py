"""What a resource is, for a program that draws a table and a form of it without knowing it."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, Field
from sqlalchemy import inspect

from server.core.actor import Actor
from server.core.resource import bulk, listing
from server.core.resource.declared import Resource, column_types, plain_type

Kind = Literal[
    "id",
    "text",
    "integer",
    "decimal",
    "number",
    "boolean",
    "instant",
    "date",
    "time",
    "enum",
    "list",
    "object",
    "bytes",
]

_KINDS: tuple[tuple[type[Any], Kind], ...] = (
    (bool, "boolean"),
    (enum.Enum, "enum"),
    (uuid.UUID, "id"),
    (str, "text"),
    (int, "integer"),
    (Decimal, "decimal"),
    (float, "number"),
    (datetime, "instant"),
    (date, "date"),
    (time, "time"),
    (list, "list"),
    (dict, "object"),
    (bytes, "bytes"),
)
"""The first that fits: a boolean is an integer to Python, an instant a date."""

UNITS = {"g": "g", "s": "s", "c": "°C", "d": "d", "min": "min", "ms": "ms", "pct": "%"}
"""Last part of a column's name to its unit (style page, section 5)."""


class ColumnMeta(BaseModel):
    """One column of a table or form."""

    name: str
    type: Kind
    unit: str | None = Field(description="of a number that always has this one")
    enum: list[str] | None = Field(description="all values there are")
    refers_to: str | None = Field(description="path of the resource whose `id` this is, where it is one")
    nullable: bool
    required: bool = Field(description="must be given at birth")
    editable: Literal["never", "once", "always"] = Field(description="once: at birth only")
    filters: list[str] = Field(description="operators of `filter[name][op]`")
    sortable: bool
    searchable: bool = Field(description="`q` looks here")


class ActionMeta(BaseModel):
    """A verb on one row."""

    name: str = Field(description="after the colon of its path")
    permission: str
    allowed: bool = Field(description="whether the caller holds it somewhere")
    signed: bool = Field(description="asks for the caller's signature")
    input: dict[str, Any] = Field(description="JSON schema of its body, the signature left out")


class ResourceMeta(BaseModel):
    """Enough to draw a generic table and form."""

    name: str
    path: str
    columns: list[ColumnMeta]
    permissions: dict[str, bool] = Field(description="code to whether the caller holds it somewhere")
    actions: list[ActionMeta]
    default_sort: str
    page_limit: int
    bulk_limit: int | None = Field(description="rows of one `:bulk`; none where nothing can be written")


def describe(resource: Resource, actor: Actor, paths: Mapping[str, str]) -> ResourceMeta:
    """The description of a resource for one caller.

    Args:
        paths: table name to path of the resources there are.
    """
    return ResourceMeta(
        name=resource.name,
        path=resource.path,
        columns=[_column(resource, name, paths) for name in resource.shown],
        permissions={code: actor.may(code) for code in resource.permissions()},
        actions=[
            ActionMeta(
                name=action.name.replace("_", "-"),
                permission=f"{resource.code}.{action.name}",
                allowed=actor.may(f"{resource.code}.{action.name}"),
                signed=action.signature,
                input=action.command.model_json_schema(),
            )
            for action in resource.actions
        ],
        default_sort="id",
        page_limit=listing.MAX_PAGE,
        bulk_limit=bulk.MAX_ROWS if resource.is_writable else None,
    )


def _column(resource: Resource, name: str, paths: Mapping[str, str]) -> ColumnMeta:
    kind = plain_type(column_types(resource.model)[name])
    column = inspect(resource.model).columns[name]
    may_be_set = resource.is_writable and name in resource.writable
    targets = [paths.get(key.target_fullname.partition(".")[0]) for key in column.foreign_keys]
    kind_name = next((word for each, word in _KINDS if isinstance(kind, type) and issubclass(kind, each)), "object")
    return ColumnMeta(
        name=name,
        type=kind_name,
        unit=UNITS.get(name.rpartition("_")[2]) if kind_name in ("integer", "decimal", "number") else None,
        enum=[str(each.value) for each in kind] if kind_name == "enum" else None,
        refers_to=next((path for path in targets if path), None),
        nullable=resource.is_nullable(name),
        required=may_be_set and not resource.may_be_left_out(name),
        editable="never" if not may_be_set else "once" if name in resource.fixed else "always",
        filters=list(resource.operators(name)) if name in resource.filterable else [],
        sortable=name == "id" or name in resource.sorts,
        searchable=name in (*resource.search, *resource.words),
    )
