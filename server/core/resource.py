"""Tables as an API, declared and not written: a resource is a whitelist (decision 4).

``Resource`` says what of a table may be read, set, filtered, sorted and done; ``router`` turns
a tuple of them into routes, permissions and OpenAPI. State never moves by PATCH, only by an
action. A table that needs more leaves this registry for an ordinary router. A new field here
needs a decision record.
"""

from __future__ import annotations

import base64
import enum
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from fastapi import APIRouter, Body, Header, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model
from sqlalchemy import ColumnElement, String, and_, cast, inspect, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped

from foodflow_kernel.errors import Invalid, NotFound
from foodflow_kernel.ids import new_id
from server.core import access, audit
from server.core.actions import Action, changes, load, perform, values
from server.core.actor import Actor
from server.core.esign import Credentials

MAX_PAGE = 200
STAMPS = ("id", "version", "created_at", "created_by", "updated_at", "updated_by", "retired_at")

BeforeSave = Callable[[AsyncSession, Any], Awaitable[None]]


@dataclass(frozen=True)
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
        filters: column to allowed operators: eq, in, gte, lt, like.
        sorts: columns a list may be sorted by; ``id`` always may.
        search: text columns that ``?search=`` looks through.
        actions: the verbs.
        before_save: last check before an insert or update.
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
    actions: tuple[Action, ...] = ()
    before_save: BeforeSave | None = None

    @property
    def is_writable(self) -> bool:
        """Whether rows may be created and patched at all."""
        return self.owner in ("S", "M") and bool(self.writable)

    @property
    def name(self) -> str:
        """The class name, for schemas."""
        return self.model.__name__

    def permissions(self) -> tuple[str, ...]:
        """Every permission code this resource asks for."""
        crud = ("read", "create", "update", "retire") if self.is_writable else ("read",)
        return tuple(f"{self.code}.{verb}" for verb in (*crud, *(action.name for action in self.actions)))


def column_types(model: type[Any]) -> dict[str, Any]:
    """Each column with the Python type its model declares."""
    hints = get_type_hints(model, include_extras=True)
    found: dict[str, Any] = {}
    for column in inspect(model).column_attrs:
        hint = hints.get(column.key, Any)
        found[column.key] = get_args(hint)[0] if get_origin(hint) is Mapped else hint
    return found


def _wire(hint: Any) -> Any:
    """A column's type as the API shows it: aware instants, numbers as strings where they are exact."""
    if hint is datetime:
        return AwareDatetime
    if get_origin(hint) is not None and datetime in get_args(hint):
        return AwareDatetime | None
    if get_origin(hint) is Annotated:
        return get_args(hint)[0]
    return hint


def shown_model(resource: Resource) -> type[BaseModel]:
    """The shape of a row as it is read."""
    fields: dict[str, Any] = {
        name: (_wire(hint), ...) for name, hint in column_types(resource.model).items() if name not in resource.hidden
    }
    made: type[BaseModel] = create_model(resource.name, __config__=ConfigDict(from_attributes=True), **fields)
    return made


def _input_model(resource: Resource, *, is_patch: bool) -> type[BaseModel]:
    types = column_types(resource.model)
    fields: dict[str, Any] = {}
    columns = inspect(resource.model).columns
    for name in resource.writable:
        if is_patch and name in resource.fixed:
            continue
        optional = (
            is_patch
            or columns[name].nullable
            or columns[name].default is not None
            or columns[name].server_default is not None
        )
        fields[name] = (_wire(types[name]) | None if optional else _wire(types[name]), None if optional else ...)
    suffix = "Patch" if is_patch else "New"
    made: type[BaseModel] = create_model(f"{resource.name}{suffix}", __config__=ConfigDict(extra="forbid"), **fields)
    return made


class Page(BaseModel):
    """One page of a list: rows, and the cursor of the next page if there is one."""

    items: list[Any]
    next: str | None = None


_OPERATORS: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "eq": lambda column, value: column == value,
    "in": lambda column, value: column.in_(value),
    "gte": lambda column, value: column >= value,
    "lt": lambda column, value: column < value,
    "like": lambda column, value: cast(column, String).ilike(f"%{_escaped(value)}%", escape="\\"),
}


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _parsed(hint: Any, raw: str, name: str) -> Any:
    try:
        return TypeAdapter(_wire(hint)).validate_python(raw)
    except ValidationError as error:
        raise Invalid("filter_value_bad", name=name, value=raw) from error


def conditions(resource: Resource, query: Mapping[str, str]) -> list[ColumnElement[bool]]:
    """The WHERE clauses of ``filter[column][op]=value`` parameters.

    Raises:
        Invalid: `filter_unknown`, `filter_value_bad`.
    """
    types = column_types(resource.model)
    found = []
    for key, raw in query.items():
        if not key.startswith("filter["):
            continue
        parts = key[len("filter") :].strip("[]").split("][")
        name, operator = parts[0], parts[1] if len(parts) > 1 else "eq"
        if operator not in resource.filters.get(name, "").split():
            raise Invalid("filter_unknown", name=key, allowed={k: v.split() for k, v in resource.filters.items()})
        column = getattr(resource.model, name)
        if operator == "in":
            found.append(_OPERATORS["in"](column, [_parsed(types[name], each, key) for each in raw.split(",")]))
        elif operator == "like":
            found.append(_OPERATORS["like"](column, raw))
        else:
            found.append(_OPERATORS[operator](column, _parsed(types[name], raw, key)))
    return found


