"""Telling people: once, to whoever must know, up the ladder until a person answers."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.errors import NotAllowed
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines.content import NotificationState
from server.core.actions import perform
from server.core.actor import Actor, ActorKind, system
from server.core.audit import AuditRow
from server.core.db.sessions import Database, TenantRef
from server.core.mail import Letter
from server.core.models import Notification, NotificationRecipient
from server.identity import notices
from server.identity.models import Role, User, UserRole
from server.identity.notices import answering, jobs, quiet
from tests.server.conftest import SignIn, a_plant, a_user
from tests.server.races import until_waiting


async def say(database: Database, tenant: TenantRef, **over: Any) -> uuid.UUID:
    new: dict[str, Any] = {
        "category": "test.news",
        "severity": "warn",
        "title": "Oven 2 is cold",
        "dedupe_key": "oven-2",
    }
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        return await notices.post(db, notices.New(**new | {"roles": ("SV",)} | over))


async def inbox(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get("/notifications", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def unread(client: httpx.AsyncClient) -> int:
    return int((await client.get("/notifications")).json()["unread"])


async def one(database: Database, tenant: TenantRef, row_id: uuid.UUID) -> Notification:
    async with database.tenant_session(tenant.id) as db:
        return await db.get_one(Notification, row_id)


async def recipients(database: Database, tenant: TenantRef) -> Sequence[NotificationRecipient]:
    async with database.tenant_session(tenant.id) as db:
        asked = select(NotificationRecipient).order_by(NotificationRecipient.level, NotificationRecipient.id)
        return (await db.scalars(asked)).all()


async def me(client: httpx.AsyncClient) -> uuid.UUID:
    return uuid.UUID((await client.get("/me")).json()["id"])


async def audited(database: Database, tenant: TenantRef) -> list[str]:
    async with database.tenant_session(tenant.id) as db:
        asked = select(AuditRow.action).where(AuditRow.action.like("core.notification%")).order_by(AuditRow.seq)
        return [action.rpartition(".")[2] for action in (await db.scalars(asked)).all()]


async def test_it_reaches_the_role_at_its_plant_and_nobody_else(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    here, there = await a_plant(database, tenant), await a_plant(database, tenant, "P2")
    at_plant, elsewhere = await sign_in(tenant, "SV", here), await sign_in(tenant, "SV", there)
    whole, operator = await sign_in(tenant, "SV"), await sign_in(tenant, "OP", here)
    said = await say(database, tenant, plant_id=here, entity="plant_ops.line", entity_id=here)
    for client in (at_plant, whole):
        (item,) = await inbox(client)
        assert (item["id"], item["title"], item["count"], item["entity_id"]) == (
            str(said),
            "Oven 2 is cold",
            1,
            str(here),
        )
    for client in (elsewhere, operator):
        assert await inbox(client) == []
        for verb in ("read", "ack"):
            answer = await client.post(f"/notifications/{said}:{verb}")
            assert (answer.status_code, answer.json()["code"]) == (404, "record_unknown")
    assert await unread(at_plant) == 1


async def test_a_role_that_was_taken_away_is_told_nothing(database: Database, tenant: TenantRef) -> None:
    await a_user(database, tenant, "SV")
    await a_user(database, tenant, "QM")
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        supervisor = select(Role.id).where(Role.key == "SV").scalar_subquery()
        gone = update(UserRole).where(UserRole.role_id == supervisor).values(retired_at=database.clock.now())
        await db.execute(gone, execution_options={"synchronize_session": False})
    await say(database, tenant)
    assert [own.level for own in await recipients(database, tenant)] == [2], "the next role up is told"


async def test_the_same_again_only_counts_until_it_is_closed(
    database: Database, tenant: TenantRef, sign_in: SignIn, frozen: FakeClock
) -> None:
    client = await sign_in(tenant, "SV")
    first = await say(database, tenant)
    frozen.advance(5)
    assert await say(database, tenant, title="another title") == first
    (item,) = await inbox(client)
    assert (item["count"], item["title"], datetime.fromisoformat(item["last_at"])) == (
        2,
        "Oven 2 is cold",
        frozen.now(),
    )
    assert (await client.post(f"/notifications/{first}:ack")).json()["state"] == "acked"
    second = await say(database, tenant)
    assert second != first
    assert [item["id"] for item in await inbox(client)] == [str(second), str(first)]
    assert [item["id"] for item in await inbox(client, is_open=True)] == [str(second)]
    assert [item["id"] for item in await inbox(client, is_open=False)] == [str(first)]


async def test_of_many_that_say_it_at_once_one_makes_it_and_all_count(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    client = await sign_in(tenant, "SV")
    ids = await asyncio.gather(*(say(database, tenant) for _ in range(8)))
    assert len(set(ids)) == 1
    (item,) = await inbox(client)
    assert item["count"] == 8
    assert len(await recipients(database, tenant)) == 1


async def test_two_open_ones_with_one_key_cannot_be(database: Database, tenant: TenantRef) -> None:
    await a_row(database, tenant)
    await a_row(database, tenant, state="expired")
    with pytest.raises(IntegrityError, match="uq_core_notification_dedupe_key"):
        await a_row(database, tenant)


async def a_row(database: Database, tenant: TenantRef, **over: Any) -> Notification:
    now = database.clock.now()
    given: dict[str, Any] = {
        "id": new_id(now), "category": "test", "severity": "warn", "title": "t", "dedupe_key": "k", "channels": [],
        "state": NotificationState.pending, "count": 1, "last_at": now, "level": 0, "escalate_after_min": 5,
    }  # fmt: skip
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        row = Notification(**given | over)
        db.add(row)
    return row


@pytest.mark.parametrize(
    ("over", "rule"),
    [
        ({"severity": "loud"}, "severity"),
        ({"severity": "critical", "escalate_after_min": None}, "critical_escalates"),
        ({"severity": "critical", "state": "expired"}, "critical_never_expires"),
        ({"severity": "critical", "expires_at": datetime(2030, 1, 1, tzinfo=UTC)}, "critical_never_expires"),
        ({"state": "acked"}, "acked_by_a_person"),
        ({"acked_at": datetime(2030, 1, 1, tzinfo=UTC)}, "acked_at"),
        ({"escalate_after_min": 0}, "escalate_after_min"),
        ({"level": 4}, "level"),
        ({"count": 0}, "count"),
        ({"title": ""}, "title"),
    ],
)
async def test_the_database_refuses_what_cannot_be(
    database: Database, tenant: TenantRef, over: dict[str, Any], rule: str
) -> None:
    with pytest.raises(IntegrityError, match=f"ck_core_notification_{rule}"):
        await a_row(database, tenant, **over)


async def test_reading_and_acknowledging_are_on_record_and_never_undone(
    database: Database, tenant: TenantRef, sign_in: SignIn, frozen: FakeClock
) -> None:
    client, other = await sign_in(tenant, "SV"), await sign_in(tenant, "SV")
    said = await say(database, tenant, severity="critical")
    assert (await one(database, tenant, said)).state == "pending"
    (item,) = await inbox(client)
    assert (item["state"], item["read_at"], item["delivered_at"] is not None) == ("delivered", None, True)
    await inbox(client)
    frozen.advance(1)
    read = (await client.post(f"/notifications/{said}:read")).json()
    frozen.advance(1)
    again = (await client.post(f"/notifications/{said}:read")).json()
    assert (read["state"], read["read_at"], await unread(client)) == ("read", again["read_at"], 0)
    (theirs,) = await inbox(other)
    assert (theirs["state"], theirs["read_at"]) == ("read", None)
    acked = (await client.post(f"/notifications/{said}:ack")).json()
    assert (acked["state"], acked["acked_by"]) == ("acked", str(await me(client)))
    late = (await other.post(f"/notifications/{said}:ack")).json()
    assert (late["acked_by"], late["acked_at"] is not None) == (acked["acked_by"], True)
    assert await audited(database, tenant) == ["deliver", "read", "read", "ack", "ack"]
    for name in ("delivered_at", "read_at", "acked_at"):
        with pytest.raises(DBAPIError, match="never changed"):
            async with database.tenant_session(tenant.id, system(tenant.id)) as db:
                await db.execute(update(NotificationRecipient).values({name: frozen.now() + timedelta(seconds=9)}))
    for model in (NotificationRecipient, Notification):
        with pytest.raises(DBAPIError, match="never changed"):
            async with database.tenant_session(tenant.id, system(tenant.id)) as db:
                await db.execute(delete(model))
    with pytest.raises(DBAPIError, match="never changed"):
        async with database.tenant_session(tenant.id, system(tenant.id)) as db:
            await db.execute(update(Notification).values(acked_by=await me(other)))


@pytest.mark.parametrize(
    ("over", "rule"), [({"read_at": datetime(2030, 1, 1, tzinfo=UTC)}, "read_is_delivered"), ({"acked_at": datetime(2030, 1, 1, tzinfo=UTC)}, "acked_is_read")]
)  # fmt: skip
async def test_nothing_is_read_before_it_was_delivered(
    database: Database, tenant: TenantRef, sign_in: SignIn, over: dict[str, Any], rule: str
) -> None:
    await sign_in(tenant, "SV")
    await say(database, tenant)
    with pytest.raises(IntegrityError, match=rule):
        async with database.tenant_session(tenant.id, system(tenant.id)) as db:
            await db.execute(update(NotificationRecipient).values(over))


async def test_acknowledging_at_once_is_reading_too(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    client = await sign_in(tenant, "SV")
    said = await say(database, tenant)
    item = (await client.post(f"/notifications/{said}:ack")).json()
    assert all(item[name] for name in ("delivered_at", "read_at", "acked_at"))


async def test_no_terminal_and_no_program_acknowledges(database: Database, tenant: TenantRef) -> None:
    said = await say(database, tenant, severity="critical")
    for kind in (ActorKind.device, ActorKind.system):
        actor = Actor(kind, tenant.id, uuid.uuid4(), permissions=frozenset({"core.notification.ack"}))
        with pytest.raises(NotAllowed, match="person_needed"):
            async with database.tenant_session(tenant.id, actor) as db:
                await perform(db, actor, Notification, answering.CODE, answering.ACK, said, answering.Nothing())


async def test_two_people_who_acknowledge_at_once_close_it_once(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    people = [await sign_in(tenant, "SV") for _ in range(3)]
    said = await say(database, tenant)
    answers = await asyncio.gather(*(each.post(f"/notifications/{said}:ack") for each in people))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["acked_by"] for answer in answers}) == 1


async def test_a_screen_that_shows_it_takes_no_part_of_it_before_who_acknowledges_is_done(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    person = await me(await sign_in(tenant, "SV"))
    said, _ = await say(database, tenant), await say(database, tenant, dedupe_key="oven-3")
    actor = Actor(ActorKind.user, tenant.id, id=person)

    async def show() -> None:
        async with database.tenant_session(tenant.id, actor) as db:
            await answering.deliver(db, person, [said])

    async with database.tenant_session(tenant.id) as db:
        await db.execute(select(Notification).where(Notification.id == said).with_for_update())
        shown = asyncio.create_task(show())
        await until_waiting(db)
        mine = select(NotificationRecipient).where(NotificationRecipient.notification_id == said)
        await db.execute(mine.with_for_update(nowait=True))
    await shown
    (own,) = [each for each in await recipients(database, tenant) if each.notification_id == said]
    assert (own.delivered_at, (await one(database, tenant, said)).state) == (
        database.clock.now(),
        NotificationState.delivered,
    )


async def test_what_nobody_acknowledges_goes_up_rung_by_rung(
    app: FastAPI, database: Database, tenant: TenantRef, frozen: FakeClock
) -> None:
    people = [await a_user(database, tenant, role) for role in ("OP", "QT", "SV", "QM", "TA")]
    said = await say(database, tenant, severity="critical", roles=("OP", "QT"), escalate_after_min=10)
    levels = [0, 0]
    for minutes, rung in ((9, None), (1, 1), (9, None), (1, 2), (10, 3), (10, None), (60, None)):
        frozen.advance(minutes * 60)
        await asyncio.gather(*(jobs.escalate(app, tenant) for _ in range(2)))
        levels += [] if rung is None else [rung]
        assert [own.level for own in await recipients(database, tenant)] == levels, minutes
        assert (await one(database, tenant, said)).level == levels[-1]
    assert len(people) == len(levels)
    assert await audited(database, tenant) == ["escalate"] * 3
    assert (await one(database, tenant, said)).escalate_at is None


async def test_a_rung_without_people_is_left_out_and_an_answer_stops_the_climb(
    app: FastAPI, database: Database, tenant: TenantRef, sign_in: SignIn, frozen: FakeClock
) -> None:
    qm = await sign_in(tenant, "QM")
    await sign_in(tenant, "TA")
    said = await say(database, tenant, severity="critical", roles=("OP",), escalate_after_min=5)
    assert [own.level for own in await recipients(database, tenant)] == [2], "no operator and no supervisor is there"
    assert (await qm.post(f"/notifications/{said}:ack")).status_code == 200
    frozen.advance(3600)
    await jobs.escalate(app, tenant)
    assert len(await recipients(database, tenant)) == 1


async def test_reading_does_not_stop_the_climb_and_news_never_climb(
    app: FastAPI, database: Database, tenant: TenantRef, sign_in: SignIn, frozen: FakeClock
) -> None:
    client = await sign_in(tenant, "SV")
    await sign_in(tenant, "QM")
    said = await say(database, tenant, severity="critical", escalate_after_min=5)
    await say(database, tenant, severity="info", dedupe_key="info")
    await client.post(f"/notifications/{said}:read")
    frozen.advance(300)
    await jobs.escalate(app, tenant)
    assert [own.level for own in await recipients(database, tenant)] == [1, 1, 2]


async def test_only_what_is_not_critical_expires(
    app: FastAPI, database: Database, tenant: TenantRef, sign_in: SignIn, frozen: FakeClock
) -> None:
    client = await sign_in(tenant, "SV")
    warning = await say(database, tenant)
    critical = await say(database, tenant, severity="critical", dedupe_key="2")
    for hours, state in ((71.9, "pending"), (0.2, "expired")):
        frozen.advance(hours * 3600)
        await jobs.expire(app, tenant)
        assert (await one(database, tenant, warning)).state == state
    assert (await one(database, tenant, critical)).state == "pending"
    frozen.advance(-72 * 3600)
    for verb, status in (("ack", 409), ("read", 409)):
        assert (await client.post(f"/notifications/{warning}:{verb}")).status_code == status
    assert await audited(database, tenant) == ["expire"]


async def test_what_was_seen_and_not_acknowledged_expires_too(
    app: FastAPI, database: Database, tenant: TenantRef, sign_in: SignIn, frozen: FakeClock
) -> None:
    client = await sign_in(tenant, "SV")
    seen, read = await say(database, tenant), await say(database, tenant, dedupe_key="2")
    await inbox(client)
    await client.post(f"/notifications/{read}:read")
    assert [(await one(database, tenant, each)).state for each in (seen, read)] == ["delivered", "read"]
    frozen.advance(73 * 3600)
    await jobs.expire(app, tenant)
    assert [(await one(database, tenant, each)).state for each in (seen, read)] == ["expired", "expired"]


async def test_what_gets_worse_is_critical_for_all_at_once(
    database: Database, tenant: TenantRef, sign_in: SignIn, frozen: FakeClock
) -> None:
    client = await sign_in(tenant, "SV")
    await rest(client, frozen.now())
    said = await say(database, tenant)
    assert (await recipients(database, tenant))[0].due_at > frozen.now()
    assert await say(database, tenant, severity="critical") == said
    row, (own,) = await one(database, tenant, said), await recipients(database, tenant)
    assert (row.severity, row.expires_at, own.due_at, own.is_by_mail) == ("critical", None, frozen.now(), True)
    await say(database, tenant, severity="info")
    assert (await one(database, tenant, said)).severity == "critical", "and nothing makes it less"


async def rest(client: httpx.AsyncClient, now: datetime) -> None:
    """Quiet from an hour before now to an hour after."""
    hours = [(now + timedelta(hours=each)).time().isoformat() for each in (-1, 1)]
    answer = await client.put("/me/quiet-hours", json={"starts": hours[0], "ends": hours[1], "tz": "UTC"})
    assert answer.status_code == 200, answer.text


class Box:
    """A mail server in memory, that may be down."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.is_down = False

    def send(self, letter: Letter) -> None:
        if self.is_down:
            raise OSError("no route to host")
        self.letters.append(letter)


