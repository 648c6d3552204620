"""Terminals: enrol by commitment, reveal, approve with four words, revoke.

A terminal asks without any right and gets only a code. A supervisor compares four words on both
screens and approves; that decides tenant, plant and line. See docs/decisions/0012.
"""

from __future__ import annotations

import hmac
import secrets
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from fastapi import Header, Query, Request
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import Invalid, NotAllowed, NotFound, Refused
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines import DEVICE
from foodflow_kernel.machines.identity import DeviceState
from foodflow_kernel.wire import signing
from foodflow_kernel.wire.exchange import EnrolAnswer, EnrolRequest, EnrolReveal, EnrolStatus
from foodflow_kernel.wire.facts import Instant
from foodflow_kernel.wire.protocol import PAIRING_CODE_TTL_S
from server.core import access, audit, feed
from server.core.actor import Actor
from server.core.db import TenantBase
from server.core.models import Plant
from server.core.room import Room
from server.identity.platform import DeviceRow

if TYPE_CHECKING:
    from server.core.db.sessions import Database

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without 0, 1, I and O: they are misread on a screen across a hall."""
MAX_PENDING = 200

router = Room(tags=["devices"])


class Terminal(BaseModel):
    """A terminal as a supervisor sees it; words only while it waits."""

    id: uuid.UUID
    state: DeviceState
    name: str | None
    area: str | None
    plant_id: uuid.UUID | None
    plant_name: str | None
    line_id: uuid.UUID | None
    machine_name: str
    app: str
    words: list[str] = []
    expires_at: Instant | None = None
    approved_at: Instant | None = None
    revoked_at: Instant | None = None


class Approve(BaseModel):
    """Where a terminal stands and what it is called."""

    line_id: uuid.UUID | None = None
    plant_id: uuid.UUID | None = Field(None, description="where there is no line; else the line's own plant")
    name: str = Field(min_length=1, max_length=40)
    area: str = Field("", max_length=80)


class Revoke(BaseModel):
    """Why a terminal is turned off."""

    reason: str = Field(min_length=5, max_length=500)


@router.post("/devices:enroll", status_code=201, dependencies=[access.SELDOM], responses=access.PROBLEMS)
async def enroll(request: Request, body: EnrolRequest) -> EnrolAnswer:
    """A terminal commits to its key and gets the code that a supervisor types."""
    database: Database = request.app.state.database
    now = database.clock.now()
    async with database.platform_session() as db:
        waiting = (await db.scalars(select(DeviceRow).where(DeviceRow.state == DeviceState.pending))).all()
        for old in waiting:
            if old.expires_at <= now:
                await db.delete(old)
        if sum(old.expires_at > now for old in waiting) >= MAX_PENDING:
            raise Refused("too_many_requests", retry_after=60)
        row = DeviceRow(
            id=new_id(now),
            state=DEVICE.start,
            commitment=bytes.fromhex(body.commitment),
            server_nonce=secrets.token_bytes(32),
            code="".join(secrets.choice(ALPHABET) for _ in range(8)),
            expires_at=now + timedelta(seconds=PAIRING_CODE_TTL_S),
            machine_name=body.machine_name[:80],
            app=body.app[:40],
            pepper=secrets.token_bytes(32),
            created_at=now,
        )
        db.add(row)
    shown = f"{row.code[:4]}-{row.code[4:]}" if row.code else ""
    return EnrolAnswer(device=row.id, code=shown, server_nonce=row.server_nonce.hex(), expires_at=row.expires_at)


@router.post("/devices/{device_id}:reveal", status_code=204, dependencies=[access.SELDOM], responses=access.PROBLEMS)
async def reveal(request: Request, device_id: uuid.UUID, body: EnrolReveal) -> None:
    """The terminal shows the key it committed to; now both sides can derive the words."""
    database: Database = request.app.state.database
    public, secret = bytes.fromhex(body.public_key), bytes.fromhex(body.secret)
    async with database.platform_session() as db:
        row = await _pending(db, device_id)
        if row.expires_at <= database.clock.now():
            raise Refused("pairing_code_expired")
        if row.public_key is not None or not hmac.compare_digest(row.commitment, signing.commitment(public, secret)):
            raise NotAllowed("pairing_key_differs")
        row.public_key, row.secret = public, secret


@router.get("/devices/{device_id}/status", responses=access.PROBLEMS)
async def status(
    request: Request, device_id: uuid.UUID, x_device_signature: Annotated[str, Header()] = ""
) -> EnrolStatus:
    """How the pairing stands; the terminal proves that it holds the key."""
    database: Database = request.app.state.database
    async with database.platform_session() as db:
        row = await db.get(DeviceRow, device_id)
    nonce, _, signature = x_device_signature.partition(".")
    try:
        proof = (bytes.fromhex(nonce), bytes.fromhex(signature))
    except ValueError:
        raise NotAllowed("signature_failed") from None
    if row is None or row.public_key is None or not signing.verify_nonce(row.public_key, device_id, *proof):
        raise NotAllowed("signature_failed")
    if row.state is not DeviceState.approved or row.tenant_id is None:
        return EnrolStatus(state=row.state.value)
    tenant = await database.tenant(row.tenant_id)
    return EnrolStatus(
        state=row.state.value,
        tenant_name=tenant.name,
        plant_id=row.plant_id,
        plant_name=row.plant_name or "",
        line_id=row.line_id,
        terminal_name=row.name or "",
        pepper=row.pepper.hex(),
    )


@router.get("/devices", dependencies=[access.needs("identity.device.read")], responses=access.PROBLEMS)
async def terminals(
    request: Request, caller: access.Signed, code: Annotated[str | None, Query(max_length=12)] = None
) -> list[Terminal]:
    """The tenant's terminals; with ``code`` the one that waits under it, with its four words."""
    rows = await listed(request.app.state.database, caller.actor, code)
    return [shown(row, request.app.state.ca_der) for row in rows]


