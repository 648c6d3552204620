"""The routes of the declared resources: list, get, create, patch, retire, and the verbs."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Query, Request, Response
from pydantic import BaseModel, create_model
from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import Invalid, NotFound
from foodflow_kernel.ids import new_id
from server.core import access, audit
from server.core.actions import Action, changes, load, perform, values
from server.core.esign import Credentials
from server.core.resource import listing
from server.core.resource.declared import Resource, input_model, page_model, shown_model


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
    page = page_model(resource, shape)

    @made.get(
        f"/{resource.path}",
        response_model=page,
        openapi_extra={"parameters": _parameters(resource)},
        **_options(resource, "read", f"List {resource.code}"),
    )
    async def list_rows(
        request: Request,
        caller: access.Signed,
        limit: Annotated[int, Query(ge=1, le=listing.MAX_PAGE)] = 50,
        after: Annotated[str | None, Query(description="`next` of the page before")] = None,
    ) -> Any:
        asked = listing.ask(resource, caller.actor, request.query_params.multi_items())
        rows, beyond = await listing.find(caller.db, resource, asked, limit=limit, after=after)
        # Written at once: checking each row against its own columns again took most of the request.
        return Response(to_json({"items": rows, "next": beyond}, bytes_mode="hex"), media_type="application/json")

    options = _options(resource, "read", f"One of {resource.code}") | {"operation_id": _operation(resource, "get")}

    @made.get(f"/{resource.path}/{{record_id}}", response_model=shape, **options)
    async def get_row(record_id: uuid.UUID, caller: access.Signed, response: Response) -> Any:
        row = await load(caller.db, caller.actor, resource.model, record_id, f"{resource.code}.read")
        response.headers["ETag"] = f'"{getattr(row, "version", 1)}"'
        return row


def _parameters(resource: Resource) -> list[dict[str, Any]]:
    """What a list may be asked, for the document: ``listing.ask`` reads and checks it."""
    words = {
        "sort": f"columns by comma, `-` before one that goes down: {', '.join(('id', *resource.sorts))}",
        "fields": "columns to show, by comma; `id` always is",
    }
    if resource.search:
        words |= {"q": f"text in {', '.join(resource.search)}", "search": "as `q`, for released terminals"}
    words |= {
        f"filter[{name}][{operator}]": _OPERATOR_WORDS[operator]
        for name in resource.filterable
        for operator in resource.operators(name)
    }
    return [
        {"name": name, "in": "query", "required": False, "description": said, "schema": {"type": "string"}}
        for name, said in words.items()
    ]


_OPERATOR_WORDS = {
    "eq": "equal",
    "ne": "different, or empty",
    "in": "one of these, by comma",
    "lt": "less",
    "le": "less or equal",
    "gt": "greater",
    "ge": "greater or equal",
    "between": "two values by comma, both included",
    "like": "begins with this, whatever its case",
    "null": "true: empty; false: not empty",
}


def _write_routes(made: APIRouter, resource: Resource) -> None:
    shape, new, patch = (
        shown_model(resource),
        input_model(resource, is_patch=False),
        input_model(resource, is_patch=True),
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
