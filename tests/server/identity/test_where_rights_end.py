"""A right that is held at one plant is none at another, also of who sees that other plant."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from foodflow_kernel.ids import new_id
from server.core.actor import system
from server.core.db.sessions import Database, TenantRef
from server.identity.models import UserRole
from tests.server.core.test_notes import Ids, a_place
from tests.server.core.test_tags import a_tag, mark
from tests.server.identity.staff import Person, Staff, code

READS = frozenset({
    "core.location.read", "core.note.read", "core.tag.read", "core.tag_link.read", "core.attachment.read",
    "identity.user.read", "identity.user_role.read", "identity.role.read", "identity.api_key.read",
})  # fmt: skip
ACTS = frozenset({
    "core.location.create", "core.location.update", "core.location.retire", "core.note.create",
    "core.location.block", "core.tag.update", "core.tag.retire", "core.tag.merge", "core.tag_link.create",
    "core.tag_link.retire", "core.attachment.create", "core.config.read",
    "identity.user.create", "identity.user_role.create", "identity.api_key.create",
})  # fmt: skip


@dataclass
class Two:
    """Somebody who acts at one plant and reads at both; a record at each, and a tag of the whole company."""

    staff: Staff
    person: Person
    here: Ids
    there: Ids
    tag: str
    admin: Person

    def plant_of(self, record: Ids) -> str:
        return str(self.staff.plant if record is self.here else self.staff.other_plant)


@pytest_asyncio.fixture(loop_scope="session")
async def two(app: FastAPI, database: Database, tenant: TenantRef) -> Two:
    staff = await Staff.hire(app, database, tenant)
    await staff.role("ACTS", ACTS)
    reads, admin = await staff.role("READS", READS), await staff.person("TA")
    person = await staff.person("ACTS", "READS", plant=staff.plant)
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        now = database.clock.now()
        given = {"role_id": reads, "plant_id": staff.other_plant, "valid_from": now, "told_at": now}
        db.add(UserRole(id=new_id(now), user_id=person.id, **given))
    here, there = [await a_place(database, tenant, plant, "D1") for plant in (staff.plant, staff.other_plant)]
    return Two(staff, person, here, there, await a_tag(admin.client, "chilled"), admin)


Act = Callable[[Two, Ids], Awaitable[httpx.Response]]


async def a_note(two: Two, record: Ids) -> httpx.Response:
    return await two.person.client.post("/notes", json=record | {"body": "The door is open"})


async def a_mark(two: Two, record: Ids) -> httpx.Response:
    return await two.person.client.post(f"/tags/{two.tag}/links", json=record)


async def a_file(two: Two, record: Ids) -> httpx.Response:
    sha256 = hashlib.sha256(b"x").hexdigest()
    new = {"filename": "a.png", "size": 1, "sha256": sha256, "plant_id": two.plant_of(record)}
    return await two.person.client.post("/attachments", json=new)


async def a_setting(two: Two, record: Ids) -> httpx.Response:
    asked = {"key": "notify.keep_h", "scope": "plant", "scope_id": two.plant_of(record)}
    return await two.person.client.get("/config/effective", params=asked)


async def a_colleague(two: Two, record: Ids) -> httpx.Response:
    new = {"email": "ada@example.org", "login_code": "FFB-7001", "short_no": "7001", "printed_name": "Ada Brook",
           "roles": [], "plant_id": two.plant_of(record)}  # fmt: skip
    return await two.person.client.post("/users", json=new)


async def a_key(two: Two, record: Ids) -> httpx.Response:
    new = {"name": "ERP", "scopes": ["core.location.read"], "plant_id": two.plant_of(record)}
    return await two.person.client.post("/api-keys", json=new)


async def a_record(two: Two, record: Ids) -> httpx.Response:
    known = (await two.person.client.get(f"/locations/{two.here['entity_id']}")).json()
    names = ("name", "kind", "business_name", "phone", "street", "city", "state_region", "postal_code", "country")
    new = {name: known[name] for name in names} | {"code": "D2", "plant_id": two.plant_of(record)}
    return await two.person.client.post("/locations", json=new)


async def a_change(two: Two, record: Ids) -> httpx.Response:
    path = f"/locations/{record['entity_id']}"
    return await two.person.client.patch(path, json={"name": "Dock"}, headers={"If-Match": '"1"'})


async def an_end(two: Two, record: Ids) -> httpx.Response:
    return await two.person.client.delete(f"/locations/{record['entity_id']}", headers={"If-Match": '"1"'})


async def a_verb(two: Two, record: Ids) -> httpx.Response:
    return await two.person.client.post(f"/locations/{record['entity_id']}:block", json={"reason": "the floor is wet"})


@pytest.mark.parametrize(
    "act",
    [a_note, a_mark, a_file, a_setting, a_colleague, a_key, a_record, a_change, an_end, a_verb],
)
async def test_what_one_does_at_ones_own_plant_one_does_not_do_at_another(two: Two, act: Act) -> None:
    assert code(await act(two, two.there)) == (403, "permission_missing")
    done = await act(two, two.here)
    assert done.is_success, done.text


async def test_what_all_plants_share_is_changed_by_nobody_with_a_right_at_one(two: Two) -> None:
    client, path, seen = two.person.client, f"/tags/{two.tag}", {"If-Match": '"1"'}
    other = await a_tag(two.admin.client, "cold chain")
    for refused in (
        await client.patch(path, json={"colour": "#2f6fb3"}, headers=seen),
        await client.delete(path, headers=seen),
        await client.post(f"{path}:merge", json={"into_id": other, "reason": "means the same"}),
    ):
        assert code(refused) == (403, "permission_missing")
    changed = await two.admin.client.patch(path, json={"colour": "#2f6fb3"}, headers=seen)
    assert changed.status_code == 200, changed.text


async def test_a_mark_at_another_plant_is_not_taken_away(two: Two) -> None:
    links = [(await mark(two.admin.client, two.tag, record)).json()["id"] for record in (two.there, two.here)]
    why = {"reason": "the wrong record"}
    there, here = [await two.person.client.delete(f"/tags/{two.tag}/links/{each}", params=why) for each in links]
    assert code(there) == (403, "permission_missing")
    assert here.status_code == 204
