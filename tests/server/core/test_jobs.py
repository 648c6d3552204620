"""Periodic work: one round for each active tenant, one process for each round, nothing lost when one fails."""

from __future__ import annotations

import asyncio
import uuid
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from foodflow_kernel.clock import SystemClock
from foodflow_kernel.machines.identity import TenantState
from server.core import jobs, metrics
from server.core.db.postgres import Cluster
from server.core.db.sessions import Database, Tenant, TenantRef, current_tenant
from tests.conftest import a_tenant

DAILY = 24 * 3600
"""A worker that starts within ten minutes after a round was due does that one as well (procrastinate, `max_delay`)."""
NOT_AT_MIDNIGHT = pytest.mark.skipif(
    SystemClock().now().strftime("%H:%M") < "00:15", reason="the round of the day is due as well"
)


def an_app(database: Database) -> SimpleNamespace:
    return SimpleNamespace(state=SimpleNamespace(database=database, measures=metrics.Measures()))


def name() -> str:
    return f"test.{uuid.uuid4().hex[:8]}"


async def test_a_tenant_that_fails_keeps_no_other_waiting_and_the_round_says_so(database: Database) -> None:
    good, bad, asleep = await a_tenant(database), await a_tenant(database, "bad"), await a_tenant(database, "asleep")
    async with database.platform_session() as db:
        (await db.get_one(Tenant, asleep.id)).state = TenantState.suspended
    seen: dict[uuid.UUID, uuid.UUID | None] = {}

    async def work(_app: object, tenant: TenantRef) -> None:
        if tenant.id == bad.id:
            raise ValueError("no")
        seen[tenant.id] = current_tenant.get()

    app = an_app(database)
    job = jobs.Periodic("test.one", 60, work)
    with pytest.raises(RuntimeError, match=bad.slug):
        await jobs.round_of(app, job)
    assert seen[good.id] == good.id
    assert bad.id not in seen
    assert asleep.id not in seen
    assert current_tenant.get() is None
    labels = {"job": "test.one", "outcome": "failed"}
    assert app.state.measures.registry.get_sample_value("foodflow_job_seconds_count", labels) == 1


@NOT_AT_MIDNIGHT
async def test_two_workers_do_a_round_once(database: Database, cluster: Cluster, tenant: TenantRef) -> None:
    done: list[str] = []
    over = asyncio.Event()

    def a_job(worker: str, title: str) -> jobs.Periodic:
        async def work(_app: object, of: TenantRef) -> None:
            if of.id == tenant.id:
                await asyncio.sleep(0.05)  # long enough for the other worker to look
                done.append(worker)
                over.set()

        return jobs.Periodic(title, DAILY, work)

    title = name()
    app = an_app(database)
    one, two = a_job("one", title), a_job("two", title)
    # Asked for twice before anybody works: a round that waits is not queued again.
    async with jobs.queue(app, cluster, [one]).open_async() as waiting:
        await jobs.ask(waiting, title)
        await jobs.ask(waiting, title)
    async with jobs.worker(app, cluster, [one]) as first, jobs.worker(app, cluster, [two]):
        await asyncio.wait_for(over.wait(), 30)
        await _idle(first, title)
    assert len(done) == 1


@NOT_AT_MIDNIGHT
async def test_a_round_that_failed_is_on_record_and_the_next_one_runs(
    database: Database, cluster: Cluster, tenant: TenantRef
) -> None:
    runs = 0
    title = name()

    async def work(_app: object, of: TenantRef) -> None:
        nonlocal runs
        if of.id == tenant.id:
            runs += 1
            if runs == 1:
                raise ValueError("no")

    async with jobs.worker(an_app(database), cluster, [jobs.Periodic(title, DAILY, work)]) as opened:
        for _ in range(2):
            await jobs.ask(opened, title)
            await _idle(opened, title)
        kept = list(await opened.job_manager.list_jobs_async(task=title))
    assert runs == 2
    assert [job.status for job in kept] == ["failed"]


async def test_a_round_whose_process_was_killed_keeps_no_later_one_waiting(
    database: Database, cluster: Cluster, tenant: TenantRef
) -> None:
    title, over = name(), asyncio.Event()

    async def work(_app: object, of: TenantRef) -> None:
        if of.id == tenant.id:
            over.set()

    job = jobs.Periodic(title, DAILY, work)
    async with jobs.queue(an_app(database), cluster, [job]).open_async() as killed:
        await jobs.ask(killed, title)
    async with database.platform_session() as db:
        begun = text("UPDATE procrastinate_jobs SET status = 'doing' WHERE task_name = :title")
        await db.execute(begun, {"title": title})
    async with jobs.worker(an_app(database), cluster, [job]) as opened:
        await jobs.ask(opened, title)
        await asyncio.wait_for(over.wait(), 30)
        await _idle(opened, title)
        kept = list(await opened.job_manager.list_jobs_async(task=title))
    assert [each.status for each in kept] == ["failed"]


async def test_a_round_for_the_whole_server_runs_once_and_of_no_company(database: Database) -> None:
    app, seen = an_app(database), []

    async def work(_app: object) -> None:
        seen.append(current_tenant.get())

    await jobs.round_of(app, jobs.Whole("test.whole", 600, work))
    assert seen == [None]

    async def broken(_app: object) -> None:
        raise ValueError("no")

    with pytest.raises(RuntimeError, match=r"test\.whole failed"):
        await jobs.round_of(app, jobs.Whole("test.whole", 600, broken))
    count = app.state.measures.registry.get_sample_value
    for outcome in ("ok", "failed"):
        assert count("foodflow_job_seconds_count", {"job": "test.whole", "outcome": outcome}) == 1


async def _idle(opened: object, title: str) -> None:
    """Wait until nothing of a job is queued or running."""
    async with asyncio.timeout(30):
        while True:
            found = await opened.job_manager.list_jobs_async(task=title)  # type: ignore[attr-defined]
            if not {"todo", "doing"} & {job.status for job in found}:
                return
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("every_s", [0, 30, 7 * 60, 90 * 60, 7 * 3600])
def test_a_round_that_no_clock_shows_is_refused(every_s: int) -> None:
    with pytest.raises(ValueError, match="no round"):
        jobs.Periodic("test.odd", every_s, lambda _app, _tenant: asyncio.sleep(0)).cron()
