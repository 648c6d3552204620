"""Work that nobody asks for: declared where it belongs, run by whichever process has a worker.

Rounds are queued in PostgreSQL by procrastinate (decision 11): of several processes one takes each
round, and a round that died with its process is seen as failed. A job names what is to be done and
nothing of any tenant; the round goes through the tenants, each in a session of its own role.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import procrastinate
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Status

from foodflow_kernel.machines.identity import TenantState
from server.core.db.postgres import PLATFORM, Cluster
from server.core.db.sessions import TenantRef, current_tenant

if TYPE_CHECKING:
    from fastapi import FastAPI

    from server.core.db.sessions import Database
    from server.core.metrics import Measures

log = logging.getLogger(__name__)

WholeWork = Callable[["FastAPI"], Awaitable[None]]
"""Does what concerns all companies together; it opens what it needs itself."""
Work = Callable[["FastAPI", TenantRef], Awaitable[None]]
"""Does its part for one tenant, in a session that it opens itself."""

CONCURRENCY = 2
POLL_S = 5.0
STOP_S = 4.0
"""How long a round may go on when the process is told to end; what is cut off is done again."""
STALLED_S = 30.0
"""After so long without a sign of life a worker is gone; it gives one every 10 s."""
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Periodic:
    """Something to be done again and again, once for each active tenant.

    Args:
        name: ``context.what``, as in the log and the metrics.
        every_s: seconds between two rounds: whole minutes that divide an hour, or whole hours that divide a day.
        work: what is done; it may run twice, and must then change nothing the second time.
    """

    name: str
    every_s: int
    work: Work

    def cron(self) -> str:
        """When a round begins, as cron says it.

        >>> Periodic("a.b", 300, print).cron(), Periodic("a.b", 6 * 3600, print).cron()
        ('*/5 * * * *', '0 */6 * * *')
        """
        return _cron(self.name, self.every_s)


@dataclass(frozen=True, slots=True)
class Whole:
    """Something to be done again and again for the whole server, once whatever the number of companies.

    Args:
        name, every_s: as of a ``Periodic``.
        work: what is done; no company is current, and it may run twice.
    """

    name: str
    every_s: int
    work: WholeWork

    def cron(self) -> str:
        """When a round begins, as cron says it."""
        return _cron(self.name, self.every_s)


Job = Periodic | Whole


def _cron(name: str, every_s: int) -> str:
    minutes, rest = divmod(every_s, _MINUTE)
    hours, odd = divmod(minutes, 60)
    if rest or not minutes or (hours and (odd or 24 % hours)) or (not hours and 60 % minutes):
        raise ValueError(f"{name}: {every_s} s is no round that a clock shows")
    return f"0 */{hours} * * *" if hours else f"*/{minutes} * * * *"


async def round_of(app: FastAPI, job: Job) -> None:
    """Do a job, for every active tenant or once; a tenant that fails does not keep the others waiting.

    Raises:
        RuntimeError: it failed, for some or as a whole; each failure is in the log.
    """
    if isinstance(job, Whole):
        await _whole_round(app, job)
        return
    database: Database = app.state.database
    measures: Measures = app.state.measures
    failed, started = [], time.perf_counter()
    for tenant in await database.tenants():
        if tenant.state is not TenantState.active:
            continue
        token = current_tenant.set(tenant.id)
        try:
            await job.work(app, tenant)
        except Exception:
            log.exception("job failed", extra={"job": job.name, "tenant": tenant.slug})
            failed.append(tenant.slug)
        finally:
            current_tenant.reset(token)
    measures.job(job.name, is_good=not failed, took_s=time.perf_counter() - started)
    if failed:
        raise RuntimeError(f"{job.name} failed for {', '.join(failed)}")


async def _whole_round(app: FastAPI, job: Whole) -> None:
    measures: Measures = app.state.measures
    started = time.perf_counter()
    try:
        await job.work(app)
    except Exception as error:
        log.exception("job failed", extra={"job": job.name})
        measures.job(job.name, is_good=False, took_s=time.perf_counter() - started)
        raise RuntimeError(f"{job.name} failed") from error
    measures.job(job.name, is_good=True, took_s=time.perf_counter() - started)


def queue(app: FastAPI, cluster: Cluster, jobs: Sequence[Job]) -> procrastinate.App:
    """The queue with all jobs in it, not yet open."""
    conninfo = cluster.url(PLATFORM).set(drivername="postgresql").render_as_string(hide_password=False)
    made = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=conninfo, min_size=1, max_size=3))

    def add(job: Job) -> None:
        # A round that takes longer than its interval is not queued a second time behind itself.
        @made.periodic(cron=job.cron(), periodic_id=job.name)
        @made.task(name=job.name, queueing_lock=job.name, lock=job.name)
        async def run(timestamp: int) -> None:  # noqa: ARG001  # procrastinate says when
            await round_of(app, job)

    for each in jobs:
        add(each)
    return made


@asynccontextmanager
async def worker(app: FastAPI, cluster: Cluster, jobs: Sequence[Job]) -> AsyncIterator[procrastinate.App]:
    """A worker that runs beside what the block does."""
    async with queue(app, cluster, jobs).open_async() as opened:
        task = asyncio.create_task(
            opened.run_worker_async(
                concurrency=CONCURRENCY,
                fetch_job_polling_interval=POLL_S,
                shutdown_graceful_timeout=STOP_S,
                install_signal_handlers=False,
                delete_jobs="successful",
            )
        )
        freeing = asyncio.create_task(_free_again_and_again(opened))
        try:
            yield opened
        finally:
            task.cancel()
            freeing.cancel()
            await asyncio.gather(task, freeing, return_exceptions=True)


async def free(opened: procrastinate.App) -> list[str]:
    """Mark rounds as failed whose process is gone: a round that seems to run keeps all later ones waiting.

    A restored backup has such a round always: the one that took it.
    """
    gone = list(await opened.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_S))
    for job in gone:
        log.warning("a round died with its process", extra={"job": job.task_name})
        await opened.job_manager.finish_job(job, Status.FAILED, delete_job=False)
    return [job.task_name for job in gone]


async def _free_again_and_again(opened: procrastinate.App) -> None:
    while True:
        try:
            await free(opened)
        except ConnectorException:
            log.warning("the queue of jobs does not answer", exc_info=True)
        await asyncio.sleep(STALLED_S)


async def ask(opened: procrastinate.App, name: str) -> None:
    """Queue a round now; nothing happens if one waits already."""
    try:
        await opened.configure_task(name, queueing_lock=name, lock=name).defer_async(timestamp=0)
    except AlreadyEnqueued:
        log.info("job waits already", extra={"job": name})
