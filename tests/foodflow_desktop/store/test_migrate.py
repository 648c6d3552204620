from __future__ import annotations

from pathlib import Path

import pysqlite3.dbapi2 as sqlite
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from foodflow_desktop.store import migrate, tables
from foodflow_desktop.store.files import File
from foodflow_kernel.errors import Damaged
from tests.foodflow_desktop.store.terminals import opened, weighing

NEXT = """
from alembic import op
import sqlalchemy as sa
revision = "0002"
down_revision = "0001"

def upgrade():
    op.create_table("added", sa.Column("x", sa.Integer))
    {more}
"""


def scripts(folder: Path, more: str = "") -> Path:
    """The shipped scripts and one more revision."""
    copied = folder / "scripts"
    for source in migrate.SCRIPTS.rglob("*"):
        if source.is_file() and source.suffix in (".py", ".mako"):
            target = copied / source.relative_to(migrate.SCRIPTS)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(source.read_text())
    (copied / "versions" / "0002_next.py").write_text(NEXT.format(more=more))
    return copied


def columns(path: Path) -> dict[str, list[str]]:
    db = sqlite.connect(path)
    names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {name: [row[1] for row in db.execute(f"PRAGMA table_info({name})")] for name in names}
    db.close()
    return found


def test_head_is_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.SCRIPTS))
    assert ScriptDirectory.from_config(config).get_heads() == [migrate.HEAD]


def test_the_migrated_files_are_the_tables_of_the_program(tmp_path: Path) -> None:
    opened(tmp_path).close()
    wanted = {table.name: [column.name for column in table.columns] for table in tables.METADATA.sorted_tables}
    ops, telemetry = columns(tmp_path / "ops.db"), columns(tmp_path / "telemetry.db")
    assert {name: ops[name] for name in wanted} == wanted
    assert set(telemetry) - {"alembic_version"} == tables.TELEMETRY_TABLES


def test_an_upgrade_keeps_the_journal_and_a_copy_of_before(tmp_path: Path) -> None:
    store = opened(tmp_path)
    row = store.record(weighing())
    store.close()
    file = File(tmp_path / "ops.db", "FULL")
    assert migrate.upgrade(file, scripts=scripts(tmp_path), head="0002") == "0002"
    assert "added" in columns(file.path)
    db = sqlite.connect(file.path)
    assert db.execute("SELECT body, hash FROM journal").fetchall() == [(row.raw, row.hash)]
    db.close()
    assert migrate.revision(tmp_path / "ops.before-0002.db") == "0001"


def test_a_failed_upgrade_puts_the_copy_back_and_goes_on_on_the_old_layout(tmp_path: Path, caplog) -> None:
    store = opened(tmp_path)
    incarnation = store.record(weighing()).incarnation
    store.close()
    broken = scripts(tmp_path, "op.execute('INSERT INTO nowhere VALUES (1)')")
    file = File(tmp_path / "ops.db", "FULL")
    assert migrate.upgrade(file, scripts=broken, head="0002") == "0001"
    assert "added" not in columns(file.path)
    assert "continuing on the old layout" in caplog.text
    store = opened(tmp_path)
    assert (store.record(weighing()).seq, store.status().incarnation) == (2, incarnation)
    store.close()
    caplog.clear()


def test_a_layout_from_the_future_is_refused(tmp_path: Path, caplog) -> None:
    opened(tmp_path).close()
    with sqlite.connect(tmp_path / "ops.db") as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
    db.close()
    with pytest.raises(Damaged) as error:
        opened(tmp_path)
    assert error.value.code == "store_layout_unknown"
    caplog.clear()
