"""Writing the recorded facts out of the files, as they are, through sqlite-utils. Read-only."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import pysqlite3.dbapi2 as sqlite
from sqlite_utils import Database

from foodflow_desktop.store import files

COLUMNS = ("device", "incarnation", "lane", "seq", "kind", "ver", "hash", "sig", "body")

_QUESTION = """
SELECT log.device, log.incarnation, lane, seq, kind, ver, hash, sig, body
FROM journal JOIN log ON log.id = journal.log
WHERE lane IN ({lanes}) ORDER BY log.id, lane, seq
"""


def export(folder: Path, out: Path | None, format_: str, lanes: Sequence[int] | None = None) -> int:
    """Write all facts, ``body`` as the exact text that was signed; how many there were.

    Args:
        out: None for standard output.
        format_: ``jsonl`` or ``csv``.
    """
    with out.open("w", encoding="utf-8", newline="") if out else _Stdout() as sink:
        return _write(rows(folder, lanes or (0, 1, 2, 3)), sink, format_)


def rows(folder: Path, lanes: Sequence[int]) -> Iterator[dict[str, Any]]:
    """All facts of these lanes from both files."""
    for name in (files.OPS_NAME, files.TELEMETRY_NAME):
        path = folder / name
        if not path.exists():
            continue
        connection = sqlite.connect(f"file:{path}?mode=ro", uri=True)
        try:
            question = _QUESTION.format(lanes=", ".join("?" * len(lanes)))
            for row in Database(connection).query(question, list(lanes)):
                yield {
                    **row,
                    "hash": bytes(row["hash"]).hex(),
                    "sig": bytes(row["sig"]).hex() if row["sig"] else None,
                    "body": bytes(row["body"]).decode(errors="replace"),
                }
        finally:
            connection.close()


def _write(found: Iterator[dict[str, Any]], sink: IO[str], format_: str) -> int:
    count = 0
    if format_ == "csv":
        writer = csv.DictWriter(sink, COLUMNS)
        writer.writeheader()
        for row in found:
            writer.writerow(row)
            count += 1
        return count
    for row in found:
        sink.write(json.dumps(row, ensure_ascii=False) + "\n")
        count += 1
    return count


class _Stdout:
    """Standard output, not closed at the end."""

    def __enter__(self) -> IO[str]:
        return sys.stdout

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()