@pytest.fixture
def box(app: FastAPI) -> Iterator[Box]:
    before, made = app.state.mail, Box()
    app.state.mail = made
    yield made
    app.state.mail = before


async def with_address(database: Database, tenant: TenantRef, client: httpx.AsyncClient, email: str) -> None:
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        await db.execute(update(User).where(User.id == await me(client)).values(email=email))


async def test_quiet_hours_hold_back_letters_but_never_what_is_critical(
    app: FastAPI, database: Database, tenant: TenantRef, sign_in: SignIn, frozen: FakeClock, box: Box
) -> None:
    client, admin = await sign_in(tenant, "SV"), await sign_in(tenant, "TA")
    await with_address(database, tenant, client, "sv@example.com")
    given = {"key": "notify.mail_from", "scope": "tenant", "value": "warn", "reason": "small company"}
    assert (await admin.post("/config", json=given)).status_code == 201
    await rest(client, frozen.now())
    await say(database, tenant)
    await say(database, tenant, severity="critical", dedupe_key="2", title="Lot 7\r\nBcc: all@example.com is on hold")
    for _ in range(2):
        await jobs.send_letters(app, tenant)
    (letter,) = box.letters
    assert (letter.to, letter.subject) == ("sv@example.com", "[critical] Lot 7 Bcc: all@example.com is on hold")
    frozen.advance(3601)
    await jobs.announce(app, tenant)
    await asyncio.gather(*(jobs.send_letters(app, tenant) for _ in range(2)))
    assert [letter.subject for letter in box.letters[1:]] == ["[warn] Oven 2 is cold"]
    assert all(own.announced_at and own.delivered_at for own in await recipients(database, tenant))


