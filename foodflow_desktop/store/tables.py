"""The tables of the kiosk's two files. The layout of ``journal`` is frozen.

``ops.db`` holds lanes 0-2, what the screens query and the cached master data;
``telemetry.db`` holds lane 3. Both have ``log``, ``journal`` and ``cursor``. Changes go
through ``migrations/kiosk``, never through this module alone.
"""

from __future__ import annotations

from sqlalchemy import (
    BLOB,
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

METADATA = MetaData()

LOG = Table(
    "log",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("device", Text, nullable=False),
    Column("incarnation", Text, nullable=False, unique=True),
    Column("started_at", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
"""The incarnations this file has lived through. The one with the highest id is written, the others are only sent."""

JOURNAL = Table(
    "journal",
    METADATA,
    Column("log", Integer, nullable=False),
    Column("lane", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("ver", Integer, nullable=False),
    Column("body", BLOB, nullable=False),
    Column("hash", BLOB, nullable=False),
    Column("sig", BLOB),
    PrimaryKeyConstraint("log", "lane", "seq"),
    sqlite_with_rowid=False,
)
"""The truth of this terminal. ``body`` is the exact bytes sent; what lies past ``cursor.acked`` is the outbox."""

CURSOR = Table(
    "cursor",
    METADATA,
    Column("log", Integer, nullable=False),
    Column("lane", Integer, nullable=False),
    Column("acked", Integer, nullable=False),
    Column("acked_at", Text),
    Column("parked", Integer, nullable=False),
    Column("dead", Text, nullable=False),
    Column("problem", Text),
    PrimaryKeyConstraint("log", "lane"),
)
"""How far the server has committed each lane, and what it could not apply."""

ENTRY = Table(
    "entry",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("log", Integer, nullable=False),
    Column("lane", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("batch_id", Text),
    Column("lot_id", Text),
    Column("line_id", Text),
    Column("ref_id", Text),
    Column("recorded_at", Text, nullable=False),
    Column("occurred_at", Text, nullable=False),
    Column("performed_by", Text),
    Column("corrects_id", Text),
    Column("flags", Text, nullable=False),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""One row per fact of lanes 0-2, as screens ask for it. Can be rebuilt from ``journal``."""
Index("entry_place", ENTRY.c.log, ENTRY.c.lane, ENTRY.c.seq)
Index("entry_batch", ENTRY.c.batch_id, ENTRY.c.kind)
Index("entry_lot", ENTRY.c.lot_id, ENTRY.c.kind)
Index("entry_ref", ENTRY.c.ref_id)
Index("entry_kind", ENTRY.c.kind, ENTRY.c.recorded_at)

MASTER = Table(
    "master",
    METADATA,
    Column("entity", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("retired", Integer, nullable=False),
    Column("data", Text),
    PrimaryKeyConstraint("entity", "id"),
    sqlite_with_rowid=False,
)
"""The server's rows as they came, known or not."""

MASTER_SHADOW = Table(
    "master_shadow",
    METADATA,
    Column("entity", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("retired", Integer, nullable=False),
    Column("data", Text),
    PrimaryKeyConstraint("entity", "id"),
    sqlite_with_rowid=False,
)
"""Where a snapshot is staged until it is whole."""

ANSWER = Table(
    "answer",
    METADATA,
    Column("fact_id", Text, primary_key=True),
    Column("outcome", Text, nullable=False),
    Column("reason", Text),
    sqlite_with_rowid=False,
)
"""What the server decided about a command fact."""

NOTE = Table(
    "note",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""Small things that must survive: the feed cursor, when the hub was last heard, what was salvaged."""

TELEMETRY_TABLES = frozenset({"log", "journal", "cursor"})
