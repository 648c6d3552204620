"""Opening the kiosk's SQLite files the one right way, and putting names to what SQLite reports.

WAL; ``ops.db`` with ``synchronous=FULL``, ``telemetry.db`` with ``NORMAL``. Each file has one
writer connection, which alone checkpoints: automatic checkpoints are off, so that a commit costs
one fsync and never a second one.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pysqlite3.dbapi2 as sqlite
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool, QueuePool

from foodflow_kernel.errors import Damaged, DiskFull, Refused, StoreError

SQLITE_AT_LEAST = (3, 51, 3)
"""3.7.0 to 3.51.2 can corrupt a WAL file that two connections checkpoint (sync.md, T10)."""

OPS_NAME = "ops.db"
TELEMETRY_NAME = "telemetry.db"

_ROOM_LEFT_BYTES = 1 << 20
"""An I/O error with less than this free is a full disk, whatever SQLite calls it."""


@dataclass(frozen=True, slots=True)
class File:
    """One of the two files and how it is written."""

    path: Path
    synchronous: str
    max_page_count: int | None = None


def refuse_old_sqlite(version: tuple[int, int, int] | None = None) -> None:
    """Stop before a SQLite with the WAL-reset bug touches a file.

    Raises:
        Refused: `sqlite_too_old`.
    """
    found = version or sqlite.sqlite_version_info
    if tuple(found) < SQLITE_AT_LEAST:
        shown = ".".join(map(str, found))
        raise Refused("sqlite_too_old", found=shown, needed=".".join(map(str, SQLITE_AT_LEAST)))


def writer_engine(file: File) -> Engine:
    """The engine of a writer thread: its one connection commits by ``BEGIN IMMEDIATE``."""
    engine = create_engine(f"sqlite:///{file.path}", module=sqlite, poolclass=NullPool, connect_args={"timeout": 5.0})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={file.synchronous}")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA cell_size_check=ON")
        if file.max_page_count is not None:
            connection.execute(f"PRAGMA max_page_count={file.max_page_count}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def reader_engine(path: Path) -> Engine:
    """An engine that cannot write: for screens, ``verify``, ``export``, ``doctor``.

    A connection is lent to one reader at a time. A pool of one connection a thread closes others'
    connections beyond its size while they are in use, which crashed the kiosk.
    """
    address = f"file:{quote(str(path))}?mode=ro&uri=true"
    engine = create_engine(
        f"sqlite:///{address}",
        module=sqlite,
        poolclass=QueuePool,
        max_overflow=-1,
        connect_args={"check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA query_only=ON")

    return engine


def pragmas(connection: Connection) -> dict[str, str]:
    """What this very connection says about its own durability."""
    level = {0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}
    return {
        "journal_mode": str(connection.exec_driver_sql("PRAGMA journal_mode").scalar()).upper(),
        "synchronous": level[int(connection.exec_driver_sql("PRAGMA synchronous").scalar() or 0)],
        "wal_autocheckpoint": str(connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar()),
        "sqlite": sqlite.sqlite_version,
    }


@contextlib.contextmanager
def named_errors(folder: Path) -> Iterator[None]:
    """Turn what SQLite reports into the plant's words.

    Raises:
        DiskFull: `disk_full`.
        Damaged: `store_damaged`.
    """
    try:
        yield
    except DatabaseError as error:
        raise named(error, folder) from error
    except sqlite.DatabaseError as error:
        raise named(error, folder) from error


def named(error: Exception, folder: Path) -> StoreError:
    """The store error behind a database error."""
    cause = getattr(error, "orig", None) or error
    text = str(cause)
    if "disk is full" in text:
        return DiskFull("disk_full")
    if "I/O error" in text and shutil.disk_usage(folder).free < _ROOM_LEFT_BYTES:
        return DiskFull("disk_full")
    return Damaged("store_damaged", why=text)


def wal_bytes(path: Path) -> int:
    """The size of a file's write-ahead log [bytes]."""
    try:
        return Path(f"{path}-wal").stat().st_size
    except FileNotFoundError:
        return 0
