"""Open screens: what is told, to whom, after a cut, and when they are closed. Over real sockets."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.errors import Refused
from foodflow_kernel.machines.identity import TenantState
from foodflow_kernel.wire import bodies
from server.core import live
from server.core import stamp as stamps
from server.core.actor import system
from server.core.db.listening import listening
from server.core.db.sessions import Database, Tenant, TenantRef
from server.core.live import hub as hubs
from server.core.live import log, socket
from server.core.live.hub import Hub
from server.core.models import NotificationRecipient
from server.flows.streams import Notifications
from server.identity import notices
from server.identity.models import WsTicket
from server.plant_ops import line_events, sensors
from server.plant_ops.models import ProductionLine, Sensor
from tests.server.conftest import SignIn, a_plant
from tests.server.identity.people import a_guest

QUICK_S = 5.0


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def port(app: FastAPI) -> AsyncIterator[int]:
    """The application behind a real server."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_level="error", timeout_graceful_shutdown=2))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


class Screen:
    """A client that follows something."""

    def __init__(self, link: ClientConnection) -> None:
        self.link = link
        self.seq = 0

    async def next(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await asyncio.wait_for(self.link.recv(), QUICK_S))
        self.seq = message["seq"]
        return message

    async def until(self, fits: Callable[[list[dict[str, Any]]], Any]) -> list[dict[str, Any]]:
        while True:
            items: list[dict[str, Any]] = (await self.next())["items"]
            if fits(items):
                return items

    async def is_quiet(self, for_s: float = 0.4) -> bool:
        try:
            message = await asyncio.wait_for(self.link.recv(), for_s)
        except TimeoutError:
            return True
        raise AssertionError(message)

    async def closed_with(self) -> int | None:
        with pytest.raises(ConnectionClosed) as caught:
            while True:
                await asyncio.wait_for(self.link.recv(), QUICK_S)
        return caught.value.rcvd.code if caught.value.rcvd else None


async def buy(client: httpx.AsyncClient) -> str:
    answer = await client.post("/ws/ticket")
    assert answer.status_code == 201, answer.text
    assert answer.json()["expires_in_s"] == 60
    return str(answer.json()["ticket"])


Follow = Callable[..., Any]


@pytest.fixture
def follow(port: int) -> Follow:
    """``async with follow(client, "lines") as screen``."""

    @asynccontextmanager
    async def open_(
        client: httpx.AsyncClient, what: str = "notifications", after: int | None = None
    ) -> AsyncIterator[Screen]:
        tail = "" if after is None else f"&after={after}"
        async with connect(f"ws://127.0.0.1:{port}/api/v1/ws/{what}?ticket={await buy(client)}{tail}") as link:
            yield Screen(link)

    return open_


async def say(database: Database, tenant: TenantRef, key: str = "k", **over: Any) -> uuid.UUID:
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        new: dict[str, Any] = {
            "category": "test.x",
            "severity": "warn",
            "title": key,
            "dedupe_key": key,
            "roles": ("SV",),
        }
        return await notices.post(db, notices.New(**new | over))


def titles(items: list[dict[str, Any]]) -> list[str]:
    return [each["title"] for each in items]


async def refused(port: int, query: str, what: str = "notifications") -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as caught:
        async with connect(f"ws://127.0.0.1:{port}/api/v1/ws/{what}{query}"):
            pass
    answer = caught.value.response
    return answer.status_code, str(json.loads(answer.body)["code"]) if answer.body else ""


async def test_what_is_said_is_on_the_screen_at_once_and_counts_as_delivered(
    database: Database, tenant: TenantRef, sign_in: SignIn, follow: Follow
) -> None:
    client = await sign_in(tenant, "SV")
    await say(database, tenant, "before")
    async with follow(client) as screen:
        first = await screen.next()
        assert (first["type"], titles(first["items"])) == ("snapshot", ["before"])
        said = await say(database, tenant, "now")
        changed = await screen.next()
        assert (changed["type"], titles(changed["items"])) == ("changed", ["now"])
        assert changed["seq"] > first["seq"]
        assert (await client.post(f"/notifications/{said}:ack")).status_code == 200
        (item,) = await screen.until(lambda items: items and items[0]["state"] == "acked")
        assert item["id"] == str(said)
        await say(database, tenant, "before")
        assert (await screen.next())["items"][0]["count"] == 2
        await asyncio.sleep(0.1)
    async with database.tenant_session(tenant.id) as db:
        assert None not in (await db.scalars(select(NotificationRecipient.delivered_at))).all()


