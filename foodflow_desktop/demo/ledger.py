"""The server's side of the count: SQL over the witness's own connection, and hands that sabotage.

Nothing here goes through the product: a plain connection to the database's own socket, as the
account that runs it.
"""

from __future__ import annotations

from pathlib import Path

import psycopg
import pysqlite3

from foodflow_desktop.demo.witness import Row

LOGS = ("sync_log", "sync_telemetry")


def connect(server_folder: Path, tenant: str) -> psycopg.Connection[tuple[object, ...]]:
    """A connection of its own to the demo's database, in the tenant's schema."""
    pid_file = server_folder / "postgres" / "postmaster.pid"
    socket_folder = pid_file.read_text().splitlines()[4]
    return psycopg.connect(
        dbname="foodflow",
        user="postgres",
        host=socket_folder,
        autocommit=True,
        options=f"-c search_path=t_{tenant}",
    )


def rows(db: psycopg.Connection[tuple[object, ...]]) -> list[Row]:
    """Every fact on the server, as it is stored."""
    found = []
    for log in LOGS:
        for device, incarnation, lane, seq, body, row_hash in db.execute(
            f"SELECT device_id::text, incarnation::text, lane, seq, body, hash FROM {log}"
        ).fetchall():
            found.append(
                Row((str(incarnation), int(str(lane)), int(str(seq))), str(device), _bytes(body), _bytes(row_hash))
            )
    return found


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes | memoryview | bytearray):
        raise TypeError(type(value))
    return bytes(value)


def count(db: psycopg.Connection[tuple[object, ...]], table: str, where: str = "true") -> int:
    """Rows of a table."""
    row = db.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()
    return int(str(row[0])) if row else 0


def facts(db: psycopg.Connection[tuple[object, ...]]) -> int:
    """How many facts the server has."""
    return sum(count(db, log) for log in LOGS)


def first_lane_after(db: psycopg.Connection[tuple[object, ...]], instant: object) -> int | None:
    """The lane of the first fact that was received after an instant: holds go first."""
    row = db.execute(
        "SELECT lane FROM sync_log WHERE received_at >= %s ORDER BY received_at, lane LIMIT 1", (instant,)
    ).fetchone()
    return int(str(row[0])) if row else None


def drop_one(db: psycopg.Connection[tuple[object, ...]]) -> str:
    """Sabotage: delete one row of the server's log, as a superuser who turns the triggers off first."""
    db.execute("SET session_replication_role = replica")
    row = db.execute(
        "DELETE FROM sync_log WHERE ctid = (SELECT ctid FROM sync_log WHERE lane = 1 ORDER BY seq LIMIT 1 OFFSET 5) "
        "RETURNING lane, seq"
    ).fetchone()
    return f"deleted row {row} of the server's log"


def double_one(db: psycopg.Connection[tuple[object, ...]]) -> str:
    """Sabotage: copy one row of the server's log behind the end of its lane, past all triggers."""
    db.execute("SET session_replication_role = replica")
    row = db.execute(
        "INSERT INTO sync_log (device_id, incarnation, lane, seq, body, hash, sig, received_at) "
        "SELECT device_id, incarnation, lane, (SELECT max(seq) + 1 FROM sync_log x WHERE x.lane = 1), "
        "body, hash, sig, received_at FROM sync_log WHERE lane = 1 AND seq = 6 RETURNING lane, seq"
    ).fetchone()
    return f"copied row 6 of lane 1 to {row}"


def flip_journal_byte(kiosk_folder: Path) -> str:
    """Sabotage: flip one bit of the newest row of the kiosk's journal, while the kiosk is dead."""
    for path in sorted(kiosk_folder.rglob("ops.db")):
        db = pysqlite3.connect(path)
        try:
            found = db.execute("SELECT seq, body FROM journal WHERE lane = 1 ORDER BY seq DESC LIMIT 1").fetchone()
            if found:
                seq, body = found
                at = body.index(b'"body"') + len(b'"body"') + 12
                changed = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
                db.execute("UPDATE journal SET body = ? WHERE lane = 1 AND seq = ?", (changed, seq))
                db.commit()
                return f"flipped a bit of journal row {seq} of lane 1"
        finally:
            db.close()
    raise FileNotFoundError(kiosk_folder)
