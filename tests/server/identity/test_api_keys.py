"""API keys: what they open, from where, how often and how long, and what shuts them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError, ProgrammingError

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.machines.identity import TenantState
from server.core.db.sessions import Database, Tenant, TenantRef
from server.identity import api_keys
from server.identity.models import ApiKey
from server.identity.models.api_keys import MOST_RPM
from tests.conftest import a_tenant
from tests.server.identity.staff import Person, Staff, code

READ, LINES = "plant_ops.batch.read", "plant_ops.line.read"
KEYS = ("identity.api_key.create", "identity.api_key.read", "identity.api_key.rotate", "identity.api_key.revoke")


@pytest_asyncio.fixture(loop_scope="session")
async def staff(app: FastAPI, database: Database, tenant: TenantRef) -> Staff:
    return await Staff.hire(app, database, tenant)


async def make(by: Person, *scopes: str, **over: Any) -> httpx.Response:
    return await by.client.post("/api-keys", json={"name": "ERP", "scopes": list(scopes)} | over)


async def a_key(by: Person, *scopes: str, **over: Any) -> dict[str, Any]:
    answer = await make(by, *scopes, **over)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def call(
    staff: Staff, key: Mapping[str, Any] | str, path: str = "/me/permissions", address: str = "192.0.2.7", **query: str
) -> httpx.Response:
    text_of = key if isinstance(key, str) else key["key"]
    transport = httpx.ASGITransport(staff.app, raise_app_exceptions=False, client=(address, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="https://hub/api/v1") as client:
        return await client.get(path, params=query, headers={"Authorization": f"Bearer {text_of}"})


async def opens(staff: Staff, key: Mapping[str, Any] | str) -> bool:
    answer = await call(staff, key)
    assert answer.status_code in (200, 401), answer.text
    return answer.status_code == 200


async def kept(staff: Staff, key_id: str) -> ApiKey:
    async with staff.database.tenant_session(staff.tenant.id) as db:
        return await db.get_one(ApiKey, uuid.UUID(key_id))


async def test_a_key_is_shown_once_and_kept_as_a_digest(staff: Staff) -> None:
    admin = await staff.person("TA")
    answer = await make(admin, READ, READ, ip_allow=["192.0.2.0/24"])
    made = answer.json()
    assert (answer.status_code, made["scopes"], answer.headers["cache-control"]) == (201, [READ], "no-store")
    assert api_keys.TEXT.fullmatch(made["key"])
    secret = made["key"].rpartition(made["prefix"] + "_")[2]
    row = (await admin.client.get(f"/api-keys/{made['id']}")).json()
    assert row["ip_allow"] == ["192.0.2.0/24"]
    assert row["owner_id"] == str(admin.id)
    assert "secret_sha256" not in row
    stored = await kept(staff, made["id"])
    audits = await staff.audited("identity.api_key")
    assert [each.action for each in audits] == ["identity.api_key.create"]
    for place in (str(row), str(vars(stored)), str([vars(each) for each in audits])):
        assert secret not in place
    assert (await admin.client.get("/api-keys")).json()["items"] == [row]


async def test_a_key_opens_what_its_scopes_say_and_is_the_actor_in_the_trail(staff: Staff) -> None:
    admin = await staff.person("TA")
    key = await a_key(admin, LINES, "plant_ops.line.create")
    assert (await call(staff, key)).json()["permissions"] == ["plant_ops.line.create", LINES]
    assert (await call(staff, key, "/plant-ops/lines")).status_code == 200
    assert code(await call(staff, key, "/plant-ops/batches")) == (403, "permission_missing")
    transport = httpx.ASGITransport(staff.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://hub/api/v1") as client:
        client.headers["Authorization"] = f"Bearer {key['key']}"
        new = {"plant_id": str(staff.plant), "code": "L9", "name": "Line 9", "names": {"en": "L9"}, "area": "A",
               "kind": "fill", "allergen_class": [], "oee_target": "0.8"}  # fmt: skip
        made = await client.post("/plant-ops/lines", json=new)
        assert made.status_code == 201, made.text
        # What a person does to their own account is for persons.
        for method, path in (("GET", "/me"), ("POST", "/auth/logout-all"), ("POST", "/auth/mfa/verify")):
            assert code(await client.request(method, path)) == (403, "person_needed")
        assert code(await client.post("/api-keys", json={"name": "x", "scopes": [LINES]})) == (
            403,
            "permission_missing",
        )
    row = (await staff.audited("plant_ops.line"))[-1]
    assert (row.actor_type, str(row.actor_id), row.actor_name) == ("apikey", key["id"], "ERP")


async def test_a_program_has_no_quiet_hours(staff: Staff) -> None:
    key = await a_key(await staff.person("TA"), "core.notification.read")
    transport = httpx.ASGITransport(staff.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://hub/api/v1") as client:
        client.headers["Authorization"] = f"Bearer {key['key']}"
        assert (await client.get("/me/quiet-hours")).json() is None
        hours = {"starts": "22:00", "ends": "06:00", "tz": "UTC"}
        assert code(await client.put("/me/quiet-hours", json=hours)) == (403, "person_needed")


async def test_the_maker_must_hold_each_scope_where_the_key_is_good(staff: Staff) -> None:
    admin = await staff.person("TA")
    refused = await make(admin, READ, "plant_ops.batch.create")
    assert (code(refused), refused.json()["permissions"]) == ((403, "grant_beyond_own"), ["plant_ops.batch.create"])
    assert code(await make(admin, "no.such.code")) == (422, "permission_unknown")
    await staff.role("KEYS", [*KEYS, READ])
    local = await staff.person("KEYS", plant=staff.plant)
    assert (await make(local, READ, plant_id=str(staff.plant))).status_code == 201
    assert code(await make(local, READ)) == (403, "grant_beyond_own")
    assert code(await make(local, READ, plant_id=str(staff.other_plant))) == (404, "record_unknown")
    assert code(await make(admin, READ, plant_id=str(uuid.uuid4()))) == (404, "record_unknown")


async def test_what_ends_in_a_signature_is_never_in_a_key(staff: Staff) -> None:
    await staff.role("KEYS", KEYS)
    both = await staff.person("KEYS", "QM")
    assert "fsq.lot.release" in await both.permissions()
    assert code(await make(both, "fsq.lot.release")) == (409, "key_never_signs")
    key = await a_key(both, READ)
    for scope in ("fsq.lot.release", "no.such.code"):
        with pytest.raises(IntegrityError, match="a key never signs"):
            async with staff.database.tenant_session(staff.tenant.id) as db:
                await db.execute(update(ApiKey).where(ApiKey.prefix == key["prefix"]).values(scopes=[scope]))


async def test_a_scope_is_held_as_long_as_its_owner_holds_it(staff: Staff) -> None:
    admin = await staff.person("TA")
    await staff.role("KEYS", KEYS)
    reader = await staff.role("READER", [READ, LINES])
    owner = await staff.person("KEYS")
    given = await staff.give(admin, owner, reader)
    await staff.enter(owner)
    key = await a_key(owner, READ, LINES)
    assert (await call(staff, key)).json()["permissions"] == [READ, LINES]
    body = {"rows": [{"do": "remove", "code": LINES}]}
    await admin.client.post(f"/roles/{reader}/permissions:bulk", json=body)
    assert (await call(staff, key)).json()["permissions"] == [READ]
    await admin.client.post(f"/user-roles/{given.json()['id']}:take", json={"reason": "changed job"})
    assert (await call(staff, key)).json()["permissions"] == []
    assert code(await call(staff, key, "/plant-ops/batches")) == (403, "permission_missing")


async def test_a_key_of_one_plant_sees_nothing_of_another(staff: Staff) -> None:
    admin = await staff.person("TA")
    key = await a_key(admin, READ, "core.plant.read", plant_id=str(staff.plant))
    for plant, answer in ((staff.plant, 200), (staff.other_plant, 404)):
        assert (await call(staff, key, plant=str(plant))).status_code == answer


@given(
    st.dictionaries(st.sampled_from(["A", "B", None]), st.frozensets(st.sampled_from("wxyz"))),
    st.frozensets(st.sampled_from("wxyz")),
    st.sampled_from(["A", "B", "C", None]),
)
def test_a_key_never_may_what_its_owner_or_its_scopes_do_not(
    held: dict[str | None, frozenset[str]], scopes: frozenset[str], plant: str | None
) -> None:
    place = {name: uuid.uuid5(uuid.NAMESPACE_DNS, name) for name in "ABC"}
    named = {letter: f"plant_ops.line.{letter}" for letter in "wxyz"}
    rights = {place[at] if at else None: frozenset(named[c] for c in codes) for at, codes in held.items()}
    key = ApiKey(id=uuid.uuid4(), name="k", scopes=[named[c] for c in scopes], plant_id=place[plant] if plant else None)
    actor = api_keys.actor_of(uuid.uuid4(), key, rights)
    for at in place.values():
        owner = rights.get(None, frozenset()) | rights.get(at, frozenset())
        for each in named.values():
            wanted = each in owner and each in key.scopes and key.plant_id in (None, at)
            assert (actor.may(each, at) and actor.sees(at)) == wanted
    assert actor.permissions <= set(key.scopes) & frozenset().union(*rights.values())


async def test_a_scope_of_ones_own_is_for_programs_and_ends_with_its_permission(staff: Staff) -> None:
    admin = await staff.person("TA")
    made = await admin.client.post("/permissions", json={"code": "custom.erp.pull"})
    key = await a_key(admin, READ, "custom.erp.pull")
    assert (await call(staff, key)).json()["permissions"] == ["custom.erp.pull", READ]
    await admin.client.delete(f"/permissions/{made.json()['id']}", headers={"If-Match": '"1"'})
    assert (await call(staff, key)).json()["permissions"] == [READ]
    assert code(await make(admin, "custom.erp.pull")) == (409, "permission_deprecated")


# --- what shuts a key


async def test_a_wrong_or_unknown_key_says_nothing(staff: Staff) -> None:
    admin = await staff.person("TA")
    key = (await a_key(admin, READ))["key"]
    wrong = key[:-1] + ("A" if key[-1] != "A" else "B")
    for each in (wrong, f"ffk_aaaaaaaa_{'A' * 43}", "ffk_", "ffk_%00", key + "x", key.upper()):
        answer = await call(staff, each)
        assert code(answer) == (401, "token_bad"), each


async def test_a_key_expires(staff: Staff, frozen: FakeClock) -> None:
    admin = await staff.person("TA")
    key, start = await a_key(admin, READ, days=1), frozen.at
    frozen.at = start + timedelta(days=1) - timedelta(seconds=1)
    assert await opens(staff, key)
    frozen.at = start + timedelta(days=1)
    assert not await opens(staff, key)
    for _ in range(2):
        await api_keys.tidy(staff.app, staff.tenant)
        assert (await kept(staff, key["id"])).state == "expired"
    assert [each.action for each in await staff.audited("identity.api_key")][1:] == ["identity.api_key.expired"]


async def test_a_revoked_key_opens_nothing_from_then_on(staff: Staff) -> None:
    admin = await staff.person("TA")
    key = await a_key(admin, READ)
    path = f"/api-keys/{key['id']}:revoke"
    assert (await admin.client.post(path, json={"reason": "leaked in a mail"})).status_code == 200
    assert not await opens(staff, key)
    assert code(await admin.client.post(path, json={"reason": "once again"})) == (409, "illegal_move")
    assert code(await admin.client.post(f"/api-keys/{key['id']}:rotate", json={})) == (409, "illegal_move")


async def test_who_manages_keys_at_one_plant_does_not_shut_those_of_the_company(staff: Staff) -> None:
    admin = await staff.person("TA")
    await staff.role("KEYS", [*KEYS, READ])
    local = await staff.person("KEYS", plant=staff.plant)
    key = await a_key(admin, READ)
    refused = await local.client.post(f"/api-keys/{key['id']}:revoke", json={"reason": "not mine at all"})
    assert code(refused) == (403, "permission_missing")
    assert await opens(staff, key)


async def test_a_key_dies_with_its_owners_account(staff: Staff) -> None:
    admin, owner = await staff.person("TA"), await staff.person("TA")
    key = await a_key(owner, READ)
    assert await opens(staff, key)
    gone = await admin.client.post(f"/users/{owner.id}:disable", json={"reason": "left the company"})
    assert gone.status_code == 200, gone.text
    assert not await opens(staff, key)


async def test_a_key_dies_with_its_tenant(app: FastAPI, database: Database) -> None:
    staff = await Staff.hire(app, database, await a_tenant(database))
    key = await a_key(await staff.person("TA"), READ)
    assert await opens(staff, key)
    async with database.platform_session() as db:
        await db.execute(update(Tenant).where(Tenant.id == staff.tenant.id).values(state=TenantState.suspended))
    await database.forget(staff.tenant)
    assert not await opens(staff, key)


async def test_a_key_of_one_company_leads_nowhere_else(staff: Staff, app: FastAPI, database: Database) -> None:
    other = await Staff.hire(app, database, await a_tenant(database, "other"))
    mine, theirs = await a_key(await staff.person("TA"), READ), await a_key(await other.person("TA"), READ)
    mixed = f"ffk_{mine['prefix']}_{theirs['key'].rpartition(theirs['prefix'] + '_')[2]}"
    assert not await opens(staff, mixed)
    assert (await call(staff, mine, plant=str(other.plant))).status_code == 200  # a company's own list is its limit
    listed = await call(staff, mine, "/plant-ops/batches")
    assert listed.status_code == 200


async def test_a_key_is_used_from_where_it_says(staff: Staff) -> None:
    admin = await staff.person("TA")
    key = await a_key(admin, READ, ip_allow=["192.0.2.0/24", "2001:db8::/32"])
    for address, status in (("192.0.2.9", 200), ("2001:db8::1", 200), ("192.0.3.1", 403), ("here", 403)):
        answer = await call(staff, key, address=address)
        assert answer.status_code == status, address
    assert code(answer) == (403, "address_not_allowed")
    for wrong in ("192.0.2.1/24", "x", "\x00"):
        assert code(await make(admin, READ, ip_allow=[wrong])) == (422, "address_range_bad")


async def test_a_key_is_used_as_often_as_it_says(staff: Staff) -> None:
    admin = await staff.person("TA")
    key = await a_key(admin, READ, rpm=3)
    assert [(await call(staff, key)).status_code for _ in range(3)] == [200] * 3
    refused = await call(staff, key)
    assert code(refused) == (429, "too_many_requests")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert await opens(staff, await a_key(admin, READ))  # another key has a count of its own


async def test_its_last_use_is_written_once_a_minute(staff: Staff, frozen: FakeClock) -> None:
    key, start = await a_key(await staff.person("TA"), READ), frozen.at
    assert (await kept(staff, key["id"])).last_used_at is None
    seen = []
    for passed_s in (0, 59, 60, 61):
        frozen.at = start + timedelta(seconds=passed_s)
        assert await opens(staff, key)
        seen.append(((await kept(staff, key["id"])).last_used_at or start) - start)
    assert [each.total_seconds() for each in seen] == [0, 0, 60, 60]


# --- rotation


async def test_the_old_key_goes_on_for_the_overlap_and_is_then_revoked(staff: Staff, frozen: FakeClock) -> None:
    admin = await staff.person("TA")
    key, start = await a_key(admin, READ, rpm=7, ip_allow=["192.0.2.0/24"], plant_id=str(staff.plant)), frozen.at
    answer = await admin.client.post(f"/api-keys/{key['id']}:rotate", json={"overlap_hours": 2, "days": 30})
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store"), answer.text
    new = answer.json()
    old, now = await kept(staff, key["id"]), await kept(staff, new["id"])
    assert (old.state, str(old.successor_id)) == ("rotating", new["id"])
    for name in ("name", "owner_id", "scopes", "plant_id", "ip_allow", "rpm"):
        assert getattr(old, name) == getattr(now, name), name
    assert now.expires_at == start + timedelta(days=30)
    long = await admin.client.post(f"/api-keys/{new['id']}:rotate", json={"overlap_hours": 169})
    assert long.status_code == 422
    frozen.at = start + timedelta(hours=2) - timedelta(seconds=1)
    assert [await opens(staff, each) for each in (key, new)] == [True, True]
    frozen.at = start + timedelta(hours=2)
    assert [await opens(staff, each) for each in (key, new)] == [False, True]
    await api_keys.tidy(staff.app, staff.tenant)
    assert [(await kept(staff, each["id"])).state for each in (key, new)] == ["revoked", "active"]
    assert new["key"][-20:] not in str([vars(each) for each in await staff.audited("identity.api_key")])


async def test_who_rotates_anothers_key_must_hold_what_is_in_it(staff: Staff) -> None:
    """They learn the text of a key that acts in the owner's name."""
    await staff.role("KEYS", KEYS)
    await staff.role("MORE", [*KEYS, "plant_ops.batch.create"])
    owner, clerk = await staff.person("MORE"), await staff.person("KEYS")
    key = await a_key(owner, "plant_ops.batch.create")
    assert code(await clerk.client.post(f"/api-keys/{key['id']}:rotate", json={})) == (403, "grant_beyond_own")
    assert (await owner.client.post(f"/api-keys/{key['id']}:rotate", json={})).status_code == 200