async def test_after_a_cut_a_screen_gets_what_it_missed(
    database: Database, tenant: TenantRef, sign_in: SignIn, follow: Follow, app: FastAPI, frozen: FakeClock
) -> None:
    client = await sign_in(tenant, "SV")
    await say(database, tenant, "old")
    async with follow(client) as screen:
        await screen.next()
        seq = screen.seq
    for n in range(3):
        await say(database, tenant, f"missed {n}")
    async with follow(client, after=seq) as screen:
        missed = await screen.next()
        assert (missed["type"], sorted(titles(missed["items"]))) == ("changed", ["missed 0", "missed 1", "missed 2"])
        head = screen.seq
    async with follow(client, after=head) as screen:
        assert await screen.is_quiet()
        await say(database, tenant, "next")
        assert titles((await screen.next())["items"]) == ["next"]
    async with follow(client, after=head + 1000) as screen:
        assert (await screen.next())["type"] == "snapshot", "of another server's past"
    frozen.advance(log.KEPT.total_seconds() + 1)
    await log.prune(app, tenant)
    frozen.advance(-log.KEPT.total_seconds() - 1)
    async with follow(client, after=seq) as screen:
        everything = await screen.next()
        assert (everything["type"], len(everything["items"])) == ("snapshot", 5)


async def test_numbers_follow_the_commits_without_a_hole(database: Database, tenant: TenantRef) -> None:
    async def one(n: int) -> None:
        async with database.tenant_session(tenant.id, system(tenant.id)) as db:
            live.tell(db, "t", uuid.UUID(int=n))
            live.tell(db, "t", uuid.UUID(int=n))
            await asyncio.sleep(0.01 * (n % 3))
            live.tell(db, "t", uuid.UUID(int=n + 100))

    await asyncio.gather(*(one(n) for n in range(12)))
    with pytest.raises(RuntimeError):
        async with database.tenant_session(tenant.id) as db:
            live.tell(db, "t", uuid.UUID(int=999))
            raise RuntimeError
    async with database.tenant_session(tenant.id) as db:
        assert sorted((await db.scalars(select(log.LiveRow.seq))).all()) == list(range(1, 25))
        assert await log.bounds(db) == (0, 24)
        assert uuid.UUID(int=999) not in await log.changed(db, "t", 0, 24)


async def test_another_company_hears_nothing(
    two_tenants: tuple[TenantRef, TenantRef], database: Database, sign_in: SignIn, follow: Follow
) -> None:
    mine, other = two_tenants
    stranger, client = await sign_in(other, "SV"), await sign_in(mine, "SV")
    async with follow(stranger) as theirs, follow(client) as ours, listening(database.cluster, other.schema) as raw:
        await theirs.next()
        await ours.next()
        await say(database, mine)
        assert titles((await ours.next())["items"]) == ["k"]
        assert await theirs.is_quiet()
        heard: list[str] = []

        async def listen() -> None:
            async for payload in raw:
                heard.append(payload)  # noqa: PERF401  # read while it goes on

        ear = asyncio.create_task(listen())
        await asyncio.sleep(0.2)
        assert heard == []
        await say(database, other, "theirs")
        assert titles((await theirs.next())["items"]) == ["theirs"]
        assert heard == ["notification"]
        ear.cancel()
    assert database.cluster.channel(mine.schema) != database.cluster.channel(other.schema)
    assert mine.slug not in database.cluster.channel(mine.schema), "a channel's name cannot be guessed"