async def test_who_acknowledges_does_not_wait_for_letters_that_were_sent(
    app: FastAPI, database: Database, tenant: TenantRef, sign_in: SignIn, box: Box
) -> None:
    await with_address(database, tenant, await sign_in(tenant, "SV"), "sv@example.com")
    said = await say(database, tenant, severity="critical")
    async with database.tenant_session(tenant.id) as db:
        await db.execute(select(Notification).where(Notification.id == said).with_for_update())
        sending = asyncio.create_task(jobs.send_letters(app, tenant))
        await until_waiting(db)
        mine = select(NotificationRecipient).where(NotificationRecipient.notification_id == said)
        await db.execute(mine.with_for_update(nowait=True))
    await sending
    (own,) = await recipients(database, tenant)
    assert (len(box.letters), own.mailed_at, own.delivered_at) == (1, database.clock.now(), database.clock.now())


async def test_a_letter_that_could_not_be_sent_is_sent_later_and_one_nobody_needs_is_not(
    app: FastAPI, database: Database, tenant: TenantRef, sign_in: SignIn, box: Box, caplog: pytest.LogCaptureFixture
) -> None:
    client = await sign_in(tenant, "SV")
    await with_address(database, tenant, client, "sv@example.com")
    await say(database, tenant, severity="critical")
    await say(database, tenant, severity="warn", dedupe_key="2")
    done = await say(database, tenant, severity="critical", dedupe_key="3", title="done")
    await client.post(f"/notifications/{done}:ack")
    box.is_down = True
    await jobs.send_letters(app, tenant)
    assert (box.letters, "could not be sent" in caplog.text) == ([], True)
    box.is_down = False
    await jobs.send_letters(app, tenant)
    assert [letter.subject for letter in box.letters] == ["[critical] Oven 2 is cold"]


