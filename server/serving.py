"""``foodflow-server serve`` and ``worker``: bring everything up, then answer, or do what is due.

Several processes answer at one address, each at a listener of its own (SO_REUSEPORT). The first one keeps
those open, so whoever calls while a process is started anew waits for it; it has migrated before, and keeps
the embedded PostgreSQL. They share the database and the data folder, nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import gc
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvicorn

from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import Refused
from foodflow_kernel.machines.identity import TenantState
from server import seed
from server.app import create_app
from server.core import logs, migrations, processes, tls
from server.core.actor import system
from server.core.db import fleet, partitions, postgres
from server.core.db.sessions import Database
from server.core.processes import Say
from server.core.settings import Settings
from server.core.tls import Certificates
from server.identity import people

_LEAST_CONNECTIONS = 4


async def bring_up(
    database: Database, *, jobs: int = 1, keep_going: bool = True, report: Path | None = None
) -> list[fleet.Outcome]:
    """Migrate everything and give each tenant's system roles what the matrix grants now.

    A release that adds a permission would otherwise answer 403 to those who should have it.
    """
    done = await fleet.migrate_all(database, jobs=jobs, keep_going=keep_going, report=report)
    good = {each.schema: each for each in done if each.is_good}
    for tenant in await database.tenants() if postgres.PLATFORM_SCHEMA in good else []:
        if tenant.schema not in good or tenant.state in (TenantState.provisioning, TenantState.archived):
            continue
        # Also for a machine that is off whenever the job comes round; before the first row of a month is written.
        await asyncio.to_thread(partitions.ensure, database.cluster.owner, tenant.schema, database.clock.now())
        async with database.tenant_session(tenant.id, system(tenant.id, "foodflow-server")) as db:
            await people.ensure_roles(db)
            await migrations.note(db, good[tenant.schema].before)
    return done


async def brought_up(database: Database) -> None:
    """Everything is at the newest revision, or nothing starts.

    Raises:
        Refused: `migration_failed`, naming the schemas.
    """
    failed = [each for each in await bring_up(database) if not each.is_good]
    if failed:
        raise Refused("migration_failed", failed="; ".join(map(str, failed)))


def serve(given: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    """Start the server and answer until told to stop (SIGTERM, SIGINT)."""
    logs.start(settings.log_level, clock)
    certificates = tls.ensure(settings.data_folder / "tls", settings.names, clock)
    cluster = postgres.open_cluster(settings)

    async def prepare(database: Database) -> None:
        await brought_up(database)
        if given.seed_demo:
            await seed.seed(database)

    run(settings, clock, prepare, cluster)
    listeners = _listeners(settings)
    _expect_metrics(settings, settings.processes)
    address = "https://{}:{}".format(*listeners[0].getsockname()[:2])
    tasks = [
        functools.partial(_answer, settings, clock, cluster, certificates, listener, number)
        for number, listener in enumerate(listeners)
    ]
    begun = functools.partial(_announce, address, given.ready_file)
    if len(tasks) > 1:
        return processes.keep(tasks, begun)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until uvicorn takes over
    tasks[0](begun, lambda: None)
    return 0


def _listeners(settings: Settings) -> list[socket.socket]:
    """A listener for each process, at the one address.

    Raises:
        Refused: `address_not_free`.
    """
    made = [_bound("FOODFLOW_HOST", settings.host, settings.port)]
    if settings.processes > 1:
        host, port = made[0].getsockname()[:2]
        made.pop().close()  # it has made sure that nobody else listens there: beside the next ones somebody could
        made = [_bound("FOODFLOW_HOST", host, port, is_shared=True) for _ in range(settings.processes)]
    for each in made:
        # Without uvloop, asyncio leaves Nagle's algorithm on for a listener it did not open: 40 ms an answer.
        each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def _expect_metrics(settings: Settings, processes: int) -> None:
    """Refuse to start where the metrics of a process could not be asked for.

    Raises:
        Refused: `address_not_free`.
    """
    for number in range(processes if settings.metrics_port else 0):
        _bound("FOODFLOW_METRICS_HOST", settings.metrics_host, settings.metrics_port + number).close()


def _bound(setting: str, host: str, port: int, *, is_shared: bool = False) -> socket.socket:
    try:
        return socket.create_server((host, port), reuse_port=is_shared)
    except OSError as error:
        known = error.errno is not None and error.errno > 0  # a name that is none has numbers of its own
        why = os.strerror(error.errno or 0) if known else str(error.strerror)
        names = f"{setting} or {setting.replace('HOST', 'PORT')}"
        raise Refused("address_not_free", host=host, port=port, why=why, settings=names) from error


def _announce(address: str, ready_file: Path | None) -> None:
    """Say where the server answers."""
    sys.stdout.write(f"FoodFlow OS listens on {address}\n")
    sys.stdout.flush()
    if ready_file is not None:
        ready_file.write_text(address)


def _answer(
    settings: Settings,
    clock: Clock,
    cluster: postgres.Cluster,
    certificates: Certificates,
    listener: socket.socket,
    number: int,
    begun: Say,
    well: Say,
) -> None:
    """What one process does: the first of several does the periodic jobs too."""
    logs.start(settings.log_level, clock)
    share = max(_LEAST_CONNECTIONS, settings.max_connections // settings.processes)
    own = settings.model_copy(update={"max_connections": share})
    app = create_app(own, clock, cluster, certificates, with_worker=settings.worker and number == 0)
    if settings.metrics_port:
        app.state.measures.serve(settings.metrics_host, settings.metrics_port + number)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        ssl_certfile=settings.certificate or certificates.certificate,
        ssl_keyfile=settings.certificate_key or certificates.key,
        timeout_graceful_shutdown=5,
        ws_max_size=4096,  # a screen has nothing to say
        server_header=False,
    )
    _Announcing(config, begun, well).run(sockets=[listener])


class _Announcing(uvicorn.Server):
    """A server that says when it answers, and that it still does."""

    def __init__(self, config: uvicorn.Config, begun: Say, well: Say) -> None:
        super().__init__(config)
        self._begun, self._well = begun, well

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        _spare_the_collector()
        self._begun()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second, for as long as the loop turns."""
        self._well()
        return await super().on_tick(counter)


