"""Who may hand out what to whom: the guard, its escapes, and what a lost role takes with it."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError, ProgrammingError

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.machines.identity import PermissionState
from server.core.actor import system
from server.core.db.sessions import Database, TenantRef
from server.identity import roles
from server.identity.models import Permission
from tests.server.identity.staff import Person, Staff, code

READ, UPDATE = "plant_ops.batch.read", "plant_ops.batch.update"
ADMIN_OF_ROLES = (
    "identity.role.update", "identity.role.create", "identity.role.activate", "identity.role.retire",
    "identity.role.read", "identity.user_role.create", "identity.user_role.read", "identity.user_role.take",
)  # fmt: skip
"""Of a company's own "personnel" role: it administers roles, and appoints nobody."""


@pytest_asyncio.fixture(loop_scope="session")
async def staff(app: FastAPI, database: Database, tenant: TenantRef) -> Staff:
    return await Staff.hire(app, database, tenant)


async def bulk(by: Person, role_id: uuid.UUID, *rows: tuple[str, str], **query: str) -> Any:
    body = {"rows": [{"do": do, "code": each} for do, each in rows]}
    answer = await by.client.post(f"/roles/{role_id}/permissions:bulk", json=body, params=query)
    assert "results" in answer.json(), answer.text
    return answer


def fates(answer: Any) -> list[tuple[int, str | None]]:
    return [(each["status"], (each["errors"] or [{"code": None}])[0]["code"]) for each in answer.json()["results"]]


# --- a role of the company's own


async def test_a_role_is_made_filled_activated_given_and_retired(staff: Staff) -> None:
    admin, worker = await staff.person("TA"), await staff.person()
    made = await admin.client.post("/roles", json={"key": "READER", "name": "Reads batches"})
    assert (made.status_code, made.json()["state"], made.json()["permissions"]) == (201, "draft", [])
    role_id = uuid.UUID(made.json()["id"])
    assert fates(await bulk(admin, role_id, ("add", READ), ("add", "plant_ops.line.read"))) == [(200, None)] * 2
    role = await admin.client.get(f"/roles/{role_id}")
    assert role.json()["permissions"] == [READ, "plant_ops.line.read"]
    assert role.json()["version"] > 1
    assert code(await staff.give(admin, worker, role_id)) == (409, "role_not_active")
    assert (await admin.client.post(f"/roles/{role_id}:activate", json={})).status_code == 200
    assert code(await admin.client.post(f"/roles/{role_id}:activate", json={})) == (409, "illegal_move")
    assert await worker.permissions() == set()
    assert (await staff.give(admin, worker, role_id)).status_code == 201
    assert await worker.permissions() == {READ, "plant_ops.line.read"}
    assert fates(await bulk(admin, role_id, ("remove", READ))) == [(200, None)]
    assert await worker.permissions() == {"plant_ops.line.read"}  # at the next request
    version = (await admin.client.get(f"/roles/{role_id}")).headers["etag"]
    assert (await admin.client.delete(f"/roles/{role_id}", headers={"If-Match": version})).status_code == 204
    assert (await worker.client.get("/me")).status_code == 401
    await staff.enter(worker)
    assert await worker.permissions() == set()
    again = (await admin.client.get(f"/roles/{role_id}")).headers["etag"]
    for answer in (
        await admin.client.delete(f"/roles/{role_id}", headers={"If-Match": again}),
        await admin.client.patch(f"/roles/{role_id}", json={"name": "Again"}, headers={"If-Match": again}),
    ):
        assert code(answer) == (409, "role_retired")
    assert code(await staff.give(admin, worker, role_id)) == (409, "role_not_active")
    assert fates(await bulk(admin, role_id, ("add", READ))) == [(409, "role_retired")]


async def test_a_draft_is_not_retired_and_a_key_is_not_used_twice(staff: Staff) -> None:
    admin = await staff.person("TA")
    made = await admin.client.post("/roles", json={"key": "ONE", "name": "One"})
    gone = await admin.client.delete(f"/roles/{made.json()['id']}", headers={"If-Match": '"1"'})
    assert code(gone) == (409, "illegal_move")
    twice = await admin.client.post("/roles", json={"key": "ONE", "name": "Two"})
    assert (code(twice), twice.json()["constraint"]) == ((409, "constraint_violated"), "uq_identity_role_key")
    assert code(await admin.client.post("/roles", json={"key": "1 x", "name": "x"})) == (422, "role_key_bad")
    bad = await admin.client.post("/roles", json={"key": "X", "name": "x", "assignable_scope": "world"})
    assert code(bad) == (422, "role_scope_bad")


