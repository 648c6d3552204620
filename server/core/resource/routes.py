"""The routes of the declared resources: list, get, create, patch, retire, and the verbs."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Body, Header, Query, Request, Response
from pydantic import BaseModel, create_model
from pydantic_core import to_json

from foodflow_kernel.errors import Invalid
from server.core import access, audit, idempotency
from server.core.actions import Action, load, perform, values
from server.core.db import plant_of
from server.core.esign import Credentials
from server.core.resource import bulk, export, imports, listing, meta, sheets, writing
from server.core.resource.declared import Resource, input_model, page_model, shown_model
from server.core.room import Room

Atomic = Annotated[bool, Query(description="all rows or none: 422 with the same body when one is refused")]
DryRun = Annotated[bool, Query(description="say what would become of each row, and write nothing")]


def rooms(resources: Sequence[Resource]) -> Iterator[Room]:
    """The routes of each resource, below /api/v1."""
    paths = {resource.model.__tablename__: resource.path for resource in resources}
    for resource in resources:
        room = Room()
        _meta_route(room, resource, paths)
        _read_routes(room, resource)
        if resource.is_writable:
            _write_routes(room, resource)
        for action in resource.actions:
            _action_route(room, resource, action)
        yield room


def _operation(resource: Resource, verb: str) -> str:
    return f"{resource.path.replace('/', '_').replace('-', '_')}_{verb}"


def _options(resource: Resource, verb: str, summary: str) -> dict[str, Any]:
    return {
        "tags": [resource.code.partition(".")[0]],
        "summary": summary,
        "operation_id": _operation(resource, verb),
        "dependencies": [access.needs(f"{resource.code}.{verb}")],
        "responses": access.PROBLEMS,
        "openapi_extra": {"x-permission": f"{resource.code}.{verb}"},
    }


def _meta_route(made: Room, resource: Resource, paths: Mapping[str, str]) -> None:
    options = _options(resource, "read", f"What {resource.code} is: columns, filters, rights, verbs")

    # Before the route of one row, which would take the word for an id.
    @made.get(f"/{resource.path}/meta", **options | {"operation_id": _operation(resource, "meta")})
    async def describe_resource(caller: access.Signed) -> meta.ResourceMeta:
        return meta.describe(resource, caller.actor, paths)


def _read_routes(made: Room, resource: Resource) -> None:
    shape = shown_model(resource)
    page = page_model(resource, shape)

    options = _options(resource, "read", f"List {resource.code}")
    sheet = {"schema": {"type": "string", "format": "binary"}}
    forms = {200: {"content": dict.fromkeys((sheets.CSV, sheets.XLSX), sheet)}}

    @made.get(
        f"/{resource.path}",
        response_model=page,
        description=f"As CSV or XLSX (`Accept`) it is the whole list, and needs `{resource.code}.export`.",
        **options
        | {
            "responses": options["responses"] | forms,
            "openapi_extra": options["openapi_extra"] | {"parameters": _parameters(resource)},
        },
    )
    async def list_rows(
        request: Request,
        caller: access.Signed,
        limit: Annotated[int, Query(ge=1, le=listing.MAX_PAGE)] = 50,
        after: Annotated[str | None, Query(description="`next` of the page before")] = None,
    ) -> Any:
        form = sheets.wanted(request.headers.get("accept", ""))
        if form != sheets.JSON:
            return await export.answer(request, caller, resource, form)
        asked = listing.ask(resource, caller.actor, request.query_params.multi_items())
        rows, beyond = await listing.find(caller.db, resource, asked, limit=limit, after=after)
        # Written at once: checking each row against its own columns again took most of the request.
        return Response(to_json({"items": rows, "next": beyond}, bytes_mode="hex"), media_type="application/json")

    options = _options(resource, "read", f"One of {resource.code}") | {"operation_id": _operation(resource, "get")}

    @made.get(f"/{resource.path}/{{record_id}}", response_model=shape, **options)
    async def get_row(record_id: uuid.UUID, caller: access.Signed) -> Response:
        return _answer(await listing.one(caller.db, resource, caller.actor, record_id))


def _parameters(resource: Resource) -> list[dict[str, Any]]:
    """What a list may be asked, for the document: ``listing.ask`` reads and checks it."""
    words = {
        "sort": f"columns by comma, `-` before one that goes down: {', '.join(('id', *resource.sorts))}",
        "fields": "columns to show, by comma; `id` always is",
    }
    if resource.search or resource.words:
        parts = [f"text in {', '.join(resource.search)}"] if resource.search else []
        parts += [f"words in {', '.join(resource.words)}"] if resource.words else []
        words |= {"q": "; ".join(parts), "search": "as `q`, for released terminals"}
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


def _write_routes(made: Room, resource: Resource) -> None:
    shape, new, patch = (
        shown_model(resource),
        input_model(resource, is_patch=False),
        input_model(resource, is_patch=True),
    )

    async def create_row(request: Request, caller: access.Signed, body: Any, key: idempotency.Key = None) -> Response:
        async def work() -> Response:
            row = writing.make(caller, resource, body.model_dump(exclude_unset=True))
            await writing.bear(caller.db, resource, [row], at_commit=True)
            writing.note_made(caller, resource, [row])
            return _answer(_shown_of(resource, row), 201)

        return await idempotency.once(request, caller, key, work)

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
        if_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        # Not locked: a change is judged by the row itself, and of two that saw one version the database lets one write.
        row = await load(caller.db, caller.actor, resource.model, record_id, f"{resource.code}.update")
        writing.same_version(row, if_match)
        before = values(row)
        writing.change(caller.actor, resource, row, body.model_dump(exclude_unset=True))
        await writing.save(caller.db, resource, [row])
        writing.note_changed(caller, resource, row, before)
        return _answer(_shown_of(resource, row))

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
        # Locked before it is asked what belongs to it: whoever just adds to it is waited for.
        row = await load(caller.db, caller.actor, resource.model, record_id, f"{resource.code}.retire", lock=True)
        caller.actor.require_at(f"{resource.code}.retire", plant_of(row))
        writing.same_version(row, if_match)
        row.retired_at = caller.clock.now()
        await writing.save(caller.db, resource, [row])
        audit.write(caller.db, caller.actor, f"{resource.code}.retire", resource.code, row.id, plant_id=plant_of(row))

    _bulk_routes(made, resource, new, patch)
    _import_route(made, resource, new, patch)


def _shown_of(resource: Resource, row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in resource.shown}


def _answer(row: Mapping[str, Any], status: int = 200) -> Response:
    """A row as an answer, with its version."""
    etag = {"ETag": f'"{row.get("version", 1)}"'}
    return Response(to_json(row, bytes_mode="hex"), status, etag, media_type="application/json")


def _bulk_routes(made: Room, resource: Resource, new: type[BaseModel], patch: type[BaseModel]) -> None:
    for method, verb, shape, act in (
        ("POST", "create", new, bulk.create),
        ("PATCH", "update", bulk.patch_model(resource, patch), bulk.update),
    ):
        options = _options(resource, verb, f"{verb.capitalize()} many of {resource.code}")
        made.api_route(
            f"/{resource.path}:bulk",
            methods=[method],
            response_model=bulk.BulkAnswer,
            **options
            | {
                "operation_id": _operation(resource, f"bulk_{verb}"),
                "dependencies": [*options["dependencies"], bulk.ONLY_WAYS],
                "responses": options["responses"] | {422: bulk.REFUSED_TOGETHER},
                "openapi_extra": options["openapi_extra"] | {"requestBody": _bulk_body(shape)},
            },
        )(_bulk_route(resource, shape, act))


def _bulk_route(resource: Resource, shape: type[BaseModel], act: bulk.Act) -> Callable[..., Awaitable[Response]]:
    async def many(
        request: Request,
        caller: access.Signed,
        body: Annotated[Any, Body()],
        atomic: Atomic = False,
        dry_run: DryRun = False,
        key: idempotency.Key = None,
    ) -> Response:
        rows = bulk.rows_of(body)

        async def work() -> Response:
            said = await act(caller, resource, shape, rows, atomic=atomic, dry_run=dry_run)
            status = 422 if atomic and said.has_failed else 200
            return Response(said.model_dump_json().encode(), status, media_type="application/json")

        return await idempotency.once(request, caller, None if dry_run else key, work)

    return many


def _import_route(made: Room, resource: Resource, new: type[BaseModel], patch: type[BaseModel]) -> None:
    options = _options(resource, "create", f"Bring a sheet into {resource.code}")
    sheet = {"schema": {"type": "string", "format": "binary"}}
    shapes = (new, bulk.patch_model(resource, patch))

    @made.post(
        f"/{resource.path}:import",
        response_model=imports.ImportAnswer,
        description="A line with an `id` changes that row and needs its `version` and the right to update; one without "
        "makes a row. What an export writes can be brought back; columns that cannot be set are left alone.",
        **options
        | {
            "operation_id": _operation(resource, "import"),
            "dependencies": [*options["dependencies"], bulk.ONLY_WAYS],
            "responses": access.problems(415) | {422: bulk.REFUSED_TOGETHER | {"model": imports.ImportAnswer}},
            "openapi_extra": options["openapi_extra"]
            | {"requestBody": {"required": True, "content": dict.fromkeys((sheets.CSV, sheets.XLSX), sheet)}},
        },
    )
    async def import_sheet(
        request: Request,
        caller: access.Signed,
        atomic: Atomic = False,
        dry_run: DryRun = False,
        key: idempotency.Key = None,
    ) -> Response:
        form = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if form not in (sheets.CSV, sheets.XLSX):
            raise Invalid("import_type_unknown", allowed=[sheets.CSV, sheets.XLSX])
        sheet = await imports.read(resource, form, await request.body())

        async def work() -> Response:
            said = await imports.load(caller, resource, shapes, sheet, atomic=atomic, dry_run=dry_run)
            status = 422 if atomic and said.failed else 200
            return Response(said.model_dump_json().encode(), status, media_type="application/json")

        return await idempotency.once(request, caller, None if dry_run else key, work)


def _bulk_body(shape: type[BaseModel]) -> dict[str, Any]:
    """The body of a bulk request, for the document: a row that is malformed refuses itself only."""
    # What a row's shape refers to stands in the document already: the single routes have the same fields.
    items = shape.model_json_schema(ref_template="#/components/schemas/{model}")
    items.pop("$defs", None)
    rows = {"type": "array", "minItems": 1, "maxItems": bulk.MAX_ROWS, "items": items}
    schema = {"type": "object", "required": ["rows"], "properties": {"rows": rows}}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _action_route(made: Room, resource: Resource, action: Action) -> None:
    fields: dict[str, Any] = {}
    if action.signature:
        fields["signature"] = (Credentials | None, None)
        fields["esign_id"] = (uuid.UUID | None, None)
    shape: type[BaseModel] = (
        create_model(f"{resource.name}{action.name.title().replace('_', '')}Signed", __base__=action.command, **fields)
        if fields
        else action.command
    )

    async def act(record_id: uuid.UUID, request: Request, caller: access.Signed, body: Any) -> Any:
        given = body.model_dump()
        signed = {name: given.pop(name) for name in fields}
        credentials = Credentials.model_validate(signed["signature"]) if signed.get("signature") else None
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
            esign_id=signed.get("esign_id"),
            signer=request.app.state.signer,
        )
        return _shown(resource, result)

    act.__annotations__["body"] = Annotated[shape, Body()]
    made.post(
        f"/{resource.path}/{{record_id}}:{action.name.replace('_', '-')}",
        response_model=None,
        **_options(resource, action.name, f"{action.name.replace('_', ' ').capitalize()}: {resource.code}"),
    )(act)


def _shown(resource: Resource, result: Any) -> Any:
    """What a verb returned, as JSON: a row by its columns, a model as it is."""
    if result is None or isinstance(result, BaseModel | dict | list):
        return result
    shown = {key: value for key, value in values(result).items() if key not in resource.hidden}
    return {key: _plain(value) for key, value in shown.items() if not audit.is_secret(key)}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Decimal | uuid.UUID):
        return str(value)
    return value.value if isinstance(value, enum.Enum) else value