_BETWEEN_COLLECTIONS = (50_000, 20, 20)
"""Python's own 700 lets a batch of 5,000 facts be searched hundreds of times while it is read."""


def _spare_the_collector() -> None:
    """Never search for cycles in what was loaded to the end of the process, and seldom in a batch.

    Measured: with Python's defaults the collector takes half the time of a push, and a full
    search of the loaded program holds up whatever else is asked, an alarm included.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_BETWEEN_COLLECTIONS)


def work(_given: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    """Do the periodic jobs until told to stop (SIGTERM, SIGINT)."""
    logs.start(settings.log_level, clock)
    cluster = postgres.open_cluster(settings)
    run(settings, clock, brought_up, cluster)
    _expect_metrics(settings, 1)
    app = create_app(settings, clock, cluster, with_worker=True)
    if settings.metrics_port:
        app.state.measures.serve(settings.metrics_host, settings.metrics_port)

    async def inner() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with app.router.lifespan_context(app):
            sys.stdout.write("FoodFlow OS does its periodic jobs\n")
            sys.stdout.flush()
            await stop.wait()

    asyncio.run(inner())
    return 0


def run(
    settings: Settings,
    clock: Clock,
    work: Callable[[Database], Awaitable[None]],
    cluster: postgres.Cluster | None = None,
) -> None:
    """Run some work with the database open, and close it."""
    opened = cluster or postgres.open_cluster(settings)

    async def inner() -> None:
        database = Database(opened, clock)
        try:
            await work(database)
        finally:
            await database.close()

    asyncio.run(inner())
