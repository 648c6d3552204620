"""Twenty companies go to a new revision; one cannot."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from psycopg.errors import DeadlockDetected

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.errors import Refused
from foodflow_kernel.machines.identity import TenantState
from server import cli, serving
from server.core.db import fleet, migrate, postgres
from server.core.db.postgres import Cluster
from server.core.db.registry import Tenant
from server.core.db.sessions import Database
from tests.server.core.test_registry import entry


@pytest_asyncio.fixture(loop_scope="session")
async def company_of_twenty(cluster: Cluster, database: Database) -> AsyncIterator[list[str]]:
    """Empty schemas of twenty companies, the seventh with an object in the way; a database that knows only them."""
    tag = secrets.token_hex(3)
    slugs = [f"fleet_{tag}_{number:02}" for number in range(1, 21)]
    for slug in slugs:
        postgres.create_tenant_role(cluster.owner, cluster, f"t_{slug}")
        async with database.platform_session() as db:
            db.add(entry(database, slug=slug, schema_name=f"t_{slug}", state=TenantState.active))
    with postgres.connect(cluster.owner) as db:
        db.execute(f"CREATE TABLE t_{slugs[6]}.sync_log (in_the_way int)".encode())
    yield slugs
    for slug in slugs:
        await gone(cluster, f"t_{slug}")
    with postgres.connect(cluster.owner) as db:
        db.execute("ALTER TABLE platform.tenant DISABLE TRIGGER keeps_its_name")
        db.execute("DELETE FROM platform.tenant WHERE slug = ANY(%s)", (slugs,))
        db.execute("ALTER TABLE platform.tenant ENABLE TRIGGER keeps_its_name")


async def gone(cluster: Cluster, schema: str) -> None:
    """Drop a schema that the application in this process may be looking at; of a deadlock one side is ended."""
    for tries in range(5):
        try:
            # Whatever still looks at the schema lets go only while the loop runs.
            await asyncio.to_thread(postgres.drop_tenant_role, cluster.owner, schema)
        except DeadlockDetected:
            if tries == 4:
                raise
        else:
            return


def test_at_least_one_company_is_migrated_at_once() -> None:
    assert cli.parser().parse_args(["migrate", "--jobs", "3"]).jobs == 3
    with pytest.raises(SystemExit):
        cli.parser().parse_args(["migrate", "--jobs", "0"])


def of(slugs: list[str], outcomes: list[fleet.Outcome]) -> list[fleet.Outcome]:
    return [each for each in outcomes if each.name in slugs]


def tables(cluster: Cluster, slug: str) -> int:
    with postgres.connect(cluster.owner) as db:
        found = db.execute("SELECT count(*) FROM pg_tables WHERE schemaname = %s", (f"t_{slug}",)).fetchone()
    assert found
    return int(str(found[0]))


@pytest.mark.parametrize(("jobs", "keep_going"), [(1, False), (1, True), (2, True)])
async def test_one_that_fails_is_rolled_back_and_the_next_run_goes_on(
    cluster: Cluster, company_of_twenty: list[str], tmp_path: Path, jobs: int, keep_going: bool
) -> None:
    slugs, report = company_of_twenty, tmp_path / "report.json"
    database = Database(cluster, FakeClock())
    try:
        done = of(slugs, await fleet.migrate_all(database, jobs=jobs, keep_going=keep_going, report=report))
        states = [each.state for each in done]
        rest = fleet.MIGRATED if keep_going else fleet.NOT_TRIED
        assert states == [fleet.MIGRATED] * 6 + [fleet.FAILED] + [rest] * 13
        assert "sync_log" in (done[6].error or "")
        assert tables(cluster, slugs[6]) == 1, "half a migration stayed"
        newest = migrate.head("tenant")
        at = fleet.revisions(cluster.owner, [f"t_{slug}" for slug in slugs])
        assert list(at.values()) == [newest] * 6 + [None] + [newest if keep_going else None] * 13
        written = json.loads(report.read_text())
        assert [each["state"] for each in written["schemas"] if each["name"] in slugs] == states
        assert written["count"][fleet.FAILED] == 1
        async with database.platform_session() as db:
            rows = [await db.get_one(Tenant, each.id) for each in await database.registry.read(Tenant.slug.in_(slugs))]
            assert [row.schema_revision for row in rows] == list(at.values())

        with postgres.connect(cluster.owner) as db:
            db.execute(f"DROP TABLE t_{slugs[6]}.sync_log".encode())
        again = of(slugs, await fleet.migrate_all(database, jobs=jobs, keep_going=keep_going, report=report))
        already = fleet.CURRENT if keep_going else fleet.MIGRATED
        assert [each.state for each in again] == [fleet.CURRENT] * 6 + [fleet.MIGRATED] + [already] * 13
    finally:
        await database.close()


async def test_nothing_is_made_where_all_can_see_it(cluster: Cluster) -> None:
    """A schema that is not there: without a check its tables would be made in ``public``."""
    with pytest.raises(LookupError, match="no schema"):
        migrate.upgrade(cluster.owner, "tenant", "t_never_was")
    with postgres.connect(cluster.owner) as db:
        assert db.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall() == []


async def test_a_platform_that_cannot_be_migrated_stops_everything_else(database: Database) -> None:
    with postgres.connect(database.cluster.owner) as db:
        db.execute("UPDATE platform.alembic_version SET version_num = '0003'")
        try:
            done = await fleet.migrate_all(database)
            with pytest.raises(Refused) as caught:
                await serving.brought_up(database)
        finally:
            db.execute("UPDATE platform.alembic_version SET version_num = %s", (migrate.head("platform"),))
    assert [(each.name, each.state) for each in done] == [("platform", fleet.FAILED)]
    assert "FAILED" in str(done[0])
    assert (caught.value.code, caught.value.data["failed"]) == ("migration_failed", str(done[0]))
