"""Saving what can be saved: from a damaged file at start, and from a lane whose chain was broken.

A damaged file is set aside whole, never repaired in place. What can still be read of its journal is
copied into a fresh file as an old log, up to the first row that does not hold; sound rows after a bad
one go on under the new incarnation with their bytes unchanged. What is lost is counted, and shown.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pysqlite3.dbapi2 as sqlite

from foodflow_desktop.store import journal, migrate
from foodflow_desktop.store.check import LANES_OF, Walk
from foodflow_desktop.store.files import File
from foodflow_kernel.wire import chain

_log = logging.getLogger(__name__)


@dataclass
class Salvaged:
    """What came of one damaged file.

    Args:
        aside: where the damaged file lies now.
        kept: rows carried over.
        lost: rows past the acknowledged ones that are known to have existed and do not hold.
        is_unreadable: not even the list of logs could be read; nobody knows how much is lost.
        loose: (lane, bytes) of sound rows after a bad one; they go on under the new incarnation.
    """

    aside: Path
    kept: int = 0
    lost: int = 0
    is_unreadable: bool = False
    loose: list[tuple[int, bytes]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


def damage(path: Path) -> list[str]:
    """What is wrong with a file; empty for a sound or an absent one."""
    if not path.exists() or path.stat().st_size == 0:
        return []
    try:
        connection = sqlite.connect(path)
        try:
            found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(20)")]
        finally:
            connection.close()
    except sqlite.DatabaseError as error:
        return [str(error)]
    return [] if found == ["ok"] else found


def set_aside(file: File, now: datetime, reasons: list[str]) -> Salvaged:
    """Move a damaged file away and carry its readable journal into a fresh one."""
    aside = file.path.with_name(f"{file.path.stem}-damaged-{now:%Y%m%dT%H%M%S}.db")
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{file.path}{suffix}").replace(f"{aside}{suffix}")
    outcome = Salvaged(aside, reasons=reasons)
    migrate.upgrade(file)
    with contextlib.closing(sqlite.connect(file.path)) as fresh, contextlib.closing(sqlite.connect(aside)) as old:
        _carry(old, fresh, [int(lane) for lane in LANES_OF[file.path.name]], outcome)
        fresh.commit()
    _log.error("a damaged file was set aside", extra={"file": str(aside), "kept": outcome.kept, "lost": outcome.lost})
    return outcome


def _carry(old: Any, fresh: Any, lanes: list[int], outcome: Salvaged) -> None:
    cursors = {
        (log, lane): rest
        for log, lane, *rest in _rows(old, "SELECT log, lane, acked, acked_at, parked, dead FROM cursor")
    }
    logs = list(_rows(old, "SELECT id, device, incarnation, started_at, reason FROM log ORDER BY id"))
    outcome.is_unreadable = not logs
    for log in logs:
        fresh.execute("INSERT INTO log VALUES (?, ?, ?, ?, ?)", log)
        for lane in lanes:
            acked, acked_at, parked, dead = cursors.get((log[0], lane), (0, None, 0, "[]"))
            kept = _carry_lane(old, fresh, log, lane, acked, outcome)
            fresh.execute(
                "INSERT INTO cursor VALUES (?, ?, ?, ?, ?, ?, NULL)",
                (log[0], lane, min(acked, kept), acked_at, parked, dead),
            )


def _carry_lane(old: Any, fresh: Any, log: tuple[Any, ...], lane: int, acked: int, outcome: Salvaged) -> int:
    """Copy rows while the chain holds, collect sound ones after it; the last row copied."""
    genesis = chain.genesis(UUID(log[1]), UUID(log[2]), lane)
    kept, highest, is_whole = 0, max(acked, _highest(old, log[0], lane)), True
    walk = Walk(genesis)
    loose = []
    for row in _seek(old, log[0], lane, highest):
        highest = max(highest, row[2])
        is_sound = walk.take(row[2], journal.raw(row[5]), journal.raw(row[6]))
        is_whole = is_whole and is_sound and row[2] == kept + 1
        if is_whole:
            fresh.execute("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            kept = row[2]
        elif is_sound and row[2] > acked:
            loose.append((lane, row[5]))
    outcome.loose += loose
    outcome.kept += kept + len(loose)
    outcome.lost += highest - max(kept, acked) - len(loose)
    return kept


def _seek(old: Any, log: int, lane: int, highest: int) -> Iterator[tuple[Any, ...]]:
    """Rows of a lane in order, also those behind a page that cannot be read: found by their key."""
    question = (
        "SELECT log, lane, seq, kind, ver, body, hash, sig FROM journal"
        " WHERE log = ? AND lane = ? AND seq > ? ORDER BY seq"
    )
    after = 0
    while True:
        try:
            for row in old.execute(question, (log, lane, after)):
                after = row[2]
                yield row
        except sqlite.DatabaseError:
            after += 1
            if after > highest:
                return
        else:
            return


def _highest(old: Any, log: int, lane: int) -> int:
    """The last sequence that anything in the file still speaks of."""
    questions = (
        "SELECT seq FROM journal WHERE log = ? AND lane = ? ORDER BY seq DESC LIMIT 1",
        "SELECT seq FROM entry INDEXED BY entry_place WHERE log = ? AND lane = ? ORDER BY seq DESC LIMIT 1",
    )
    return max((seq for question in questions for (seq,) in _rows(old, question, (log, lane))), default=0)


def _rows(connection: Any, question: str, values: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Rows until the file cannot be read any further."""
    try:
        yield from connection.execute(question, values)
    except sqlite.DatabaseError as error:
        _log.warning("a damaged file ends here", extra={"why": str(error)})
