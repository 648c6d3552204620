"""Those who run the platform: shut out at once, never all of them, and with a second factor of their own."""

from __future__ import annotations

import argparse
import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
import pyotp
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.errors import FoodFlowError, IllegalMove, NotFound, Refused
from server import administrators, cli
from server.core.db import postgres
from server.core.db.sessions import Database, TenantRef
from server.core.settings import Settings
from server.identity import operators, platform_users, second_factor
from server.identity.operators import PlatformAudit, PlatformRecoveryCode, PlatformUser
from tests.server.conftest import SignIn
from tests.server.identity.glass import Platform, a_platform, platform, told
from tests.server.identity.test_tenants import PASSWORD, trail

__all__ = ["platform"]

WHY = {"reason": "has left the company"}
STEP = second_factor.STEP_S


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def user_of(database: Database, who: Platform) -> PlatformUser:
    async with database.platform_session() as db:
        return (await db.scalars(select(PlatformUser).where(PlatformUser.email == who.email))).one()


async def actions(database: Database, who: Platform) -> list[str]:
    user = await user_of(database, who)
    return [row.action.removeprefix("platform.") for row in await trail(database, user.id)]


@pytest_asyncio.fixture(loop_scope="session")
async def alone(platform: Platform, database: Database) -> AsyncIterator[Platform]:
    """The only one who can sign in at the platform; the others of the run come back afterwards."""
    now = database.clock.now()
    async with database.platform_session() as db:
        others = (PlatformUser.email != platform.email, PlatformUser.disabled_at.is_(None))
        ids = (
            await db.scalars(update(PlatformUser).where(*others).values(disabled_at=now).returning(PlatformUser.id))
        ).all()
    yield platform
    async with database.platform_session() as db:
        await db.execute(update(PlatformUser).where(PlatformUser.id.in_(ids)).values(disabled_at=None))


async def test_who_is_shut_out_is_out_at_once_and_comes_back_with_new_tokens_only(
    platform: Platform, app: FastAPI, database: Database, frozen: FakeClock
) -> None:
    other = await a_platform(app, database)
    theirs = (await user_of(database, other)).id
    frozen.at += timedelta(seconds=1)
    said = await platform.own.post(f"/platform/users/{theirs}:disable", json=WHY)
    assert said.status_code == 200, said.text
    assert said.json()["disabled_at"] is not None
    assert code(await other.own.get("/tenants")) == (401, "token_bad")
    old = other.own.headers["Authorization"]
    assert code(await other.enter()) == (401, "sign_in_failed")
    assert code(await platform.own.post(f"/platform/users/{theirs}:disable", json=WHY)) == (409, "illegal_move")
    said = await platform.own.post(f"/platform/users/{theirs}:enable", json=WHY)
    assert said.json()["disabled_at"] is None
    assert code(await platform.own.post(f"/platform/users/{theirs}:enable", json=WHY)) == (409, "illegal_move")
    answer = await other.own.get("/tenants", headers={"Authorization": old})
    assert code(answer) == (401, "token_bad"), "a token from before stays dead"
    assert (await other.enter()).status_code == 200
    rows = [row for row in await trail(database, theirs) if row.action.startswith("platform.user.")]
    assert [(row.action, row.reason, row.actor_name) for row in rows[1:]] == [
        ("platform.user.disable", WHY["reason"], "Pat Admin"),
        ("platform.user.enable", WHY["reason"], "Pat Admin"),
    ]
    for verb in ("disable", "enable"):
        assert code(await platform.own.post(f"/platform/users/{uuid.uuid4()}:{verb}", json=WHY)) == (
            404,
            "record_unknown",
        )
        assert (await platform.own.post(f"/platform/users/{theirs}:{verb}", json={"reason": "why"})).status_code == 422
    listed = {each["id"]: each for each in (await platform.own.get("/platform/users")).json()}
    assert listed[str(theirs)]["email"] == other.email
    assert not any("hash" in name or "secret" in name for name in listed[str(theirs)])


