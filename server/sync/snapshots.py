"""A whole picture of the master data of one terminal, in parts that can be fetched again from the middle.

Made in one repeatable-read transaction at a feed position, so that the feed goes on exactly where
the picture ends. Parts are named by their content and kept for a day.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from uuid import UUID

import zstandard
from fastapi import Response
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import NotFound
from foodflow_kernel.ids import new_id
from foodflow_kernel.wire.exchange import SnapshotManifest, SnapshotPart
from foodflow_kernel.wire.master import ENTITIES
from server.core import feed
from server.sync import pages
from server.sync.models import SyncSnapshot, SyncSnapshotPart
from server.sync.stored import Terminal

_KEEP = timedelta(days=1)
_PART_BYTES = 256 << 10
"""Unpacked size of a part: seconds on a bad radio link, so little is fetched twice."""
_RANGE = re.compile(r"bytes=(\d{1,12})-(\d{0,12})")


async def make(db: AsyncSession, terminal: Terminal, now: datetime) -> SnapshotManifest:
    """Draw everything the terminal may see. Must be the first statement of its transaction."""
    await db.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    state = await feed.bounds(db)
    lines: list[str] = []
    for entity in ENTITIES:
        for row_id, picture in (await pages.render(db, terminal, entity, None)).items():
            if picture.data is not None:
                lines.append(
                    pages.line(state.head, entity, row_id, picture.version, picture.data, is_retired=picture.retired)
                )
    snapshot_id, parts, rows = new_id(now), [], []
    for raw, count in _cut(lines):
        packed = zstandard.ZstdCompressor(level=3).compress(raw)
        name = hashlib.sha256(packed).hexdigest()
        parts.append(SnapshotPart(sha256=name, bytes=len(packed), rows=count))
        rows.append({"snapshot_id": snapshot_id, "sha256": name, "packed": packed})
    manifest = SnapshotManifest(id=str(snapshot_id), epoch=state.epoch, seq=state.head, parts=tuple(parts))
    await _forget_old(db, terminal, now)
    kept = manifest.model_dump(mode="json")
    await db.execute(
        insert(SyncSnapshot).values(id=snapshot_id, device_id=terminal.device_id, manifest=kept, made_at=now)
    )
    if rows:
        await db.execute(insert(SyncSnapshotPart), rows)
    return manifest


def _cut(lines: Iterable[str]) -> Iterator[tuple[bytes, int]]:
    """Whole lines, in parts of about ``_PART_BYTES``."""
    part: list[bytes] = []
    size = 0
    for line in lines:
        part.append(line.encode() + b"\n")
        size += len(part[-1])
        if size >= _PART_BYTES:
            yield b"".join(part), len(part)
            part, size = [], 0
    if part:
        yield b"".join(part), len(part)


async def manifest(db: AsyncSession, terminal: Terminal, snapshot_id: UUID) -> SnapshotManifest:
    """The manifest of a picture made earlier for this terminal.

    Raises:
        NotFound: `snapshot_unknown`.
    """
    question = select(SyncSnapshot.manifest).where(
        SyncSnapshot.id == snapshot_id, SyncSnapshot.device_id == terminal.device_id
    )
    kept = await db.scalar(question)
    if kept is None:
        raise NotFound("snapshot_unknown", id=str(snapshot_id))
    return SnapshotManifest.model_validate(kept)


async def part(db: AsyncSession, terminal: Terminal, snapshot_id: UUID, sha256: str) -> bytes:
    """The packed bytes of one part.

    Raises:
        NotFound: `snapshot_unknown`.
    """
    question = (
        select(SyncSnapshotPart.packed)
        .join(SyncSnapshot, SyncSnapshot.id == SyncSnapshotPart.snapshot_id)
        .where(
            SyncSnapshot.id == snapshot_id,
            SyncSnapshot.device_id == terminal.device_id,
            SyncSnapshotPart.sha256 == sha256,
        )
    )
    packed: bytes | None = await db.scalar(question)
    if packed is None:
        raise NotFound("snapshot_unknown", id=str(snapshot_id))
    return packed


def ranged(packed: bytes, wanted: str | None) -> Response:
    """A part, or what is asked for of it: ``bytes=n-`` and ``bytes=n-m`` (RFC 9110, section 14)."""
    headers = {"accept-ranges": "bytes"}
    asked = _RANGE.fullmatch(wanted or "")
    if asked is None:
        return Response(packed, media_type="application/zstd", headers=headers)
    start = int(asked[1])
    end = min(int(asked[2]) if asked[2] else len(packed) - 1, len(packed) - 1)
    if start > end:
        return Response(status_code=416, headers={**headers, "content-range": f"bytes */{len(packed)}"})
    headers["content-range"] = f"bytes {start}-{end}/{len(packed)}"
    return Response(packed[start : end + 1], 206, media_type="application/zstd", headers=headers)


async def _forget_old(db: AsyncSession, terminal: Terminal, now: datetime) -> None:
    old = select(SyncSnapshot.id).where(
        SyncSnapshot.device_id == terminal.device_id, SyncSnapshot.made_at < now - _KEEP
    )
    await db.execute(delete(SyncSnapshotPart).where(SyncSnapshotPart.snapshot_id.in_(old)))
    await db.execute(delete(SyncSnapshot).where(SyncSnapshot.id.in_(old)))