@pytest.mark.parametrize(
    "given", [{"starts": "22:00", "ends": "22:00", "tz": "UTC"}, {"starts": "22:00", "ends": "06:00", "tz": "Mars/Olympus"}, {"starts": "22:00Z", "ends": "06:00", "tz": "UTC"}, {"starts": "22:00", "ends": "06:00", "tz": "../etc"}]
)  # fmt: skip
async def test_quiet_hours_that_mean_nothing_are_refused(
    tenant: TenantRef, sign_in: SignIn, given: dict[str, str]
) -> None:
    client = await sign_in(tenant, "SV")
    answer = await client.put("/me/quiet-hours", json=given)
    assert (answer.status_code, answer.json()["code"]) == (422, "quiet_hours_bad")


async def test_quiet_hours_are_set_shown_changed_and_ended(tenant: TenantRef, sign_in: SignIn) -> None:
    client, other = await sign_in(tenant, "SV"), await sign_in(tenant, "SV")
    for ends in ("06:00:00", "05:00:00"):
        hours = {"starts": "22:00:00", "ends": ends, "tz": "Europe/Berlin"}
        assert (await client.put("/me/quiet-hours", json=hours)).json() == hours
        assert (await client.get("/me/quiet-hours")).json() == hours
    assert (await other.get("/me/quiet-hours")).json() is None
    assert (await client.put("/me/quiet-hours", json=None)).json() is None
    assert (await client.get("/me/quiet-hours")).json() is None