async def test_a_system_role_is_not_edited(staff: Staff) -> None:
    admin = await staff.person("TA")
    role_id = await staff.system_role("OP")
    version = (await admin.client.get(f"/roles/{role_id}")).headers["etag"]
    for answer in (
        await admin.client.patch(f"/roles/{role_id}", json={"name": "Mine"}, headers={"If-Match": version}),
        await admin.client.delete(f"/roles/{role_id}", headers={"If-Match": version}),
        await admin.client.post(f"/roles/{role_id}:activate", json={}),
    ):
        assert code(answer) == (409, "role_is_system")
    assert fates(await bulk(admin, role_id, ("add", READ), ("remove", READ))) == [(409, "role_is_system")] * 2


# --- nobody hands out what they do not hold


async def test_a_permission_that_one_does_not_hold_is_not_put_into_a_role(staff: Staff) -> None:
    admin = await staff.person("TA")
    role_id = await staff.role("MINE", [])
    assert READ in await admin.permissions()
    assert UPDATE not in await admin.permissions()
    answer = await bulk(admin, role_id, ("add", READ), ("add", UPDATE), ("add", "fsq.lot.release"))
    assert fates(answer) == [(200, None), (403, "grant_beyond_own"), (403, "grant_beyond_own")]
    role = (await admin.client.get(f"/roles/{role_id}")).json()
    assert role["permissions"] == [READ]


async def test_a_role_with_more_than_one_holds_is_not_given(staff: Staff) -> None:
    clerk_role = await staff.role("CLERK", [*ADMIN_OF_ROLES, READ])
    clerk, worker = await staff.person("CLERK"), await staff.person()
    assert clerk_role
    reader, writer = await staff.role("READER", [READ]), await staff.role("WRITER", [READ, UPDATE])
    assert (await staff.give(clerk, worker, reader)).status_code == 201
    refused = await staff.give(clerk, worker, writer)
    assert (code(refused), refused.json()["permissions"]) == ((403, "grant_beyond_own"), [UPDATE])
    # A system role, too, unless the giver holds the right to appoint.
    assert code(await staff.give(clerk, worker, await staff.system_role("QM"))) == (403, "grant_beyond_own")


async def test_an_administrator_appoints_others_and_never_themselves(staff: Staff) -> None:
    admin, worker = await staff.person("TA"), await staff.person()
    quality = await staff.system_role("QM")
    assert code(await staff.give(admin, admin, quality)) == (409, "own_role")
    assert (await staff.give(admin, worker, quality)).status_code == 201
    assert "fsq.lot.release" in await worker.permissions()
    assert "fsq.lot.release" not in await admin.permissions()


async def test_nobody_fills_a_role_they_hold(staff: Staff) -> None:
    """Held at one plant or for a day, it would be more everywhere and for ever."""
    role_id = await staff.role("SOME", [])
    admin = await staff.person("TA", "SOME", plant=None)
    assert fates(await bulk(admin, role_id, ("add", READ))) == [(409, "own_role")]
    assert fates(await bulk(admin, role_id, ("remove", READ))) == [(200, None)]


async def test_who_holds_a_right_at_one_plant_does_not_hand_it_out_at_another(staff: Staff) -> None:
    await staff.role("CLERK", [*ADMIN_OF_ROLES, READ])
    clerk, worker = await staff.person("CLERK", plant=staff.plant), await staff.person()
    reader = await staff.role("READER", [READ])
    assert (await staff.give(clerk, worker, reader, plant_id=staff.plant)).status_code == 201
    assert code(await staff.give(clerk, worker, reader, plant_id=staff.other_plant)) == (404, "record_unknown")
    assert code(await staff.give(clerk, worker, reader)) == (403, "permission_missing")
    assert fates(await bulk(clerk, reader, ("add", READ))) == [(403, "permission_missing")]
    assert code(await clerk.client.post("/roles", json={"key": "NEW", "name": "New"})) == (403, "permission_missing")
    draft = (await (await staff.person("TA")).client.post("/roles", json={"key": "DRAFT", "name": "Draft"})).json()
    activated = await clerk.client.post(f"/roles/{draft['id']}:activate", json={})
    assert code(activated) == (403, "permission_missing")
    for method in ("PATCH", "DELETE"):
        refused = await clerk.client.request(
            method, f"/roles/{reader}", json={"name": "x"}, headers={"If-Match": '"2"'}
        )
        assert code(refused)[1] in ("permission_missing", "version_stale"), refused.text


