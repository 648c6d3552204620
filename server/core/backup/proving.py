"""Prove a backup by restoring it beside the live server, with the log up to this moment."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import psycopg
from sqlalchemy.exc import DBAPIError

from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import FoodFlowError, Refused
from server.core.backup import archive, beside, folder, taking
from server.core.backup.folder import Backup, Place
from server.core.db.postgres import Cluster
from server.core.db.sessions import Database

log = logging.getLogger(__name__)

T = TypeVar("T")
Check = Callable[[Database], Awaitable[T]]
"""Looks at a restored copy; raises if anything in it is not as it must be."""

ARCHIVED_S = 60.0
"""How long a log segment may take to be put aside."""
_POLL_S = 0.1
_MARK = "SELECT pg_walfile_name(pg_create_restore_point(%s) - 1), pg_switch_wal()::text"


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment of the live cluster that a copy must reach."""

    name: str
    timeline: int


async def prove(cluster: Cluster, place: Place, backup: Backup, clock: Clock, check: Check[T]) -> tuple[Backup, T]:
    """Restore a copy with all of the log, look at it, and note the outcome.

    Only while the place is ``busy``. The copy must reach a mark that is set in the live cluster
    first: a log with a hole in it ends before, and that fails.

    Raises:
        Refused: `backup_not_proved` naming what is wrong; noted with the copy as well.
    """
    began = clock.now()
    try:
        taking.needs_room(place, backup.size_bytes)
        await taking.check(backup.data)
        mark = await marked(cluster, place)
        async with beside.workshop(place) as workshop:
            data = workshop / "data"
            await beside.lay_out(backup, data)
            beside.recover(data, _until(place, mark))
            async with beside.running(data, cluster.secret) as copy:
                database = Database(copy, clock)
                try:
                    seen = await check(database)
                finally:
                    await database.close()
    except (FoodFlowError, DBAPIError, psycopg.Error, OSError) as error:
        why = str(error.data.get("why", error.sentence)) if isinstance(error, FoodFlowError) else str(error)
        folder.failed(backup, clock.now(), why)
        raise Refused("backup_not_proved", name=backup.name, why=why) from error
    return folder.proved(backup, began), seen


async def marked(cluster: Cluster, place: Place) -> Mark:
    """Set a mark in the live log and wait until it is in the archive.

    Raises:
        Refused: `backup_failed` when the log is not put aside, `backup_folder_differs`.
    """
    name = f"foodflow-{uuid.uuid4().hex}"
    host = str(cluster.base.query["host"])

    await taking.ready(cluster, place)
    segment, _ = await asyncio.to_thread(beside.one, host, _MARK, name)
    deadline = time.monotonic() + ARCHIVED_S
    while not (place.wal / f"{segment}.gz").exists():
        if time.monotonic() > deadline:
            raise Refused("backup_failed", why=f"log segment {segment} was not put aside within {ARCHIVED_S:.0f} s")
        await asyncio.sleep(_POLL_S)
    return Mark(name, timeline=int(segment[:8], 16))


def _until(place: Place, mark: Mark) -> dict[str, str]:
    return {
        "restore_command": archive.get_command(place.wal),
        "recovery_target_name": mark.name,
        "recovery_target_timeline": str(mark.timeline),
        "recovery_target_action": "promote",
        "archive_mode": "off",
        "archive_command": "",
        "fsync": "off",  # it is thrown away
    }
