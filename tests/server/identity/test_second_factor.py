"""The second factor: asked for, good once, counted, and replaced when the phone is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pyotp
import pytest
import pytest_asyncio
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from foodflow_kernel.clock import FakeClock
from server.core.actor import system
from server.core.audit import AuditRow
from server.core.db.sessions import Database, TenantRef
from server.identity import second_factor
from server.identity.models import RecoveryCode, User
from tests.server.conftest import PASSWORD, SignIn
from tests.server.identity.people import Guest, a_guest, user_id

STEP = second_factor.STEP_S
SHORT = "heron-42"


class App:
    """An authenticator on the person's phone."""

    def __init__(self, guest: Guest, clock: FakeClock) -> None:
        self.guest, self.clock, self.secret, self.recovery = guest, clock, "", [""]

    def code(self, steps: int = 0) -> str:
        return pyotp.TOTP(self.secret).generate_otp(int(self.clock.now().timestamp()) // STEP + steps)

    async def enroll(self, password: str = PASSWORD) -> httpx.Response:
        answer: httpx.Response = await self.guest.call("POST", "/auth/mfa/enroll", {"password": password})
        if answer.status_code == 200:
            self.secret = answer.json()["secret"]
        return answer

    async def verify(self, code: str | None = None) -> httpx.Response:
        answer: httpx.Response = await self.guest.call("POST", "/auth/mfa/verify", {"code": code or self.code()})
        if answer.status_code == 200:
            self.recovery = answer.json()["recovery_codes"]
        return answer

    async def enter(self, code: str | None, password: str = PASSWORD) -> str:
        given = {"tenant": self.guest.tenant.slug, "login": self.guest.badge, "password": password, "totp": code}
        answer = self.guest.keep(await self.guest.client.post("/auth/login", json=given))
        return "in" if answer.status_code == 200 else str(answer.json()["code"])


@pytest_asyncio.fixture(loop_scope="session")
async def phone(database: Database, tenant: TenantRef, anonymous: httpx.AsyncClient, frozen: FakeClock) -> App:
    made = App(await a_guest(database, tenant, anonymous), frozen)
    assert (await made.enroll()).status_code == 200
    assert (await made.verify()).status_code == 200
    frozen.advance(3 * STEP)
    return made


async def user_of(phone: App, database: Database) -> User:
    async with database.tenant_session(phone.guest.tenant.id, system(phone.guest.tenant.id)) as db:
        return await db.get_one(User, user_id(phone.guest))


async def test_a_second_factor_is_asked_for_once_it_was_shown_to_work(
    database: Database, tenant: TenantRef, anonymous: httpx.AsyncClient, frozen: FakeClock
) -> None:
    phone = App(await a_guest(database, tenant, anonymous), frozen)
    answer = await phone.enroll()
    assert answer.headers["cache-control"] == "no-store"
    assert phone.secret in answer.json()["uri"]
    assert await phone.enter(None) == "in", "not before a code was shown"
    assert (await phone.verify(phone.code(4))).json()["code"] == "totp_wrong"
    assert len((await phone.verify()).json()["recovery_codes"]) == second_factor.RECOVERY_CODES
    frozen.advance(STEP)
    assert await phone.enter(None) == "totp_needed"
    assert await phone.enter(phone.code(), "not the password") == "sign_in_failed"
    assert await phone.enter(phone.code()) == "in"
    assert (await phone.enroll()).json()["code"] == "totp_already"


@pytest.mark.parametrize(("steps", "fate"), [(-2, "totp_wrong"), (-1, "in"), (0, "in"), (1, "in"), (2, "totp_wrong")])
async def test_a_code_is_good_one_step_before_and_after_now(phone: App, steps: int, fate: str) -> None:
    assert await phone.enter(phone.code(steps)) == fate


async def test_a_code_used_once_is_refused_for_ever_after(phone: App) -> None:
    code = phone.code(1)
    assert await phone.enter(code) == "in"
    assert await phone.enter(code) == "totp_wrong"
    assert await phone.enter(phone.code(0)) == "totp_wrong", "nor is an older one good"
    phone.clock.advance(2 * STEP)
    assert await phone.enter(code) == "totp_wrong"
    assert await phone.enter(phone.code()) == "in"


async def test_the_code_that_switched_it_on_signs_nobody_in(
    database: Database, tenant: TenantRef, anonymous: httpx.AsyncClient, frozen: FakeClock
) -> None:
    phone = App(await a_guest(database, tenant, anonymous), frozen)
    await phone.enroll()
    code = phone.code()
    await phone.verify(code)
    assert await phone.enter(code) == "totp_wrong"


async def test_what_is_on_is_not_switched_on_again_and_its_recovery_codes_stay(
    database: Database, tenant: TenantRef, anonymous: httpx.AsyncClient, frozen: FakeClock
) -> None:
    """A stolen session with one code seen over a shoulder would get recovery codes of its own."""
    phone = App(await a_guest(database, tenant, anonymous), frozen)
    await phone.enroll()
    kept = (await phone.verify()).json()["recovery_codes"]
    frozen.advance(3 * STEP)
    again = await phone.verify()
    assert (again.status_code, again.json()["code"]) == (409, "totp_already")
    assert await phone.enter(kept[0]) == "in"


async def test_of_many_who_send_one_code_at_the_same_time_one_gets_in(phone: App) -> None:
    code = phone.code()
    fates = await asyncio.gather(*(phone.enter(code) for _ in range(4)))
    assert sorted(fates) == ["in", "totp_wrong", "totp_wrong", "totp_wrong"]


async def test_wrong_codes_lock_and_asking_for_one_does_not(phone: App) -> None:
    for _ in range(6):
        assert await phone.enter(None) == "totp_needed"
    for code in ("000000", "", "x", "12345678901", "\u0661\u0662\u0663\u0664\u0665\u0666"):
        assert await phone.enter(code) == "totp_wrong"
    assert await phone.enter(phone.code()) == "sign_in_locked"


async def test_wrong_codes_at_the_other_doors_count_too(phone: App) -> None:
    given = {"password": PASSWORD, "code": "000000"}
    for _ in range(5):
        assert (await phone.guest.call("POST", "/auth/mfa/remove", given)).json()["code"] == "totp_wrong"
    assert await phone.enter(phone.code()) == "sign_in_locked"


async def test_a_recovery_code_stands_in_once(phone: App) -> None:
    code = phone.recovery[3].upper().replace("-", " ")
    assert await phone.enter(code) == "in"
    assert await phone.enter(code) == "totp_wrong"
    assert await phone.enter(phone.recovery[4]) == "in"


async def test_a_recovery_code_sent_twice_at_the_same_time_works_once(phone: App) -> None:
    fates = await asyncio.gather(*(phone.enter(phone.recovery[0]) for _ in range(3)))
    assert sorted(fates) == ["in", "totp_wrong", "totp_wrong"]


async def test_a_recovery_code_of_a_colleague_is_none_of_mine(
    phone: App, database: Database, tenant: TenantRef, anonymous: httpx.AsyncClient, frozen: FakeClock
) -> None:
    other = App(await a_guest(database, tenant, anonymous), frozen)
    await other.enroll()
    await other.verify()
    assert await phone.enter(other.recovery[0]) == "totp_wrong"


async def test_nothing_of_it_is_kept_as_it_was_shown(phone: App, database: Database, tenant: TenantRef) -> None:
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        codes = (await db.scalars(select(RecoveryCode))).all()
        said = [str(vars(row)) for row in (await db.scalars(select(AuditRow))).all()]
    user = await user_of(phone, database)
    kept = repr(user.totp_secret) + str([row.code_sha256 for row in codes]) + "".join(said)
    assert len(codes) == second_factor.RECOVERY_CODES
    for secret in (phone.secret, *phone.recovery):
        assert secret not in kept
        assert secret.replace("-", "") not in kept


async def test_a_secret_copied_to_a_colleague_opens_nothing(phone: App, database: Database, tenant: TenantRef) -> None:
    stranger = await a_guest(database, tenant, phone.guest.client)
    mine = await user_of(phone, database)
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        theirs = await db.get_one(User, user_id(stranger))
        theirs.totp_secret, theirs.totp_confirmed_at = mine.totp_secret, mine.totp_confirmed_at
    phone.guest = stranger
    assert await phone.enter(phone.code()) == "totp_wrong"


async def test_removing_it_needs_password_and_code_and_ends_the_other_sessions(phone: App) -> None:
    await phone.enter(phone.code())
    other, phone.guest = phone.guest, Guest(phone.guest.tenant, phone.guest.badge, phone.guest.client)
    phone.clock.advance(STEP)
    await phone.enter(phone.code())
    phone.clock.advance(STEP)

    async def remove(password: str, code: str) -> Any:
        return await phone.guest.call("POST", "/auth/mfa/remove", {"password": password, "code": code})

    assert (await remove("not the password", phone.code())).json()["code"] == "signature_failed"
    assert (await remove(PASSWORD, "000000")).json()["code"] == "totp_wrong"
    assert (await remove(PASSWORD, phone.code())).status_code == 204
    assert await phone.guest.is_in()
    assert not await other.is_in()
    assert await phone.enter(None) == "in"


async def test_a_short_password_is_good_with_a_second_factor_only(phone: App, database: Database) -> None:
    given = {"old_password": PASSWORD, "new_password": SHORT}
    assert (await phone.guest.call("POST", "/auth/password-change", given)).status_code == 204
    assert await phone.enter(phone.code(), SHORT) == "in"
    phone.clock.advance(STEP)
    remove = {"password": SHORT, "code": phone.code()}
    answer = await phone.guest.call("POST", "/auth/mfa/remove", remove)
    assert (answer.status_code, answer.json()["code"]) == (422, "password_short")
    assert await phone.enter(None, SHORT) == "totp_needed"
    user = await user_of(phone, database)
    with pytest.raises(IntegrityError, match="password_short"):
        async with database.tenant_session(phone.guest.tenant.id, system(phone.guest.tenant.id)) as db:
            (await db.get_one(User, user.id)).totp_confirmed_at = None


async def test_a_short_password_is_refused_without_one(phone: App, database: Database, tenant: TenantRef) -> None:
    plain = await a_guest(database, tenant, phone.guest.client)
    given = {"old_password": PASSWORD, "new_password": SHORT}
    assert (await plain.call("POST", "/auth/password-change", given)).json()["code"] == "password_short"


async def test_an_admin_takes_it_away_from_who_lost_the_phone(
    phone: App, sign_in: SignIn, tenant: TenantRef, database: Database
) -> None:
    await phone.guest.call("POST", "/auth/password-change", {"old_password": PASSWORD, "new_password": SHORT})
    admin, path = await sign_in(tenant, "TA"), f"/users/{user_id(phone.guest)}:reset-mfa"
    given = {"identity_check": "badge photo compared", "reason": "phone fell into the cooker"}
    assert (await phone.guest.call("POST", path, given)).status_code == 403
    answer = await admin.post(path, json=given)
    assert answer.status_code == 200, answer.text
    assert "totp_secret" not in answer.json()
    assert not await phone.guest.is_in()
    user = await user_of(phone, database)
    assert (user.totp_secret, user.password_hash, user.is_password_short) == (None, None, False)
    assert await phone.enter(None, SHORT) == "sign_in_failed", "too short to stand alone: a letter sets a new one"


async def test_verifying_without_a_secret_is_refused(
    database: Database, tenant: TenantRef, anonymous: httpx.AsyncClient
) -> None:
    guest = await a_guest(database, tenant, anonymous)
    for verb, given in (("verify", {"code": "123456"}), ("remove", {"code": "123456", "password": PASSWORD})):
        answer = await guest.call("POST", f"/auth/mfa/{verb}", given)
        assert (answer.status_code, answer.json()["code"]) == (409, "totp_not_enrolled")
    wrong = await guest.call("POST", "/auth/mfa/enroll", {"password": "not the password"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "signature_failed")


async def test_the_database_refuses_a_factor_without_a_secret(
    phone: App, database: Database, tenant: TenantRef
) -> None:
    with pytest.raises(IntegrityError, match="totp"):
        async with database.tenant_session(tenant.id, system(tenant.id)) as db:
            await db.execute(text("UPDATE identity_user SET totp_secret = NULL"))
    assert await phone.enter(phone.code()) == "in"
