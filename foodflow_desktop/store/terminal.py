"""What pairing left on this machine: who this terminal is, and which server it trusts.

A small file beside the databases, not inside one, so that it survives a damaged database.
It holds no secret; key and pepper live in the key store (``foodflow_desktop.keys``).
"""

from __future__ import annotations

import os
from pathlib import Path
from uuid import UUID

from foodflow_kernel.wire.facts import Instant, Wire

FILE_NAME = "terminal.json"


class Terminal(Wire):
    """The result of pairing.

    Args:
        hub: base address of the server, ``https://host:port``.
        ca_pem: the only certificate authority this terminal trusts.
    """

    device: UUID
    hub: str
    ca_pem: str
    paired_at: Instant
    tenant_name: str = ""
    plant_id: UUID | None = None
    plant_name: str = ""
    line_id: UUID | None = None
    name: str = ""


def load(folder: Path) -> Terminal | None:
    """The pairing of this folder, or None before there is one."""
    path = folder / FILE_NAME
    return Terminal.model_validate_json(path.read_bytes()) if path.exists() else None


def save(folder: Path, terminal: Terminal) -> None:
    """Keep the pairing, whole or not at all."""
    write_whole(folder / FILE_NAME, terminal.model_dump_json(indent=1).encode())


def write_whole(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Replace a file in one step that survives a power cut: write, fsync, rename, fsync the folder."""
    staged = path.with_name(path.name + ".new")
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    staged.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
