"""Reading the audit trail: the list, its export, and whether it stands. Every reading is on record itself."""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import ColumnElement, select

from foodflow_kernel.errors import Invalid, NotAllowed
from server.core import access, audit, audit_check, seals
from server.core.access import Caller
from server.core.audit import AuditRow
from server.core.resource import export, sheets
from server.core.room import Room

router = Room(tags=["core"])

READ, EXPORT = "core.audit.read", "core.audit.export"
MAX_PAGE = 200
LARGEST = 2**63 - 1
"""Of a row's number: bigint."""


class Entry(BaseModel):
    """One row of the trail."""

    model_config = ConfigDict(from_attributes=True, ser_json_bytes="hex")

    seq: int
    at: AwareDatetime
    actor_type: str
    actor_id: uuid.UUID | None
    actor_name: str
    device_id: uuid.UUID | None
    plant_id: uuid.UUID | None
    action: str
    entity: str
    entity_id: uuid.UUID | None
    diff: dict[str, Any]
    reason: str | None
    request_id: str | None
    ip: str | None
    esign_id: uuid.UUID | None
    row_hash: bytes


class Page(BaseModel):
    """Rows, newest first; ``next`` is the ``after`` of the page behind."""

    items: list[Entry]
    next: str | None


class Standing(BaseModel):
    """Whether the trail stands as it was written."""

    holds: bool
    rows: int
    seals: int
    anchors: int
    first_bad_seq: int | None
    first_bad_seal: int | None
    what: str | None
    detail: str | None


class Asked(BaseModel):
    """What a list is narrowed to."""

    entity: Annotated[str | None, Query(max_length=100, description="noun, such as fsq.hold")] = None
    entity_id: uuid.UUID | None = None
    actor: Annotated[uuid.UUID | None, Query(description="the person or device")] = None
    action: Annotated[str | None, Query(max_length=200, description="such as fsq.hold.release")] = None
    since: Annotated[AwareDatetime | None, Query(alias="from", description="from this instant on")] = None
    until: Annotated[AwareDatetime | None, Query(alias="to", description="before this instant")] = None

    def said(self) -> dict[str, Any]:
        """The question as it goes on record."""
        return self.model_dump(exclude_none=True, by_alias=True)


PARAMETERS = {each.alias or name for name, each in Asked.model_fields.items()} | {"limit", "after"}
_SHEET = {"schema": {"type": "string", "format": "binary"}}
_FORMS: dict[int | str, dict[str, Any]] = {200: {"content": dict.fromkeys((sheets.CSV, sheets.XLSX), _SHEET)}}


@router.get(
    "/audit",
    response_model=Page,
    dependencies=[access.needs(READ), access.only(PARAMETERS)],
    responses=access.PROBLEMS | _FORMS,
    openapi_extra={"x-permission": READ},
    description="As CSV or XLSX (`Accept`) it is the whole list, and needs `core.audit.export`.",
)
async def list_audit(
    request: Request,
    caller: access.Signed,
    asked: Annotated[Asked, Query()],
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    after: Annotated[str | None, Query(max_length=20, description="`next` of the page before")] = None,
) -> Any:
    """Who did what, newest first.

    Raises:
        Invalid: `parameter_unknown`, `cursor_bad`.
    """
    form = sheets.wanted(request.headers.get("accept", ""))
    wanted = _where(caller, asked, READ if form == sheets.JSON else EXPORT)
    if after is not None:
        if not after.isascii() or not after.isdigit() or int(after) > LARGEST:
            raise Invalid("cursor_bad")
        wanted.append(AuditRow.seq < int(after))
    if form != sheets.JSON:
        return await _export(request, caller, asked, wanted, form)
    query = select(AuditRow).where(*wanted).order_by(AuditRow.seq.desc()).limit(limit + 1)
    rows = (await caller.db.scalars(query)).all()
    audit.write(caller.db, caller.actor, READ, "core.audit", None, asked.said())
    beyond = str(rows[limit - 1].seq) if len(rows) > limit else None
    return Page(items=[Entry.model_validate(row) for row in rows[:limit]], next=beyond)


@router.get(
    "/audit/verify",
    dependencies=[access.needs(READ)],
    responses=access.PROBLEMS,
    openapi_extra={"x-permission": READ},
)
async def verify_audit(request: Request, caller: access.Signed) -> Standing:
    """Check all rows and seals of the company; names the first that is wrong. It needs the right for all plants."""
    if caller.actor.plants_with(READ) is not None:
        raise NotAllowed("permission_missing", permission=READ)
    folder = request.app.state.settings.data_folder
    path = seals.anchor_file(folder, caller.db.info["tenant"])
    report = await audit_check.verify(caller.db, await asyncio.to_thread(seals.read_anchors, path))
    audit.write(caller.db, caller.actor, "core.audit.verify", "core.audit", None, {"rows": report.rows})
    found = report.finding
    return Standing(
        holds=found is None,
        rows=report.rows,
        seals=report.seals,
        anchors=report.anchors,
        first_bad_seq=found.number if found and not found.is_seal else None,
        first_bad_seal=found.number if found and found.is_seal else None,
        what=found.what if found else None,
        detail=found.sentence if found else None,
    )


def _where(caller: Caller, asked: Asked, code: str) -> list[ColumnElement[bool]]:
    """The rows asked for among those the caller may see: of their plants, or all.

    Raises:
        NotAllowed: `permission_missing`.
    """
    caller.actor.require(code)
    plants = caller.actor.plants_with(code)
    found: list[ColumnElement[bool]] = [] if plants is None else [AuditRow.plant_id.in_(plants)]
    for column, value in (
        (AuditRow.entity, asked.entity),
        (AuditRow.entity_id, asked.entity_id),
        (AuditRow.actor_id, asked.actor),
        (AuditRow.action, asked.action),
    ):
        if value is not None:
            found.append(column == value)
    since: datetime | None = asked.since
    until: datetime | None = asked.until
    if since is not None:
        found.append(AuditRow.at >= since)
    if until is not None:
        found.append(AuditRow.at < until)
    return found


async def _export(
    request: Request, caller: Caller, asked: Asked, wanted: list[ColumnElement[bool]], form: str
) -> Response:
    query = select(*AuditRow.__table__.columns).where(*wanted).order_by(AuditRow.seq.desc())
    await caller.db.execute(query.limit(0))
    audit.write(caller.db, caller.actor, EXPORT, "core.audit", None, asked.said() | {"format": form})
    names = list(AuditRow.__table__.columns.keys())
    return export.sheet(request, caller, "audit", names, query, form)
