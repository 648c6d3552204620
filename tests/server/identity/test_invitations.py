"""How somebody gets an account: invited by an admin, taken by a letter's code, once."""

from __future__ import annotations

import asyncio
import re
import uuid
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.machines.identity import UserState
from server.core.actor import system
from server.core.audit import AuditRow
from server.core.db import postgres
from server.core.db.sessions import Database, TenantRef
from server.core.mail import Letter
from server.core.resource import bulk, imports
from server.identity import invitations
from server.identity.models import Invitation, User
from tests.server.conftest import SignIn, a_plant
from tests.server.races import behind

OWN = "four grey herons wait here"


class Office:
    """An admin at work, and the letters that go out."""

    def __init__(self, app: FastAPI, admin: httpx.AsyncClient, tenant: TenantRef) -> None:
        self.app, self.admin, self.tenant, self.letters = app, admin, tenant, list[Letter]()

    def send(self, letter: Letter) -> None:
        self.letters.append(letter)

    async def post(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        answer = await self.admin.post(path, json=body, **more)
        await self.app.state.later.finish()
        return answer

    async def invite(self, **over: Any) -> httpx.Response:
        return await self.post("/users", person(**over))

    @property
    def code(self) -> str:
        (found,) = re.findall(r"^[0-9a-f]{32}\.\S+$", self.letters[-1].text, re.MULTILINE)
        return str(found)

    async def register(self, code: str, password: str = OWN, pin: str | None = "5836") -> httpx.Response:
        return await self.admin.post("/auth/register", json={"token": code, "password": password, "pin": pin})

    async def enter(self, login: str = "ada@example.org", password: str = OWN) -> int:
        given = {"tenant": self.tenant.slug, "login": login, "password": password}
        return (await self.admin.post("/auth/login", json=given)).status_code


def person(**over: Any) -> dict[str, Any]:
    given = {"email": "ada@example.org", "login_code": "FFB-7001", "short_no": "7001", "printed_name": "Ada Brook"}
    return given | {"roles": ["PL"]} | over


@pytest_asyncio.fixture(loop_scope="session")
async def office(app: FastAPI, sign_in: SignIn, tenant: TenantRef) -> Any:
    made = Office(app, await sign_in(tenant, "TA"), tenant)
    before, app.state.mail = app.state.mail, made
    yield made
    app.state.mail = before


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def test_an_invited_person_takes_the_account_and_nobody_else_does(office: Office, database: Database) -> None:
    answer = await office.invite()
    assert (answer.status_code, answer.json()["status"]) == (201, "invited")
    assert [letter.to for letter in office.letters] == ["ada@example.org"]
    assert await office.enter() == 401
    assert code_of(await office.register(office.code, "short")) == (422, "password_short")
    assert code_of(await office.register(office.code, pin="1111")) == (422, "pin_weak")
    assert (await office.register(office.code)).status_code == 204
    assert await office.enter() == await office.enter("FFB-7001") == 200
    assert code_of(await office.register(office.code, "another password of mine")) == (403, "invitation_bad")
    async with database.tenant_session(office.tenant.id, system(office.tenant.id)) as db:
        user = (await db.scalars(select(User).where(User.login_code == "FFB-7001"))).one()
        said = (await db.scalars(select(AuditRow.action).where(AuditRow.entity_id == user.id))).all()
        kept = [str(vars(row)) for row in (await db.scalars(select(Invitation))).all()]
    assert (user.is_pin_one_use, sorted(said)) == (False, ["auth.login", "auth.login", "auth.login_failed", "auth.register", "identity.user.create"])  # fmt: skip
    assert office.code not in "".join(kept)


async def test_a_code_used_twice_at_the_same_time_works_once(office: Office) -> None:
    await office.invite()
    answers = await asyncio.gather(*(office.register(office.code, f"{OWN} {n}") for n in range(3)))
    assert sorted(answer.status_code for answer in answers) == [204, 403, 403]


async def test_a_code_is_good_for_three_days(office: Office, frozen: FakeClock) -> None:
    await office.invite()
    frozen.advance(invitations.TTL.total_seconds())
    assert code_of(await office.register(office.code)) == (403, "invitation_bad")
    frozen.advance(-1)
    assert (await office.register(office.code)).status_code == 204


async def test_only_the_newest_letter_counts(office: Office) -> None:
    made = (await office.invite()).json()
    first = office.code
    assert (await office.post(f"/users/{made['id']}:invite")).status_code == 202
    assert code_of(await office.register(first)) == (403, "invitation_bad")
    assert (await office.register(office.code)).status_code == 204
    assert code_of(await office.post(f"/users/{made['id']}:invite")) == (409, "illegal_move")


async def test_who_just_takes_the_account_is_sent_no_other_letter(office: Office, database: Database) -> None:
    """Its code would let somebody else set the password of a living account."""
    made = (await office.invite()).json()
    user_id, tenant_id = uuid.UUID(made["id"]), office.tenant.id
    taken = update(User).where(User.id == user_id).values(status=UserState.active)
    letters = invitations._letters(database, office, tenant_id, [user_id])
    await behind(database.tenant_session(tenant_id, system(tenant_id)), taken, letters)
    assert len(office.letters) == 1
    back = update(User).where(User.id == user_id).values(status=UserState.invited)
    async with database.tenant_session(tenant_id, system(tenant_id)) as db:
        await db.execute(back, execution_options={"synchronize_session": False})
    post = office.admin.post(f"/users/{user_id}:invite")
    said = await behind(database.tenant_session(tenant_id, system(tenant_id)), taken, post)
    assert code_of(said) == (409, "illegal_move")
    await office.app.state.later.finish()
    assert len(office.letters) == 1


async def test_a_letter_to_an_address_that_was_wrong_brings_nobody_in(office: Office) -> None:
    made = await office.invite()
    path, headers = f"/users/{made.json()['id']}", {"If-Match": made.headers["etag"]}
    assert (await office.admin.patch(path, json={"email": "ada2@example.org"}, headers=headers)).status_code == 200
    assert code_of(await office.register(office.code)) == (403, "invitation_bad")
    await office.post(f"{path}:invite")
    assert office.letters[-1].to == "ada2@example.org"


@pytest.mark.parametrize("code", ["", "x", ".", "{tenant}.", "{tenant}.wrong", "\0"])
async def test_codes_that_are_not_ours_all_get_the_same_answer(office: Office, code: str) -> None:
    await office.invite()
    answer = await office.register(code.format(tenant=office.tenant.id.hex))
    assert code_of(answer) == (403, "invitation_bad")


async def test_who_may_not_make_people_makes_none(office: Office, sign_in: SignIn) -> None:
    for role in ("OP", "SV", "QM", "AU"):
        client = await sign_in(office.tenant, role)
        assert code_of(await client.post("/users", json=person())) == (403, "permission_missing")
        assert code_of(await client.post("/users:bulk", json={"rows": [person()]})) == (403, "permission_missing")
    assert office.letters == []


async def test_an_admin_of_one_plant_gives_no_role_elsewhere(
    office: Office, sign_in: SignIn, database: Database
) -> None:
    here, there = await a_plant(database, office.tenant), await a_plant(database, office.tenant, "P2")
    local = await sign_in(office.tenant, "TA", plant_id=here)
    answers = [
        await local.post("/users", json=person(plant_id=str(there))),
        await local.post("/users", json=person()),
        await local.post("/users", json=person(plant_id=str(here))),
    ]
    assert [answer.status_code for answer in answers] == [404, 403, 201]
    assert answers[1].json()["code"] == "permission_missing"


async def test_a_role_that_is_not_there_is_refused(office: Office) -> None:
    assert code_of(await office.invite(roles=["BOSS"])) == (422, "role_unknown")


@pytest.mark.parametrize(
    "wrong",
    [{"email": "nobody"}, {"login_code": "a b"}, {"short_no": "1"}, {"printed_name": ""}, {"printed_name": "a\0"},
     {"status": "active"}, {"locale": "xx"}],
)  # fmt: skip
async def test_what_cannot_be_a_person_is_refused(office: Office, wrong: dict[str, Any]) -> None:
    assert (await office.invite(**wrong)).status_code in (400, 422)


async def test_names_are_never_given_to_another_even_after_a_change(office: Office) -> None:
    made = await office.invite()
    path, headers = f"/users/{made.json()['id']}", {"If-Match": made.headers["etag"]}
    assert (await office.admin.patch(path, json={"email": "new@example.org"}, headers=headers)).status_code == 200
    other = {"login_code": "FFB-7002", "short_no": "7002"}
    for wrong in (
        {"email": "ada@example.org"},
        {"email": "ADA@example.org"},
        {"email": "x@example.org", "login_code": "ffb-7001"},
        {"email": "x@example.org", "login_code": "new@example.org"},
    ):
        assert code_of(await office.invite(**other | wrong)) == (409, "constraint_violated"), wrong
    mine = {"If-Match": '"2"'}
    assert (await office.admin.patch(path, json={"email": "ada@example.org"}, headers=mine)).status_code == 200


async def test_the_memory_of_names_cannot_be_changed(office: Office, database: Database) -> None:
    await office.invite()
    said = (
        "DELETE FROM identity_login_name",
        "UPDATE identity_login_name SET name = 'x'",
        "TRUNCATE identity_login_name",
    )
    for statement in said:
        with pytest.raises(DBAPIError, match="permission denied"):
            async with database.tenant_session(office.tenant.id, system(office.tenant.id)) as db:
                await db.execute(text(statement))
        # Who owns the tables is stopped as well, by the trigger.
        with (
            postgres.connect(database.cluster.owner) as db,
            pytest.raises(InsufficientPrivilege, match="never changed"),
        ):
            db.execute(f"SET search_path TO {office.tenant.schema}".encode())
            db.execute(statement.encode())


async def test_a_person_is_changed_by_who_read_them_last(office: Office) -> None:
    made = await office.invite()
    path, etag = f"/users/{made.json()['id']}", made.headers["etag"]
    assert code_of(await office.admin.patch(path, json={"locale": "es"}))[1] == "if_match_missing"
    answer = await office.admin.patch(path, json={"locale": "es"}, headers={"If-Match": etag})
    assert (answer.status_code, answer.json()["locale"]) == (200, "es")
    stale = await office.admin.patch(path, json={"locale": "en"}, headers={"If-Match": etag})
    assert code_of(stale) == (412, "version_stale")
    for wrong in ({"login_code": "FFB-9"}, {"status": "active"}, {"email": "x"}):
        refused = await office.admin.patch(path, json=wrong, headers={"If-Match": answer.headers["etag"]})
        assert refused.status_code == 422


async def test_many_are_invited_each_with_its_own_fate(office: Office) -> None:
    rows = [person(), person(login_code="FFB-7002", short_no="7002", email="b@example.org", roles=["BOSS"]),
            person(login_code="FFB-7003", short_no="7003", email="c@example.org"), {"email": "x"}]  # fmt: skip
    dry = (await office.post("/users:bulk?dry_run=true", {"rows": rows})).json()["results"]
    assert ([each["status"] for each in dry], office.letters) == ([201, 422, 201, 422], [])
    results = (await office.post("/users:bulk", {"rows": rows})).json()["results"]
    assert [each["status"] for each in results] == [201, 422, 201, 422]
    assert sorted(letter.to for letter in office.letters) == ["ada@example.org", "c@example.org"]


async def test_a_sheet_of_people_is_brought_in(office: Office) -> None:
    sheet = (
        "email,login_code,short_no,printed_name,roles\nada@example.org,FFB-7001,7001,Ada Brook,PL;QM\n,FFB-1,1,Bad,\n"
    )
    headers = {"Content-Type": "text/csv"}
    answer = await office.admin.post("/users:import", content=sheet, headers=headers)
    await office.app.state.later.finish()
    assert [each["status"] for each in answer.json()["results"]] == [201, 422], answer.text
    assert len(office.letters) == 1
    for content, kind, code in ((b"\xff", "text/csv", "import_unreadable"), (b'email\n"A\n', "text/csv", "import_unreadable"),
                                (b"", "text/csv", "import_empty"), (b"x", "text/plain", "import_type_unknown")):  # fmt: skip
        refused = await office.admin.post("/users:import", content=content, headers={"Content-Type": kind})
        assert refused.json()["code"] == code


async def test_a_sheet_of_people_has_no_more_rows_and_bytes_than_others(office: Office) -> None:
    """Each row costs a hash, a lock and a letter."""
    headers = {"Content-Type": "text/csv"}
    most = await office.admin.post("/users:import", content="email\n" + "x\n" * bulk.MAX_ROWS, headers=headers)
    assert {each["status"] for each in most.json()["results"]} == {422}, most.text
    assert len(most.json()["results"]) == bulk.MAX_ROWS
    for content, limit in (
        ("email\n" + "x\n" * (bulk.MAX_ROWS + 1), bulk.MAX_ROWS),
        ("x" * (imports.MAX_BYTES + 1), imports.MAX_BYTES),
    ):
        refused = await office.admin.post("/users:import", content=content, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (413, "import_too_large"), refused.text
        assert refused.json()["most"] == limit


async def test_the_database_keeps_one_open_letter(office: Office, database: Database) -> None:
    await office.invite()
    for change in ("used_at = NULL, revoked_at = NULL", "expires_at = issued_at"):
        await office.post(f"/users/{await an_id(office, database)}:invite")
        with pytest.raises(IntegrityError):
            async with database.tenant_session(office.tenant.id, system(office.tenant.id)) as db:
                await db.execute(text(f"UPDATE identity_invitation SET {change}"))


async def an_id(office: Office, database: Database) -> str:
    async with database.tenant_session(office.tenant.id, system(office.tenant.id)) as db:
        return str((await db.scalars(select(Invitation.user_id).limit(1))).one())