def scope(resource: Resource, actor: Actor) -> list[ColumnElement[bool]]:
    """The actor's plants, in the query itself."""
    plant = getattr(resource.model, "plant_id", None)
    plants = actor.plants_with(f"{resource.code}.read")
    if plant is None or plants is None:
        return []
    return [or_(plant.is_(None), plant.in_(plants))]


async def find(
    db: AsyncSession,
    actor: Actor,
    resource: Resource,
    query: Mapping[str, str],
    *,
    limit: int = 50,
    after: str | None = None,
    sort: str = "id",
    search: str | None = None,
) -> tuple[list[Any], str | None]:
    """One page of rows and the cursor of the next.

    Keyset paging: the cursor holds the sort value and id of the last row, so pages stay right
    while rows are added. ``sort=-column`` goes down.

    Raises:
        Invalid: `sort_unknown`, `cursor_bad`, `filter_unknown`, `filter_value_bad`.
    """
    is_down, name = sort.startswith("-"), sort.lstrip("-")
    if name not in ("id", *resource.sorts):
        raise Invalid("sort_unknown", name=name, allowed=["id", *resource.sorts])
    model = resource.model
    column = getattr(model, name)
    statement = select(model).where(*scope(resource, actor), *conditions(resource, query))
    if "retired_at" in inspect(model).columns and "filter[retired_at][gte]" not in query:
        statement = statement.where(model.retired_at.is_(None))
    if search and resource.search:
        statement = statement.where(
            or_(*(_OPERATORS["like"](getattr(model, each), search) for each in resource.search))
        )
    if after is not None:
        statement = statement.where(_beyond(model, column, name, column_types(model)[name], after, is_down=is_down))
    order = (column.desc().nulls_last(), model.id.desc()) if is_down else (column.asc().nulls_last(), model.id.asc())
    rows = list((await db.scalars(statement.order_by(*order).limit(limit + 1))).all())
    more = len(rows) > limit
    rows = rows[:limit]
    return rows, _cursor(rows[-1], name) if more else None


def _cursor(row: Any, name: str) -> str:
    value = getattr(row, name)
    shown = None if value is None else value.isoformat() if isinstance(value, datetime | date | time) else str(value)
    return base64.urlsafe_b64encode(json.dumps([shown, str(row.id)]).encode()).decode()


def _beyond(model: Any, column: Any, name: str, hint: Any, cursor: str, *, is_down: bool) -> ColumnElement[bool]:
    try:
        shown, row_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        last_id = uuid.UUID(row_id)
    except ValueError as error:
        raise Invalid("cursor_bad") from error
    beyond_id = model.id < last_id if is_down else model.id > last_id
    if name == "id":
        return beyond_id  # type: ignore[no-any-return]  # a comparison of a column is a clause
    if shown is None:
        return and_(column.is_(None), beyond_id)
    last = _parsed(hint, shown, name)
    beyond = column < last if is_down else column > last
    return or_(beyond, and_(column == last, beyond_id), column.is_(None))


def router(resources: Sequence[Resource]) -> APIRouter:
    """Routes for all resources, below /api/v1."""
    made = APIRouter()
    for resource in resources:
        _read_routes(made, resource)
        if resource.is_writable:
            _write_routes(made, resource)
        for action in resource.actions:
            _action_route(made, resource, action)
    return made


def _operation(resource: Resource, verb: str) -> str:
    return f"{resource.path.replace('/', '_').replace('-', '_')}_{verb}"


def _options(resource: Resource, verb: str, summary: str) -> dict[str, Any]:
    return {
        "tags": [resource.code.partition(".")[0]],
        "summary": summary,
        "operation_id": _operation(resource, verb),
        "dependencies": [access.needs(f"{resource.code}.{verb}")],
        "responses": access.PROBLEMS,
    }


def _read_routes(made: APIRouter, resource: Resource) -> None:
    shape = shown_model(resource)
    page_fields: dict[str, Any] = {"items": (list[shape], ...), "next": (str | None, None)}  # type: ignore[valid-type]
    page: type[BaseModel] = create_model(f"{resource.name}Page", **page_fields)

    @made.get(f"/{resource.path}", response_model=page, **_options(resource, "read", f"List {resource.code}"))
    async def list_rows(
        request: Request,
        caller: access.Signed,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
        after: str | None = None,
        sort: str = "id",
        search: str | None = None,
    ) -> Any:
        rows, beyond = await find(
            caller.db, caller.actor, resource, request.query_params, limit=limit, after=after, sort=sort, search=search
        )
        return {"items": rows, "next": beyond}

    options = _options(resource, "read", f"One of {resource.code}") | {"operation_id": _operation(resource, "get")}

    @made.get(f"/{resource.path}/{{record_id}}", response_model=shape, **options)
    async def get_row(record_id: uuid.UUID, caller: access.Signed, response: Response) -> Any:
        row = await load(caller.db, caller.actor, resource.model, record_id, f"{resource.code}.read")
        response.headers["ETag"] = f'"{getattr(row, "version", 1)}"'
        return row