async def test_who_administers_one_plant_takes_nothing_that_holds_everywhere(staff: Staff) -> None:
    await staff.role("CLERK", [*ADMIN_OF_ROLES, READ])
    admin, clerk, worker = (
        await staff.person("TA"),
        await staff.person("CLERK", plant=staff.plant),
        await staff.person(),
    )
    reader = await staff.role("READER", [READ])
    given = await staff.give(admin, worker, reader)
    taken = await clerk.client.post(f"/user-roles/{given.json()['id']}:take", json={"reason": "no longer here"})
    assert code(taken) == (403, "permission_missing")
    assert READ in await worker.permissions()


async def test_a_right_held_elsewhere_is_not_put_into_a_role(staff: Staff) -> None:
    """A role is given anywhere: its content must be held everywhere."""
    await staff.role("CLERK", ADMIN_OF_ROLES)
    await staff.role("BATCHES", [READ])
    role_id = await staff.role("NEW", [])
    clerk = await staff.person("CLERK")
    admin = await staff.person("TA")
    batches = (await admin.client.get("/roles", params={"filter[key]": "BATCHES"})).json()["items"][0]["id"]
    assert (await staff.give(admin, clerk, batches, plant_id=staff.plant)).status_code == 201
    await staff.enter(clerk)
    assert READ in await clerk.permissions()
    assert fates(await bulk(clerk, role_id, ("add", READ))) == [(403, "grant_beyond_own")]


async def test_who_holds_a_right_for_a_time_does_not_hand_it_out_for_longer(staff: Staff) -> None:
    now = staff.database.clock.now()
    until = now + timedelta(days=10)
    await staff.role("CLERK", [*ADMIN_OF_ROLES, READ])
    reader, new = await staff.role("READER", [READ]), await staff.role("NEW", [])
    clerk, worker = await staff.person("CLERK", until=until), await staff.person()
    assert code(await staff.give(clerk, worker, reader)) == (403, "grant_beyond_own")
    late = (until + timedelta(seconds=1)).isoformat()
    assert code(await staff.give(clerk, worker, reader, valid_to=late)) == (403, "grant_beyond_own")
    assert fates(await bulk(clerk, new, ("add", READ))) == [(403, "grant_beyond_own")]
    assert (await staff.give(clerk, worker, reader, valid_to=until.isoformat())).status_code == 201


# --- where and how long


async def test_a_role_of_a_plant_is_given_at_a_plant_and_an_auditors_until_a_day(staff: Staff) -> None:
    admin, worker = await staff.person("TA"), await staff.person()
    for key in ("OP", "QT", "SV", "MT"):
        role_id = await staff.system_role(key)
        assert code(await staff.give(admin, worker, role_id)) == (409, "role_needs_plant")
        assert (await staff.give(admin, worker, role_id, plant_id=staff.plant)).status_code == 201
    auditor = await staff.system_role("AU")
    assert code(await staff.give(admin, worker, auditor)) == (409, "role_needs_end")
    until = (staff.database.clock.now() + timedelta(days=5)).isoformat()
    assert (await staff.give(admin, worker, auditor, valid_to=until)).status_code == 201


async def test_a_term_begins_now_or_later_and_ends_after_that(staff: Staff) -> None:
    admin, worker = await staff.person("TA"), await staff.person()
    role_id, now = await staff.role("READER", [READ]), staff.database.clock.now()
    yesterday, tomorrow = (now - timedelta(days=1)).isoformat(), (now + timedelta(days=1)).isoformat()
    assert code(await staff.give(admin, worker, role_id, valid_from=yesterday)) == (422, "term_bad")
    assert code(await staff.give(admin, worker, role_id, valid_from=tomorrow, valid_to=tomorrow)) == (422, "term_bad")
    for plant in (uuid.uuid4(), "x"):
        answer = await staff.give(admin, worker, role_id, plant_id=plant)
        assert answer.status_code == (422 if plant == "x" else 404), answer.text
    for wrong in ({"role_id": uuid.uuid4()}, {}):
        stranger = Person(uuid.uuid4(), "", admin.client) if not wrong else worker
        assert code(await staff.give(admin, stranger, wrong.get("role_id", role_id))) == (404, "record_unknown")