async def test_a_screen_shows_its_persons_own_and_their_plants_only(
    database: Database, tenant: TenantRef, sign_in: SignIn, follow: Follow
) -> None:
    here, there = await a_plant(database, tenant), await a_plant(database, tenant, "P2")
    client, other = await sign_in(tenant, "SV", here), await sign_in(tenant, "SV", there)
    async with follow(client) as ours, follow(other) as theirs:
        await ours.next()
        await theirs.next()
        await say(database, tenant, plant_id=there)
        assert titles((await theirs.next())["items"]) == ["k"]
        assert await ours.is_quiet()


async def a_line(database: Database, tenant: TenantRef, plant: uuid.UUID, code: str) -> uuid.UUID:
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        row = ProductionLine(id=uuid.uuid4(), plant_id=plant, code=code, name=f"Line {code}", kind="fill")
        db.add(row)
        await db.flush()
        sensor = Sensor(
            id=row.id, plant_id=plant, tag=f"T-{code}", names={"en": "t"}, kind="temperature", unit="°C",
            line_id=row.id, range_min=0, range_max=100, period_ms=1000, step=1,
        )  # fmt: skip
        db.add(sensor)
    return row.id


async def test_lines_and_sensors_of_own_plants_are_live(
    database: Database, tenant: TenantRef, sign_in: SignIn, follow: Follow
) -> None:
    here, there = await a_plant(database, tenant), await a_plant(database, tenant, "P2")
    mine, other = await a_line(database, tenant, here, "L1"), await a_line(database, tenant, there, "L9")
    client = await sign_in(tenant, "SV", here)

    async def record(line: uuid.UUID, state: str, value: float) -> None:
        async with database.tenant_session(tenant.id, system(tenant.id)) as db:
            now = database.clock.now()
            stamp = stamps.server_born(now, None)
            said = bodies.LineState(line_id=line, batch_id=None, state=state, source=bodies.Source.sensor)
            await line_events.record_states(db, [(stamp, said)])
            latest = bodies.SensorLatest(sensor_id=line, value=value, quality="good")
            await sensors.keep_latest(db, [(stamp, latest)])

    async with follow(client, "lines") as lines, follow(client, "sensors") as values:
        assert [(each["code"], each["state"]) for each in (await lines.next())["items"]] == [("L1", None)]
        assert [(each["tag"], each["value"]) for each in (await values.next())["items"]] == [("T-L1", None)]
        await record(other, "running", 1.0)
        assert await lines.is_quiet()
        await record(mine, "running", 72.5)
        (line,), (value,) = (await lines.next())["items"], (await values.next())["items"]
        assert (line["line_id"], line["state"]) == (str(mine), "running")
        assert (value["value"], value["unit"], value["quality"]) == (72.5, "°C", "good")


async def test_a_ticket_opens_one_screen_once_within_a_minute(
    tenant: TenantRef, database: Database, sign_in: SignIn, port: int, frozen: FakeClock
) -> None:
    client = await sign_in(tenant, "SV")
    ticket = await buy(client)
    uri = f"ws://127.0.0.1:{port}/api/v1/ws/notifications?ticket={ticket}"

    async def one() -> bool:
        try:
            async with connect(uri) as link:
                await Screen(link).next()
        except InvalidStatus:
            return False
        return True

    assert sorted(await asyncio.gather(*(one() for _ in range(4)))) == [False, False, False, True]
    for bad in ("", "?ticket=", "?ticket=x", f"?ticket={tenant.id.hex}.x", f"?ticket={ticket}"):
        assert await refused(port, bad) == (401, "ticket_bad")
    late = await buy(client)
    frozen.advance(60)
    assert await refused(port, f"?ticket={late}") == (401, "ticket_bad")
    frozen.advance(-60)
    async with database.tenant_session(tenant.id) as db:
        kept = (await db.scalars(select(WsTicket.token_sha256))).all()
    assert all(ticket.encode() not in each for each in kept), "only the hash is kept"
    now = frozen.now()
    row = WsTicket(
        token_sha256=b"x",
        user_id=uuid.UUID(int=1),
        session_id=uuid.UUID(int=1),
        issued_at=now,
        expires_at=now + timedelta(seconds=61),
    )
    with pytest.raises(IntegrityError, match="a_minute"):
        async with database.tenant_session(tenant.id, system(tenant.id)) as db:
            db.add(row)


