"""The incarnations a terminal lives through: when a new one begins, and what it takes over from the last."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection

from foodflow_desktop.store import incarnation, journal, projection
from foodflow_desktop.store.cache import put_note
from foodflow_desktop.store.check import Walk
from foodflow_desktop.store.salvage import Salvaged
from foodflow_desktop.store.writer import Writer
from foodflow_kernel.clock import Clock
from foodflow_kernel.ids import new_id
from foodflow_kernel.wire.protocol import Lane

_log = logging.getLogger(__name__)

SALVAGE_NOTE = "salvage"


class Lives:
    """Begins incarnations of the pair of files."""

    def __init__(self, folder: Path, clock: Clock, ops: Writer, telemetry: Writer) -> None:
        self._folder = folder
        self._clock = clock
        self._ops = ops
        self._telemetry = telemetry

    def continue_or_begin(self, device: UUID) -> None:
        """Go on with the incarnation in the files if it is truly theirs, else begin a new one."""
        ops, telemetry = self._ops.log, self._telemetry.log
        if ops is not None and ops.device != device:
            self.begin(device, "paired_again")
            return
        reason = incarnation.doubt(
            self._folder, ops.incarnation if ops else None, telemetry.incarnation if telemetry else None
        )
        if reason is None and not all(writer.run(writer.is_head_sound) for writer in (self._ops, self._telemetry)):
            reason = "chain_broken"
        if reason is not None:
            self.begin(device, reason)

    def begin(self, device: UUID, reason: str) -> UUID:
        """Start every lane anew from 1. The side file is written last: cut before it, this begins once more."""
        now = self._clock.now()
        fresh = new_id(now)
        for writer in (self._ops, self._telemetry):

            def work(db: Connection, writer: Writer = writer) -> None:
                writer.put_log(journal.begin(db, device, fresh, now, reason=reason, lanes=writer.lanes))

            writer.run(work)
        incarnation.keep(self._folder, fresh)
        _log.warning("new incarnation", extra={"reason": reason, "incarnation": str(fresh)})
        return fresh

    def leave_row(self, writer: Writer, old: UUID, lane: Lane, bad: int) -> int:
        """Mark a lane broken at a row and take the sound rows after it over, both or neither; how many."""

        def work(db: Connection) -> int:
            log = next(log for log in writer.logs if log.incarnation == old)
            state = log.lanes[int(lane)]
            walk = Walk(journal.hash_at(db, log, int(lane), bad - 1) or b"", bad - 1)
            rows = [
                row for row in journal.walk(db, log.id, int(lane), bad - 1) if walk.take(row.seq, row.body, row.hash)
            ]
            moved = writer.adopt(db, [(int(lane), row.body) for row in rows if row.seq > bad])
            if lane is not Lane.telemetry and writer.log is not None:
                projection.move(db, writer.log.id, moved)
            state = replace(state, problem="chain_broken")
            journal.save_cursor(db, log.id, state)
            writer.put_log(log.with_lane(state))
            return len(moved)

        moved = writer.run(work)
        _log.error("a journal row was changed", extra={"lane": int(lane), "seq": bad, "moved": moved})
        return moved

    def take_over(self, salvaged: Mapping[str, Salvaged]) -> None:
        """Go on with what damaged files still held, and note what they did not."""
        for writer in (self._ops, self._telemetry):
            outcome = salvaged.get(writer.file.path.name)
            if outcome is None:
                continue

            def work(db: Connection, writer: Writer = writer, outcome: Salvaged = outcome) -> None:
                writer.adopt(db, outcome.loose)
                if writer is self._ops:
                    projection.rebuild(db)

            writer.run(work)
        if salvaged:
            counts = {
                "kept": sum(outcome.kept for outcome in salvaged.values()),
                "lost": sum(outcome.lost for outcome in salvaged.values()),
                "unreadable": sum(outcome.is_unreadable for outcome in salvaged.values()),
            }
            self._ops.run(lambda db: put_note(db, SALVAGE_NOTE, counts))
