"""What the API offers of files: an upload in pieces, the content, and the records it belongs to."""

from __future__ import annotations

import contextlib
import uuid
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from foodflow_kernel.errors import Invalid, Refused
from foodflow_kernel.machines.content import FileState
from server.core import access
from server.core.actions import Action, load
from server.core.actor import Actor
from server.core.db.sessions import Database
from server.core.files import judging, links, serving, uploads
from server.core.files.store import TenantFiles
from server.core.later import Later
from server.core.links import Records
from server.core.models import Attachment
from server.core.models.attachment import LINK_KINDS
from server.core.resource import ANY, Resource
from server.core.room import Room

router = Room(tags=["core"], responses=access.PROBLEMS)

_BYTES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class NewUpload(BaseModel):
    """A file that will be sent."""

    model_config = ConfigDict(extra="forbid")

    filename: str = Field(pattern=r"^[^\x00-\x1f\x7f-\x9f/\\\u202a-\u202e\u2066-\u2069]{1,200}$")
    size: int = Field(ge=1, description="bytes")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="of the whole file, hex")
    plant_id: uuid.UUID | None = None
    taken_at: AwareDatetime | None = Field(None, description="when a photo was taken")


class Upload(BaseModel):
    """How far an upload is, and what became of the file."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    state: FileState
    filename: str
    size: int
    received: int = Field(description="bytes that are here: the offset of the next chunk")
    media_type: str | None
    chunk_bytes: int = Field(uploads.CHUNK_MOST, description="of a chunk, at most")


class NewLink(BaseModel):
    """The record a file belongs to."""

    model_config = ConfigDict(extra="forbid")

    entity: str = Field(max_length=64, description="permission prefix of the resource, such as fsq.deviation")
    entity_id: uuid.UUID
    kind: Literal[LINK_KINDS] = "document"  # type: ignore[valid-type]  # the table's own list


class Link(BaseModel):
    """A file belongs to a record."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    attachment_id: uuid.UUID
    entity: str
    entity_id: uuid.UUID
    kind: str
    created_at: AwareDatetime
    created_by: uuid.UUID | None


@router.post(
    "/attachments",
    status_code=201,
    dependencies=[access.needs("core.attachment.create")],
)
async def begin(request: Request, caller: access.Signed, body: NewUpload) -> Upload:
    """Begin an upload. The same bytes as of another file are stored once, but must be sent all the same."""
    row = await uploads.begin(
        caller.db,
        caller.actor,
        request.app.state.settings,
        filename=body.filename,
        size=body.size,
        sha256=bytes.fromhex(body.sha256),
        plant_id=body.plant_id,
        taken_at=body.taken_at,
    )
    return Upload.model_validate(row)


@router.put(
    "/attachments/{attachment_id}/chunk",
    dependencies=[access.needs_alone("core.attachment.create")],
    openapi_extra=_BYTES,
)
async def put_chunk(
    request: Request, attachment_id: uuid.UUID, offset: Annotated[int, Query(ge=0, le=2**40)]
) -> Upload:
    """Send the next bytes. The same chunk again changes nothing; a wrong offset is told the right one."""
    # No session while the client sends: a slow one would hold a connection of everybody's.
    body = await _limited(request)
    actor, database, files = await _doors(request)
    return Upload.model_validate(await uploads.add(database, files, actor, attachment_id, offset, body))


@router.get("/attachments/{attachment_id}/chunk", dependencies=[access.needs("core.attachment.create")])
async def offset_of(attachment_id: uuid.UUID, caller: access.Signed) -> Upload:
    """How far the caller's own upload is."""
    return Upload.model_validate(await uploads.own(caller.db, caller.actor, attachment_id))


