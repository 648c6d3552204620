"""After the last byte: scan, and serve only what is clean."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.machines import FILE
from foodflow_kernel.machines.content import FileState
from server.core import audit, events
from server.core.actor import system
from server.core.db.sessions import Database, TenantRef
from server.core.files import uploads
from server.core.files.scanning import Scanner
from server.core.files.store import TenantFiles, blob_key
from server.core.jobs import Periodic
from server.core.models import Attachment

if TYPE_CHECKING:
    from fastapi import FastAPI

log = logging.getLogger(__name__)

MAX_TRIES = 10
"""After that a person must ask for another one."""
_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class FileInfected:
    """Somebody attached a file in which the scanner found something."""

    attachment_id: uuid.UUID
    plant_id: uuid.UUID | None
    sent_by: uuid.UUID | None
    filename: str
    finding: str


class Rescan(BaseModel):
    """Try again."""


async def rescan(_db: AsyncSession, row: Attachment, _command: Rescan) -> Attachment:
    """Let a file that could not be scanned wait for the scanner again.

    Raises:
        IllegalMove: it was judged, or was not scanned yet.
    """
    row.state, row.scanned_at, row.finding, row.scan_tries = FILE.move(row.state, "rescan"), None, None, 0
    return row


async def judge(app: FastAPI, tenant: TenantRef, attachment_id: uuid.UUID) -> None:
    """Scan one file that waits for it."""
    database: Database = app.state.database
    files: TenantFiles = app.state.files.of(tenant.schema)
    scanner: Scanner = app.state.scanner
    actor = system(tenant.id, "scanner")
    async with database.tenant_session(tenant.id, actor) as db:
        row = await db.get(Attachment, attachment_id)
    if row is None or row.state is not FileState.pending or row.blob_sha256 is None:
        return
    move, finding = "pass", None
    try:
        finding = await scanner.scan(files.read(blob_key(row.blob_sha256), 0, row.size))
    except OSError as error:
        log.warning("a file could not be scanned", exc_info=error)
        move, finding = "fail", type(error).__name__
    else:
        move = "pass" if finding is None else "infect"
    async with database.tenant_session(tenant.id, actor) as db:
        row = await db.get_one(Attachment, attachment_id, with_for_update=True)
        if row.state is not FileState.pending:
            return
        row.state, row.finding, row.scanned_at = FILE.move(row.state, move), finding, database.clock.now()
        row.scan_tries += 1
        audit.write(db, actor, f"{uploads.CODE}.{move}", uploads.CODE, row.id, {"finding": finding})
        if finding is not None and move == "infect":
            events.announce(db, FileInfected(row.id, row.plant_id, row.created_by, row.filename, finding))
        await events.deliver(db, app.state.reactions)


async def judge_waiting(app: FastAPI, tenant: TenantRef) -> None:
    """Scan what waits, and what could not be scanned before."""
    database: Database = app.state.database
    actor = system(tenant.id, "scanner")
    async with database.tenant_session(tenant.id, actor) as db:
        failed = select(Attachment).where(Attachment.state == FileState.failed, Attachment.scan_tries < MAX_TRIES)
        for row in (await db.scalars(failed.limit(_AT_ONCE).with_for_update(skip_locked=True))).all():
            tries = row.scan_tries
            await rescan(db, row, Rescan())
            row.scan_tries = tries
            audit.write(db, actor, f"{uploads.CODE}.rescan", uploads.CODE, row.id)
        await db.flush()
        pending = select(Attachment.id).where(Attachment.state == FileState.pending)
        waiting = (await db.scalars(pending.order_by(Attachment.completed_at).limit(_AT_ONCE))).all()
    for each in waiting:
        await judge(app, tenant, each)


async def clear(app: FastAPI, tenant: TenantRef) -> None:
    """Give up uploads that were abandoned."""
    await uploads.abandoned(app, system(tenant.id, "uploads"))


JOBS = (
    Periodic("core.files_judge", 60, judge_waiting),
    Periodic("core.files_clear", 3600, clear),
)
