"""Bringing a file to this program's layout: forward only, after a copy; on failure the copy goes back.

Alembic is loaded only when there is something to do, so a normal start does not pay for it.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pysqlite3.dbapi2 as sqlite

from foodflow_desktop.store import files
from foodflow_desktop.store.files import File
from foodflow_kernel.errors import Damaged

HEAD = "0001"
"""Newest revision in ``migrations/kiosk``; a test compares."""
READABLE: frozenset[str] = frozenset({"0001"})
"""Revisions this program can run on: the newest and those it may have to continue on."""

SCRIPTS = Path(__file__).parents[2] / "migrations" / "kiosk"

_log = logging.getLogger(__name__)


def revision(path: Path) -> str | None:
    """The layout a file has; None for an empty one."""
    connection = sqlite.connect(path)
    try:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            return None
        row: Any = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return row[0] if row else None
    finally:
        connection.close()


def upgrade(file: File, *, scripts: Path = SCRIPTS, head: str = HEAD) -> str:
    """Migrate a file; the revision it has afterwards (the old one if migration failed and the copy went back).

    Raises:
        Damaged: `store_layout_unknown` when neither the new nor the old layout can be run on.
    """
    before = revision(file.path)
    if before == head:
        return head
    copy = file.path.with_suffix(f".before-{head}.db")
    if before is not None:
        copy.unlink(missing_ok=True)
        _copy(file.path, copy)
    try:
        _run(file, scripts, head)
    except Exception as error:
        if before is None or before not in READABLE:
            raise Damaged("store_layout_unknown", found=before or "none", why=str(error)) from error
        _log.exception("kiosk migration failed; continuing on the old layout", extra={"file": file.path.name})
        _copy(copy, file.path)
        return before
    return head


def _run(file: File, scripts: Path, head: str) -> None:
    from alembic import command  # noqa: PLC0415  # 150 ms that a normal start must not pay
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(scripts))
    config.attributes["file"] = file.path.stem
    engine = files.writer_engine(file)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, head)
    finally:
        engine.dispose()


def _copy(source: Path, target: Path) -> None:
    """SQLite's online backup, also back into the original: that keeps the file's inode."""
    reading, writing = sqlite.connect(source), sqlite.connect(target)
    try:
        reading.backup(writing)
    finally:
        writing.close()
        reading.close()
