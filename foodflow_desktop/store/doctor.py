"""What ``foodflow-kiosk doctor`` looks at: disk, clock, SQLite, both files, keys and queue."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pysqlite3.dbapi2 as sqlite

from foodflow_desktop.store import check, files, journal, migrate, terminal
from foodflow_desktop.store.files import File
from foodflow_desktop.store.reserve import Reserve
from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import FoodFlowError

_WANTED = {files.OPS_NAME: "FULL", files.TELEMETRY_NAME: "NORMAL"}
_OLDEST_YEAR = 2026


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination."""

    what: str
    is_ok: bool
    text: str


def examine(folder: Path, clock: Clock, reserve_bytes: int) -> list[Finding]:
    """Everything that can be seen without the server."""
    findings = [_sqlite(), _clock(clock)]
    if not folder.exists():
        return [*findings, Finding("folder", False, f"{folder} does not exist: nothing was recorded yet")]
    findings.append(_disk(folder, reserve_bytes))
    for name, synchronous in _WANTED.items():
        if (folder / name).exists():
            findings.append(_file(File(folder / name, synchronous)))
    paired = terminal.load(folder)
    text = f"{paired.name or paired.device} at {paired.hub}" if paired else "not paired: nothing can be recorded"
    findings.append(Finding("pairing", paired is not None, text))
    return findings


def examine_keys(kind: Callable[[], str]) -> list[Finding]:
    """Whether the key store opens."""
    try:
        return [Finding("keys", True, kind())]
    except FoodFlowError as error:
        return [Finding("keys", False, error.sentence)]


def _sqlite() -> Finding:
    is_ok = tuple(sqlite.sqlite_version_info) >= files.SQLITE_AT_LEAST
    return Finding("sqlite", is_ok, f"{sqlite.sqlite_version}, at least {'.'.join(map(str, files.SQLITE_AT_LEAST))}")


def _clock(clock: Clock) -> Finding:
    now = clock.now()
    text = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if sys.platform == "linux" and shutil.which("timedatectl"):
        asked = subprocess.run(  # a fixed command
            ["timedatectl", "show", "-p", "NTPSynchronized", "--value"],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
        if asked.returncode == 0:
            text += f", network time: {asked.stdout.strip()}"
    return Finding("clock", now.year >= _OLDEST_YEAR, text)


def _disk(folder: Path, reserve_bytes: int) -> Finding:
    reserve = Reserve(folder, reserve_bytes)
    free = reserve.free_bytes()
    held = "reserve held" if reserve.is_held else "reserve NOT held"
    is_ok = reserve.is_held and free > reserve_bytes
    return Finding("disk", is_ok, f"{free >> 20} MiB free, {held} ({reserve_bytes >> 20} MiB)")


def _file(file: File) -> Finding:
    """Read back from a writer's connection as the program opens it, and look at the queue."""
    name = file.path.name
    try:
        engine = files.writer_engine(file)
        with files.named_errors(file.path.parent), engine.connect() as db:
            found = files.pragmas(db)
            faults = check.quick_check(db)
            logs = journal.load(db, check.LANES_OF[name])
        engine.dispose()
    except FoodFlowError as error:
        return Finding(name, False, error.sentence)
    unsent = sum(state.unsent for log in logs for state in log.lanes.values())
    is_ok = found["journal_mode"] == "WAL" and found["synchronous"] == file.synchronous and not faults
    text = f"{found['journal_mode']}, synchronous {found['synchronous']}, {len(logs)} incarnations, {unsent} unsent"
    layout = migrate.revision(file.path)
    return Finding(name, is_ok, f"{text}, layout {layout}" + (f", {faults[0]}" if faults else ""))
