"""Bring schemas to the newest revision: the platform once, each tenant by itself.

Two script trees, one head each. A tenant's run has a lock timeout and its own version table in
its own schema; what fails rolls back alone. ``python -m server.core.db.migrate tenant "why"``
writes a new revision from the difference between models and a freshly migrated schema.
"""

from __future__ import annotations

import re
import sys
import uuid
from collections.abc import Iterable
from pathlib import Path

import alembic.autogenerate
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import ops
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, MetaData, create_engine, text
from sqlalchemy.pool import NullPool

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
    """Make a schema the connection's own world: search path, default schema, lock timeout."""
    connection.execute(text("SELECT set_config('search_path', :path, false)"), {"path": f"{schema}, public"})
    connection.execute(text("SELECT set_config('lock_timeout', :t, false)"), {"t": LOCK_TIMEOUT})
    connection.commit()
    connection.dialect.default_schema_name = schema


def upgrade(owner: URL, tree: str, schema: str) -> None:
    """Migrate one schema to the head of its tree, as the owner."""
    engine = create_engine(owner, poolclass=NullPool)
    with engine.connect() as connection:
        enter(connection, schema)
        command.upgrade(config(tree, connection), "head")
        connection.commit()
    engine.dispose()


def head(tree: str) -> str | None:
    """The newest revision of a tree."""
    return ScriptDirectory.from_config(config(tree)).get_current_head()


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
    if script is None or isinstance(script, list):
        raise RuntimeError("Alembic wrote no single revision")
    return Path(script.path)


def main(arguments: Iterable[str]) -> int:
    """``python -m server.core.db.migrate tenant|platform "message" [rev]``: a revision from a scratch cluster."""
    import tempfile  # noqa: PLC0415  # only this command needs them

    from server.core.db.postgres import open_cluster  # noqa: PLC0415
    from server.core.settings import Settings  # noqa: PLC0415

    tree, message, *rev = arguments
    with tempfile.TemporaryDirectory(prefix="foodflow-revise-") as folder:
        cluster = open_cluster(Settings(data_folder=Path(folder) / "data", fsync=False))
        sys.stdout.write(f"{revise(cluster.owner, tree, message, *rev)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
