"""A file on its way in: begun, sent in pieces that may be sent again, completed or given up.

Bytes are stored before the row says that they are there; what a refused or broken request leaves
in the store goes with the upload. No transaction is open while a client sends or a store writes.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import Invalid, NotFound, Refused
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines import FILE
from foodflow_kernel.machines.content import FileState
from server.core import audit, config
from server.core.actor import Actor
from server.core.db.sessions import Database
from server.core.files import kinds
from server.core.files.store import TenantFiles, blob_key, chunk_key
from server.core.models import Attachment, AttachmentChunk, Blob, Plant
from server.core.models.attachment import MAX_BYTES
from server.core.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

CODE = "core.attachment"
CHUNK_MOST = 4 * 1024 * 1024
CHUNK_LEAST = 64 * 1024
"""Of every chunk but the last: fifty million of one byte each would be fifty million rows."""
OLDEST = datetime(1970, 1, 1, tzinfo=UTC)
_MB = 1024 * 1024


async def begin(
    db: AsyncSession,
    actor: Actor,
    settings: Settings,
    *,
    filename: str,
    size: int,
    sha256: bytes,
    plant_id: uuid.UUID | None,
    taken_at: datetime | None,
) -> Attachment:
    """Begin an upload, if there is room for it.

    Raises:
        Invalid: `file_too_large`, `taken_at_bad`, `attachment_plant_missing`, `reference_unknown`.
        NotFound: `record_unknown` for a plant the actor does not see.
        NotAllowed: `permission_missing` there.
        Refused: `uploads_open` while the person has too many, `files_full`.
    """
    if size > MAX_BYTES:
        raise Invalid("file_too_large", most_mb=MAX_BYTES // _MB)
    if not actor.sees(plant_id):
        raise NotFound("record_unknown", id=plant_id)
    actor.require(f"{CODE}.create", plant_id)
    if plant_id is None and actor.plant_ids is not None:
        if len(actor.plant_ids) != 1:
            raise Invalid("attachment_plant_missing")
        (plant_id,) = actor.plant_ids
    if plant_id is not None and await db.get(Plant, plant_id) is None:
        raise Invalid("reference_unknown", where="plant_id", id=plant_id)
    now: datetime = db.info["clock"].now()
    if taken_at is not None and not OLDEST <= taken_at <= now + timedelta(days=1):
        raise Invalid("taken_at_bad")
    # One at a time in a company: two that begin at once would each see room for one.
    name = f"uploads {db.info['tenant_id']}"
    await db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
    await _refuse_without_room(db, actor, settings, size, now)
    row = Attachment(
        id=new_id(now),
        plant_id=plant_id,
        filename=filename,
        size=size,
        sha256=sha256,
        taken_at=taken_at,
        device_id=actor.device_id,
        state=FILE.start,
        received=0,
        created_at=now,
        created_by=actor.id,
        touched_at=now,
    )
    db.add(row)
    await db.flush()
    said = {"filename": filename, "size": size, "sha256": sha256, "plant_id": plant_id}
    audit.write(db, actor, f"{CODE}.create", CODE, row.id, said)
    return row


async def _refuse_without_room(db: AsyncSession, actor: Actor, settings: Settings, size: int, now: datetime) -> None:
    is_open = Attachment.state == FileState.open
    most = await config.effective(db, "files.open_uploads", now)
    mine = select(func.count()).where(is_open, Attachment.created_by == actor.id)
    if (await db.scalar(mine) or 0) >= most:
        raise Refused("uploads_open", most=most, retry_after=60)
    announced = await db.scalar(select(func.coalesce(func.sum(Attachment.size), 0)).where(is_open)) or 0
    stored = await db.scalar(select(func.coalesce(func.sum(Blob.size), 0))) or 0
    if stored + announced + size > settings.files_quota_mb * _MB:
        raise Refused("files_full", quota_mb=settings.files_quota_mb)


async def own(db: AsyncSession, actor: Actor, upload_id: uuid.UUID, *, lock: bool = False) -> Attachment:
    """The actor's own upload.

    Raises:
        NotFound: `record_unknown`, also for somebody else's.
    """
    asked = select(Attachment).where(Attachment.id == upload_id, Attachment.created_by == actor.id)
    row = await db.scalar((asked.with_for_update() if lock else asked).execution_options(populate_existing=True))
    if row is None or not actor.sees(row.plant_id):
        raise NotFound("record_unknown", id=upload_id)
    return row


async def add(
    database: Database, files: TenantFiles, actor: Actor, upload_id: uuid.UUID, start: int, body: bytes
) -> Attachment:
    """Take one chunk; the same one again changes nothing.

    Raises:
        Invalid: `chunk_empty`, `chunk_too_small` for one that is not the last.
        Refused: `chunk_offset_wrong` with the right offset, `chunk_differs`, `chunk_beyond_end`.
        IllegalMove: the upload is complete.
    """
    sha256 = hashlib.sha256(body).digest()
    async with database.tenant_session(actor.tenant_id, actor) as db:
        row = await own(db, actor, upload_id)
        if await _is_there(db, row, start, body, sha256):
            # Another may have taken it since the row was read.
            return await own(db, actor, upload_id)
    key = chunk_key(upload_id, start, sha256)
    await files.put(key, body)
    async with database.tenant_session(actor.tenant_id, actor) as db:
        row = await own(db, actor, upload_id, lock=True)
        if await _is_there(db, row, start, body, sha256):
            return row
        chunk = AttachmentChunk(attachment_id=row.id, start=start, size=len(body), sha256=sha256, storage_key=key)
        db.add(chunk)
        row.received, row.touched_at = start + len(body), db.info["clock"].now()
    return row


async def _is_there(db: AsyncSession, row: Attachment, start: int, body: bytes, sha256: bytes) -> bool:
    """Whether this very chunk was taken before; refuses one that does not come next."""
    FILE.move(row.state, "complete")
    if not body:
        raise Invalid("chunk_empty")
    if start + len(body) > row.size:
        raise Refused("chunk_beyond_end", size=row.size)
    before = await db.get(AttachmentChunk, (row.id, start))
    if before is not None:
        if before.sha256 != sha256:
            raise Refused("chunk_differs", offset=row.received)
        return True
    if start != row.received:
        raise Refused("chunk_offset_wrong", offset=row.received)
    if len(body) < CHUNK_LEAST and start + len(body) < row.size:
        raise Invalid("chunk_too_small", least=CHUNK_LEAST)
    return False


async def complete(database: Database, files: TenantFiles, actor: Actor, upload_id: uuid.UUID) -> Attachment:
    """Check all bytes against what was announced and look at what they are; then they are kept.

    What is not what was announced, or may not be kept, is gone with this. Completing again answers
    the same.

    Raises:
        Refused: `upload_incomplete` with the offset, `upload_differs`. NotFound: `file_lost` for bytes that are gone.
        Invalid: `file_type_refused`.
    """
    async with database.tenant_session(actor.tenant_id, actor) as db:
        row = await own(db, actor, upload_id)
        if row.state is not FileState.open:
            return row
        if row.received < row.size:
            raise Refused("upload_incomplete", offset=row.received, size=row.size)
        asked = select(AttachmentChunk).where(AttachmentChunk.attachment_id == row.id)
        chunks = (await db.scalars(asked.order_by(AttachmentChunk.start))).all()
    with tempfile.NamedTemporaryFile(prefix="foodflow-upload-") as whole:
        try:
            sha256 = await _assemble(files, chunks, cast("BinaryIO", whole))
        except FileNotFoundError as error:
            # Somebody who completed it at the same time was first, and took the chunks away.
            async with database.tenant_session(actor.tenant_id, actor) as db:
                row = await own(db, actor, upload_id)
            if row.state is FileState.open:
                raise NotFound("file_lost", id=upload_id) from error
            return row
        if sha256 != row.sha256:
            if await discard(database, files, actor, upload_id, "upload_differs"):
                raise Refused("upload_differs")
            async with database.tenant_session(actor.tenant_id, actor) as db:
                return await own(db, actor, upload_id)  # they were gone before it was asked which there are
        kind = await asyncio.to_thread(kinds.kind_of, cast("BinaryIO", whole))
        if kind is None:
            await discard(database, files, actor, upload_id, "file_type_refused")
            raise Invalid("file_type_refused", allowed=", ".join(sorted(kinds.ALLOWED)))
        key = blob_key(sha256)
        if not await files.has(key):
            await files.put(key, Path(whole.name))
    async with database.tenant_session(actor.tenant_id, actor) as db:
        row = await own(db, actor, upload_id, lock=True)
        if row.state is not FileState.open:
            return row
        now = db.info["clock"].now()
        blob = {"sha256": sha256, "size": row.size, "media_type": kind, "storage_key": key, "stored_at": now}
        await db.execute(insert(Blob).values(blob).on_conflict_do_nothing())
        row.state = FILE.move(row.state, "complete")
        row.media_type, row.blob_sha256, row.completed_at = kind, sha256, now
        await db.execute(delete(AttachmentChunk).where(AttachmentChunk.attachment_id == row.id))
        audit.write(db, actor, f"{CODE}.complete", CODE, row.id, {"media_type": kind, "sha256": sha256})
    await files.remove_upload(upload_id)
    return row


async def _assemble(files: TenantFiles, chunks: Sequence[AttachmentChunk], whole: BinaryIO) -> bytes:
    """Put the chunks one behind the other, one at a time in memory. Returns the SHA-256 of all, shape (32,)."""
    digest = hashlib.sha256()

    def take(body: bytes) -> None:
        digest.update(body)
        whole.write(body)

    for chunk in chunks:
        await asyncio.to_thread(take, await files.get(chunk.storage_key))
    await asyncio.to_thread(whole.flush)
    return digest.digest()


async def discard(database: Database, files: TenantFiles, actor: Actor, upload_id: uuid.UUID, why: str) -> bool:
    """Give up an open upload with all its bytes; False if it is open no more."""
    async with database.tenant_session(actor.tenant_id, actor) as db:
        gone = delete(Attachment).where(Attachment.id == upload_id, Attachment.state == FileState.open)
        found = await db.scalar(gone.returning(Attachment.id), execution_options={"synchronize_session": False})
        if found is not None:
            audit.write(db, actor, f"{CODE}.discard", CODE, upload_id, reason=why)
    if found is not None:
        await files.remove_upload(upload_id)
    return found is not None


async def abandoned(app: FastAPI, actor: Actor) -> int:
    """Give up uploads that nobody has added to for long. Returns how many."""
    database: Database = app.state.database
    settings: Settings = app.state.settings
    tenant = await database.tenant(actor.tenant_id)
    async with database.tenant_session(tenant.id, actor) as db:
        since = database.clock.now() - timedelta(hours=settings.files_abandoned_hours)
        asked = select(Attachment.id).where(Attachment.state == FileState.open, Attachment.touched_at < since)
        old = (await db.scalars(asked.limit(200))).all()
    files: TenantFiles = app.state.files.of(tenant.schema)
    return sum([await discard(database, files, actor, each, "abandoned") for each in old])
