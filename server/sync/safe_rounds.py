"""The round that takes and verifies backups when they are due."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fastapi import FastAPI

from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import Refused
from server.core.backup import due, folder
from server.core.backup.due import Due
from server.core.jobs import Whole
from server.core.settings import Settings
from server.sync import safe

if TYPE_CHECKING:
    from server.core.db.sessions import Database
    from server.core.metrics import Measures

log = logging.getLogger(__name__)


async def turn(app: FastAPI) -> None:
    """Take or verify a backup if it is time; nothing where backups are not ours.

    Raises:
        Refused: `backup_failed`, `backup_not_proved`, `backup_no_room`; the round counts as failed.
    """
    settings: Settings = app.state.settings
    clock: Clock = app.state.clock
    database: Database = app.state.database
    measures: Measures = app.state.measures
    if settings.database_url or not settings.backup:
        return
    place = folder.place_of(settings)
    try:
        with folder.busy(place):
            what = due.due(settings, place, clock.now())
            if what is Due.nothing:
                return
            try:
                if what is Due.take:
                    made, found = await safe.take(database, place, clock, settings.backup_keep)
                else:
                    made, found = await safe.verify(database, place, clock, folder.listed(place)[-1])
            except Exception:
                measures.backup(what, is_good=False)
                raise
    except Refused as error:
        if error.code == "backup_busy":
            log.info("somebody is at work on the backups")
            return
        raise
    measures.backup(what, is_good=True)
    log.info("backup %s verified: %d rows of terminals are safe", made.name, found.rows)


JOBS = (Whole("sync.backup", 600, turn),)