@router.post("/attachments/{attachment_id}:complete", dependencies=[access.needs_alone("core.attachment.create")])
async def complete(request: Request, attachment_id: uuid.UUID) -> Upload:
    """Check size, SHA-256 and type; then the file waits for the scanner, a moment."""
    actor, database, files = await _doors(request)
    row = await uploads.complete(database, files, actor, attachment_id)
    later: Later = request.app.state.later
    # Too busy now: the periodic round takes it.
    with contextlib.suppress(Refused):
        later.start(judging.judge(request.app, await database.tenant(actor.tenant_id), row.id))
    return Upload.model_validate(row)


@router.get(
    "/attachments/{attachment_id}/content",
    dependencies=[access.needs_alone("core.attachment.read")],
    response_class=Response,
    responses={
        200: {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}},
        206: {"description": "The part that `Range` asks for"},
        304: {"description": "The client has it"},
        416: access.PROBLEMS[422] | {"description": "There is no such part"},
    },
)
async def content(request: Request, attachment_id: uuid.UUID) -> Response:
    """The file, once it was found clean; `Range` is served."""
    actor, database, files = await _doors(request)
    async with database.tenant_session(actor.tenant_id, actor) as db:
        row = await load(db, actor, Attachment, attachment_id, f"{uploads.CODE}.read")
    return await serving.send(request, files, row)


@router.get("/attachments/{attachment_id}/links", dependencies=[access.needs("core.attachment.read")])
async def list_links(request: Request, attachment_id: uuid.UUID, caller: access.Signed) -> list[Link]:
    """The records a file belongs to, of those that you may read."""
    row = await load(caller.db, caller.actor, Attachment, attachment_id, f"{uploads.CODE}.read")
    found = await links.of(caller.db, caller.actor, request.app.state.records, row)
    return [Link.model_validate(each) for each in found]


@router.post(
    "/attachments/{attachment_id}/links", status_code=201, dependencies=[access.needs("core.attachment.create")]
)
async def attach(request: Request, attachment_id: uuid.UUID, caller: access.Signed, body: NewLink) -> Link:
    """Let a file belong to a record."""
    row = await load(caller.db, caller.actor, Attachment, attachment_id, f"{uploads.CODE}.create")
    records: Records = request.app.state.records
    link = await links.attach(caller.db, caller.actor, records, row, body.entity, body.entity_id, body.kind)
    return Link.model_validate(link)


@router.delete(
    "/attachments/{attachment_id}/links/{link_id}",
    status_code=204,
    dependencies=[access.needs("core.attachment.retire")],
)
async def detach(
    request: Request,
    attachment_id: uuid.UUID,
    link_id: uuid.UUID,
    caller: access.Signed,
    reason: Annotated[str, Query(min_length=5, max_length=500)],
) -> None:
    """Take a file away from a record that nobody has signed."""
    row = await load(caller.db, caller.actor, Attachment, attachment_id, f"{uploads.CODE}.retire")
    await links.detach(caller.db, caller.actor, request.app.state.records, row, link_id, reason)


async def _limited(request: Request) -> bytes:
    """The body of a chunk, never more of it in memory than a chunk may have."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > uploads.CHUNK_MOST:
            raise Invalid("chunk_too_large", most=uploads.CHUNK_MOST)
        parts.append(part)
    return b"".join(parts)


async def _doors(request: Request) -> tuple[Actor, Database, TenantFiles]:
    actor = await access.actor_of(request)
    database: Database = request.app.state.database
    tenant = await database.tenant(actor.tenant_id)
    return actor, database, request.app.state.files.of(tenant.schema)


ATTACHMENT = Resource(
    model=Attachment,
    owner="V",
    path="attachments",
    code=uploads.CODE,
    hidden={"blob_sha256", "scan_tries"},
    filters={"state": ANY, "media_type": ANY, "filename": ANY, "created_by": ANY, "created_at": ANY, "plant_id": ANY},
    sorts=("created_at", "filename", "size"),
    search=("filename",),
    actions=(Action("rescan", judging.rescan, judging.Rescan),),
)
RESOURCES = (ATTACHMENT,)
