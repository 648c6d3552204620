"""Make a data folder of a backup: to the newest instant that is archived, or to one that is named."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from foodflow_kernel.errors import Refused
from server.core.backup import archive, beside, programs, taking
from server.core.backup.folder import KEPT, Backup, Place
from server.core.db import restored


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of it.

    Args:
        replayed_to: name of the last log segment that was used.
        missing: the next one, if the archive has later ones: it is missing or damaged.
        tenants: schemas whose feed has a new epoch.
    """

    folder: Path
    replayed_to: str
    missing: str | None
    tenants: tuple[str, ...]


async def restore(place: Place, backup: Backup, into: Path, at: datetime | None = None) -> Restored:
    """Make a new data folder of a backup. The live one is not touched.

    Only while the place is ``busy``.

    Args:
        at: the instant to stop at; None: all that is archived.

    Raises:
        Refused: `restore_not_empty`, `restore_failed` naming why; nothing is left then.
    """
    into = await asyncio.to_thread(_opened, into)
    try:
        await taking.check(backup.data)
        return await _filled(place, backup, into, at)
    except Refused as error:
        await asyncio.to_thread(shutil.rmtree, into)
        raise Refused("restore_failed", name=backup.name, why=error.data.get("why", error.sentence)) from error
    except BaseException:
        await asyncio.to_thread(shutil.rmtree, into)
        raise


async def _filled(place: Place, backup: Backup, into: Path, at: datetime | None) -> Restored:
    for name in KEPT:
        there = backup.folder / "kept" / name
        if there.is_dir():
            shutil.copytree(there, into / name)
        elif there.exists():
            shutil.copy2(there, into / name)
    data = into / "postgres"
    await beside.lay_out(backup, data)
    target = {} if at is None else {"recovery_target_time": at.astimezone(UTC).isoformat(sep=" ")}
    beside.recover(
        data,
        {
            "restore_command": archive.get_command(place.wal),
            "recovery_target_timeline": "latest",
            "recovery_target_action": "promote",
            "archive_mode": "off",
            "archive_command": "",
            **target,
        },
    )
    async with beside.running(data, b"") as copy:
        host = str(copy.base.query["host"])
        replayed = await asyncio.to_thread(_end, host)
        tenants = await asyncio.to_thread(restored.new_epochs, host)
        await asyncio.to_thread(restored.forget_targets, host)
    missing = None if at is not None else _after(place.wal, replayed)
    return Restored(into, replayed, missing, tenants)


def _opened(into: Path) -> Path:
    """The new folder, empty, with one for the database that its account can fill.

    Raises:
        Refused: `restore_not_empty`, `backup_folder_closed`.
    """
    into = into.absolute()
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise Refused("restore_not_empty", folder=str(into))
    data = into / "postgres"
    data.mkdir(mode=0o700, parents=True)
    who = programs.account()
    if who is None:
        return into
    os.chown(data, who.uid, who.gid)
    if not all(programs.may_pass(each, who) for each in into.parents):
        raise Refused("backup_folder_closed", folder=str(into), account=who.name)
    into.chmod(0o755)
    return into


def _end(host: str) -> str:
    """The last segment that was replayed, without its timeline: promotion began the next one."""
    return str(beside.one(host, "SELECT substr(pg_walfile_name(pg_last_wal_replay_lsn() - 1), 9)")[0])


def _after(wal: Path, replayed: str) -> str | None:
    """The segment that should have been replayed next: the archive has it, or one behind it."""
    there = {each.name[8:24] for each in wal.glob("*.gz") if len(each.name) == len("0" * 24 + ".gz")}
    return successor(replayed) if any(name > replayed for name in there) else None


def successor(segment: str) -> str:
    """The log segment after one, without timeline; 256 of 16 MiB make a file number.

    >>> successor("0000000000000009"), successor("00000001000000FF")
    ('000000000000000A', '0000000200000000')
    """
    number = int(segment[:8], 16) * 256 + int(segment[8:], 16) + 1
    return f"{number // 256:08X}{number % 256:08X}"