async def test_a_person_buys_no_more_tickets_than_screens(tenant: TenantRef, sign_in: SignIn) -> None:
    client = await sign_in(tenant, "SV")
    answers = [await client.post("/ws/ticket") for _ in range(21)]
    assert [answer.status_code for answer in answers] == [201] * 20 + [429]


async def test_a_screen_needs_its_right(tenant: TenantRef, sign_in: SignIn, port: int) -> None:
    client = await sign_in(tenant, "ST")
    assert await refused(port, f"?ticket={await buy(client)}", "lines") == (403, "permission_missing")
    assert await refused(port, f"?ticket={await buy(client)}&after=-1") != (101, "")


async def test_a_session_that_ends_closes_its_screens_at_once_and_no_other(
    database: Database, tenant: TenantRef, anonymous: httpx.AsyncClient, sign_in: SignIn, follow: Follow
) -> None:
    guest, other = await a_guest(database, tenant, anonymous), await sign_in(tenant, "SV")
    anonymous.headers["Authorization"] = f"Bearer {guest.access}"
    async with follow(anonymous) as screen, follow(other) as stays:
        await screen.next()
        await stays.next()
        await anonymous.post("/auth/logout", json={"refresh_token": guest.refresh})
        assert await screen.closed_with() == socket.ENDED
        assert await stays.is_quiet()
        await other.post("/auth/logout-all")
        assert await stays.closed_with() == socket.ENDED


async def test_a_ticket_of_a_session_that_has_ended_opens_nothing(
    tenant: TenantRef, sign_in: SignIn, port: int
) -> None:
    client = await sign_in(tenant, "SV")
    ticket = await buy(client)
    await client.post("/auth/logout-all")
    assert await refused(port, f"?ticket={ticket}") == (401, "ticket_bad")


async def set_state(database: Database, tenant: TenantRef, state: TenantState) -> None:
    async with database.platform_session() as db:
        await db.execute(update(Tenant).where(Tenant.id == tenant.id).values(state=state))
        await hubs.wake_tenant(db, database.cluster, tenant.schema)


async def test_a_suspended_company_has_no_open_screen(
    database: Database, tenant: TenantRef, sign_in: SignIn, follow: Follow
) -> None:
    client = await sign_in(tenant, "SV")
    async with follow(client) as screen:
        await screen.next()
        await set_state(database, tenant, TenantState.active)
        assert await screen.is_quiet()
        await set_state(database, tenant, TenantState.suspended)
        assert await screen.closed_with() == socket.SUSPENDED


async def test_a_right_that_is_lost_closes_the_screen(
    database: Database, tenant: TenantRef, sign_in: SignIn, follow: Follow
) -> None:
    from server.identity.models import UserRole  # noqa: PLC0415

    client = await sign_in(tenant, "SV")
    async with follow(client) as screen:
        await screen.next()
        async with database.tenant_session(tenant.id, system(tenant.id)) as db:
            await db.execute(update(UserRole).values(retired_at=database.clock.now()))
        await say(database, tenant, roles=())
        assert await screen.closed_with() == socket.ENDED


