"""A session as a family of refresh tokens: goes on while it is used, ends whole."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import event, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines.identity import UserState
from server.core.actor import system
from server.core.db import together
from server.core.db.sessions import Database, TenantRef
from server.identity import people, sessions
from server.identity.models import RefreshToken, Role, User
from tests.server.conftest import SignIn
from tests.server.identity.people import Guest, a_guest, audited, links, user_id


@pytest_asyncio.fixture(loop_scope="session")
async def guest(database: Database, tenant: TenantRef, anonymous: httpx.AsyncClient) -> Guest:
    return await a_guest(database, tenant, anonymous)


def is_bad(answer: httpx.Response, code: str = "token_bad") -> bool:
    return (answer.status_code, answer.json().get("code")) == (401, code)


async def test_refresh_gives_two_new_tokens_and_the_old_access_token_still_holds(guest: Guest) -> None:
    access, refresh = guest.access, guest.refresh
    answer = await guest.use()
    assert (answer.status_code, answer.json()["expires_in_s"]) == (200, 900)
    assert answer.headers["cache-control"] == "no-store"
    assert guest.refresh != refresh
    assert (await guest.call("GET", "/me", token=access)).status_code == 200
    assert await guest.is_in()


async def test_only_the_hash_is_kept_and_the_links_name_their_family(
    guest: Guest, database: Database, tenant: TenantRef
) -> None:
    texts = [guest.refresh]
    for _ in range(2):
        await guest.use()
        texts.append(guest.refresh)
    after = {row.parent_id: row for row in await links(database, tenant)}
    rows = [after[None]]
    while rows[-1].id in after:
        rows.append(after[rows[-1].id])
    assert [row.token_sha256 for row in rows] == [hashlib.sha256(text.encode()).digest() for text in texts]
    assert {row.family_id for row in rows} == {rows[0].id}
    assert [row.used_at is None for row in rows] == [False, False, True]


async def test_a_reused_refresh_token_ends_the_whole_family(
    guest: Guest, database: Database, tenant: TenantRef
) -> None:
    stolen = guest.refresh
    await guest.use()
    await guest.use()
    assert is_bad(await guest.use(stolen))
    assert not await guest.is_in(), "the access token of the family falls with it"
    assert is_bad(await guest.use()), "so does the newest refresh token"
    assert {row.reason for row in await links(database, tenant)} == {"reused"}
    assert await audited(database, tenant) == ["auth.login", "auth.token_reused"]


async def test_reuse_leaves_the_persons_other_sessions_alone(guest: Guest) -> None:
    first = Guest(guest.tenant, guest.badge, guest.client, guest.access, guest.refresh)
    await guest.enter()
    stolen = first.refresh
    await first.use()
    assert is_bad(await first.use(stolen))
    assert await guest.is_in()
    assert (await guest.use()).status_code == 200


async def test_of_two_refreshes_at_the_same_time_one_wins_and_the_other_ends_the_family(
    guest: Guest, database: Database, tenant: TenantRef
) -> None:
    for _ in range(5):
        await guest.use()  # what races is not the family's head
        given = {"refresh_token": guest.refresh}
        answers = await asyncio.gather(*(guest.client.post("/auth/refresh", json=given) for _ in range(2)))
        assert sorted(answer.status_code for answer in answers) == [200, 401]
        guest.keep(next(answer for answer in answers if answer.status_code == 200))
        assert not await guest.is_in()
        assert is_bad(await guest.use())
        await guest.enter()
    rows = await links(database, tenant)
    assert (len(rows), sum(row.revoked_at is None for row in rows)) == (16, 1)


async def test_signing_out_while_refreshing_leaves_nothing_alive(
    guest: Guest, database: Database, tenant: TenantRef
) -> None:
    for _ in range(5):
        given = {"refresh_token": guest.refresh}
        got, _, _ = await asyncio.gather(
            guest.client.post("/auth/refresh", json=given),
            guest.client.post("/auth/logout", json=given),
            guest.call("POST", "/auth/logout-all"),
        )
        guest.keep(got)
        assert not await guest.is_in()
        assert is_bad(await guest.use())
        assert all(row.revoked_at is not None for row in await links(database, tenant))
        await guest.enter()


async def test_a_session_that_rests_for_fourteen_days_is_over(guest: Guest, frozen: FakeClock) -> None:
    frozen.advance(sessions.IDLE.total_seconds() - 1)
    assert (await guest.use()).status_code == 200
    frozen.advance(sessions.IDLE.total_seconds())
    assert is_bad(await guest.use(), "token_expired")


async def test_a_session_in_use_ends_after_thirty_days(guest: Guest, frozen: FakeClock) -> None:
    for _ in range(29):
        frozen.advance(timedelta(days=1).total_seconds())
        answer = await guest.use()
        assert answer.status_code == 200
    assert answer.json()["refresh_expires_in_s"] == 24 * 3600
    frozen.advance(timedelta(days=1).total_seconds())
    assert is_bad(await guest.use(), "token_expired")


async def test_a_session_of_who_is_shut_out_does_not_go_on(guest: Guest, database: Database) -> None:
    """Also where nothing but the account says so."""
    async with database.tenant_session(guest.tenant.id, system(guest.tenant.id)) as db:
        await db.execute(update(User).where(User.id == user_id(guest)).values(status=UserState.disabled))
    assert is_bad(await guest.use())


async def test_signing_out_ends_this_session_only(guest: Guest, database: Database, tenant: TenantRef) -> None:
    first = Guest(guest.tenant, guest.badge, guest.client, guest.access, guest.refresh)
    await guest.enter()
    answer = await guest.client.post("/auth/logout", json={"refresh_token": first.refresh})
    assert answer.status_code == 204
    assert not await first.is_in()
    assert is_bad(await first.use())
    assert await guest.is_in()
    assert await audited(database, tenant) == ["auth.login", "auth.login", "auth.logout"]


async def test_signing_out_says_nothing_of_what_there_is(guest: Guest) -> None:
    for text in ("rubbish", "x.y", f"{guest.tenant.id.hex}.unknown", guest.refresh, guest.refresh):
        answer = await guest.client.post("/auth/logout", json={"refresh_token": text})
        assert (answer.status_code, answer.content) == (204, b"")


async def test_signing_out_everywhere_ends_all(guest: Guest, database: Database, tenant: TenantRef) -> None:
    first = Guest(guest.tenant, guest.badge, guest.client, guest.access, guest.refresh)
    await guest.enter()
    assert (await guest.call("POST", "/auth/logout-all")).status_code == 204
    for each in (first, guest):
        assert not await each.is_in()
        assert is_bad(await each.use())
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        user = await db.get_one(User, user_id(guest))
        assert (user.token_epoch, user.version) == (1, 1), "no news for terminals"


@pytest.mark.parametrize(
    "text", ["", "x", ".", "{tenant}", "{tenant}.", "{tenant}.wrong", "{other}.{random}", "{UPPER}.{random}"]
)
async def test_refresh_tokens_that_are_not_ours_are_refused(
    two_tenants: tuple[TenantRef, TenantRef], database: Database, anonymous: httpx.AsyncClient, text: str
) -> None:
    mine, other = two_tenants
    guest = await a_guest(database, mine, anonymous)
    random = guest.refresh.partition(".")[2]
    wrong = text.format(tenant=mine.id.hex, other=other.id.hex, UPPER=mine.id.hex.upper(), random=random)
    assert is_bad(await anonymous.post("/auth/refresh", json={"refresh_token": wrong}))
    assert (await guest.use()).status_code == 200


async def test_an_admin_disables_somebody_who_is_out_at_once(
    guest: Guest, sign_in: SignIn, database: Database, tenant: TenantRef
) -> None:
    admin = await sign_in(tenant, "TA")
    path = f"/users/{user_id(guest)}:disable"
    assert (await guest.call("POST", path, {"reason": "no longer here"})).status_code == 403
    answer = await admin.post(path, json={"reason": "no longer here"})
    assert (answer.status_code, answer.json()["status"]) == (200, "disabled"), answer.text
    assert not await guest.is_in()
    assert is_bad(await guest.use())
    assert is_bad(await guest.enter(), "sign_in_failed")
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        assert (await db.get_one(User, user_id(guest))).token_epoch == 1
    (row,) = [row for row in await links(database, tenant) if row.user_id == user_id(guest)]
    assert row.reason == "disabled"


async def test_the_last_admin_cannot_be_disabled(sign_in: SignIn, tenant: TenantRef) -> None:
    admin, other = await sign_in(tenant, "TA"), await sign_in(tenant, "TA")
    ids = [(await each.get("/me")).json()["id"] for each in (admin, other)]
    given = {"reason": "no longer here"}
    assert (await admin.post(f"/users/{ids[1]}:disable", json=given)).status_code == 200
    answer = await admin.post(f"/users/{ids[0]}:disable", json=given)
    assert (answer.status_code, answer.json()["code"]) == (409, "last_admin")


async def test_two_admins_cannot_disable_each_other_at_the_same_time(sign_in: SignIn, tenant: TenantRef) -> None:
    both = [await sign_in(tenant, "TA"), await sign_in(tenant, "TA")]
    ids = [(await each.get("/me")).json()["id"] for each in both]
    given = {"reason": "no longer here"}
    answers = await asyncio.gather(
        *(each.post(f"/users/{other}:disable", json=given) for each, other in zip(both, ids[::-1], strict=True))
    )
    assert sum(answer.status_code == 200 for answer in answers) == 1


async def test_who_looks_for_another_admin_lets_nobody_else_look_until_the_end(
    sign_in: SignIn, database: Database, tenant: TenantRef
) -> None:
    """Two at once are stopped by this lock alone, whichever of them comes first."""
    admin, _ = await sign_in(tenant, "TA"), await sign_in(tenant, "TA")
    mine, nobody = uuid.UUID((await admin.get("/me")).json()["id"]), system(tenant.id)
    second = select(Role.id).where(Role.key == people.ADMIN).with_for_update(nowait=True, key_share=True)
    async with database.tenant_session(tenant.id, nobody) as db:
        await people.refuse_last_admin(db, mine)
        with pytest.raises(DBAPIError, match="could not obtain lock"):
            async with database.tenant_session(tenant.id, nobody) as other:
                await other.execute(second)


async def test_a_token_that_ends_before_it_begins_is_refused_by_the_database(
    guest: Guest, database: Database, tenant: TenantRef
) -> None:
    now = database.clock.now()
    token_id = new_id(now)
    row = RefreshToken(
        id=token_id, token_sha256=b"x", family_id=token_id, user_id=user_id(guest), issued_at=now, expires_at=now
    )
    with pytest.raises(IntegrityError, match="expires"):
        async with database.tenant_session(tenant.id, system(tenant.id)) as db:
            db.add(row)


@pytest.mark.usefixtures("guest")
async def test_a_hash_is_there_once(database: Database, tenant: TenantRef) -> None:
    (kept,) = await links(database, tenant)
    now = database.clock.now()
    token_id = new_id(now)
    row = RefreshToken(
        id=token_id, token_sha256=kept.token_sha256, family_id=token_id, user_id=kept.user_id, issued_at=now, expires_at=now + sessions.IDLE
    )  # fmt: skip
    with pytest.raises(IntegrityError, match="token_sha256"):
        async with database.tenant_session(tenant.id, system(tenant.id)) as db:
            db.add(row)


async def test_who_is_known_is_asked_about_in_one_question(
    guest: Guest, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await guest.call("GET", "/devices")
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    send = together.send

    def noted(session: Session, *questions: together.Asked, commit: bool = False) -> object:
        asked.extend(one.sql for one, _ in questions)
        return send(session, *questions, commit=commit)

    monkeypatch.setattr(together, "send", noted)
    engine = database._engines[guest.tenant.schema].sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        await guest.call("GET", "/devices")  # forbidden or not: only who calls is asked of the tenant
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len(asked) == 1, "person, session, and the mark of rights"
