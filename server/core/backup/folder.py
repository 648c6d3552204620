"""What lies where in the backup folder, and what is known of each copy.

``wal/`` holds the archived log, ``base/<name>/`` a copy each: ``data`` (as pg_basebackup wrote it),
``kept`` (what of the data folder is not in the database and not too large) and ``about.json``.
``beside/`` is where copies are tried out. Whoever can read this folder has everything.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from foodflow_kernel.errors import NotFound, Refused
from server.core.backup import programs
from server.core.settings import Settings

LATEST = "latest"
KEPT = ("secret.key", "tls", "anchors")
"""Of the data folder. Without the secret nobody gets into the database; files of people are too many."""
_START = re.compile(r"START WAL LOCATION: \S+ \(file ([0-9A-F]{24})\)")


@dataclass(frozen=True, slots=True)
class Backup:
    """One base copy.

    Args:
        name: when it was begun, UTC.
        ended_at: from this instant on it can be restored to any.
        first_wal: the oldest log segment that it needs.
        size_bytes: of its files.
        verified_at: when a restored copy, with the log up to then, last proved good.
        failed_at: when it last did not.
        why: what was wrong then.
    """

    folder: Path
    name: str
    ended_at: datetime
    first_wal: str
    size_bytes: int
    verified_at: datetime | None = None
    failed_at: datetime | None = None
    why: str = ""

    @property
    def data(self) -> Path:
        """The copy itself; nothing in it is ever changed."""
        return self.folder / "data"

    @property
    def has_failed(self) -> bool:
        """Whether the last try found something wrong."""
        return self.failed_at is not None and (self.verified_at is None or self.failed_at > self.verified_at)


@dataclass(frozen=True, slots=True)
class Place:
    """A backup folder and the data folder it belongs to.

    Args:
        is_durable: whether what is written has to survive a power cut; not in tests.
    """

    root: Path
    data_folder: Path
    is_durable: bool = True

    @property
    def wal(self) -> Path:
        """Where the log is put aside."""
        return self.root / "wal"

    @property
    def base(self) -> Path:
        """Where the copies are."""
        return self.root / "base"

    @property
    def not_taken(self) -> Path:
        """A file that is there while the last try to take a copy is one that failed; it says why."""
        return self.root / "not-taken"

    @property
    def beside(self) -> Path:
        """Where copies are tried out; empty when nobody is at work."""
        return self.root / "beside"


def place_of(settings: Settings) -> Place:
    """Where these settings want backups."""
    return Place(
        (settings.backup_folder or settings.data_folder / "backup").absolute(), settings.data_folder, settings.fsync
    )


def ready(place: Place) -> None:
    """Make the folders, as the account that PostgreSQL runs as.

    Raises:
        Refused: `backup_folder_closed` when that account does not get there.
    """
    who = programs.account()
    for each in (place.root, place.wal, place.base, place.beside):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
        if who is not None and each.stat().st_uid != who.uid:
            os.chown(each, who.uid, who.gid)
    if who is not None and not all(programs.may_pass(each, who) for each in place.root.parents):
        raise Refused("backup_folder_closed", folder=str(place.root), account=who.name)


@contextmanager
def busy(place: Place) -> Iterator[None]:
    """Nobody else works in the folder meanwhile, in no process.

    Raises:
        Refused: `backup_busy`.
    """
    import fcntl  # noqa: PLC0415  # not everywhere, and this module is loaded where nothing is backed up

    with (place.root / "lock").open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused("backup_busy") from error
        yield


def listed(place: Place) -> list[Backup]:
    """All finished copies, oldest first."""
    if not place.base.is_dir():
        return []
    return [read(each.parent) for each in sorted(place.base.glob("*/about.json"))]


def find(place: Place, name: str, at: datetime | None = None) -> Backup:
    """A copy by its name; ``latest``: the newest one from which an instant can be reached.

    Raises:
        NotFound: `backup_unknown`.
        Refused: `backup_too_young` when the copy was not finished at that instant.
    """
    there = listed(place)
    if name == LATEST:
        there = [each for each in there if at is None or each.ended_at <= at]
    else:
        there = [each for each in there if each.name == name]
    if not there:
        raise NotFound("backup_unknown", name=name, folder=str(place.root))
    if at is not None and there[-1].ended_at > at:
        raise Refused("backup_too_young", name=name, since=there[-1].ended_at.isoformat())
    return there[-1]


def read(folder: Path) -> Backup:
    """What was noted of a copy."""
    noted = json.loads((folder / "about.json").read_text())
    for name in ("ended_at", "verified_at", "failed_at"):
        noted[name] = datetime.fromisoformat(noted[name]) if noted.get(name) else None
    return Backup(folder=folder, **noted)


def note(backup: Backup) -> None:
    """Write down what is known of a copy, whole or not at all."""
    noted = asdict(backup)
    del noted["folder"]
    written = backup.folder / "about.new"
    with written.open("w") as stream:
        json.dump(noted, stream, indent=1, default=_text)
        stream.flush()
        os.fsync(stream.fileno())
    written.replace(backup.folder / "about.json")


def proved(backup: Backup, at: datetime) -> Backup:
    """The copy is good, with the log up to an instant."""
    made = replace(backup, verified_at=at, why="")
    note(made)
    return made


def failed(backup: Backup, at: datetime, why: str) -> Backup:
    """The copy is not good."""
    made = replace(backup, failed_at=at, why=why)
    note(made)
    return made


def first_wal(data: Path) -> str:
    """The oldest log segment that a copy needs, as its label says."""
    found = _START.search((data / "backup_label").read_text())
    if found is None:
        raise Refused("backup_failed", why=f"{data} has no start")
    return found.group(1)


def size_bytes(folder: Path) -> int:
    """Of all files below."""
    return sum(each.lstat().st_size for each in folder.rglob("*") if each.is_file())


def keep_beside(data_folder: Path, into: Path) -> None:
    """Copy what belongs to the database and is not in it; before the database, so that each anchor has its seal."""
    into.mkdir(mode=0o700)
    for name in KEPT:
        there = data_folder / name
        if there.is_dir():
            shutil.copytree(there, into / name)
        elif there.exists():
            shutil.copy2(there, into / name)


def _text(value: object) -> str:
    if not isinstance(value, datetime):
        raise TypeError(value)
    return value.astimezone(UTC).isoformat()
