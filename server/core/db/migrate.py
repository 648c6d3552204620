"""Bring schemas to the newest revision: the platform once, each tenant by itself.

Two script trees, one head each. A tenant's run has a lock timeout and its own version table in
its own schema; what fails rolls back alone. ``python -m server.core.db.migrate tenant "why"``
writes a new revision from the difference between models and a freshly migrated schema.
"""

from __future__ import annotations

import re
import sys
import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

import alembic.autogenerate
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import ops
from alembic.script import Script, ScriptDirectory
from sqlalchemy import URL, Connection, MetaData, create_engine, event, text
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    import psycopg

ROOT = Path(__file__).parents[3] / "migrations"
LOCK_TIMEOUT = "10s"
_NOT_OURS = re.compile(r"checkpoint|procrastinate_|.*_(default|y\d{4}m\d{2})$")


def config(tree: str, connection: Connection | None = None) -> Config:
    """Alembic's configuration of a script tree, bound to a connection."""
    made = Config()
    made.set_main_option("script_location", str(ROOT / tree))
    made.set_main_option("version_path_separator", "os")
    made.attributes["connection"] = connection
    return made


def enter(connection: Connection, schema: str) -> None:
    """Make a schema the connection's own world: search path, default schema, lock timeout.

    Raises:
        LookupError: there is no such schema; what is made would land in ``public``, for all to see.
    """
    connection.execute(text("SELECT set_config('search_path', :path, false)"), {"path": f"{schema}, public"})
    if connection.execute(text("SELECT current_schema()")).scalar() != schema:
        raise LookupError(f"there is no schema {schema}")
    connection.execute(text("SELECT set_config('lock_timeout', :t, false)"), {"t": LOCK_TIMEOUT})
    connection.commit()
    connection.dialect.default_schema_name = schema


def upgrade(owner: URL, tree: str, schema: str, target: str | None = None) -> str | None:
    """Migrate one schema to the head of its tree, as the owner, in one transaction; the revision before.

    Args:
        target: another revision than the head; the schema is empty then.

    An empty schema gets the statements that the first empty one got: Alembic computes them anew
    each time, and that took ten times as long as PostgreSQL takes to obey.
    """
    engine = create_engine(owner, poolclass=NullPool)
    with engine.connect() as connection:
        # Two servers that start at once: the second waits, without a limit, and finds it done.
        connection.execute(text("SELECT pg_advisory_lock(hashtextextended(:schema, 0))"), {"schema": schema})
        enter(connection, schema)
        before = revision(connection)
        newest = target or head(tree)
        if before != newest:
            known = _FRESH.get((tree, newest))
            if before is None and known is not None:
                # By the driver itself: without parameters it sends all statements in one message.
                cast("psycopg.Connection[object]", connection.connection.driver_connection).execute(known.encode())
            else:
                with _LOCK, _recorded(connection) as recorded:
                    command.upgrade(config(tree, connection), newest or "head")
                names_it = any(schema in statement for statement, _ in recorded)
                if before is None and not names_it and all(not parameters for _, parameters in recorded):
                    _FRESH[tree, newest] = ";\n".join(statement.replace("%%", "%") for statement, _ in recorded)
            connection.commit()
    engine.dispose()
    return before


def revision(connection: Connection) -> str | None:
    """The revision of the connection's own schema; None for an empty one."""
    here = "SELECT to_regclass(format('%I.alembic_version', current_schema()))"
    if connection.execute(text(here)).scalar() is None:
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


_FRESH: dict[tuple[str, str | None], str] = {}
"""Tree and head to the statements that fill an empty schema; they name no schema."""
_LOCK = threading.Lock()
"""``alembic.op`` is one for the whole process."""


@contextmanager
def _recorded(connection: Connection) -> Iterator[list[tuple[str, object]]]:
    """What changes a schema, as it was sent."""
    said: list[tuple[str, object]] = []

    def note(_c: Connection, _cursor: object, statement: str, parameters: object, *_more: object) -> None:
        # What Alembic asks of the catalogue has parameters and changes nothing.
        if not (parameters and statement.lstrip().upper().startswith("SELECT")):
            said.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(connection, "before_cursor_execute", note)


@cache
def head(tree: str) -> str | None:
    """The newest revision of a tree."""
    return ScriptDirectory.from_config(config(tree)).get_current_head()


@cache
def revisions(tree: str) -> frozenset[str]:
    """All revisions of a tree."""
    return frozenset(each.revision for each in ScriptDirectory.from_config(config(tree)).walk_revisions())


def metadata(tree: str) -> MetaData:
    """All tables of a tree, as the models declare them."""
    # Imported here: this module is below the contexts whose models make up the metadata.
    from server.core.db.models import load  # noqa: PLC0415

    return load(tree)


def difference(connection: Connection, tree: str) -> list[ops.MigrateOperation]:
    """What the models have and the schema has not, or the reverse."""
    context = MigrationContext.configure(connection, opts=options(tree))
    script = alembic.autogenerate.produce_migrations(context, metadata(tree))
    return list(script.upgrade_ops.ops) if script.upgrade_ops else []


def options(tree: str) -> dict[str, object]:
    """How Alembic compares: types too; not the copilot's and the job queue's tables, nor partitions."""

    def ours(_object: object, name: str | None, kind: str, _reflected: bool, _compare_to: object) -> bool:
        return not (kind == "table" and _NOT_OURS.match(name or ""))

    return {"target_metadata": metadata(tree), "include_schemas": False, "compare_type": True, "include_object": ours}


def revise(owner: URL, tree: str, message: str, rev_id: str | None = None) -> Path:
    """Write a revision that takes a freshly migrated schema to what the models declare."""
    schema = f"revise_{uuid.uuid4().hex[:8]}"
    engine = create_engine(owner, poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(f'CREATE SCHEMA "{schema}"'))
        enter(connection, schema)
        try:
            command.upgrade(config(tree, connection), "head")
            script = command.revision(config(tree, connection), message, autogenerate=True, rev_id=rev_id)
        finally:
            connection.rollback()
            connection.execute(text(f'DROP SCHEMA "{schema}" CASCADE'))
            connection.commit()
    engine.dispose()
    return Path(cast("Script", script).path)


def main(arguments: Iterable[str]) -> int:
    """``python -m server.core.db.migrate tenant|platform "message" [rev]``: a revision from a scratch cluster."""
    import tempfile  # noqa: PLC0415  # only this command needs them

    from server.core.db.postgres import open_cluster  # noqa: PLC0415
    from server.core.settings import Settings  # noqa: PLC0415

    tree, message, *rev = arguments
    with tempfile.TemporaryDirectory(prefix="foodflow-revise-") as folder:
        cluster = open_cluster(Settings(data_folder=Path(folder) / "data", fsync=False, backup=False))
        sys.stdout.write(f"{revise(cluster.owner, tree, message, *rev)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