def _write_routes(made: APIRouter, resource: Resource) -> None:
    shape, new, patch = (
        shown_model(resource),
        _input_model(resource, is_patch=False),
        _input_model(resource, is_patch=True),
    )

    async def save(db: AsyncSession, row: Any) -> None:
        if resource.before_save is not None:
            await resource.before_save(db, row)
        await db.flush()

    async def create_row(caller: access.Signed, body: Any, response: Response) -> Any:
        db, actor = caller.db, caller.actor
        given = body.model_dump(exclude_unset=True)
        if not actor.sees(given.get("plant_id")):
            raise NotFound("record_unknown", id=given.get("plant_id"))
        actor.require(f"{resource.code}.create", given.get("plant_id"))
        row = resource.model(id=new_id(caller.clock.now()), **given)
        db.add(row)
        await save(db, row)
        await db.refresh(row)
        audit.write(db, actor, f"{resource.code}.create", resource.code, row.id, values(row))
        response.headers["ETag"] = f'"{row.version}"'
        return row

    create_row.__annotations__["body"] = Annotated[new, Body()]
    made.post(
        f"/{resource.path}",
        status_code=201,
        response_model=shape,
        **_options(resource, "create", f"Add to {resource.code}"),
    )(create_row)

    async def patch_row(
        record_id: uuid.UUID,
        caller: access.Signed,
        body: Any,
        response: Response,
        if_match: Annotated[str | None, Header()] = None,
    ) -> Any:
        db, actor = caller.db, caller.actor
        row = await load(db, actor, resource.model, record_id, f"{resource.code}.update", lock=True)
        _same_version(row, if_match)
        before = values(row)
        for name, value in body.model_dump(exclude_unset=True).items():
            setattr(row, name, value)
        if not actor.sees(getattr(row, "plant_id", None)):
            raise NotFound("record_unknown", id=record_id)
        actor.require(f"{resource.code}.update", getattr(row, "plant_id", None))
        await save(db, row)
        await db.refresh(row)
        audit.write(db, actor, f"{resource.code}.update", resource.code, row.id, changes(before, values(row)))
        response.headers["ETag"] = f'"{row.version}"'
        return row

    patch_row.__annotations__["body"] = Annotated[patch, Body()]
    made.patch(
        f"/{resource.path}/{{record_id}}",
        response_model=shape,
        **_options(resource, "update", f"Change {resource.code}"),
    )(patch_row)

    @made.delete(
        f"/{resource.path}/{{record_id}}", status_code=204, **_options(resource, "retire", f"Retire {resource.code}")
    )
    async def retire_row(
        record_id: uuid.UUID, caller: access.Signed, if_match: Annotated[str | None, Header()] = None
    ) -> None:
        row = await load(caller.db, caller.actor, resource.model, record_id, f"{resource.code}.retire", lock=True)
        _same_version(row, if_match)
        row.retired_at = caller.clock.now()
        await save(caller.db, row)
        audit.write(caller.db, caller.actor, f"{resource.code}.retire", resource.code, row.id)


def _same_version(row: Any, if_match: str | None) -> None:
    if if_match is None:
        raise Invalid("if_match_missing")
    if if_match.strip().strip('W/"') != str(row.version):
        raise Invalid("version_stale", version=row.version)


def _action_route(made: APIRouter, resource: Resource, action: Action) -> None:
    fields: dict[str, Any] = {}
    if action.signature:
        fields["signature"] = (Credentials, ...)
    shape: type[BaseModel] = (
        create_model(f"{resource.name}{action.name.title().replace('_', '')}Signed", __base__=action.command, **fields)
        if fields
        else action.command
    )

    async def act(record_id: uuid.UUID, request: Request, caller: access.Signed, body: Any) -> Any:
        given = body.model_dump()
        credentials = Credentials.model_validate(given.pop("signature")) if action.signature else None
        command = action.command.model_validate(given)
        result = await perform(
            caller.db,
            caller.actor,
            resource.model,
            resource.code,
            action,
            record_id,
            command,
            credentials=credentials,
            signer=request.app.state.signer,
        )
        return _shown(result)

    act.__annotations__["body"] = Annotated[shape, Body()]
    made.post(
        f"/{resource.path}/{{record_id}}:{action.name.replace('_', '-')}",
        response_model=None,
        **_options(resource, action.name, f"{action.name.replace('_', ' ').capitalize()}: {resource.code}"),
    )(act)


def _shown(result: Any) -> Any:
    """What a verb returned, as JSON: a row by its columns, a model as it is."""
    if result is None or isinstance(result, BaseModel | dict | list):
        return result
    return {key: _plain(value) for key, value in values(result).items() if key not in audit.SECRET_FIELDS}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Decimal | uuid.UUID):
        return str(value)
    return value.value if isinstance(value, enum.Enum) else value