async def test_what_they_have_open_at_a_company_ends_in_its_sight(
    platform: Platform, app: FastAPI, database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    other, admin = await a_platform(app, database), await sign_in(tenant, "TA")
    opened = await other.opened(tenant)
    theirs = (await user_of(database, other)).id
    assert (await platform.own.post(f"/platform/users/{theirs}:disable", json=WHY)).status_code == 200
    assert code(await other.inside.get("/users")) == (401, "token_bad")
    assert (await admin.get("/break-glass")).json() == []
    (row,) = await told(database, tenant, "break_glass.end")
    assert (str(row.entity_id), row.diff["ended_as"]) == (opened, "account")
    await platform.own.post(f"/platform/users/{theirs}:enable", json=WHY)
    await other.enter()
    assert code(await other.renew(opened)) == (401, "break_glass_over"), "it does not come back with the account"


async def test_who_is_being_shut_out_opens_nothing_meanwhile(
    platform: Platform, app: FastAPI, database: Database, tenant: TenantRef
) -> None:
    """It would be there again with the account."""
    other = await a_platform(app, database)
    async with database.platform_session() as db:
        await platform_users.disable(database, db, (await user_of(database, other)).id, "a test", WHY["reason"])
        opening = asyncio.create_task(other.open(tenant))
        await asyncio.sleep(0.3)
        assert not opening.done()
    assert code(await opening) == (401, "token_bad")
    opened = (await platform.own.get("/platform/break-glass")).json()
    assert str(tenant.id) not in {each["tenant_id"] for each in opened}


async def test_the_last_one_is_not_shut_out(alone: Platform, database: Database) -> None:
    mine = (await user_of(database, alone)).id
    assert code(await alone.own.post(f"/platform/users/{mine}:disable", json=WHY)) == (409, "platform_user_last")
    assert (await alone.own.get("/tenants")).status_code == 200


async def test_of_two_who_shut_each_other_out_one_is_left(alone: Platform, app: FastAPI, database: Database) -> None:
    other = await a_platform(app, database)
    ids = [(await user_of(database, each)).id for each in (alone, other)]

    async def shut_out(user_id: uuid.UUID) -> str:
        try:
            async with database.platform_session() as db:
                await platform_users.disable(database, db, user_id, "a test", WHY["reason"])
                await asyncio.sleep(0.1)
        except Refused as error:
            return error.code
        return "done"

    assert sorted(await asyncio.gather(*map(shut_out, ids))) == ["done", "platform_user_last"]


@pytest.mark.parametrize(
    ("email", "name", "refusal"),
    [
        ("nobody", "Pat Admin", "email_invalid"),
        ("pat@example.org", "  ", "email_invalid"),
        ("pat\0@example.org", "Pat Admin", "email_invalid"),
        ("{mine}", "Pat Admin", "platform_user_exists"),
    ],
)
async def test_an_administrator_has_an_address_of_their_own_and_a_name(
    platform: Platform, database: Database, email: str, name: str, refusal: str
) -> None:
    with pytest.raises(FoodFlowError, match=refusal):
        async with database.platform_session() as db:
            await operators.add(db, database.clock, email.format(mine=platform.email.upper()), name, PASSWORD)


async def test_nobody_of_a_company_gets_there(sign_in: SignIn, tenant: TenantRef) -> None:
    admin = await sign_in(tenant, "TA")
    assert (await admin.get("/platform/users")).status_code == 401
    for path, body in (
        (f"/platform/users/{uuid.uuid4()}:disable", WHY),
        (f"/platform/users/{uuid.uuid4()}:enable", WHY),
        ("/platform/mfa/enroll", {"password": PASSWORD}),
        ("/platform/mfa/verify", {"code": "000000"}),
        ("/platform/mfa/remove", {"password": PASSWORD, "code": "000000"}),
    ):
        assert (await admin.post(path, json=body)).status_code == 401, path


def command(*arguments: str) -> argparse.Namespace:
    return cli.parser().parse_args(["platform", "user", *arguments])


async def test_the_command_line_does_the_same(
    platform: Platform, database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(postgres, "open_cluster", lambda _settings: database.cluster)

    async def run(*arguments: str) -> str:
        given = command(*arguments)
        await asyncio.to_thread(given.command, given, Settings(), database.clock)
        return capsys.readouterr().out

    assert (await run("disable", platform.email.upper(), WHY["reason"])).startswith(f"{platform.email}: disabled ")
    assert code(await platform.own.get("/tenants")) == (401, "token_bad")
    assert f"{platform.email}  Pat Admin  disabled" in await run("list")
    assert await run("enable", platform.email, WHY["reason"]) == f"{platform.email}: active\n"
    assert (await platform.enter()).status_code == 200
    with pytest.raises(NotFound, match="platform_user_unknown"):
        await run("enable", "nobody@example.org", WHY["reason"])
    with pytest.raises(IllegalMove):
        await run("enable", platform.email, WHY["reason"])
    with pytest.raises(Refused, match="totp_not_enrolled"):
        await run("reset-mfa", platform.email, WHY["reason"])
    with pytest.raises(SystemExit):
        command("disable", platform.email, "why")
    user = await user_of(database, platform)
    rows = [row for row in await trail(database, user.id) if row.reason]
    assert [(row.action, row.actor_name) for row in rows] == [
        ("platform.user.disable", "foodflow-server"),
        ("platform.user.enable", "foodflow-server"),
    ]


@dataclass
class Phone:
    """An authenticator of somebody who runs the platform."""

    who: Platform
    clock: FakeClock
    secret: str = ""
    recovery: list[str] = field(default_factory=list)

    def code(self, steps: int = 0) -> str:
        return pyotp.TOTP(self.secret).generate_otp(int(self.clock.now().timestamp()) // STEP + steps)

    async def ask(self, what: str, **body: str) -> httpx.Response:
        return await self.who.own.post(f"/platform/mfa/{what}", json=body)

    async def enroll(self) -> httpx.Response:
        answer = await self.ask("enroll", password=PASSWORD)
        if answer.status_code == 200:
            self.secret = answer.json()["secret"]
        return answer

    async def verify(self, steps: int = 0) -> httpx.Response:
        answer = await self.ask("verify", code=self.code(steps))
        if answer.status_code == 200:
            self.recovery = answer.json()["recovery_codes"]
        return answer

    async def enter(self, text: str | None, password: str = PASSWORD) -> str:
        body = {"email": self.who.email, "password": password, "totp": text}
        answer = await self.who.own.post("/platform/login", json=body)
        if answer.status_code == 200:
            self.who.own.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return "in" if answer.status_code == 200 else str(answer.json()["code"])


@pytest_asyncio.fixture(loop_scope="session")
async def phone(platform: Platform, frozen: FakeClock) -> Phone:
    made = Phone(platform, frozen)
    assert (await made.enroll()).status_code == 200
    assert (await made.verify()).status_code == 200
    frozen.advance(3 * STEP)
    return made


async def test_a_second_factor_is_asked_for_once_it_was_shown_to_work(
    platform: Platform, database: Database, frozen: FakeClock
) -> None:
    phone = Phone(platform, frozen)
    assert code(await phone.ask("verify", code="000000")) == (409, "totp_not_enrolled")
    assert code(await phone.ask("remove", password=PASSWORD, code="000000")) == (409, "totp_not_enrolled")
    answer = await phone.enroll()
    assert answer.headers["cache-control"] == "no-store"
    assert phone.secret in answer.json()["uri"]
    assert await phone.enter(None) == "in", "not before a code was shown"
    assert code(await phone.verify(4)) == (401, "totp_wrong")
    assert len((await phone.verify()).json()["recovery_codes"]) == second_factor.RECOVERY_CODES
    assert code(await phone.enroll()) == (409, "totp_already")
    assert code(await phone.ask("verify", code=phone.code(1))) == (409, "totp_already")
    assert await phone.enter(phone.code()) == "totp_wrong", "the code that switched it on signs nobody in"
    frozen.advance(STEP)
    assert await phone.enter(None) == "totp_needed"
    assert await phone.enter(phone.code(), "not the password") == "sign_in_failed"
    assert await phone.enter(phone.code()) == "in"
    said = await actions(database, platform)
    assert [each for each in said if "mfa" in each] == ["auth.mfa_enrolled", "auth.mfa_failed", "auth.mfa_on"]
    assert "auth.login_half" in said


@pytest.mark.parametrize(("steps", "fate"), [(-2, "totp_wrong"), (-1, "in"), (0, "in"), (1, "in"), (2, "totp_wrong")])
async def test_a_code_is_good_one_step_before_and_after_now(phone: Phone, steps: int, fate: str) -> None:
    assert await phone.enter(phone.code(steps)) == fate


async def test_a_code_used_once_is_refused_for_ever_after(phone: Phone) -> None:
    text = phone.code(1)
    assert await phone.enter(text) == "in"
    assert await phone.enter(text) == "totp_wrong"
    assert await phone.enter(phone.code(0)) == "totp_wrong", "nor is an older one good"
    phone.clock.advance(2 * STEP)
    assert await phone.enter(phone.code()) == "in"


async def test_of_many_who_send_one_code_at_the_same_time_one_gets_in(phone: Phone) -> None:
    for text in (phone.code(), phone.recovery[0]):
        fates = await asyncio.gather(*(phone.enter(text) for _ in range(4)))
        assert sorted(fates) == ["in", "totp_wrong", "totp_wrong", "totp_wrong"]


async def test_a_recovery_code_stands_in_once_and_is_nobody_elses(
    phone: Phone, app: FastAPI, database: Database
) -> None:
    other = Phone(await a_platform(app, database), phone.clock)
    await other.enroll()
    await other.verify()
    assert await phone.enter(other.recovery[0]) == "totp_wrong"
    text = phone.recovery[3].upper().replace("-", " ")
    assert await phone.enter(text) == "in"
    assert await phone.enter(text) == "totp_wrong"
    assert "auth.recovery_code_used" in await actions(database, phone.who)


async def test_wrong_codes_lock_and_asking_for_one_does_not(phone: Phone) -> None:
    for _ in range(6):
        assert await phone.enter(None) == "totp_needed"
    for _ in range(5):
        assert await phone.enter("000000") == "totp_wrong"
    assert await phone.enter(phone.code()) == "sign_in_failed"
    phone.clock.advance(15 * 60 + 1)
    assert await phone.enter(phone.code()) == "in"


async def test_wrong_tries_at_the_other_doors_count_too(phone: Phone) -> None:
    for _ in range(3):
        assert code(await phone.ask("remove", password=PASSWORD, code="000000")) == (401, "totp_wrong")
    for _ in range(2):
        assert code(await phone.ask("enroll", password=PASSWORD[1:])) == (401, "signature_failed")
    assert code(await phone.ask("remove", password=PASSWORD, code=phone.code())) == (429, "sign_in_locked")
    assert await phone.enter(phone.code()) == "sign_in_failed"


async def test_guesses_sent_at_the_same_time_count_each(phone: Phone) -> None:
    answers = await asyncio.gather(*(phone.ask("remove", password=PASSWORD, code="000000") for _ in range(8)))
    assert Counter(map(code, answers)) == {(401, "totp_wrong"): 5, (429, "sign_in_locked"): 3}


async def test_it_is_taken_away_with_both_factors_and_all_tokens_end(phone: Phone, database: Database) -> None:
    assert (await phone.ask("remove", password=PASSWORD, code=phone.code())).status_code == 204
    assert code(await phone.who.own.get("/tenants")) == (401, "token_bad")
    assert await phone.enter(None) == "in"
    async with database.platform_session() as db:
        mine = PlatformRecoveryCode.user_id == (await user_of(database, phone.who)).id
        assert (await db.scalars(select(PlatformRecoveryCode).where(mine))).all() == []


async def test_a_lost_one_is_reset_from_the_command_line(phone: Phone, database: Database) -> None:
    how, _ = administrators.CHANGES["reset-mfa"]
    await administrators.change(database, phone.who.email, "phone and codes are lost", how)
    assert code(await phone.who.own.get("/tenants")) == (401, "token_bad")
    assert await phone.enter(None) == "in"
    assert (await actions(database, phone.who))[-2] == "user.reset_mfa"


async def test_nothing_of_it_is_kept_as_it_was_shown(phone: Phone, database: Database) -> None:
    user = await user_of(database, phone.who)
    async with database.platform_session() as db:
        codes = (await db.scalars(select(PlatformRecoveryCode).where(PlatformRecoveryCode.user_id == user.id))).all()
        said = [str(vars(row)) for row in (await db.scalars(select(PlatformAudit))).all()]
    kept = repr(user.totp_secret) + str([row.code_sha256 for row in codes]) + "".join(said)
    assert len(codes) == second_factor.RECOVERY_CODES
    for secret in (phone.secret, *phone.recovery):
        assert secret not in kept
        assert secret.replace("-", "") not in kept


async def test_a_secret_copied_to_a_colleague_opens_nothing(phone: Phone, app: FastAPI, database: Database) -> None:
    other = Phone(await a_platform(app, database), phone.clock, phone.secret)
    mine = await user_of(database, phone.who)
    async with database.platform_session() as db:
        theirs = await db.get_one(PlatformUser, (await user_of(database, other.who)).id)
        theirs.totp_secret, theirs.totp_confirmed_at = mine.totp_secret, mine.totp_confirmed_at
    assert await other.enter(other.code()) == "totp_wrong"


async def test_the_database_refuses_a_factor_without_a_secret(platform: Platform, database: Database) -> None:
    user = await user_of(database, platform)
    with pytest.raises(IntegrityError, match="ck_platform_user_totp"):
        async with database.platform_session() as db:
            (await db.get_one(PlatformUser, user.id)).totp_confirmed_at = database.clock.now()