async def test_the_same_role_is_not_held_twice_at_a_time(staff: Staff, frozen: FakeClock) -> None:
    admin, worker = await staff.person("TA"), await staff.person()
    role_id = await staff.role("READER", [READ])
    day = [(frozen.at + timedelta(days=each)).isoformat() for each in range(4)]

    async def given(**over: Any) -> str | None:
        answer = await staff.give(admin, worker, role_id, **over)
        return None if answer.status_code == 201 else str(answer.json().get("constraint"))

    assert await given(valid_from=day[1], valid_to=day[2]) is None
    assert await given(valid_from=day[1]) == "ex_identity_user_role_valid"
    assert await given(valid_to=day[3]) == "ex_identity_user_role_valid"
    assert await given(valid_from=day[2], valid_to=day[3]) is None  # half-open: one ends as the next begins
    assert await given(plant_id=staff.plant) is None
    assert await given(plant_id=staff.plant) == "ex_identity_user_role_valid"
    assert await given(plant_id=staff.other_plant) is None


async def test_a_role_counts_from_its_first_instant_to_before_its_last(staff: Staff, frozen: FakeClock) -> None:
    admin, worker = await staff.person("TA"), await staff.person()
    role_id, begins, ends = await staff.role("READER", [READ]), timedelta(minutes=2), timedelta(minutes=4)
    start = frozen.at
    term = {"valid_from": (start + begins).isoformat(), "valid_to": (start + ends).isoformat()}
    assert (await staff.give(admin, worker, role_id, **term)).status_code == 201
    told = await staff.fed(worker)
    held = []
    for passed_s in (0, 119, 120, 239, 240):
        frozen.at = start + timedelta(seconds=passed_s)
        await roles.tell_of_time(staff.app, staff.tenant)
        await roles.tell_of_time(staff.app, staff.tenant)  # a second time changes nothing
        if passed_s == 240:
            assert (await worker.client.get("/me")).status_code == 401
            await staff.enter(worker)
        held.append((READ in await worker.permissions(), await staff.fed(worker) - told))
    assert held == [(False, 0), (False, 0), (True, 1), (True, 1), (False, 2)]


# --- losing a role


async def test_who_loses_a_role_is_signed_out_in_the_same_transaction(staff: Staff) -> None:
    admin, worker = await staff.person("TA"), await staff.person()
    given = await staff.give(admin, worker, await staff.role("READER", [READ]))
    before, told = await staff.epoch(worker), await staff.fed(worker)
    path = f"/user-roles/{given.json()['id']}"
    taken = await admin.client.post(f"{path}:take", json={"reason": "left the shift"})
    assert taken.status_code == 200, taken.text
    assert (await worker.client.get("/me")).status_code == 401
    assert (await staff.epoch(worker), await staff.fed(worker)) == (before + 1, told + 1)
    await staff.enter(worker)
    assert await worker.permissions() == set()
    assert code(await admin.client.post(f"{path}:take", json={"reason": "once more"})) == (409, "role_taken")
    last = (await staff.audited("identity.user_role"))[-1]
    assert (last.action, last.actor_id, last.reason) == ("identity.user_role.take", admin.id, "left the shift")
    listed = (await admin.client.get(f"/users/{worker.id}/roles")).json()
    assert [each["retired_at"] is not None for each in listed] == [True]


async def test_the_last_administrator_cannot_lose_the_role(staff: Staff) -> None:
    admin = await staff.person("TA")
    second = await staff.person("TA", until=staff.database.clock.now() + timedelta(days=1))
    mine = (await admin.client.get(f"/users/{admin.id}/roles")).json()[0]["id"]
    # The second one ends tomorrow: then nobody would be left.
    refused = await second.client.post(f"/user-roles/{mine}:take", json={"reason": "they left"})
    assert code(refused) == (409, "last_admin")
    third = await staff.person("TA")
    assert (await third.client.post(f"/user-roles/{mine}:take", json={"reason": "they left"})).status_code == 200


