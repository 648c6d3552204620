"""The first layout of both files. ``journal`` is frozen from here on.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "log",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("incarnation", sa.Text, nullable=False, unique=True),
        sa.Column("started_at", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "journal",
        sa.Column("log", sa.Integer, nullable=False),
        sa.Column("lane", sa.Integer, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("ver", sa.Integer, nullable=False),
        sa.Column("body", sa.BLOB, nullable=False),
        sa.Column("hash", sa.BLOB, nullable=False),
        sa.Column("sig", sa.BLOB),
        sa.PrimaryKeyConstraint("log", "lane", "seq"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "cursor",
        sa.Column("log", sa.Integer, nullable=False),
        sa.Column("lane", sa.Integer, nullable=False),
        sa.Column("acked", sa.Integer, nullable=False),
        sa.Column("acked_at", sa.Text),
        sa.Column("parked", sa.Integer, nullable=False),
        sa.Column("dead", sa.Text, nullable=False),
        sa.Column("problem", sa.Text),
        sa.PrimaryKeyConstraint("log", "lane"),
        sqlite_with_rowid=False,
    )
    if context.config.attributes["file"] == "ops":
        _ops_tables()


def _ops_tables() -> None:
    op.create_table(
        "entry",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("log", sa.Integer, nullable=False),
        sa.Column("lane", sa.Integer, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("batch_id", sa.Text),
        sa.Column("lot_id", sa.Text),
        sa.Column("line_id", sa.Text),
        sa.Column("ref_id", sa.Text),
        sa.Column("recorded_at", sa.Text, nullable=False),
        sa.Column("occurred_at", sa.Text, nullable=False),
        sa.Column("performed_by", sa.Text),
        sa.Column("corrects_id", sa.Text),
        sa.Column("flags", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("entry_place", "entry", ["log", "lane", "seq"])
    op.create_index("entry_batch", "entry", ["batch_id", "kind"])
    op.create_index("entry_lot", "entry", ["lot_id", "kind"])
    op.create_index("entry_ref", "entry", ["ref_id"])
    op.create_index("entry_kind", "entry", ["kind", "recorded_at"])
    for name in ("master", "master_shadow"):
        op.create_table(
            name,
            sa.Column("entity", sa.Text, nullable=False),
            sa.Column("id", sa.Text, nullable=False),
            sa.Column("version", sa.Integer, nullable=False),
            sa.Column("retired", sa.Integer, nullable=False),
            sa.Column("data", sa.Text),
            sa.PrimaryKeyConstraint("entity", "id"),
            sqlite_with_rowid=False,
        )
    op.create_table(
        "answer",
        sa.Column("fact_id", sa.Text, primary_key=True),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "note",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
