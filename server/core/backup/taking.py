"""Take a base copy of the live cluster, and remove those that are too old."""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import Refused
from server.core.backup import archive, beside, folder, programs
from server.core.backup.folder import Backup, Place
from server.core.db.postgres import Cluster

LEAST_FREE_BYTES = 512 * 1024 * 1024
"""What must be left on the disk of the backups."""


async def take(cluster: Cluster, place: Place, clock: Clock) -> Backup:
    """Copy the whole cluster while it works, and check each file of the copy against its manifest.

    Only while the place is ``busy``. What an earlier try left goes; that one failed stays on record until one does not.

    Raises:
        Refused: `backup_failed`, `backup_no_room`.
    """
    try:
        made = await _copied(cluster, place, clock)
    except Exception as error:
        with suppress(OSError):  # where nothing can be written, that is why it failed
            place.not_taken.write_text(f"{clock.now().isoformat()} {error}\n")
        raise
    place.not_taken.unlink(missing_ok=True)
    return made


async def _copied(cluster: Cluster, place: Place, clock: Clock) -> Backup:
    await ready(cluster, place)
    for left in place.base.glob(".*"):
        await asyncio.to_thread(shutil.rmtree, left)
    name = clock.now().astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    while (place.base / name).exists():
        name += "b"
    growing, final = place.base / f".{name}", place.base / name
    needs_room(place, await asyncio.to_thread(folder.size_bytes, place.data_folder / "postgres"))
    growing.mkdir(mode=0o700)
    who = programs.account()
    if who is not None:
        os.chown(growing, who.uid, who.gid)
    await asyncio.to_thread(folder.keep_beside, place.data_folder, growing / "kept")
    data = growing / "data"
    # The log that the copy needs to be whole is in it (fetch): it can be restored even without the archive.
    await programs.run(
        programs.program("pg_basebackup"), "--pgdata", str(data), "--format", "plain", "--wal-method", "fetch",
        "--checkpoint", "fast", "--no-password", "--host", str(cluster.base.query["host"]), "--username", "postgres",
        "--label", f"foodflow {name}", *(() if place.is_durable else ("--no-sync",)),
    )  # fmt: skip
    await check(data)
    size = await asyncio.to_thread(folder.size_bytes, data)
    made = Backup(growing, name, await asyncio.to_thread(_now, cluster), folder.first_wal(data), size)
    folder.note(made)
    growing.rename(final)
    return replace(made, folder=final)


async def ready(cluster: Cluster, place: Place) -> None:
    """The live cluster puts its log aside in this folder.

    Raises:
        Refused: `backup_folder_differs`.
    """
    (command,) = await asyncio.to_thread(beside.one, str(cluster.base.query["host"]), "SHOW archive_command")
    if command != archive.put_command(place.wal):
        raise Refused("backup_folder_differs", folder=str(place.root))


def needs_room(place: Place, size_bytes: int) -> None:
    """Rather no backup than a full disk, which stops the plant.

    Raises:
        Refused: `backup_no_room`.
    """
    free = shutil.disk_usage(place.root).free
    if free < size_bytes + LEAST_FREE_BYTES:
        raise Refused("backup_no_room", needs_mb=(size_bytes + LEAST_FREE_BYTES) >> 20, free_mb=free >> 20)


async def check(data: object) -> None:
    """Every file of a copy is as its manifest says.

    Raises:
        Refused: `backup_failed` naming the first file that is not.
    """
    await programs.run(programs.program("pg_verifybackup"), "--exit-on-error", "--quiet", str(data))


async def prune(place: Place, keep: int) -> list[str]:
    """Remove all but the newest copies, and the log that none of them needs; never the last verified one."""
    there = folder.listed(place)
    verified = [each for each in there if each.verified_at is not None]
    last = max(verified, key=lambda each: (each.verified_at, each.name), default=None)
    gone = [each for each in there[:-keep] if each != last]
    for each in gone:
        # Under a name that is no backup's first: half removed, it must not look like one.
        doomed = place.base / f".{each.name}"
        each.folder.rename(doomed)
        await asyncio.to_thread(shutil.rmtree, doomed)
    kept = [each for each in there if each not in gone]
    if kept:
        oldest = min((each.first_wal for each in kept), key=lambda wal: wal[8:])
        await programs.run(
            programs.program("pg_archivecleanup"), "--strip-extension", ".gz", "--clean-backup-history",
            str(place.wal), oldest,
        )  # fmt: skip
    return [each.name for each in gone]


def _now(cluster: Cluster) -> datetime:
    """By the clock that recovery goes by: PostgreSQL's, not the product's."""
    now: datetime = beside.one(str(cluster.base.query["host"]), "SELECT clock_timestamp()")[0]
    return now
