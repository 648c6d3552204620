"""A second server on a copy, beside the live one: own folder, own socket, nobody else gets in."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL

from foodflow_kernel.errors import Refused
from server.core.backup import programs
from server.core.backup.folder import Backup, Place
from server.core.db.postgres import DATABASE, OWNER, Cluster

PATIENCE_S = 3600.0
"""For the log to be replayed: a day of a busy plant."""
_POLL_S = 0.1
_NOT_OURS = ("postmaster.*", ".s.PGSQL.*", ".handle_pids.json", "log", "*.signal")
"""Of the server that was copied. Locks name its process, and while that lives another would not start."""


@asynccontextmanager
async def workshop(place: Place) -> AsyncIterator[Path]:
    """A folder for copies that goes away; with what a process that was killed left there.

    Only while the place is ``busy``.
    """
    for stale in place.beside.iterdir():
        for each in stale.rglob("postmaster.pid"):
            await stop(each.parent)
        await asyncio.to_thread(shutil.rmtree, stale)
    folder = Path(tempfile.mkdtemp(dir=place.beside))
    _give(folder)
    try:
        yield folder
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def lay_out(backup: Backup, into: Path) -> None:
    """Copy a backup to where a server may write to it."""
    await programs.run("cp", "-a", "-T", "--reflink=auto", str(backup.data), str(into))
    await asyncio.to_thread(_forget, into)


def _forget(data: Path) -> None:
    for pattern in _NOT_OURS:
        for each in data.glob(pattern):
            each.unlink()


def recover(data: Path, settings: Mapping[str, str]) -> None:
    """Have the next start replay the log, under these settings."""
    lines = "".join(f"{name} = '{_escaped(value)}'\n" for name, value in settings.items())
    with (data / "postgresql.auto.conf").open("a") as stream:
        stream.write(lines)
    (data / "recovery.signal").touch()
    _give(data / "recovery.signal")


@asynccontextmanager
async def running(data: Path, secret: bytes) -> AsyncIterator[Cluster]:
    """A server on a folder, until the block ends; it has replayed what it was told to.

    Raises:
        Refused: `backup_failed` with the last lines of its log when it does not come up.
    """
    sockets = Path(tempfile.mkdtemp(prefix="foodflow-"))
    _give(sockets)
    options = f"-c listen_addresses='' -c unix_socket_directories='{sockets}' -c logging_collector=off"
    # Open to questions while it replays, it would stop where the log says that more connections were allowed from then.
    options += " -c hot_standby=off"
    try:
        await _up(data, sockets, options)
        base = URL.create("postgresql+psycopg", database=DATABASE, query={"host": str(sockets)})
        cluster = Cluster(base, secret, base)
        yield Cluster(base, secret, cluster.url(OWNER))
    finally:
        # Also when we are cancelled: nothing may go on running on a folder that goes away.
        await asyncio.shield(stop(data))
        await asyncio.to_thread(shutil.rmtree, sockets, ignore_errors=True)


async def stop(data: Path) -> None:
    """Stop the server of a folder, if there is one."""
    if not _is_running(data):
        return
    with contextlib.suppress(Refused):  # it ended by itself meanwhile
        await programs.run(programs.program("pg_ctl"), "-D", str(data), "-w", "-m", "fast", "stop")


def _is_running(data: Path) -> bool:
    """Whether the process that a folder names is its server: after a restart of the machine it may be any other."""
    try:
        pid = int((data / "postmaster.pid").read_text().split(maxsplit=1)[0])
        return str(data).encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError, IndexError):
        return False


async def _up(data: Path, sockets: Path, options: str) -> None:
    """Start, and wait until recovery has ended."""
    started = ("-D", str(data), "-w", "-t", str(int(PATIENCE_S)), "-l", str(data / "log"), "-o", options, "start")
    deadline = time.monotonic() + PATIENCE_S
    with contextlib.suppress(Refused):  # the server's own log says more of why it did not start
        await programs.run(programs.program("pg_ctl"), *started)
        while _is_running(data) and time.monotonic() < deadline:
            with contextlib.suppress(psycopg.OperationalError):
                if await asyncio.to_thread(_is_up, sockets):
                    return
            await asyncio.sleep(_POLL_S)
    raise Refused("backup_failed", why=_end_of(data / "log"))


def _is_up(sockets: Path) -> bool:
    return one(str(sockets), "SELECT pg_is_in_recovery()") == (False,)


def admin(host: str, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
    """In as the superuser: only the account that runs us gets in so."""
    return psycopg.connect(host=host, user="postgres", dbname=database, autocommit=True)


def one(host: str, question: str, *values: object, database: str = "postgres") -> tuple[Any, ...]:
    """The one row that answers a question of the superuser."""
    with admin(host, database) as db:
        return db.execute(question.encode(), values).fetchall()[0]


def _end_of(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    # Who asks too early is told so, as FATAL, in the log as well.
    telling = [line for line in lines if ("FATAL" in line or "PANIC" in line) and "starting up" not in line]
    return " ".join((telling or lines or ["it did not start"])[-1].split())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")


def _give(path: Path) -> None:
    who = programs.account()
    if who is not None:
        os.chown(path, who.uid, who.gid)
