"""All schemas to the newest revision: the platform first, then the tenants, several at once.

Each tenant is one transaction: one that fails is as it was, and the others have moved on. Running
it again goes on where it stopped. Workers are processes: ``alembic.op`` is one for a whole process.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from psycopg import errors, sql
from sqlalchemy import URL, make_url, update

from foodflow_kernel.machines.identity import TenantState
from server.core.db import migrate, postgres
from server.core.db.registry import Tenant
from server.core.db.sessions import Database

MIGRATED, CURRENT, FAILED, NOT_TRIED = "migrated", "current", "failed", "not_tried"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one schema.

    Args:
        name: the tenant's slug, or ``platform``.
        before: its revision as it was found; None: empty.
        after: its revision now.
        state: migrated, current (nothing to do), failed (rolled back) or not_tried.
        error: what PostgreSQL said.
    """

    name: str
    schema: str
    before: str | None
    after: str | None
    state: str
    took_s: float = 0.0
    error: str | None = None

    @property
    def is_good(self) -> bool:
        """Whether the schema is at the newest revision."""
        return self.state in (MIGRATED, CURRENT)

    def __str__(self) -> str:
        if self.state == MIGRATED:
            return f"{self.schema}: {self.before or 'empty'} -> {self.after} in {self.took_s:.2f} s"
        if self.state == CURRENT:
            return f"{self.schema} is at the newest revision"
        if self.state == FAILED:
            return f"{self.schema} FAILED and is still at {self.before or 'empty'}: {self.error}"
        return f"{self.schema} was not tried, it is at {self.before or 'empty'}"


async def migrate_all(
    database: Database, *, jobs: int = 1, keep_going: bool = True, report: Path | None = None
) -> list[Outcome]:
    """Bring the platform and every tenant to the newest revision.

    Args:
        jobs: tenants at once.
        keep_going: whether the others are still tried after one has failed.
        report: written anew after each tenant, so that it is true also if this process is killed.
    """
    owner = database.cluster.owner
    first = await asyncio.to_thread(_one, _text(owner), "platform", "platform", postgres.PLATFORM_SCHEMA)
    _write(report, [first])
    if not first.is_good:
        return [first]
    # One that is being made is migrated by who makes it.
    tenants = await database.registry.read(Tenant.state != TenantState.provisioning)
    found = await asyncio.to_thread(revisions, owner, [tenant.schema for tenant in tenants])
    await asyncio.to_thread(_readers, database.cluster, [schema for schema, at in found.items() if at])
    newest = migrate.head("tenant")
    done = {
        tenant.slug: Outcome(tenant.slug, tenant.schema, at, at, CURRENT if at == newest else NOT_TRIED)
        for tenant in tenants
        for at in (found[tenant.schema],)
    }
    waiting = iter([each for each in done.values() if not each.is_good])
    workers = min(jobs, sum(not each.is_good for each in done.values())) or 1
    with _executor(workers) as pool:
        running: set[asyncio.Future[Outcome]] = set()
        while True:
            stopped = not keep_going and any(each.state == FAILED for each in done.values())
            running |= set() if stopped else _start(pool, owner, waiting, workers - len(running))
            _write(report, [first, *done.values()])
            if not running:
                break
            ended, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for each in ended:
                outcome = each.result()
                done[outcome.name] = outcome
    await _note(database, newest, [each.name for each in done.values() if each.is_good])
    return [first, *done.values()]


def revisions(owner: URL, schemas: Sequence[str]) -> dict[str, str | None]:
    """The revision of each schema; None for one that is empty or not there."""
    found: dict[str, str | None] = {}
    with postgres.connect(owner) as db:
        for schema in schemas:
            asked = sql.SQL("SELECT version_num FROM {}").format(sql.Identifier(schema, "alembic_version"))
            try:
                row = db.execute(asked).fetchone()
            except (errors.UndefinedTable, errors.InvalidSchemaName):
                row = None
            found[schema] = str(row[0]) if row else None
    return found


def _readers(cluster: postgres.Cluster, schemas: Sequence[str]) -> None:
    """The reading login of tenants that are older than it."""
    with postgres.connect(cluster.owner) as db:
        known = {str(row[0]) for row in db.execute("SELECT rolname FROM pg_roles")}
    for schema in schemas:
        if postgres.reader(schema) not in known:
            postgres.create_reader(cluster.owner, cluster, schema)


def _executor(workers: int) -> Executor:
    if workers == 1:
        return ThreadPoolExecutor(1)
    # Not by fork: this process has threads and open connections.
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"))


def _start(pool: Executor, owner: URL, waiting: Iterator[Outcome], free: int) -> set[asyncio.Future[Outcome]]:
    loop = asyncio.get_running_loop()
    # The range first: zip would take one tenant too many from the iterator.
    return {
        loop.run_in_executor(pool, _one, _text(owner), "tenant", each.name, each.schema)
        for _, each in zip(range(free), waiting, strict=False)
    }


def _text(owner: URL) -> str:
    return owner.render_as_string(hide_password=False)


def _one(owner: str, tree: str, name: str, schema: str) -> Outcome:
    """Migrate one schema; whatever goes wrong is the outcome's, never the caller's."""
    url, started = make_url(owner), time.perf_counter()
    newest = migrate.head(tree)
    try:
        before = migrate.upgrade(url, tree, schema)
    except Exception as error:  # noqa: BLE001  # one tenant's trouble must not keep the others waiting
        at = _at(url, schema)
        said = str(getattr(error, "orig", None) or error).strip().splitlines() or [""]
        return Outcome(
            name, schema, at, at, FAILED, time.perf_counter() - started, f"{type(error).__name__}: {said[0]}"
        )
    made = Outcome(name, schema, before, newest, MIGRATED, time.perf_counter() - started)
    return replace(made, state=CURRENT) if before == newest else made


def _at(owner: URL, schema: str) -> str | None:
    try:
        return revisions(owner, [schema])[schema]
    except errors.Error:
        return None


async def _note(database: Database, newest: str | None, slugs: Sequence[str]) -> None:
    """Write into the registry which revision the schemas have."""
    async with database.platform_session() as db:
        behind = Tenant.schema_revision.is_distinct_from(newest)
        await db.execute(update(Tenant).where(Tenant.slug.in_(slugs), behind).values(schema_revision=newest))


def _write(report: Path | None, outcomes: Sequence[Outcome]) -> None:
    if report is None:
        return
    states = [each.state for each in outcomes]
    body = {
        "heads": {tree: migrate.head(tree) for tree in ("platform", "tenant")},
        "count": {state: states.count(state) for state in (MIGRATED, CURRENT, FAILED, NOT_TRIED)},
        "schemas": [asdict(each) for each in outcomes],
    }
    beside = report.with_name(f"{report.name}.part")
    beside.write_text(json.dumps(body, indent=1) + "\n")
    os.replace(beside, report)  # noqa: PTH105  # atomic on the same file system
