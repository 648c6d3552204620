"""The migrations make what the models declare, take it back, and leave nothing after a failure."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator

import pytest
from alembic import command
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool

from foodflow_kernel.errors import Invalid
from server.core.db import migrate, postgres, provision
from server.core.db.postgres import Cluster
from server.core.db.sessions import Database


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
    with pytest.raises(ProgrammingError, match="already exists"):
        await provision.create_tenant(database, slug, "Broken Foods")
    with postgres.connect(database.cluster.owner) as db:
        found = db.execute("SELECT rolname FROM pg_roles WHERE rolname = %s", (f"t_{slug}",)).fetchall()
        found += db.execute("SELECT nspname FROM pg_namespace WHERE nspname = %s", (f"t_{slug}",)).fetchall()
    assert found == []
    assert slug not in {tenant.slug for tenant in await database.tenants()}


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