async def test_two_administrators_who_take_each_others_role_leave_one(staff: Staff) -> None:
    for _ in range(3):
        pair = [await staff.person("TA"), await staff.person("TA")]
        held = [(await each.client.get(f"/users/{each.id}/roles")).json()[0]["id"] for each in pair]
        answers = await asyncio.gather(
            *(
                by.client.post(f"/user-roles/{held[1 - place]}:take", json={"reason": "both at once"})
                for place, by in enumerate(pair)
            )
        )
        assert sorted(each.status_code for each in answers) in ([200, 401], [200, 403], [200, 409]), answers
        for each in pair:
            await staff.enter(each)
        left = [each for each in pair if "identity.user_role.take" in await each.permissions()]
        assert len(left) == 1
        async with staff.database.tenant_session(staff.tenant.id) as db:
            # The next round begins with nobody.
            await db.execute(text("UPDATE identity_user_role SET retired_at = now() WHERE retired_at IS NULL"))


async def test_a_role_is_not_given_while_it_is_retired(staff: Staff) -> None:
    admin, worker = await staff.person("TA"), await staff.person()
    role_id = await staff.role("READER", [READ])
    version = (await admin.client.get(f"/roles/{role_id}")).headers["etag"]
    given, gone = await asyncio.gather(
        staff.give(admin, worker, role_id),
        admin.client.delete(f"/roles/{role_id}", headers={"If-Match": version}),
    )
    assert gone.status_code == 204, gone.text
    assert given.status_code in (201, 409)
    rows = (await admin.client.get(f"/users/{worker.id}/roles")).json()
    assert all(row["retired_at"] for row in rows)


async def test_an_edited_role_is_news_for_the_terminals_of_who_holds_it(staff: Staff) -> None:
    admin, worker = await staff.person("TA"), await staff.person()
    role_id = await staff.role("READER", [READ])
    await staff.give(admin, worker, role_id)
    told = await staff.fed(worker)
    await bulk(admin, role_id, ("add", "plant_ops.line.read"))
    assert await staff.fed(worker) == told + 1


# --- many at once


async def test_a_list_of_edits_is_tried_kept_together_or_row_by_row(staff: Staff) -> None:
    admin = await staff.person("TA")
    role_id = await staff.role("MINE", [])

    async def content() -> list[str]:
        found: list[str] = (await admin.client.get(f"/roles/{role_id}")).json()["permissions"]
        return found

    rows = (("add", READ), ("add", "no.such.code"), ("add", UPDATE))
    wanted = [(200, None), (422, "permission_unknown"), (403, "grant_beyond_own")]
    assert fates(await bulk(admin, role_id, *rows, dry_run="true")) == wanted
    assert await content() == []
    together = await bulk(admin, role_id, *rows, atomic="true")
    assert together.status_code == 422
    assert fates(together)[0][0] == 424
    assert await content() == []
    audits = len(await staff.audited("identity.role"))
    assert fates(await bulk(admin, role_id, *rows)) == wanted
    assert await content() == [READ]
    last = (await staff.audited("identity.role"))[-1]
    assert (len(await staff.audited("identity.role")), last.diff["permissions"]) == (audits + 1, [[], [READ]])
    broken = await admin.client.post(f"/roles/{role_id}/permissions:bulk", json={"rows": [{"do": "x"}, 7]})
    assert fates(broken) == [(422, "request_invalid")] * 2


# --- permissions


async def test_a_permission_of_the_program_is_not_changed(staff: Staff) -> None:
    admin = await staff.person("TA")
    row = (await admin.client.get("/permissions", params={"filter[code]": "fsq.lot.release"})).json()["items"][0]
    assert (row["level"], row["is_system"], row["state"]) == ("esign", True, "active")
    path, stated = f"/permissions/{row['id']}", {"If-Match": '"1"'}
    assert code(await admin.client.patch(path, json={"level": "normal"}, headers=stated)) == (
        409,
        "permission_is_system",
    )
    assert code(await admin.client.delete(path, headers=stated)) == (409, "permission_is_system")
    for wrong in ("fsq.lot.release", "fsq.lot.steal", "custom.x", "custom.A.b", "custom.a.b\n"):
        answer = await admin.client.post("/permissions", json={"code": wrong})
        assert code(answer) == (422, "permission_code_bad"), wrong
    signed = await admin.client.post("/permissions", json={"code": "custom.a.b", "level": "esign"})
    assert code(signed) == (422, "permission_level_bad")


