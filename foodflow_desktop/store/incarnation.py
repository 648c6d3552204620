"""Is this pair of files still the one this machine wrote last? If not, a new incarnation begins.

The incarnation is a UUID in both files and in a side file that is bound to the machine and to
the files' inodes. A cloned disk, a restored copy or one file replaced shows as a difference:
then every lane starts anew from 1, and the old log is only read and its unsent tail sent.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from uuid import UUID

from foodflow_desktop.store import files, terminal
from foodflow_kernel.wire.facts import Wire

FILE_NAME = "incarnation.json"


class Side(Wire):
    """The side file."""

    incarnation: UUID
    machine: str
    ops_inode: int
    telemetry_inode: int


def machine_id() -> str:
    """What names this machine and no clone of it: systemd's id, else the network hardware."""
    for source in (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id")):
        if source.exists() and (found := source.read_text().strip()):
            return found
    return f"{uuid.getnode():012x}"


def side_of(folder: Path, incarnation: UUID) -> Side:
    """What the side file should say now."""
    return Side(
        incarnation=incarnation,
        machine=machine_id(),
        ops_inode=(folder / files.OPS_NAME).stat().st_ino,
        telemetry_inode=(folder / files.TELEMETRY_NAME).stat().st_ino,
    )


def keep(folder: Path, incarnation: UUID) -> None:
    """Write the side file: the last step of starting an incarnation."""
    terminal.write_whole(folder / FILE_NAME, side_of(folder, incarnation).model_dump_json().encode())


def doubt(folder: Path, ops: UUID | None, telemetry: UUID | None) -> str | None:
    """Why the present incarnation cannot be continued; None if it can.

    Args:
        ops: the newest incarnation found in ``ops.db``.
        telemetry: the same of ``telemetry.db``.
    """
    if ops is None and telemetry is None:
        return "first"
    if ops is None or ops != telemetry:
        return "file_replaced"
    path = folder / FILE_NAME
    if not path.exists():
        return "side_file_missing"
    try:
        found = Side.model_validate_json(path.read_bytes())
    except ValueError:
        return "side_file_unreadable"
    return _difference(found, side_of(folder, ops))


def _difference(found: Side, now: Side) -> str | None:
    if found.incarnation != now.incarnation:
        return "file_replaced"
    if found.machine != now.machine:
        return "other_machine"
    return None if found == now else "file_restored"