async def listed(database: Database, actor: Actor, code: str | None = None) -> list[DeviceRow]:
    """The terminals of the actor's company; with a code the one that waits under it.

    Raises:
        NotFound: `pairing_code_unknown`.
    """
    query = select(DeviceRow)
    if code is None:
        query = query.where(DeviceRow.tenant_id == actor.tenant_id).order_by(DeviceRow.name)
    else:
        query = query.where(
            DeviceRow.code == code.replace("-", "").replace(" ", "").upper(),
            DeviceRow.state == DeviceState.pending,
            DeviceRow.expires_at > database.clock.now(),
            DeviceRow.public_key.is_not(None),
        )
    async with database.platform_session() as db:
        rows = [row for row in (await db.scalars(query)).all() if actor.sees(row.plant_id)]
    if code is not None and not rows:
        raise NotFound("pairing_code_unknown", code=code)
    return rows


@router.post(
    "/devices/{device_id}:approve", dependencies=[access.needs("identity.device.approve")], responses=access.PROBLEMS
)
async def approve(request: Request, caller: access.Signed, device_id: uuid.UUID, body: Approve) -> Terminal:
    """Let a terminal in: it now belongs to the approver's company, plant and line."""
    return shown(await admit(request.app.state.database, caller.db, device_id, body), request.app.state.ca_der)


async def admit(database: Database, tenant_db: AsyncSession, device_id: uuid.UUID, body: Approve) -> DeviceRow:
    """Approve a waiting terminal on behalf of the session's actor.

    Raises:
        NotFound: `record_unknown` for a terminal that does not wait, a plant or line that is not the actor's.
        Refused: `pairing_code_expired`, `pairing_not_revealed`.
        Invalid: `terminal_place_missing`.
    """
    actor, now = tenant_db.info["actor"], database.clock.now()
    plant = await _place(tenant_db, actor, body)
    async with database.platform_session() as db:
        row = await _pending(db, device_id)
        if row.expires_at <= now:
            raise Refused("pairing_code_expired")
        if row.public_key is None:
            raise Refused("pairing_not_revealed")
        row.state = DEVICE.move(row.state, "approve")
        row.tenant_id, row.plant_id, row.line_id = actor.tenant_id, plant.id, body.line_id
        row.plant_name, row.name, row.area = plant.name, body.name, body.area
        row.approved_by, row.approved_at, row.code = actor.id, now, None
        feed.touch(tenant_db, "terminal", device_id, plant_id=plant.id)
        said = {"name": body.name}
        audit.write(
            tenant_db, actor, "identity.device.approve", "identity.device", device_id, said, plant_id=body.plant_id
        )
        await tenant_db.flush()  # what cannot be audited is not approved
    return row


async def _place(db: AsyncSession, actor: Actor, body: Approve) -> Plant:
    plant_id = body.plant_id
    if body.line_id is not None:
        # Lines belong to a context above this one: known here by the name of their table only.
        line = TenantBase.metadata.tables["plant_ops_line"]
        plant_id = await db.scalar(select(line.c.plant_id).where(line.c.id == body.line_id))
        if plant_id is None or body.plant_id not in (None, plant_id):
            raise NotFound("record_unknown", id=body.line_id)
    if plant_id is None:
        raise Invalid("terminal_place_missing")
    plant = await db.get(Plant, plant_id)
    if plant is None or not actor.may("identity.device.approve", plant_id) or not actor.sees(plant_id):
        raise NotFound("record_unknown", id=plant_id)
    return plant


@router.post(
    "/devices/{device_id}:revoke", dependencies=[access.needs("identity.device.revoke")], responses=access.PROBLEMS
)
async def revoke(request: Request, caller: access.Signed, device_id: uuid.UUID, body: Revoke) -> Terminal:
    """Turn a terminal off: it may still hand in evidence, and gets no data."""
    database: Database = request.app.state.database
    async with database.platform_session() as db:
        row = await db.get(DeviceRow, device_id, with_for_update=True)
        if row is None or row.tenant_id != caller.actor.tenant_id or not caller.actor.sees(row.plant_id):
            raise NotFound("record_unknown", id=device_id)
        row.state = DEVICE.move(row.state, "revoke")
        row.revoked_at = caller.clock.now()
        feed.touch(caller.db, "terminal", device_id, plant_id=row.plant_id)
        audit.write(caller.db, caller.actor, "identity.device.revoke", "identity.device", device_id, reason=body.reason)
        await caller.db.flush()
    return shown(row, request.app.state.ca_der)


async def _pending(db: AsyncSession, device_id: uuid.UUID) -> DeviceRow:
    row = await db.get(DeviceRow, device_id, with_for_update=True)
    if row is None or row.state is not DeviceState.pending:
        raise NotFound("record_unknown", id=device_id)
    return row


def shown(row: DeviceRow, ca_der: bytes) -> Terminal:
    """A terminal as supervisors see it."""
    words: list[str] = []
    if row.state is DeviceState.pending and row.public_key is not None and row.secret is not None:
        words = list(signing.pairing_words(row.public_key, ca_der, row.secret, row.server_nonce))
    return Terminal(
        id=row.id,
        state=row.state,
        name=row.name,
        area=row.area,
        plant_id=row.plant_id,
        plant_name=row.plant_name,
        line_id=row.line_id,
        machine_name=row.machine_name,
        app=row.app,
        words=words,
        expires_at=row.expires_at if row.state is DeviceState.pending else None,
        approved_at=row.approved_at,
        revoked_at=row.revoked_at,
    )