async def test_a_permission_that_a_release_no_longer_asks_for_goes_into_no_role(staff: Staff) -> None:
    admin, role_id = await staff.person("TA"), await staff.role("MINE", [])
    for state, fate in (
        (PermissionState.deprecated, (409, "permission_deprecated")),
        (PermissionState.active, (200, None)),
    ):
        async with staff.database.tenant_session(staff.tenant.id, system(staff.tenant.id)) as db:
            await db.execute(update(Permission).where(Permission.code == READ).values(state=state))
        assert fates(await bulk(admin, role_id, ("add", READ))) == [fate]


async def test_who_is_shut_out_is_given_no_role(staff: Staff) -> None:
    admin, worker = await staff.person("TA"), await staff.person()
    why = {"reason": "left the company"}
    assert (await admin.client.post(f"/users/{worker.id}:disable", json=why)).status_code == 200
    given = await staff.give(admin, worker, await staff.role("READER", [READ]))
    assert code(given) == (409, "account_disabled")


async def test_a_permission_of_ones_own_goes_into_no_role_and_ends(staff: Staff) -> None:
    admin = await staff.person("TA")
    made = await admin.client.post("/permissions", json={"code": "custom.erp.pull", "level": "high"})
    assert made.status_code == 201, made.text
    role_id = await staff.role("MINE", [])
    assert fates(await bulk(admin, role_id, ("add", "custom.erp.pull"))) == [(409, "permission_is_custom")]
    path = f"/permissions/{made.json()['id']}"
    assert (await admin.client.delete(path, headers={"If-Match": '"1"'})).status_code == 204
    assert (await admin.client.get(path)).json()["state"] == "deprecated"
    assert code(await admin.client.delete(path, headers={"If-Match": '"2"'})) == (409, "illegal_move")


# --- the database itself


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("INSERT INTO identity_role_permission SELECT id, 'no.such.code' FROM identity_role LIMIT 1", "fk_"),
        ("INSERT INTO identity_role_permission SELECT id, 'custom.a.b' FROM identity_role LIMIT 1", "_ours"),
        ("UPDATE identity_permission SET code = 'fsq.lot.free' WHERE code = 'fsq.lot.release'", "keeps its code"),
        ("UPDATE identity_permission SET is_system = false WHERE code = 'fsq.lot.release'", "keeps its code"),
        ("DELETE FROM identity_permission WHERE code = 'sync.inbox.waive'", "keeps its code"),
        ("UPDATE identity_user_role SET valid_to = now() + interval '9 years'", "never changed"),
        ("UPDATE identity_user_role SET plant_id = NULL, role_id = gen_random_uuid()", "never changed"),
        ("UPDATE identity_user_role SET valid_to = valid_from", "never changed"),
        ("DELETE FROM identity_user_role", "never changed"),
        ("UPDATE identity_role SET key = 'two words'", "ck_identity_role_key"),
        ("UPDATE identity_role SET assignable_scope = 'world'", "ck_identity_role_assignable_scope"),
        ("UPDATE identity_role SET state = 'retired'", "ck_identity_role_retired"),
    ],
)  # fmt: skip
async def test_the_database_refuses_what_no_verb_does(staff: Staff, statement: str, rule: str) -> None:
    await staff.person("OP", plant=staff.plant)
    with pytest.raises((IntegrityError, ProgrammingError)) as refused:
        async with staff.database.tenant_session(staff.tenant.id) as db:
            await db.execute(text(statement))
    assert rule in str(refused.value)


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ("'Fsq.lot.read', 'normal', true", "ck_identity_permission_code"),
        ("'fsq.lot', 'normal', true", "ck_identity_permission_code"),
        ("'custom.a.b', 'normal', true", "ck_identity_permission_custom"),
        ("'fsq.lot.x', 'normal', false", "ck_identity_permission_custom"),
        ("'custom.a.b', 'esign', false", "ck_identity_permission_signed_by_us"),
        ("'fsq.lot.x', 'huge', true", "ck_identity_permission_level"),
        ("'fsq.lot.read', 'normal', true", "uq_identity_permission_code"),
    ],
)
async def test_a_permission_has_one_code_of_three_parts_and_a_level(staff: Staff, values: str, rule: str) -> None:
    await staff.person()
    statement = (
        "INSERT INTO identity_permission (id, version, created_at, updated_at, code, level, is_system) "
        f"VALUES (gen_random_uuid(), 1, now(), now(), {values})"
    )
    with pytest.raises(IntegrityError, match=rule):
        async with staff.database.tenant_session(staff.tenant.id) as db:
            await db.execute(text(statement))
