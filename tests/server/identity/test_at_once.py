"""Two at once: who comes second waits, and decides by what the first has left."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import Executable, insert, select, update

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.errors import Refused
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines.content import NotificationState
from foodflow_kernel.machines.identity import ApiKeyState, RoleState, TenantState, UserState
from server.core.actor import Actor, ActorKind, system
from server.core.audit import AuditHead, AuditRow
from server.core.db.sessions import Database, Tenant, TenantRef
from server.core.esign import Credentials, Meaning
from server.core.models import Notification, NotificationRecipient
from server.identity import api_keys, break_glass, keys, passwords, pins, roles, sessions, signing
from server.identity.models import ApiKey, RefreshToken, Role, SigningKey, User, UserRole
from server.identity.notices import jobs
from server.identity.operators import PlatformUser
from server.identity.platform import BreakGlass
from tests.server.conftest import PASSWORD, SignIn
from tests.server.core.test_esign import a_hold, sign
from tests.server.identity.glass import Platform, platform
from tests.server.identity.people import Guest, a_guest, links, user_id
from tests.server.identity.staff import Staff
from tests.server.identity.test_api_keys import READ, a_key, kept
from tests.server.identity.test_notices import Box, box, one, say, with_address
from tests.server.identity.test_second_factor import STEP, App
from tests.server.identity.test_tenants import REASON, in_state, trail
from tests.server.races import behind, until_waiting

__all__ = ["box", "platform"]

NEW = "four grey herons wait here"
WRONG = "not the password of anybody"


@pytest_asyncio.fixture(loop_scope="session")
async def guest(database: Database, tenant: TenantRef, anonymous: httpx.AsyncClient) -> Guest:
    """A QA manager with a session, whose token the client sends."""
    made = await a_guest(database, tenant, anonymous, "QM")
    anonymous.headers["Authorization"] = f"Bearer {made.access}"
    return made


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "") if answer.content else ""


def after(database: Database, tenant: TenantRef, change: Executable, second: Awaitable[Any], **how: Any) -> Any:
    return behind(database.tenant_session(tenant.id, system(tenant.id)), change, second, **how)


async def the_user(guest: Guest, database: Database) -> User:
    async with database.tenant_session(guest.tenant.id) as db:
        return await db.get_one(User, user_id(guest))


def of(guest: Guest, **values: Any) -> Executable:
    return update(User).where(User.id == user_id(guest)).values(values)


# --- a password


def sign_in_again(guest: Guest) -> Awaitable[httpx.Response]:
    return guest.enter()


def change_password(guest: Guest, old: str = PASSWORD) -> Awaitable[httpx.Response]:
    change: Awaitable[httpx.Response] = guest.call(
        "POST", "/auth/password-change", {"old_password": old, "new_password": NEW}
    )
    return change


def enroll(guest: Guest) -> Awaitable[httpx.Response]:
    answer: Awaitable[httpx.Response] = guest.call("POST", "/auth/mfa/enroll", {"password": PASSWORD})
    return answer


@pytest.mark.parametrize(
    ("second", "refusal"),
    [
        (sign_in_again, "sign_in_failed"),
        (change_password, "signature_failed"),
        (enroll, "signature_failed"),
    ],
)
async def test_the_password_that_is_just_being_replaced_opens_nothing(
    guest: Guest, database: Database, second: Callable[[Guest], Awaitable[httpx.Response]], refusal: str
) -> None:
    replaced = of(guest, password_hash=passwords.HASHER.hash("seven red foxes wait there"))
    assert code(await after(database, guest.tenant, replaced, second(guest))) == (401, refusal)


async def test_who_is_just_being_shut_out_signs_nothing(guest: Guest, database: Database) -> None:
    hold = await a_hold(database, guest.tenant)
    shut = of(guest, status=UserState.disabled)
    assert code(await after(database, guest.tenant, shut, sign(guest.client, hold))) == (401, "signature_failed")


# --- wrong tries: of many at once each counts, since who counts holds the person


def wrong_password_for_a_new_one(guest: Guest, _hold: str) -> Awaitable[httpx.Response]:
    return change_password(guest, old=WRONG)


def wrong_password_for_a_second_factor(guest: Guest, _hold: str) -> Awaitable[httpx.Response]:
    answer: Awaitable[httpx.Response] = guest.call("POST", "/auth/mfa/enroll", {"password": WRONG})
    return answer


def wrong_password_to_sign(guest: Guest, hold: str) -> Awaitable[httpx.Response]:
    return sign(guest.client, hold, credentials={"password": WRONG})


def wrong_password_to_sign_in(guest: Guest, _hold: str) -> Awaitable[httpx.Response]:
    given = {"tenant": guest.tenant.slug, "login": guest.badge, "password": WRONG}
    return guest.client.post("/auth/login", json=given)


@pytest.mark.parametrize(
    "wrong",
    [
        wrong_password_for_a_new_one,
        wrong_password_for_a_second_factor,
        wrong_password_to_sign,
        wrong_password_to_sign_in,
    ],
)
async def test_the_fifth_wrong_password_locks_also_when_all_five_come_at_once(
    guest: Guest, database: Database, wrong: Callable[[Guest, str], Awaitable[httpx.Response]]
) -> None:
    hold = await a_hold(database, guest.tenant)
    # Each writes down that it was wrong, and waits there for the end of the trail: none has committed yet.
    trail = select(AuditHead).with_for_update()
    five = asyncio.gather(*(wrong(guest, hold) for _ in range(5)))
    answers = await after(database, guest.tenant, trail, five, waiting=5)
    assert {answer.status_code for answer in answers} == {401}
    assert (await the_user(guest, database)).status is UserState.locked
    assert (await guest.enter()).status_code == 429


async def test_of_five_wrong_pins_at_once_each_counts(guest: Guest, database: Database) -> None:
    holds = [await a_hold(database, guest.tenant) for _ in range(pins.FREE)]
    assert (await sign(guest.client, holds[0])).status_code == 201  # a series begins: the PIN is enough from now on
    # All stand before the person's row: who is refused first comes back to count when the last has been refused.
    held = select(User.id).where(User.id == user_id(guest)).with_for_update()
    five = asyncio.gather(*(sign(guest.client, each, credentials={"pin": "1357"}) for each in holds))
    answers = await after(database, guest.tenant, held, five, waiting=pins.FREE)
    assert {code(answer) for answer in answers} == {(401, "signature_failed")}
    assert (await the_user(guest, database)).failed_attempts == pins.FREE
    assert code(await sign(guest.client, holds[0], credentials={"pin": "5836"})) == (429, "pin_wait")


async def test_a_code_of_a_refused_signature_takes_no_newer_code_back(
    database: Database, tenant: TenantRef, anonymous: httpx.AsyncClient, frozen: FakeClock
) -> None:
    """What is written down after the refusal is that one code is used up, not that a later one is not."""
    phone = App(await a_guest(database, tenant, anonymous, "QM"), frozen)
    await phone.enroll()
    assert (await phone.verify()).status_code == 200
    frozen.advance(3 * STEP)
    anonymous.headers["Authorization"] = f"Bearer {phone.guest.access}"
    user, newer = await the_user(phone.guest, database), int(frozen.at.timestamp()) // STEP + 1
    actor = Actor(ActorKind.user, tenant.id, user.id, user.printed_name)
    given, is_checked = Credentials(password=PASSWORD, totp=phone.code()), asyncio.Event()

    async def refused() -> None:
        async with database.tenant_session(tenant.id, actor) as db:
            signatory = signing.Signatory(database.cluster.secret)
            await signatory.check(db, actor, given, Meaning.released, None, all_components=True)
            is_checked.set()
            await until_waiting(db)  # who has used the newer code, for this person
            raise Refused("signature_used")

    signs = asyncio.ensure_future(refused())
    await is_checked.wait()
    with pytest.raises(Refused, match="signature_used"):
        await after(database, tenant, of(phone.guest, totp_last_step=newer), signs)
    assert (await the_user(phone.guest, database)).totp_last_step == newer


async def test_a_pin_that_was_just_chosen_is_not_too_old(guest: Guest, database: Database, app: FastAPI) -> None:
    async with database.tenant_session(guest.tenant.id, system(guest.tenant.id)) as db:
        await db.execute(of(guest, pin_set_at=database.clock.now() - pins.MAX_AGE))
    await after(database, guest.tenant, of(guest, pin_set_at=database.clock.now()), pins.age(app, guest.tenant))
    assert not (await the_user(guest, database)).is_pin_one_use


# --- sessions: the person is locked before their tokens, by everybody, or each would wait for the other


@pytest.mark.parametrize("path", ["/auth/refresh", "/auth/logout-all"])
async def test_who_waits_for_a_person_holds_none_of_their_tokens(guest: Guest, database: Database, path: str) -> None:
    held = select(User.id).where(User.id == user_id(guest)).with_for_update()
    tokens = select(RefreshToken.id).where(RefreshToken.user_id == user_id(guest)).with_for_update(nowait=True)
    second = guest.call("POST", path, {"refresh_token": guest.refresh} if path.endswith("refresh") else None)
    answer = await after(database, guest.tenant, held, second, then=tokens)
    assert answer.is_success, answer.text


async def test_a_token_that_the_session_just_gained_ends_with_it(guest: Guest, database: Database) -> None:
    async with database.tenant_session(guest.tenant.id) as db:
        head = (await db.scalars(select(RefreshToken))).one()
    now = database.clock.now()
    gained = {"id": new_id(now), "token_sha256": sessions.digest("the next one"), "family_id": head.id,
              "parent_id": head.id, "user_id": head.user_id, "issued_at": now, "expires_at": head.expires_at}  # fmt: skip
    assert (await after(database, guest.tenant, insert(RefreshToken).values(gained),
                        guest.call("POST", "/auth/logout-all"))).status_code == 204  # fmt: skip
    assert [row.reason for row in await links(database, guest.tenant)] == ["signed_out_everywhere"] * 2


# --- roles and keys


async def test_a_role_that_was_just_taken_does_not_end_by_the_clock_too(
    app: FastAPI, database: Database, tenant: TenantRef, frozen: FakeClock
) -> None:
    staff = await Staff.hire(app, database, tenant)
    admin, worker = await staff.person("TA"), await staff.person()
    term = {"valid_to": (frozen.at + timedelta(hours=1)).isoformat()}
    given = await staff.give(admin, worker, await staff.role("READER", [READ]), **term)
    frozen.at += timedelta(hours=1)
    taken = update(UserRole).where(UserRole.id == uuid.UUID(given.json()["id"])).values(retired_at=frozen.at)
    await after(database, tenant, taken, roles.tell_of_time(app, tenant))
    assert "identity.user_role.ended" not in [each.action for each in await staff.audited("identity.user_role")]


async def test_a_role_that_is_just_being_retired_is_not_edited(
    app: FastAPI, database: Database, tenant: TenantRef
) -> None:
    staff = await Staff.hire(app, database, tenant)
    admin, role_id = await staff.person("TA"), await staff.role("READER", [READ])
    edit = admin.client.post(f"/roles/{role_id}/permissions:bulk", json={"rows": [{"do": "remove", "code": READ}]})
    retired = update(Role).where(Role.id == role_id).values(state=RoleState.retired, retired_at=database.clock.now())
    (row,) = (await after(database, tenant, retired, edit)).json()["results"]
    assert (row["status"], row["errors"][0]["code"]) == (409, "role_retired")


async def test_who_is_just_being_given_a_role_that_ends_loses_it_too(
    app: FastAPI, database: Database, tenant: TenantRef
) -> None:
    staff = await Staff.hire(app, database, tenant)
    admin, worker, role_id = await staff.person("TA"), await staff.person(), await staff.role("READER", [READ])
    held = select(Role.id).where(Role.id == role_id).with_for_update(read=True)
    now = database.clock.now()
    given = {"id": new_id(now), "created_at": now, "updated_at": now, "user_id": worker.id, "role_id": role_id,
             "valid_from": now, "told_at": now}  # fmt: skip
    version = (await admin.client.get(f"/roles/{role_id}")).json()["version"]
    ends = admin.client.delete(f"/roles/{role_id}", headers={"If-Match": f'"{version}"'})
    answer = await after(database, tenant, held, ends, then=insert(UserRole).values(given))
    assert answer.status_code == 204, answer.text
    async with database.tenant_session(tenant.id) as db:
        left = select(UserRole.id).where(UserRole.role_id == role_id, UserRole.retired_at.is_(None))
        assert (await db.scalars(left)).all() == []


async def test_a_key_that_was_just_revoked_does_not_expire_too(
    app: FastAPI, database: Database, tenant: TenantRef, frozen: FakeClock
) -> None:
    staff = await Staff.hire(app, database, tenant)
    key = await a_key(await staff.person("TA"), READ, days=1)
    frozen.at += timedelta(days=1)
    revoked = update(ApiKey).where(ApiKey.id == uuid.UUID(key["id"])).values(state=ApiKeyState.revoked)
    await after(database, tenant, revoked, api_keys.tidy(app, tenant))
    assert (await kept(staff, key["id"])).state is ApiKeyState.revoked


async def test_a_signing_key_that_was_just_given_up_as_stolen_verifies_nothing_after_a_rotation_beside_it(
    guest: Guest, database: Database
) -> None:
    now = database.clock.now()
    stolen = {"retired_at": now, "verifies_until": now, "private_sealed": None}

    async def rotate() -> None:
        async with database.tenant_session(guest.tenant.id, system(guest.tenant.id)) as db:
            await keys.Keyring(database.cluster.secret).rotate(db)

    await after(database, guest.tenant, update(SigningKey).values(stolen), rotate())
    async with database.tenant_session(guest.tenant.id) as db:
        until = (await db.scalars(select(SigningKey.verifies_until).order_by(SigningKey.retired_at))).all()
    assert list(until) == [now, None]


# --- notifications


async def test_reading_all_takes_nothing_back_that_somebody_just_acknowledged(guest: Guest, database: Database) -> None:
    said = await say(database, guest.tenant, roles=("QM",))
    acked = {"state": NotificationState.acked, "acked_by": user_id(guest), "acked_at": database.clock.now()}
    change = update(Notification).where(Notification.id == said).values(acked)
    answer = await after(database, guest.tenant, change, guest.call("POST", "/notifications:read-all"))
    assert answer.is_success, answer.text
    assert (await one(database, guest.tenant, said)).state is NotificationState.acked


async def test_a_letter_that_another_process_is_just_sending_is_sent_once(
    guest: Guest, app: FastAPI, database: Database, box: Box
) -> None:
    await with_address(database, guest.tenant, guest.client, "qm@example.com")
    await say(database, guest.tenant, roles=("QM",), severity="critical")
    sent = update(NotificationRecipient).values(mailed_at=database.clock.now())
    await after(database, guest.tenant, sent, jobs.send_letters(app, guest.tenant))
    assert box.letters == []


# --- the platform


def of_company(tenant: TenantRef, **values: Any) -> Executable:
    return update(Tenant).where(Tenant.id == tenant.id).values(values)


async def test_a_company_that_is_just_being_suspended_is_not_suspended_again(
    platform: Platform, database: Database, tenant: TenantRef
) -> None:
    post = platform.own.post(f"/tenants/{tenant.id}:suspend", json=REASON)
    change = of_company(tenant, state=TenantState.suspended)
    assert code(await behind(database.platform_session(), change, post)) == (409, "illegal_move")
    assert await trail(database, tenant.id) == []
    await in_state(database, tenant, TenantState.active)


async def test_a_company_that_is_just_being_changed_is_not_changed_by_who_has_not_seen_that(
    platform: Platform, database: Database, tenant: TenantRef
) -> None:
    before = (await platform.own.get(f"/tenants/{tenant.id}")).json()
    new, seen = {"legal_name": "Mine"}, {"If-Match": f'"{before["version"]}"'}
    patch = platform.own.patch(f"/tenants/{tenant.id}", json=new, headers=seen)
    change = of_company(tenant, legal_name="Theirs", version=before["version"] + 1)
    assert code(await behind(database.platform_session(), change, patch)) == (412, "version_stale")
    async with database.platform_session() as db:
        await db.execute(of_company(tenant, legal_name=before["legal_name"], version=before["version"]))


# --- break-glass


def of_operator(platform: Platform, **values: Any) -> Executable:
    return update(PlatformUser).where(PlatformUser.email == platform.email).values(values)


async def test_nobody_opens_a_company_that_is_just_being_suspended(
    platform: Platform, database: Database, tenant: TenantRef
) -> None:
    suspended = of_company(tenant, state=TenantState.suspended)
    answer = await behind(database.platform_session(), suspended, platform.open(tenant))
    assert code(answer) == (409, "break_glass_closed")
    await in_state(database, tenant, TenantState.active)


async def test_nobody_opens_anything_whose_account_is_just_being_disabled(
    platform: Platform, database: Database, tenant: TenantRef
) -> None:
    disabled = of_operator(platform, disabled_at=database.clock.now())
    answer = await behind(database.platform_session(), disabled, platform.open(tenant))
    assert code(answer) == (401, "token_bad")


async def by_the_platform(platform: Platform, _app: FastAPI, _tenant: TenantRef, access_id: str) -> None:
    answer = await platform.own.post(f"/platform/break-glass/{access_id}:end")
    assert (answer.status_code, answer.json()["ended_as"]) == (200, "company")


async def by_the_clock(_platform: Platform, app: FastAPI, tenant: TenantRef, _access_id: str) -> None:
    await break_glass.settle(app.state.database, tenant)


async def with_the_account(_platform: Platform, app: FastAPI, _tenant: TenantRef, access_id: str) -> None:
    database: Database = app.state.database
    async with database.platform_session() as db:
        operator_id = (await db.get_one(BreakGlass, uuid.UUID(access_id))).operator_id
        await break_glass.end_all_of(database, db, operator_id)


@pytest.mark.parametrize("second", [by_the_platform, by_the_clock, with_the_account])
async def test_what_was_just_ended_is_not_ended_again(
    platform: Platform,
    app: FastAPI,
    database: Database,
    tenant: TenantRef,
    frozen: FakeClock,
    sign_in: SignIn,
    second: Callable[[Platform, FastAPI, TenantRef, str], Coroutine[Any, Any, None]],
) -> None:
    access_id = await platform.opened(tenant, 1)
    admin = uuid.UUID((await (await sign_in(tenant, "TA")).get("/me")).json()["id"])
    now = frozen.at
    if second is by_the_clock:
        frozen.at += timedelta(hours=1)
    ended = {"ended_at": now, "ended_as": "company", "ended_by": admin}
    change = update(BreakGlass).where(BreakGlass.id == uuid.UUID(access_id)).values(ended)
    await behind(database.platform_session(), change, second(platform, app, tenant, access_id))
    async with database.tenant_session(tenant.id) as db:
        said = await db.scalars(select(AuditRow.action).where(AuditRow.action == "break_glass.end"))
        assert said.all() == []