async def test_a_screen_that_nobody_reads_holds_up_nobody_and_nothing_queues(
    database: Database, tenant: TenantRef, sign_in: SignIn, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, other = await sign_in(tenant, "SV"), await sign_in(tenant, "SV")
    monkeypatch.setattr(socket, "PATIENCE_S", 0.5)
    sizes: list[int] = []
    real = Notifications.rows

    async def heavy(self: Notifications, db: Any, actor: Any, ids: Any) -> Any:
        rows = await real(self, db, actor, ids)
        sizes.append(len(rows))
        return [*rows, *({"title": "x" * 1_000_000, "delivered_at": 1} for _ in range(8))] if actor.id == slow else rows

    slow = uuid.UUID((await client.get("/me")).json()["id"])
    monkeypatch.setattr(Notifications, "rows", heavy)
    async with follow(client) as sleeper, follow(other) as screen:
        await screen.next()
        sleeper.link.transport.pause_reading()
        for n in range(3):
            await say(database, tenant, f"n{n}")
            assert f"n{n}" in titles(await screen.until(lambda items, n=n: f"n{n}" in titles(items)))
        await asyncio.sleep(1.5)
        served = len(sizes)
        await say(database, tenant, "late")
        await screen.until(lambda items: "late" in titles(items))
        assert len(sizes) == served + 1, "who does not keep up is let go"


async def test_a_commit_while_nobody_could_listen_is_not_lost(
    database: Database, tenant: TenantRef, sign_in: SignIn, follow: Follow
) -> None:
    client = await sign_in(tenant, "SV")
    async with follow(client) as screen:
        await screen.next()
        with psycopg.connect(
            database.cluster.url(tenant.schema).set(drivername="postgresql").render_as_string(hide_password=False),
            autocommit=True,
        ) as db:
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%%'"
            assert db.execute(cut.encode(), (tenant.schema,)).rowcount == 1
        await say(database, tenant, "in the gap")
        assert titles((await screen.next())["items"]) == ["in the gap"]
        await say(database, tenant, "after")
        await screen.until(lambda items: titles(items) == ["after"])


async def test_nobody_listens_when_nobody_is_there(
    app: FastAPI, tenant: TenantRef, sign_in: SignIn, follow: Follow
) -> None:
    client = await sign_in(tenant, "SV")
    hub: Hub = app.state.hub
    async with follow(client) as first, follow(client) as second:
        await first.next()
        await second.next()
        assert len(hub._rooms[tenant.schema].here) == 2
    for _ in range(50):
        if tenant.schema not in hub._rooms:
            break
        await asyncio.sleep(0.05)
    assert tenant.schema not in hub._rooms


async def test_a_server_that_stops_sends_its_screens_away(
    app: FastAPI, database: Database, tenant: TenantRef, sign_in: SignIn, follow: Follow, port: int
) -> None:
    client = await sign_in(tenant, "SV")
    before, app.state.hub = app.state.hub, Hub(database.cluster, 1)
    try:
        async with follow(client) as screen:
            await screen.next()
            stopping = asyncio.create_task(app.state.hub.close())
            assert await screen.closed_with() == socket.GOING_AWAY
            await asyncio.wait_for(stopping, QUICK_S)
            assert (await refused(port, f"?ticket={await buy(client)}"))[0] == 429
    finally:
        app.state.hub = before


async def test_so_many_companies_are_listened_to_and_no_more(
    two_tenants: tuple[TenantRef, TenantRef], database: Database
) -> None:
    hub = Hub(database.cluster, 1)
    first, second = two_tenants
    async with hub.join(first, "t"), hub.join(first, "t"):
        with pytest.raises(Refused, match="too_many_requests"):
            async with hub.join(second, "t"):
                pass
    async with hub.join(second, "t"):
        pass
    await hub.close()


async def test_where_the_database_lets_nobody_listen_no_screen_opens(
    tenant: TenantRef, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "_PATIENCE_S", 0.1)
    hub = Hub(database.cluster, 1)
    with pytest.raises(Refused, match="too_many_requests"):
        async with hub.join(replace(tenant, schema="t_nobody"), "t"):
            pass
    await hub.close()


async def test_a_sign_of_life_when_nothing_happens(
    tenant: TenantRef, sign_in: SignIn, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "BEAT_S", 0.1)
    client = await sign_in(tenant, "SV")
    async with follow(client) as screen:
        first = await screen.next()
        beat = await screen.next()
        assert (beat["type"], beat["seq"]) == ("beat", first["seq"])


async def test_tickets_that_ran_out_or_were_used_are_not_counted(
    tenant: TenantRef, sign_in: SignIn, port: int, frozen: FakeClock
) -> None:
    """Else who could not connect for a while would have no live screens ever again."""
    client = await sign_in(tenant, "SV")
    for _ in range(20):
        await buy(client)
    frozen.advance(59)
    assert (await client.post("/ws/ticket")).status_code == 429
    frozen.advance(1)
    ticket = await buy(client)
    async with connect(f"ws://127.0.0.1:{port}/api/v1/ws/notifications?ticket={ticket}") as link:
        await Screen(link).next()
    for _ in range(20):
        await buy(client)
    assert (await client.post("/ws/ticket")).status_code == 429
