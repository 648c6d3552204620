"""How PostgreSQL puts its log aside and fetches it again: two lines of shell, no program of ours.

A segment that was switched early is mostly zeros: 16 MiB become some tens of kB.
"""

from __future__ import annotations

import shlex
from pathlib import Path

TIMEOUT_S = 300
"""A segment is put aside at least so often: what a lost disk takes with it."""


def put_command(wal: Path) -> str:
    """``archive_command``: written under another name, on disk, then renamed; never over a file that differs."""
    into, folder = _quoted(wal, "/%f.gz"), _quoted(wal)
    return (
        f"umask 077; if test -e {into}; then gzip -t {into} && gzip -dc {into} | cmp -s - %p; "
        f"else gzip -1c %p > {into}.new && sync {into}.new && mv {into}.new {into} && sync {folder}; fi"
    )


def get_command(wal: Path) -> str:
    """``restore_command``: gzip's checksum refuses a damaged segment, and recovery ends before it."""
    stored = _quoted(wal, "/%f.gz")
    return f"test -e {stored} && gzip -dc {stored} > %p"


def _quoted(path: Path, more: str = "") -> str:
    """For ``sh``, after PostgreSQL has taken its own percent signs out."""
    return shlex.quote(str(path).replace("%", "%%")) + more
