"""An account's life: locked by wrong tries or by an admin, let in again, and what is recorded of a person."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.wire import pin
from server.core.actor import system
from server.core.audit import AuditRow
from server.core.db.sessions import Database, TenantRef
from server.identity import attempts, passwords, pins, tidying
from server.identity.models import LoginAttempt, RefreshToken, User
from server.sync import crew
from server.sync.stored import Terminal
from tests.server.conftest import PASSWORD, SignIn, a_plant, a_user
from tests.server.identity.people import Guest, a_guest, give_address, user_id

WHY = {"reason": "a reason that is long enough"}
SEEN = WHY | {"identity_check": "passport seen, known to the shift lead"}


@pytest_asyncio.fixture(loop_scope="session")
async def guest(database: Database, tenant: TenantRef, anonymous: httpx.AsyncClient) -> Guest:
    return await a_guest(database, tenant, anonymous, "OP")


@pytest_asyncio.fixture(loop_scope="session")
async def admin(sign_in: SignIn, tenant: TenantRef) -> httpx.AsyncClient:
    return await sign_in(tenant, "TA")


async def act(client: httpx.AsyncClient, guest: Guest, verb: str, body: Any = None) -> httpx.Response:
    return await client.post(f"/users/{user_id(guest)}:{verb}", json=WHY if body is None else body)


async def fail(guest: Guest, times: int = 5) -> list[str]:
    given = {"tenant": guest.tenant.slug, "login": guest.badge, "password": "wrong wrong wrong"}
    return [(await guest.client.post("/auth/login", json=given)).json()["code"] for _ in range(times)]


async def user_of(guest: Guest, database: Database) -> User:
    async with database.tenant_session(guest.tenant.id, system(guest.tenant.id)) as db:
        return await db.get_one(User, user_id(guest))


async def test_the_fifth_wrong_try_locks_and_time_opens(
    guest: Guest, admin: httpx.AsyncClient, database: Database, frozen: FakeClock
) -> None:
    assert await fail(guest, 4) == ["sign_in_failed"] * 4
    assert (await user_of(guest, database)).status == "active"
    await fail(guest, 1)
    shown = (await admin.get(f"/users/{user_id(guest)}")).json()
    assert (shown["status"], shown["locked_until"] is None) == ("locked", False)
    frozen.advance(attempts.WINDOW.total_seconds() - 1)
    assert (await guest.enter()).status_code == 429
    frozen.advance(1)
    assert (await guest.enter()).status_code == 200
    assert (await user_of(guest, database)).status == "active"


async def test_tries_that_the_lock_refuses_do_not_make_it_longer(guest: Guest, frozen: FakeClock) -> None:
    await fail(guest)
    frozen.advance(attempts.WINDOW.total_seconds() - 1)
    assert await fail(guest) == ["sign_in_locked"] * 5
    frozen.advance(1)
    assert (await guest.enter()).status_code == 200


async def test_a_name_nobody_has_is_locked_like_one_that_somebody_has(guest: Guest) -> None:
    nobody = Guest(guest.tenant, "nobody", guest.client)
    assert await fail(nobody, 6) == await fail(guest, 6) == ["sign_in_failed"] * 5 + ["sign_in_locked"]


async def test_an_address_that_tries_many_names_is_refused(guest: Guest) -> None:
    for n in range(attempts.MAX_WRONG_OF_ADDRESS):
        assert await fail(Guest(guest.tenant, f"nobody-{n}", guest.client), 1) == ["sign_in_failed"]
    assert (await guest.enter()).status_code == 429


async def test_a_strangers_tries_end_no_session_and_close_no_terminal(
    guest: Guest, database: Database, tenant: TenantRef
) -> None:
    await fail(guest)
    assert await guest.is_in()
    assert (await guest.use()).status_code == 200
    told = await told_to_a_terminal(guest, database, tenant)
    assert (told.status, bool(told.pin_hash), told.roles) == ("active", True, ("OP",))


async def told_to_a_terminal(guest: Guest, database: Database, tenant: TenantRef) -> Any:
    plant_id = await a_plant(database, tenant, f"P{uuid.uuid4().hex[:8].upper()}")
    place: dict[str, Any] = dict.fromkeys(Terminal.__dataclass_fields__)
    terminal = Terminal(**place | {"plant_id": plant_id, "pepper": b"p" * 32})
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        (told,) = await crew.users(db, "user", [user_id(guest)], terminal)
    return told


async def test_an_admin_opens_a_lock_at_once(guest: Guest, admin: httpx.AsyncClient) -> None:
    await fail(guest)
    assert (await act(admin, guest, "unlock")).json()["status"] == "active"
    assert await fail(guest, 4) == ["sign_in_failed"] * 4, "the old tries are forgotten"
    assert (await guest.enter()).status_code == 200
    assert (await act(admin, guest, "unlock")).json()["code"] == "illegal_move"


async def test_an_admins_lock_ends_everything_until_it_is_opened(
    guest: Guest, admin: httpx.AsyncClient, database: Database, tenant: TenantRef, frozen: FakeClock
) -> None:
    assert (await act(admin, guest, "lock")).json()["status"] == "locked"
    assert not await guest.is_in()
    assert (await guest.use()).status_code == 401
    frozen.advance(timedelta(days=2).total_seconds())
    assert (await guest.enter()).status_code == 401
    told = await told_to_a_terminal(guest, database, tenant)
    assert (told.status, told.pin_hash, told.roles) == ("locked", "", ())
    frozen.advance(-timedelta(days=2).total_seconds())
    assert (await act(admin, guest, "disable")).status_code == 200, "a locked account can be closed at once"


async def test_the_last_admin_cannot_be_locked(admin: httpx.AsyncClient) -> None:
    own = (await admin.get("/me")).json()["id"]
    assert (await admin.post(f"/users/{own}:lock", json=WHY)).json()["code"] == "last_admin"


async def test_a_letter_opens_a_lock_of_wrong_tries(guest: Guest, database: Database, app: FastAPI) -> None:
    await give_address(database, guest, "op@example.org")
    await fail(guest)
    letters: list[Any] = []
    before, app.state.mail = app.state.mail, type("Box", (), {"send": staticmethod(letters.append)})()
    try:
        given = {"tenant": guest.tenant.slug, "email": "op@example.org"}
        await guest.client.post("/auth/password-reset/initiate", json=given)
        await app.state.later.finish()
    finally:
        app.state.mail = before
    code = next(line for line in letters[0].text.splitlines() if line.startswith(guest.tenant.id.hex))
    reset = {"token": code, "new_password": "four grey herons wait here"}
    assert (await guest.client.post("/auth/password-reset/confirm", json=reset)).status_code == 204
    guest.password = reset["new_password"]
    assert (await guest.enter()).status_code == 200


async def test_a_disabled_person_is_let_in_again_after_a_look_at_who_it_is(
    guest: Guest, admin: httpx.AsyncClient, database: Database
) -> None:
    await act(admin, guest, "disable")
    assert (await act(admin, guest, "enable")).status_code == 422, "without saying how it was checked"
    assert (await act(admin, guest, "enable", SEEN)).json()["status"] == "active"
    assert not await guest.is_in(), "what was signed in before stays out"
    assert (await guest.enter()).status_code == 200
    assert (await user_of(guest, database)).identity_check == SEEN["identity_check"]
    assert (await act(admin, guest, "enable", SEEN)).json()["code"] == "illegal_move"


async def test_only_an_admin_moves_an_account(guest: Guest, sign_in: SignIn, tenant: TenantRef) -> None:
    for role in ("SV", "QM", "AU"):
        client = await sign_in(tenant, role)
        for verb in ("lock", "unlock", "enable", "disable", "activate", "reset-mfa", "set-pin", "verify-identity"):
            answer = await act(client, guest, verb, SEEN | {"pin": "5836"})
            assert (answer.status_code, answer.json()["code"]) == (403, "permission_missing"), (role, verb)


async def test_a_strangers_admin_finds_nobody(
    guest: Guest, sign_in: SignIn, two_tenants: tuple[TenantRef, TenantRef]
) -> None:
    stranger = await sign_in(two_tenants[1], "TA")
    for verb in ("lock", "unlock", "enable", "reset-mfa", "set-pin", "clear-wait"):
        assert (await act(stranger, guest, verb, SEEN | {"pin": "5836"})).status_code in (404, 422)
    path = f"/users/{user_id(guest)}"
    assert (await stranger.patch(path, json={"locale": "es"}, headers={"If-Match": '"1"'})).status_code == 404
    assert (await stranger.post(f"{path}:invite")).status_code == 404


async def test_somebody_without_mail_is_let_in_in_person(
    admin: httpx.AsyncClient, database: Database, tenant: TenantRef, anonymous: httpx.AsyncClient
) -> None:
    new = {"login_code": "FFB-8001", "short_no": "8001", "printed_name": "Kit", "roles": ["OP"]}
    new |= {"plant_id": str(await a_plant(database, tenant))}
    made = (await admin.post("/users", json=new)).json()
    given = {"identity_check": SEEN["identity_check"], "pin": "5836"}
    answer = await admin.post(f"/users/{made['id']}:activate", json=given)
    assert answer.json()["status"] == "active", answer.text
    change = {"tenant": tenant.slug, "login": "FFB-8001", "old_pin": "5836", "new_pin": "7294"}
    assert (await anonymous.post("/auth/pin-change", json=change)).status_code == 204
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        user = (await db.scalars(select(User).where(User.login_code == "FFB-8001"))).one()
        said = (await db.scalars(select(AuditRow).where(AuditRow.entity_id == user.id))).all()
    assert (user.is_pin_one_use, user.identity_check) == (False, given["identity_check"])
    assert "5836" not in str([row.diff for row in said])


async def test_a_pin_set_by_another_is_good_for_setting_ones_own(
    guest: Guest, admin: httpx.AsyncClient, database: Database, tenant: TenantRef
) -> None:
    assert (await act(admin, guest, "set-pin", WHY | {"pin": "1234"})).json()["code"] == "pin_weak"
    assert (await act(admin, guest, "set-pin", WHY | {"pin": "9173"})).status_code == 200
    told = await told_to_a_terminal(guest, database, tenant)
    assert (told.pin_hash, told.status) == ("", "active"), "no terminal takes it"
    for old, new, code in (
        ("9174", "5836", "sign_in_failed"),
        ("9173", "9173", "pin_same"),
        ("9173", "1111", "pin_weak"),
    ):
        assert (await change_pin(guest, old, new)).json()["code"] == code
    assert (await change_pin(guest, "9173", "7294")).status_code == 204
    told = await told_to_a_terminal(guest, database, tenant)
    assert pin.verify("7294", told.pin_hash, b"p" * 32)


async def test_nobody_of_no_company_changes_a_pin(guest: Guest) -> None:
    given = {"tenant": "nobody_here", "login": guest.badge, "old_pin": "5836", "new_pin": "7294"}
    answer = await guest.client.post("/auth/pin-change", json=given)
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_failed")


async def change_pin(guest: Guest, old: str, new: str, login: str | None = None) -> httpx.Response:
    given = {"tenant": guest.tenant.slug, "login": login or guest.badge, "old_pin": old, "new_pin": new}
    return await guest.client.post("/auth/pin-change", json=given)


async def test_wrong_pins_make_the_next_try_wait_twice_as_long(
    guest: Guest, admin: httpx.AsyncClient, database: Database, tenant: TenantRef, frozen: FakeClock
) -> None:
    for _ in range(pins.FREE):
        assert (await change_pin(guest, "0000", "7294")).json()["code"] == "sign_in_failed"
    for wait_s in (30, 60, 120):
        refused = await change_pin(guest, "5836", "7294")
        assert (refused.status_code, refused.json()["code"]) == (429, "pin_wait")
        frozen.advance(wait_s - 1)
        assert (await change_pin(guest, "5836", "7294")).json()["code"] == "pin_wait"
        frozen.advance(1)
        assert (await change_pin(guest, "0000", "7294")).json()["code"] == "sign_in_failed"
    assert (await guest.enter()).status_code == 200, "the password's door is another"
    assert (await act(admin, guest, "clear-wait")).status_code == 200
    assert (await change_pin(guest, "5836", "7294")).status_code == 204
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        said = (await db.scalars(select(AuditRow.diff).where(AuditRow.action == "auth.pin_wait"))).all()
    assert sorted(each["seconds"] for each in said) == [30, 60, 120, 240]


async def test_wrong_pins_at_the_same_time_are_all_counted(guest: Guest, database: Database) -> None:
    await asyncio.gather(*(change_pin(guest, "0000", "7294") for _ in range(4)))
    assert (await user_of(guest, database)).failed_attempts == 4


async def test_a_right_pin_ends_the_row_of_wrong_ones(guest: Guest, database: Database) -> None:
    for _ in range(3):
        await change_pin(guest, "0000", "7294")
    assert (await change_pin(guest, "5836", "7294")).status_code == 204
    assert (await user_of(guest, database)).failed_attempts == 0


async def test_a_supervisor_clears_the_wait_of_people_of_the_plant_only(
    sign_in: SignIn, database: Database, tenant: TenantRef, anonymous: httpx.AsyncClient
) -> None:
    here, there = await a_plant(database, tenant), await a_plant(database, tenant, "P2")
    supervisor = await sign_in(tenant, "SV", plant_id=here)
    mine = Guest(tenant, await a_user(database, tenant, "OP", here), anonymous)
    theirs = Guest(tenant, await a_user(database, tenant, "OP", there), anonymous)
    for each, status in ((mine, 200), (theirs, 404)):
        await each.enter()
        assert (await act(supervisor, each, "clear-wait")).status_code == status


async def test_a_pin_of_a_year_is_changed_before_it_counts_again(
    guest: Guest, app: FastAPI, database: Database, tenant: TenantRef, frozen: FakeClock
) -> None:
    (job,) = pins.JOBS
    frozen.advance(pins.MAX_AGE.total_seconds() - 1)
    await job.work(app, tenant)
    assert not (await user_of(guest, database)).is_pin_one_use
    assert not pins.must_change(await user_of(guest, database), frozen.now())
    frozen.advance(1)
    assert pins.must_change(await user_of(guest, database), frozen.now()), "also before the round has come"
    await job.work(app, tenant)
    await job.work(app, tenant)
    assert (await user_of(guest, database)).is_pin_one_use
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        old = select(func.count()).where(AuditRow.action == "auth.pin_too_old", AuditRow.entity_id == user_id(guest))
        assert await db.scalar(old) == 1


async def test_nobody_learns_from_a_pin_change_who_exists(guest: Guest) -> None:
    answers = [await change_pin(guest, "0000", "7294"), await change_pin(guest, "0000", "7294", "nobody")]
    assert len({(each.status_code, each.json()["code"]) for each in answers}) == 1


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({}, 422),
        ({"valid_to": "2027-01-01"}, 422),
        ({"valid_to": "2027-01-01", "training_on": "2026-01-01"}, 422),
        ({"valid_to": "2027-01-01", "training_type": "FSPCA course"}, 422),
        ({"training_on": "2026-01-01", "training_type": "FSPCA course"}, 422),
        ({"valid_to": "2027-01-01", "training_on": "2026-01-01", "training_type": "FSPCA course"}, 200),
        ({"valid_to": "2027-01-01", "experience": "eight years of HACCP at two plants"}, 200),
    ],
)
async def test_a_pcqi_has_training_or_experience(
    guest: Guest, admin: httpx.AsyncClient, given: dict[str, Any], status: int
) -> None:
    assert (await act(admin, guest, "set-pcqi", {"is_pcqi": True} | given)).status_code == status


async def test_identity_check_and_letter_are_recorded(guest: Guest, admin: httpx.AsyncClient) -> None:
    given = {"identity_check": "passport seen", "fda_letter_on": "2026-11-02"}
    shown = (await act(admin, guest, "verify-identity", given)).json()
    assert (shown["identity_check"], shown["fda_letter_on"]) == ("passport seen", "2026-11-02")
    assert shown["identity_checked_at"] is not None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("is_pcqi = true", "pcqi"),
        ("is_pcqi = true, pcqi_valid_to = '2027-01-01', pcqi_training_on = '2026-01-01'", "pcqi"),
        ("is_pcqi = true, pcqi_training_on = '2026-01-01', pcqi_training_type = 'FSPCA course'", "pcqi"),
        ("is_pcqi = true, pcqi_experience = 'eight years'", "pcqi"),
        ("locked_until = now()", "locked_until"),
        ("identity_check = 'passport seen'", "identity_check"),
        ("fda_letter_on = '2026-01-01'", "fda_letter"),
        ("failed_attempts = -1", "failed_attempts"),
    ],
)
async def test_the_database_refuses_accounts_that_cannot_be(
    guest: Guest, database: Database, change: str, why: str
) -> None:
    with pytest.raises(IntegrityError, match=why):
        async with database.tenant_session(guest.tenant.id, system(guest.tenant.id)) as db:
            await db.execute(
                text(f"UPDATE identity_user SET {change} WHERE login_code = :badge"), {"badge": guest.badge}
            )


async def test_an_unknown_company_takes_as_much_work_as_a_known_one(
    guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    real = passwords.HASHER

    class Watched:
        def hash(self, password: str) -> str:
            hashed.append(password)
            return real.hash(password)

        def verify(self, known: str, password: str) -> bool:
            hashed.append(password)
            return bool(real.verify(known, password))

    monkeypatch.setattr(passwords, "HASHER", Watched())
    for tenant, login in ((guest.tenant.slug, guest.badge), (guest.tenant.slug, "nobody"), ("nowhere", "nobody")):
        given = {"tenant": tenant, "login": login, "password": "wrong wrong wrong"}
        assert (await guest.client.post("/auth/login", json=given)).status_code == 401
    assert len(hashed) == 3


async def test_what_ended_long_ago_is_dropped_and_what_lives_is_kept(
    guest: Guest, app: FastAPI, database: Database, tenant: TenantRef, frozen: FakeClock
) -> None:
    (job,) = tidying.JOBS
    await guest.use()
    await fail(guest, 1)

    async def count() -> list[int]:
        async with database.tenant_session(tenant.id, system(tenant.id)) as db:
            return [
                await db.scalar(select(func.count()).select_from(each)) or 0 for each in (RefreshToken, LoginAttempt)
            ]

    assert await count() == [2, 2]
    frozen.advance(tidying.KEPT.total_seconds())
    await job.work(app, tenant)
    assert await count() == [2, 2]
    frozen.advance(timedelta(days=15).total_seconds())
    assert (await guest.enter()).status_code == 200
    await job.work(app, tenant)
    await job.work(app, tenant)
    assert await count() == [1, 1]
    assert await guest.is_in()
    assert guest.password == PASSWORD