async def test_an_expired_key_is_not_rotated(staff: Staff, frozen: FakeClock) -> None:
    admin = await staff.person("TA")
    key = await a_key(admin, READ, days=1)
    frozen.at += timedelta(days=1)
    await staff.enter(admin)
    assert code(await admin.client.post(f"/api-keys/{key['id']}:rotate", json={})) == (409, "key_not_usable")


# --- the database itself


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("expires_at = created_at + interval '366 days'", "ck_identity_api_key_expires"),
        ("expires_at = created_at", "ck_identity_api_key_expires"),
        ("rpm = 0", "ck_identity_api_key_rpm"),
        (f"rpm = {MOST_RPM + 1}", "ck_identity_api_key_rpm"),
        ("scopes = '{}'", "ck_identity_api_key_scopes"),
        ("prefix = 'ABCDEFGH'", "ck_identity_api_key_prefix"),
        ("secret_sha256 = 'short'", "ck_identity_api_key_secret"),
        ("state = 'rotating'", "ck_identity_api_key_overlap"),
        ("rotated_at = created_at, overlap_ends_at = created_at + interval '8 days'", "ck_identity_api_key_overlap_short"),
        ("owner_id = gen_random_uuid()", "fk_identity_api_key_owner_id"),
        ("plant_id = gen_random_uuid()", "fk_identity_api_key_plant_id"),
    ],
)  # fmt: skip
async def test_the_database_refuses_a_key_that_is_none(staff: Staff, change: str, rule: str) -> None:
    await a_key(await staff.person("TA"), READ)
    with pytest.raises(IntegrityError, match=rule):
        async with staff.database.tenant_session(staff.tenant.id) as db:
            await db.execute(text(f"UPDATE identity_api_key SET {change}"))


async def test_a_prefix_is_given_once_and_a_key_is_never_deleted(staff: Staff) -> None:
    admin = await staff.person("TA")
    first, second = await a_key(admin, READ), await a_key(admin, READ)
    async with staff.database.tenant_session(staff.tenant.id) as db:
        with pytest.raises(IntegrityError, match="uq_identity_api_key_prefix"):
            await db.execute(update(ApiKey).where(ApiKey.prefix == first["prefix"]).values(prefix=second["prefix"]))
        await db.rollback()
        with pytest.raises(ProgrammingError, match="never changed"):
            await db.execute(text("DELETE FROM identity_api_key"))
        await db.rollback()
        assert len((await db.scalars(select(ApiKey.id))).all()) == 2


def test_an_address_that_is_written_as_ipv6_is_the_same() -> None:
    assert api_keys.is_inside("::ffff:192.0.2.7", [ip_network("192.0.2.0/24")])