wall = st.times().map(lambda each: each.replace(second=0, microsecond=0))
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis adds the zone


@given(moments, wall, wall, st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]))
def test_the_end_of_quiet_hours_is_within_a_day_and_not_quiet(
    now: datetime, starts: time, ends: time, zone: str
) -> None:
    if starts == ends:
        return
    end = quiet.end_of((starts, ends, zone), now)
    assert now <= end <= now + timedelta(hours=25)
    if end != now:
        assert (
            end.astimezone(ZoneInfo(zone)).time().replace(tzinfo=None) == ends
            or end.astimezone(ZoneInfo(zone)).minute % 30 == ends.minute % 30
        )
        assert quiet.end_of((starts, ends, zone), end) == end


async def test_who_reads_all_at_once_takes_each_before_anybodys_copy_and_all_in_one_order(
    database: Database, tenant: TenantRef, sign_in: SignIn, frozen: FakeClock
) -> None:
    client = await sign_in(tenant, "SV")
    first = await say(database, tenant)
    frozen.advance(0.001)  # ids of one millisecond have no order
    last = await say(database, tenant, dedupe_key="2")
    await say(database, tenant)  # counted, and the copy was changed: the first lies behind the last in both tables
    async with database.tenant_session(tenant.id) as db:
        copy = update(NotificationRecipient).where(NotificationRecipient.notification_id == first)
        await db.execute(copy.values(due_at=NotificationRecipient.due_at))
    async with database.tenant_session(tenant.id) as db:
        await db.execute(select(Notification).where(Notification.id == first).with_for_update())
        reading = asyncio.create_task(client.post("/notifications:read-all"))
        await until_waiting(db)
        await db.execute(select(Notification).where(Notification.id == last).with_for_update(nowait=True))
        await db.execute(select(NotificationRecipient).with_for_update(nowait=True))
    assert (await reading).status_code == 200
    assert await unread(client) == 0


