"""T7, the server's half: SIGKILL of a real server process while a terminal pushes.

After each kill, with the server down: what the terminal holds for acknowledged is stored byte for
byte, what is stored is a prefix of each lane and its chain holds, and no row is half there: a row
in the log, the head of its lane and what became of it are one.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pysqlite3.dbapi2 as sqlite
import pytest
from sqlalchemy import select

from foodflow_desktop.store import Store
from foodflow_desktop.sync.engine import Engine
from foodflow_kernel.clock import SystemClock
from foodflow_kernel.wire import signing
from server.core.db.base import FactRow, TenantBase
from server.core.db.postgres import Cluster
from server.core.db.sessions import Database
from server.sync import verify
from server.sync.models import SyncDead, SyncHead, SyncLog, SyncParked, SyncTelemetry
from tests.faults.kills import Forker
from tests.foodflow_desktop.store.terminals import KEY, QUIET, hold, samples, weighing
from tests.foodflow_desktop.sync.conftest import eventually
from tests.foodflow_desktop.sync.hub import Hub

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def recording(store: Store) -> Iterator[None]:
    """Facts of all kinds of lanes come without an end."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.01):
            store.record(hold())
            store.record_all([weighing(), weighing(), weighing()])
            store.record(samples(50))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def acknowledged(folder: Path) -> dict[tuple[int, int], bytes]:
    """What the terminal's files say is acknowledged: (lane, seq) -> body."""
    found = {}
    for name in ("ops.db", "telemetry.db"):
        db = sqlite.connect(folder / name)
        found |= {
            (lane, seq): body
            for lane, seq, body in db.execute(
                "SELECT journal.lane, journal.seq, body FROM journal JOIN cursor ON cursor.log = journal.log"
                " AND cursor.lane = journal.lane WHERE journal.seq <= cursor.acked"
            )
        }
        db.close()
    return found


async def assert_nothing_is_half_there(database: Database, hub: Hub, device: UUID) -> None:
    assert hub.tenant is not None
    async with database.tenant_session(hub.tenant.id) as db:
        found = await verify.verify(db, {device: signing.public_bytes(KEY)})
        assert found.findings == []
        heads = {one.lane: (one.seq, one.hash) for one in await db.scalars(select(SyncHead))}
        for log in (SyncLog, SyncTelemetry):
            rows = await db.execute(select(log.lane, log.seq, log.hash).order_by(log.lane, log.seq))
            lanes: dict[int, list[Any]] = {}
            for row in rows:
                lanes.setdefault(row.lane, []).append(row)
            for lane, own in lanes.items():
                assert [row.seq for row in own] == list(range(1, len(own) + 1))
                assert heads[lane] == (own[-1].seq, own[-1].hash)
        # Each weighing in the log has its row, or waits, or is set aside: never two of these, never none.
        fates = [SyncParked, SyncDead, *(table for table in FactRow.__subclasses__() if issubclass(table, TenantBase))]
        came = [seq for fate in fates for seq in await db.scalars(select(fate.seq).where(fate.lane == 1))]
        assert sorted(came) == list(
            await db.scalars(select(SyncLog.seq).where(SyncLog.lane == 1).order_by(SyncLog.seq))
        )


def kill_the_server(folder: Path, hub: Hub, times: int) -> tuple[int, int]:
    """Kill it so many times; how many rows it had acknowledged at the kills, and how many it has in the end."""
    hub.port = free_port()
    cluster = hub.cluster
    owner = cluster.owner.render_as_string(hide_password=False)
    arguments = (str(hub.folder), str(hub.port), str(cluster.base), cluster.secret.hex(), owner)
    terminal = hub.admit()
    store = Store.open(folder, SystemClock(), KEY, QUIET)
    store.pair(terminal, KEY)
    engine = Engine(store, KEY)
    at_kills = 0
    with Forker("tests.faults.served") as servers:
        engine.start()
        with recording(store):
            for left in reversed(range(times)):
                process = servers.start(*arguments)
                heard = store.status().lanes[0].acked
                # Mostly in full flow, now and then while it starts: not at the last, or nothing may have come at all.
                if not left or random.random() < 0.7:  # noqa: S311
                    eventually(lambda heard=heard: store.status().lanes[0].acked > heard)
                time.sleep(random.uniform(0, 0.3))  # noqa: S311
                servers.kill(process)
                acked = acknowledged(folder)
                stored = {(lane, seq): body for _, lane, seq, body in hub.stored(terminal.device)}
                assert acked.items() <= stored.items()
                hub.ask(lambda database: assert_nothing_is_half_there(database, hub, terminal.device))
                at_kills = len(acked)
        process = servers.start(*arguments)
        eventually(lambda: store.status().waiting == 0, within_s=300)
        engine.stop()
        store.close()
        servers.kill(process)
    hub.ask(lambda database: assert_nothing_is_half_there(database, hub, terminal.device))
    stored = {(lane, seq): body for _, lane, seq, body in hub.stored(terminal.device)}
    assert stored == acknowledged(folder)
    print(f"{times} kills of the server: {at_kills} acknowledged at the last one, {len(stored)} in the end")  # noqa: T201
    return at_kills, len(stored)


def test_t7_a_server_killed_while_a_terminal_pushes_keeps_what_it_acknowledged(
    cluster: Cluster, tmp_path: Path
) -> None:
    at_kills, in_the_end = kill_the_server(tmp_path / "kiosk", Hub(cluster, SystemClock(), tmp_path / "hub"), 2)
    assert 0 < at_kills < in_the_end


@pytest.mark.faults
def test_t7_a_server_killed_a_hundred_times(cluster: Cluster, tmp_path: Path) -> None:
    at_kills, in_the_end = kill_the_server(tmp_path / "kiosk", Hub(cluster, SystemClock(), tmp_path / "hub"), 100)
    assert 0 < at_kills < in_the_end
