"""New passwords: by the old one, or by a letter. And no secret is ever written down."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import smtplib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.errors import Invalid, Refused
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines.identity import TenantState, UserState
from server.core import later
from server.core.actor import system
from server.core.audit import AuditRow
from server.core.db.sessions import Database, Tenant, TenantRef
from server.core.logs import JsonLines
from server.core.mail import Letter
from server.identity import passwords, recovery
from server.identity.models import LoginAttempt, PasswordResetToken, RefreshToken
from tests.conftest import PRODUCT_HASHER
from tests.server.conftest import PASSWORD
from tests.server.identity.people import Guest, a_guest, audited, give_address, user_id

NEW = "four grey herons wait here"
ADDRESS = "sv@example.org"


@dataclass
class Letters:
    """A mail server that keeps what it is handed."""

    app: FastAPI
    all: list[Letter] = field(default_factory=list)

    def send(self, letter: Letter) -> None:
        self.all.append(letter)

    async def asked(self, guest: Guest, email: str = ADDRESS, tenant: str | None = None) -> httpx.Response:
        given = {"tenant": tenant or guest.tenant.slug, "email": email}
        answer = await guest.client.post("/auth/password-reset/initiate", json=given)
        await self.app.state.later.finish()
        return answer

    @property
    def code(self) -> str:
        (found,) = re.findall(r"^[0-9a-f]{32}\.\S+$", self.all[-1].text, re.MULTILINE)
        return str(found)


@pytest.fixture
def letters(app: FastAPI) -> Iterator[Letters]:
    before, app.state.mail = app.state.mail, Letters(app)
    yield app.state.mail
    app.state.mail = before


@pytest_asyncio.fixture(loop_scope="session")
async def guest(database: Database, tenant: TenantRef, anonymous: httpx.AsyncClient) -> Guest:
    made = await a_guest(database, tenant, anonymous)
    await give_address(database, made, ADDRESS)
    return made


def change(guest: Guest, old: str = PASSWORD, new: str = NEW) -> Any:
    return guest.call("POST", "/auth/password-change", {"old_password": old, "new_password": new})


def confirm(guest: Guest, code: str, new: str = NEW) -> Any:
    return guest.client.post("/auth/password-reset/confirm", json={"token": code, "new_password": new})


def is_refused(answer: httpx.Response, code: str = "reset_code_bad", status: int = 403) -> bool:
    return (answer.status_code, answer.json().get("code")) == (status, code)


async def test_a_changed_password_counts_at_once_and_ends_the_other_sessions(
    guest: Guest, database: Database, tenant: TenantRef
) -> None:
    other = Guest(guest.tenant, guest.badge, guest.client)
    await other.enter()
    assert (await change(guest)).status_code == 204
    assert await guest.is_in(), "the session that changed it goes on"
    assert (await guest.use()).status_code == 200
    assert not await other.is_in()
    assert (await other.use()).status_code == 401
    assert (await other.enter()).status_code == 401
    other.password = NEW
    assert (await other.enter()).status_code == 200
    assert "auth.password_change" in await audited(database, tenant)


async def test_a_wrong_old_password_changes_nothing_and_counts(
    guest: Guest, database: Database, tenant: TenantRef
) -> None:
    for _ in range(5):
        assert is_refused(await change(guest, old="not the old one"), "signature_failed", 401)
    assert is_refused(await change(guest), "sign_in_locked", 429)
    assert (await guest.enter()).status_code == 429
    assert (await audited(database, tenant)).count("auth.password_change_failed") == 5


@pytest.mark.parametrize(
    ("new", "code"),
    [
        ("fourteen signs", "password_short"),
        ("Password12345678", "password_common"),
        ("qwertyqwertyqwerty", "password_common"),
        ("xyxyxyxyxyxyxyxyxy", "password_common"),
        ("sv@example.org1234", "password_common"),
    ],
)
async def test_a_weak_password_is_refused(guest: Guest, new: str, code: str) -> None:
    assert is_refused(await change(guest, new=new), code, 422)
    assert (await guest.enter()).status_code == 200


def test_eight_signs_are_enough_with_a_second_factor() -> None:
    passwords.check("heron-42", has_totp=True)
    for text in ("heron42", "password", "trustno1"):
        with pytest.raises(Invalid):
            passwords.check(text, has_totp=True)


async def test_a_letter_sets_a_new_password_and_ends_all_sessions(
    guest: Guest, letters: Letters, database: Database, tenant: TenantRef
) -> None:
    assert (await letters.asked(guest)).status_code == 202
    assert [letter.to for letter in letters.all] == [ADDRESS]
    assert (await confirm(guest, letters.code)).status_code == 204
    assert not await guest.is_in()
    assert (await guest.use()).status_code == 401
    assert (await guest.enter()).status_code == 401
    guest.password = NEW
    assert (await guest.enter()).status_code == 200
    assert await audited(database, tenant) == [
        "auth.login", "auth.password_reset_asked", "auth.password_reset", "auth.login_failed", "auth.login",
    ]  # fmt: skip


async def test_a_reset_code_used_twice_is_refused(guest: Guest, letters: Letters) -> None:
    await letters.asked(guest)
    assert (await confirm(guest, letters.code)).status_code == 204
    assert is_refused(await confirm(guest, letters.code, "another password of mine"))


async def test_a_reset_code_used_twice_at_the_same_time_works_once(guest: Guest, letters: Letters) -> None:
    await letters.asked(guest)
    answers = await asyncio.gather(*(confirm(guest, letters.code, f"{NEW} {n}") for n in range(3)))
    assert sorted(answer.status_code for answer in answers) == [204, 403, 403]


async def test_an_expired_reset_code_is_refused(guest: Guest, letters: Letters, frozen: FakeClock) -> None:
    await letters.asked(guest)
    frozen.advance(recovery.TTL.total_seconds())
    assert is_refused(await confirm(guest, letters.code))
    frozen.advance(-1)
    assert (await confirm(guest, letters.code)).status_code == 204


async def test_a_reset_code_of_another_tenant_is_refused(
    two_tenants: tuple[TenantRef, TenantRef], database: Database, anonymous: httpx.AsyncClient, letters: Letters
) -> None:
    mine, other = two_tenants
    guest, stranger = await a_guest(database, mine, anonymous), await a_guest(database, other, anonymous)
    await give_address(database, guest, ADDRESS)
    await give_address(database, stranger, ADDRESS)
    await letters.asked(guest)
    random = letters.code.partition(".")[2]
    for wrong in (f"{other.id.hex}.{random}", random, f"{mine.id.hex}.", "", stranger.refresh, guest.refresh):
        assert is_refused(await confirm(guest, wrong))
    assert (await stranger.enter()).status_code == 200
    assert (await confirm(guest, letters.code)).status_code == 204


async def test_only_the_newest_letter_counts(guest: Guest, letters: Letters) -> None:
    await letters.asked(guest)
    first = letters.code
    await letters.asked(guest)
    assert is_refused(await confirm(guest, first))
    assert (await confirm(guest, letters.code)).status_code == 204


async def test_a_weak_password_does_not_use_the_letter_up(guest: Guest, letters: Letters) -> None:
    await letters.asked(guest)
    assert is_refused(await confirm(guest, letters.code, "short"), "password_short", 422)
    assert (await confirm(guest, letters.code)).status_code == 204


async def test_a_changed_password_closes_the_letters(guest: Guest, letters: Letters) -> None:
    await letters.asked(guest)
    assert (await change(guest)).status_code == 204
    assert is_refused(await confirm(guest, letters.code, "another password of mine"))


async def test_nobody_learns_who_exists(guest: Guest, letters: Letters) -> None:
    known = await letters.asked(guest)
    for email, tenant in (("nobody@example.org", None), (ADDRESS, "nowhere"), ("", None)):
        answer = await letters.asked(guest, email, tenant)
        assert (answer.status_code, answer.content) == (known.status_code, known.content)
        assert set(answer.headers) == set(known.headers)
    assert len(letters.all) == 1


async def test_the_answer_leaves_before_anybody_is_looked_up(guest: Guest, app: FastAPI, letters: Letters) -> None:
    before, asked = app.state.database, []

    class Watched:
        clock = before.clock

        async def tenant_by_slug(self, slug: str) -> TenantRef:
            asked.append(slug)
            await asyncio.sleep(0.05)
            return await before.tenant_by_slug(slug)

        def __getattr__(self, name: str) -> Any:
            return getattr(before, name)

    app.state.database = Watched()
    try:
        given = {"tenant": guest.tenant.slug, "email": ADDRESS}
        answer = await guest.client.post("/auth/password-reset/initiate", json=given)
        assert (answer.status_code, letters.all) == (202, [])
        await app.state.later.finish()
    finally:
        app.state.database = before
    assert (asked, len(letters.all)) == ([guest.tenant.slug], 1)


async def test_nobodys_mailbox_is_filled(guest: Guest, letters: Letters, frozen: FakeClock) -> None:
    for _ in range(5):
        await letters.asked(guest)
    assert len(letters.all) == recovery.MAX_LETTERS
    frozen.advance(recovery.TTL.total_seconds())
    await letters.asked(guest)
    assert len(letters.all) == recovery.MAX_LETTERS + 1


async def test_a_disabled_person_gets_no_letter_and_an_old_one_is_refused(
    guest: Guest, letters: Letters, database: Database
) -> None:
    await letters.asked(guest)
    await give_address(database, guest, ADDRESS, status=UserState.disabled)
    assert is_refused(await confirm(guest, letters.code))
    await letters.asked(guest)
    assert len(letters.all) == 1


async def test_a_suspended_company_lets_nobody_in_by_any_door(
    guest: Guest, letters: Letters, database: Database, tenant: TenantRef
) -> None:
    await letters.asked(guest)
    for state in (TenantState.suspended, TenantState.active):
        async with database.platform_session() as db:
            await db.execute(update(Tenant).where(Tenant.id == tenant.id).values(state=state))
        await database.forget(tenant)
        is_open = state is TenantState.active
        assert await guest.is_in() == is_open
        assert (await guest.use()).status_code == (200 if is_open else 401)
        assert (await guest.enter()).status_code == (200 if is_open else 401)
        assert (await confirm(guest, letters.code)).status_code == (204 if is_open else 403)
        pins = {"tenant": tenant.slug, "login": guest.badge, "old_pin": "5836", "new_pin": "7294"}
        answer = await guest.client.post("/auth/pin-change", json=pins)
        assert answer.status_code == (204 if is_open else 401)
        await letters.asked(guest)
        assert len(letters.all) == (2 if is_open else 1)


async def test_who_has_no_password_signs_in_with_none(guest: Guest, database: Database) -> None:
    await give_address(database, guest, ADDRESS, password_hash=None)
    for guest.password in ("", PASSWORD, "None"):
        assert is_refused(await guest.enter(), "sign_in_failed", 401)


async def test_one_letter_of_a_person_is_open(guest: Guest, letters: Letters, database: Database) -> None:
    await asyncio.gather(*(letters.asked(guest) for _ in range(3)))
    async with database.tenant_session(guest.tenant.id, system(guest.tenant.id)) as db:
        rows = (await db.scalars(select(PasswordResetToken))).all()
    assert (len(rows), sum(row.used_at is None and row.revoked_at is None for row in rows)) == (3, 1)


@pytest.mark.parametrize(
    ("lasts_s", "sha", "why"), [(0, b"a", "expires"), (60, b"a", "_open"), (60, b"b", "token_sha256")]
)
async def test_the_database_refuses_letters_that_cannot_be(
    guest: Guest, database: Database, tenant: TenantRef, lasts_s: int, sha: bytes, why: str
) -> None:
    now, whose = database.clock.now(), user_id(guest)

    def row(sha: bytes, lasts_s: int, used_at: datetime | None) -> PasswordResetToken:
        ends_at = now + timedelta(seconds=lasts_s)
        return PasswordResetToken(
            id=new_id(now), token_sha256=sha, user_id=whose, issued_at=now, expires_at=ends_at, used_at=used_at
        )

    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        db.add_all([row(b"b", 60, now), row(b"c", 60, None)])
    with pytest.raises(IntegrityError, match=why):
        async with database.tenant_session(tenant.id, system(tenant.id)) as db:
            db.add(row(sha, lasts_s, None if why == "_open" else now))


async def test_a_letter_that_cannot_be_sent_is_logged_without_its_text(
    guest: Guest, letters: Letters, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_letter: Letter) -> None:
        raise smtplib.SMTPServerDisconnected("gone")

    letters.send = fail  # type: ignore[method-assign]  # the mail server is down
    assert (await letters.asked(guest)).status_code == 202
    assert "gone" in caplog.text
    assert guest.tenant.id.hex + "." not in caplog.text


async def test_too_much_work_at_once_is_refused() -> None:
    gate, busy = asyncio.Event(), later.Later()

    async def wait() -> None:
        await gate.wait()

    for _ in range(later.MAX_WAITING):
        busy.start(wait())
    with pytest.raises(Refused, match="too_many_requests"):
        busy.start(wait())
    gate.set()
    await busy.finish()


async def test_no_secret_is_in_any_log_line_audit_row_or_table(
    guest: Guest, letters: Letters, database: Database, tenant: TenantRef, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = [PASSWORD, NEW, "my-password-in-the-wrong-field", guest.access, guest.refresh]
    await guest.client.post("/auth/login", json={"tenant": tenant.slug, "login": secrets[2], "password": "x"})
    await guest.use()
    await change(guest, old="a wrong one of mine")
    await change(guest)
    await letters.asked(guest)
    await confirm(guest, letters.code, "a third password of mine")
    secrets += [guest.access, guest.refresh, letters.code, "a third password of mine", "a wrong one of mine"]
    await guest.use(secrets[4])
    await guest.client.post("/auth/logout", json={"refresh_token": guest.refresh})
    secrets += [text.partition(".")[2] for text in secrets if text.startswith(tenant.id.hex)]
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        tables = (AuditRow, LoginAttempt, RefreshToken, PasswordResetToken)
        kept = [str(vars(row)) for table in tables for row in (await db.scalars(select(table))).all()]
    lines = [JsonLines(database.clock).format(record) for record in caplog.records]
    assert len(kept) >= 12
    assert any("auth.password_change" in row for row in kept)
    assert any("/auth/refresh" in line for line in lines)
    written = "\n".join([*kept, *lines, caplog.text])
    found = {text for text in secrets if text in written or json.dumps(text) in written}
    assert found == set()


def test_a_password_costs_an_attacker_what_owasp_asks() -> None:
    assert PRODUCT_HASHER.hash("whatever").startswith("$argon2id$v=19$m=19456,t=2,p=1$")
