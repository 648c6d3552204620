"""What is changed in a cluster that was just restored, before anybody is served by it."""

from __future__ import annotations

import uuid

import psycopg
from psycopg import sql

from server.core.backup import beside
from server.core.db import postgres

_TARGETS = (
    "restore_command",
    "recovery_target_time",
    "recovery_target_timeline",
    "recovery_target_action",
    "archive_mode",
    "archive_command",
)


def new_epochs(host: str) -> tuple[str, ...]:
    """Every reader of a feed must notice: what it saw may never have happened here."""
    done = []
    with beside.admin(host, postgres.DATABASE) as db:
        known = db.execute("SELECT to_regclass('platform.tenant')").fetchone()
        if known == (None,):
            return ()
        for (schema,) in db.execute("SELECT schema_name FROM platform.tenant ORDER BY schema_name").fetchall():
            table = sql.Identifier(str(schema), "core_feed_counter")
            try:
                db.execute(sql.SQL("UPDATE {} SET epoch = %s").format(table), (uuid.uuid4().hex,))
            except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
                continue  # archived: it has no schema any more
            done.append(str(schema))
    return tuple(done)


def forget_targets(host: str) -> None:
    """From now on it is a server like any other; where it puts its log aside is set when it is first served."""
    with beside.admin(host) as db:
        for name in _TARGETS:
            db.execute(sql.SQL("ALTER SYSTEM RESET {}").format(sql.Identifier(name)))
