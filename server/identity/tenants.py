"""The registry of companies, as those who run the platform see and change it; no company's data.

Every change is audited in its own transaction. A company that leaves is written to a file when it
is archived; its schema stays, closed, for as long as the law wants its records.
"""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import IllegalMove, Invalid, NotFound
from foodflow_kernel.machines import TENANT
from foodflow_kernel.machines.identity import TenantState
from server.core import access
from server.core.db import postgres, provision, transfer
from server.core.db.parcel import Manifest
from server.core.db.registry import Tenant
from server.core.files.store import Files
from server.core.live import hub
from server.core.resource.writing import same_version
from server.core.room import Room
from server.identity import operators, people

if TYPE_CHECKING:
    from server.core.db.sessions import Database

router = Room(tags=["identity"])

Regime = Literal["fda_pchf", "fsis", "fsma204", "juice_120", "seafood_123", "lacf_113", "acid_114", "eu", "dietary_111"]


class TenantOut(BaseModel):
    """A company of this server."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    slug: str
    legal_name: str
    gs1_company_prefix: str
    default_tz: str
    country: str
    currency: str
    regimes: list[str]
    schema_revision: str | None
    state: TenantState
    version: int
    created_at: datetime


class TenantPage(BaseModel):
    """Companies by slug; ``next`` is what to ask for after."""

    items: list[TenantOut]
    next: str | None


class NewTenant(BaseModel):
    """A company to be made."""

    model_config = ConfigDict(extra="forbid")

    slug: str = Field(max_length=31, pattern=r"^[a-z][a-z0-9_]{2,30}$")
    legal_name: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")
    gs1_company_prefix: str = Field(pattern=r"^[0-9]{6,12}$")
    default_tz: str
    country: str = Field(pattern=r"^[A-Z]{2}$")
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    regimes: list[Regime] = Field(default=[], max_length=20)


class TenantChange(BaseModel):
    """What may change of a company; never its slug."""

    model_config = ConfigDict(extra="forbid")

    legal_name: str | None = Field(None, min_length=1, max_length=200, pattern=r"^[^\x00]+$")
    gs1_company_prefix: str | None = Field(None, pattern=r"^[0-9]{6,12}$")
    default_tz: str | None = None
    country: str | None = Field(None, pattern=r"^[A-Z]{2}$")
    currency: str | None = Field(None, pattern=r"^[A-Z]{3}$")
    regimes: list[Regime] | None = Field(None, max_length=20)


class Reason(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=5, max_length=500, pattern=r"^[^\x00]+$")


@router.get("/tenants", dependencies=[operators.needs("platform.tenant.read")], responses=access.PROBLEMS)
async def list_tenants(
    request: Request,
    after: Annotated[str, Query(max_length=31, pattern="^[a-z0-9_]*$")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> TenantPage:
    """All companies, by slug."""
    database: Database = request.app.state.database
    question = select(Tenant).where(Tenant.slug > after).order_by(Tenant.slug).limit(limit + 1)
    async with database.platform_session() as db:
        rows = (await db.scalars(question)).all()
    items = [TenantOut.model_validate(row) for row in rows[:limit]]
    return TenantPage(items=items, next=items[-1].slug if len(rows) > limit else None)


@router.post(
    "/tenants", status_code=201, dependencies=[operators.needs("platform.tenant.create")], responses=access.PROBLEMS
)
async def create_tenant(request: Request, body: NewTenant) -> TenantOut:
    """Make a company; it is there whole, or not at all.

    Raises:
        Invalid: `tenant_slug_invalid` for a reserved name, `time_zone_unknown`.
        Refused: `tenant_exists`.
    """
    database: Database = request.app.state.database
    made = await provision.create_tenant(database, **body.model_dump(), fill=people.ensure_roles)
    async with database.platform_session() as db:
        _note(request, db, "create", made.id, body.model_dump())
        return TenantOut.model_validate(await db.get_one(Tenant, made.id))


@router.get("/tenants/{tenant_id}", dependencies=[operators.needs("platform.tenant.read")], responses=access.PROBLEMS)
async def get_tenant(request: Request, response: Response, tenant_id: uuid.UUID) -> TenantOut:
    """One company."""
    database: Database = request.app.state.database
    async with database.platform_session() as db:
        row = await _load(db, tenant_id)
    response.headers["ETag"] = f'"{row.version}"'
    return TenantOut.model_validate(row)


@router.get("/tenant", dependencies=[access.needs("platform.tenant.read")], responses=access.PROBLEMS)
async def own_tenant(request: Request, caller: access.Signed) -> TenantOut:
    """The company one is signed in to, as the platform has it."""
    database: Database = request.app.state.database
    async with database.platform_session() as db:
        return TenantOut.model_validate(await _load(db, caller.actor.tenant_id))


@router.patch(
    "/tenants/{tenant_id}", dependencies=[operators.needs("platform.tenant.update")], responses=access.PROBLEMS
)
async def change_tenant(
    request: Request, tenant_id: uuid.UUID, body: TenantChange, if_match: Annotated[str | None, Header()] = None
) -> TenantOut:
    """Change what a company is called, where it is and which law it works under.

    Raises:
        Invalid: `if_match_missing`, `version_stale`, `time_zone_unknown`.
    """
    database: Database = request.app.state.database
    async with database.platform_session() as db:
        row = await _load(db, tenant_id, lock=True)
        same_version(row, if_match)
        wanted = body.model_dump(exclude_unset=True)
        if missing := sorted(name for name, value in wanted.items() if value is None):
            raise Invalid("field_missing", field=missing[0])
        new = {name: value for name, value in wanted.items() if getattr(row, name) != value}
        diff = {name: [getattr(row, name), value] for name, value in new.items()}
        for name, value in new.items():
            setattr(row, name, value)
        provision.check(
            row.slug, row.legal_name, row.gs1_company_prefix, row.default_tz, row.country, row.currency, row.regimes
        )
        if new:
            row.version += 1
            _note(request, db, "update", row.id, diff)
    database.registry.forget(tenant_id)
    return TenantOut.model_validate(row)


async def _move(request: Request, tenant_id: uuid.UUID, move: str, reason: str) -> Tenant:
    """Take a company to its next state, at once in every process.

    Raises:
        IllegalMove: its state has no such move.
    """
    database: Database = request.app.state.database
    async with database.platform_session() as db:
        row = await _load(db, tenant_id, lock=True)
        if row.state is TenantState.provisioning:
            # Only who makes it knows when it is whole (``provision``).
            raise IllegalMove("tenant", row.state, move)
        before, row.state = row.state, TENANT.move(row.state, move)
        row.version += 1
        _note(request, db, move, row.id, {"state": [before, row.state]}, reason)
        await hub.wake_tenant(db, database.cluster, row.schema_name)
    database.registry.forget(tenant_id)
    return row


@router.post(
    "/tenants/{tenant_id}:suspend",
    dependencies=[operators.needs("platform.tenant.suspend")],
    responses=access.PROBLEMS,
)
async def suspend(request: Request, tenant_id: uuid.UUID, body: Reason) -> TenantOut:
    """No sign-in, no key and no data any more; what terminals record is still stored."""
    return TenantOut.model_validate(await _move(request, tenant_id, "suspend", body.reason))


@router.post(
    "/tenants/{tenant_id}:activate",
    dependencies=[operators.needs("platform.tenant.activate")],
    responses=access.PROBLEMS,
)
async def activate(request: Request, tenant_id: uuid.UUID, body: Reason) -> TenantOut:
    """Let a suspended company in again."""
    return TenantOut.model_validate(await _move(request, tenant_id, "activate", body.reason))


@router.post(
    "/tenants/{tenant_id}:offboard",
    dependencies=[operators.needs("platform.tenant.offboard")],
    responses=access.PROBLEMS,
)
async def offboard(request: Request, tenant_id: uuid.UUID, body: Reason) -> TenantOut:
    """A company begins to leave: as suspended, and there is no way back."""
    return TenantOut.model_validate(await _move(request, tenant_id, "offboard", body.reason))


@router.post(
    "/tenants/{tenant_id}:archive",
    dependencies=[operators.needs("platform.tenant.archive")],
    responses=access.PROBLEMS,
)
async def archive(request: Request, tenant_id: uuid.UUID, body: Reason) -> TenantOut:
    """Close a company that has left: nothing is stored any more, and all it had is written to a file."""
    database: Database = request.app.state.database
    folder: Path = request.app.state.settings.data_folder / "exports"
    row = await _move(request, tenant_id, "archive", body.reason)
    ref = row.ref()
    try:
        await asyncio.to_thread(folder.mkdir, 0o700, parents=True, exist_ok=True)
        files: Files = request.app.state.files
        made = await transfer.export_tenant(database, ref, folder / f"{ref.slug}.export", files.of)
        await asyncio.to_thread(postgres.lock_out, database.cluster.owner, ref.schema)
    except BaseException:
        # It has not left: without its file it may come back to be archived again.
        async with database.platform_session() as db:
            row = await _load(db, tenant_id)
            row.state = TenantState.offboarding
            _note(request, db, "archive_failed", row.id)
        database.registry.forget(tenant_id)
        raise
    async with database.platform_session() as db:
        _note(request, db, "export", row.id, _what(made))
    await database.forget(ref)
    return TenantOut.model_validate(row)


def _what(made: Manifest) -> dict[str, int]:
    rows = sum(part.rows for part in made.tables.values())
    return {"rows": rows, "files": len(made.files), "files_missing": len(made.missing)}


async def _load(db: AsyncSession, tenant_id: uuid.UUID, *, lock: bool = False) -> Tenant:
    row = await db.get(Tenant, tenant_id, with_for_update=lock or None)
    if row is None:
        raise NotFound("tenant_unknown")
    return row


def _note(
    request: Request,
    db: AsyncSession,
    verb: str,
    tenant_id: uuid.UUID,
    diff: dict[str, Any] | None = None,
    reason: str | None = None,
) -> None:
    operators.note(
        db, request.state.operator, request.app.state.clock.now(), f"platform.tenant.{verb}", tenant_id, diff, reason
    )