async def test_all_is_read_at_once_and_pages_follow(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    client, other = await sign_in(tenant, "SV"), await sign_in(tenant, "SV")
    said = [str(await say(database, tenant, dedupe_key=str(n))) for n in range(5)]
    found: list[str] = []
    after: str | None = None
    while True:
        page = (await client.get("/notifications", params={"limit": 2} | ({"after": after} if after else {}))).json()
        found += [item["id"] for item in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert found == sorted(said, reverse=True)
    assert (await client.post("/notifications:read-all")).json() == {"count": 5}
    assert (await client.post("/notifications:read-all")).json() == {"count": 0}
    assert (await unread(client), await unread(other)) == (0, 5)


async def test_another_company_hears_nothing(
    two_tenants: tuple[TenantRef, TenantRef], database: Database, sign_in: SignIn
) -> None:
    mine, other = two_tenants
    stranger = await sign_in(other, "SV")
    said = await say(database, mine)
    assert await inbox(stranger) == []
    assert (await stranger.post(f"/notifications/{said}:ack")).status_code == 404


async def test_who_left_the_plant_sees_its_notifications_no_more(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    here, there = await a_plant(database, tenant), await a_plant(database, tenant, "P2")
    client = await sign_in(tenant, "SV", there)
    said = await say(database, tenant, plant_id=here, user_ids=(await me(client),))
    assert [own.user_id for own in await recipients(database, tenant)] == [await me(client)]
    assert await inbox(client) == []
    assert (await client.post(f"/notifications/{said}:read")).status_code == 404
    assert (await client.post("/notifications:read-all")).json() == {"count": 0}
