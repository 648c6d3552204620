"""Sites, places, contacts and addresses keep what the law and the map ask of them."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import ARRAY, Text, cast, func, select, text
from sqlalchemy.exc import IntegrityError

from foodflow_kernel import machines
from foodflow_kernel.gs1 import check_digits
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines.fsq import LotState
from foodflow_kernel.machines.plant_ops import BatchState
from server.core import places
from server.core.actor import system
from server.core.audit import AuditRow
from server.core.db.sessions import Database, TenantRef
from server.core.models import Address, Location, Plant
from tests.server.conftest import SignIn, a_plant
from tests.server.core.test_notes import HERE
from tests.server.factories import a_scene

Client = httpx.AsyncClient
DESCRIPTION = {
    "business_name": "Depot North", "phone": "+15105550101", "street": "1 Dock Rd", "city": "Oakland",
    "state_region": "CA", "postal_code": "94607", "country": "US",
}  # fmt: skip


@pytest_asyncio.fixture(loop_scope="session")
async def plant(database: Database, tenant: TenantRef) -> uuid.UUID:
    return await a_plant(database, tenant)


@pytest_asyncio.fixture(loop_scope="session")
async def admin(tenant: TenantRef, sign_in: SignIn) -> Client:
    return await sign_in(tenant, "TA")


async def made(client: Client, path: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    row: dict[str, Any] = answer.json()
    return row


async def refused(client: Client, path: str, **body: Any) -> str:
    answer = await client.post(path, json=body)
    assert answer.status_code in (409, 422), answer.text
    return str(answer.json().get("constraint") or answer.json()["code"])


async def a_root(client: Client, plant: uuid.UUID, code: str = "SITE", **over: Any) -> dict[str, Any]:
    return await made(
        client, "/locations", plant_id=str(plant), code=code, name=code, kind="area", **DESCRIPTION, **over
    )


async def below(
    client: Client, parent: dict[str, Any], code: str, kind: str = "storage", **over: Any
) -> dict[str, Any]:
    given = {"plant_id": parent["plant_id"], "parent_id": parent["id"], "code": code, "name": code, "kind": kind}
    return await made(client, "/locations", **given | over)


async def changed(client: Client, row: dict[str, Any], path: str = "/locations", **body: Any) -> httpx.Response:
    now = (await client.get(f"{path}/{row['id']}")).headers["etag"]
    return await client.patch(f"{path}/{row['id']}", json=body, headers={"If-Match": now})


async def path_of(client: Client, row: dict[str, Any]) -> str:
    return str((await client.get(f"/locations/{row['id']}")).json()["path"])


async def test_a_place_knows_its_way_from_the_root_and_takes_what_lies_in_it_along(
    admin: Client, plant: uuid.UUID
) -> None:
    site = await a_root(admin, plant)
    cold, dry = await below(admin, site, "COLD"), await below(admin, site, "DRY")
    rack = await below(admin, cold, "R-1")
    shelf = await below(admin, rack, "S1")
    assert await path_of(admin, shelf) == "SITE.COLD.R-1.S1"
    assert (await changed(admin, rack, parent_id=dry["id"])).status_code == 200
    assert await path_of(admin, shelf) == "SITE.DRY.R-1.S1"
    assert (await changed(admin, dry, code="AMB")).status_code == 200
    assert [await path_of(admin, each) for each in (rack, shelf)] == ["SITE.AMB.R-1", "SITE.AMB.R-1.S1"]


async def test_a_place_is_not_born_in_itself(database: Database, tenant: TenantRef) -> None:
    plant, own = await a_plant(database, tenant), new_id(database.clock.now())
    with pytest.raises(IntegrityError, match="ck_core_location_parent"):
        async with database.tenant_session(tenant.id, system(tenant.id)) as db:
            db.add(Location(id=own, parent_id=own, plant_id=plant, code="D1", name="Dock", kind="dock", **HERE))


async def test_a_place_lies_not_in_itself_nor_in_another_plants_place(
    admin: Client, plant: uuid.UUID, database: Database, tenant: TenantRef
) -> None:
    site = await a_root(admin, plant)
    cold = await below(admin, site, "COLD")
    rack = await below(admin, cold, "R1")
    for target in (rack, cold):
        answer = await changed(admin, cold, parent_id=target["id"])
        assert answer.status_code == 409, answer.text
        assert answer.json()["constraint"] in ("ck_core_location_cycle", "ck_core_location_parent")
    other = await a_root(admin, await a_plant(database, tenant, "P2"))
    answer = await changed(admin, rack, parent_id=other["id"])
    assert (answer.status_code, answer.json()["code"]) == (422, "reference_elsewhere")
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        with pytest.raises(IntegrityError, match="own plant"):
            await db.execute(
                text("UPDATE core_location SET parent_id = :p WHERE id = :id"), {"p": other["id"], "id": rack["id"]}
            )
        await db.rollback()


async def test_two_moves_at_once_make_no_circle(
    admin: Client, plant: uuid.UUID, database: Database, tenant: TenantRef
) -> None:
    site = await a_root(admin, plant)
    one, two = await below(admin, site, "A"), await below(admin, site, "B")
    move = text("UPDATE core_location SET parent_id = :parent WHERE id = :id")
    began = asyncio.Event()

    async def first() -> None:
        async with database.tenant_session(tenant.id, system(tenant.id)) as db:
            await db.execute(move, {"parent": two["id"], "id": one["id"]})
            began.set()
            await asyncio.sleep(0.2)  # the other one is waiting by now

    async def second() -> None:
        await began.wait()
        async with database.tenant_session(tenant.id, system(tenant.id)) as db:
            await db.execute(move, {"parent": one["id"], "id": two["id"]})

    done = await asyncio.gather(first(), second(), return_exceptions=True)
    assert [type(each) for each in done] == [type(None), IntegrityError]


@pytest.mark.parametrize(
    ("over", "constraint"),
    [
        ({"code": "a b"}, "ck_core_location_code"),
        ({"kind": "cellar"}, "ck_core_location_kind"),
        ({"temp_class": "hot"}, "ck_core_location_temp_class"),
        ({"temp_min_c": "8", "temp_max_c": "2"}, "ck_core_location_temperatures"),
        ({"temp_min_c": "-95", "temp_max_c": "2"}, "ck_core_location_temperature_range"),
        ({"capacity": 0}, "ck_core_location_capacity"),
        ({"name": "  "}, "ck_core_location_name"),
        ({"sgln": "urn:epc:id:sgln:0614141.123456.0"}, "ck_core_location_sgln"),
        ({"country": "usa"}, "ck_core_location_country"),
        ({"latitude": "91", "longitude": "0"}, "ck_core_location_geo"),
        ({"latitude": "1"}, "ck_core_location_geo_pair"),
        ({"phone": "0510"}, "ck_core_location_phone"),
        ({"kind": "external_dc"}, "ck_core_location_description"),
        ({"kind": "external_dc", **DESCRIPTION}, "ck_core_location_external_party"),
    ],
)
async def test_a_place_that_cannot_be_is_refused(
    admin: Client, plant: uuid.UUID, over: dict[str, Any], constraint: str
) -> None:
    site = await a_root(admin, plant)
    body = {"plant_id": str(plant), "parent_id": site["id"], "code": "X", "name": "X", "kind": "storage"}
    assert await refused(admin, "/locations", **body | over) == constraint


@pytest.mark.parametrize("missing", sorted(DESCRIPTION))
async def test_a_root_needs_each_part_of_its_description(admin: Client, plant: uuid.UUID, missing: str) -> None:
    """21 CFR 1.1310, location description."""
    body = {"plant_id": str(plant), "code": "SITE", "name": "Site", "kind": "area", **DESCRIPTION}
    blank = body | {missing: " "}
    assert (await refused(admin, "/locations", **blank)).startswith("ck_core_location_")
    del body[missing]
    assert await refused(admin, "/locations", **body) == "ck_core_location_description"
    if missing == "street":
        await made(admin, "/locations", **body, latitude="37.8", longitude="-122.3")


async def test_a_code_is_one_places_only_at_its_plant(
    admin: Client, plant: uuid.UUID, database: Database, tenant: TenantRef
) -> None:
    await a_root(admin, plant)
    body = {"plant_id": str(plant), "code": "SITE", "name": "Site", "kind": "area", **DESCRIPTION}
    assert await refused(admin, "/locations", **body) == "uq_core_location_code"
    await a_root(admin, await a_plant(database, tenant, "P2"))


async def test_a_place_is_blocked_freed_and_retired(admin: Client, plant: uuid.UUID) -> None:
    site = await a_root(admin, plant)
    one = f"/locations/{site['id']}"
    why = {"reason": "being cleaned"}
    assert (await admin.post(f"{one}:unblock", json=why)).status_code == 409
    assert (await admin.post(f"{one}:block", json=why)).json()["state"] == "blocked"
    now = (await admin.get(one)).headers["etag"]
    blocked = await admin.delete(one, headers={"If-Match": now})
    assert (blocked.status_code, blocked.json()["code"]) == (409, "illegal_move")
    assert (await admin.post(f"{one}:unblock", json=why)).json()["state"] == "active"
    now = (await admin.get(one)).headers["etag"]
    assert (await admin.delete(one, headers={"If-Match": now})).status_code == 204
    assert (await admin.get(one)).json()["state"] == "retired"


async def gone(client: Client, path: str) -> httpx.Response:
    now = (await client.get(path)).headers["etag"]
    return await client.delete(path, headers={"If-Match": now})


async def test_a_place_goes_when_nothing_lies_in_it_and_then_nothing_comes_into_it(
    admin: Client, plant: uuid.UUID
) -> None:
    site = await a_root(admin, plant)
    sgln = "urn:epc:id:sgln:0614141.12345.0"
    cold, dry = await below(admin, site, "COLD", sgln=sgln), await below(admin, site, "DRY")
    assert cold["sgln"] == sgln
    rack = await below(admin, cold, "R1")
    full = await gone(admin, f"/locations/{cold['id']}")
    assert (full.status_code, full.json()["constraint"]) == (409, "ck_core_location_has_places")
    assert (await gone(admin, f"/locations/{rack['id']}")).status_code == 204
    assert (await gone(admin, f"/locations/{cold['id']}")).status_code == 204
    given = {"plant_id": str(plant), "parent_id": cold["id"], "code": "R2", "name": "R2", "kind": "storage"}
    assert await refused(admin, "/locations", **given) == "ck_core_location_parent_retired"
    assert (await changed(admin, dry, parent_id=cold["id"])).json()["constraint"] == "ck_core_location_parent_retired"


async def test_a_plant_where_something_was_done_goes_only_when_it_is_closed(
    database: Database, tenant: TenantRef, admin: Client
) -> None:
    empty = await made(admin, "/plants", code="P8", name="Plant 8", tz="UTC")
    assert (await gone(admin, f"/plants/{empty['id']}")).status_code == 204
    used = f"/plants/{await a_plant(database, tenant, 'P9')}"
    await a_root(admin, uuid.UUID(used.rpartition("/")[2]))
    answer = await gone(admin, used)
    assert (answer.status_code, answer.json()["code"]) == (409, "plant_not_closed")
    for verb in ("suspend", "close-down"):
        assert (await admin.post(f"{used}:{verb}", json={"reason": "moved away"})).status_code == 200
    assert (await gone(admin, used)).status_code == 204


async def test_the_time_zone_waits_for_a_first_batch_that_is_just_being_made(
    database: Database, tenant: TenantRef
) -> None:
    scene = await a_scene(database, tenant)
    plant, began = await a_plant(database, tenant, "P8"), asyncio.Event()
    table = type(scene.batch).__table__
    row = {column.name: getattr(scene.batch, column.name) for column in table.columns}

    async def makes() -> None:
        async with database.tenant_session(tenant.id, system(tenant.id)) as db:
            new = {"id": uuid.uuid4(), "plant_id": plant, "code": "B-8", "number": "B-8"}
            await db.execute(table.insert().values(row | {name: new[name] for name in new.keys() & row.keys()}))
            began.set()
            await asyncio.sleep(0.3)  # the other one is waiting by now

    async def moves() -> None:
        await began.wait()
        async with database.tenant_session(tenant.id, system(tenant.id)) as db:
            await db.execute(text("UPDATE core_plant SET tz = 'Europe/Madrid' WHERE id = :id"), {"id": plant})

    done = await asyncio.gather(makes(), moves(), return_exceptions=True)
    assert [type(each) for each in done] == [type(None), IntegrityError], done


async def a_contact(client: Client, **over: Any) -> dict[str, Any]:
    given = {"party_kind": "company", "role": "recall_24h", "name": "On call", "phone": "+15105550101"}
    return await made(client, "/contacts", **given | over)


async def test_one_primary_for_each_party_and_role(admin: Client) -> None:
    first = await a_contact(admin, is_primary=True)
    again = {"party_kind": "company", "role": "recall_24h", "name": "Two", "phone": "+15105550102", "is_primary": True}
    assert await refused(admin, "/contacts", **again) == "uq_core_contact_primary"
    await a_contact(admin, is_primary=True, role="quality")
    await a_contact(admin, is_primary=False)
    now = (await admin.get(f"/contacts/{first['id']}")).headers["etag"]
    assert (await admin.delete(f"/contacts/{first['id']}", headers={"If-Match": now})).status_code == 204
    await a_contact(admin, is_primary=True)


@pytest.mark.parametrize(
    ("over", "constraint"),
    [
        ({"phone": None}, "ck_core_contact_reachable"),
        ({"phone": "12345"}, "ck_core_contact_phone"),
        ({"email": "nobody"}, "ck_core_contact_email"),
        ({"priority": 0}, "ck_core_contact_priority"),
        ({"name": ""}, "ck_core_contact_name"),
        ({"role": "friend"}, "ck_core_contact_role"),
        ({"party_kind": "family", "party_id": str(uuid.uuid4())}, "ck_core_contact_party_kind"),
        ({"party_kind": "supplier"}, "ck_core_contact_party"),
    ],
)
async def test_a_contact_that_nobody_can_reach_is_refused(admin: Client, over: dict[str, Any], constraint: str) -> None:
    given = {"party_kind": "company", "role": "quality", "name": "QA", "phone": "+15105550101"}
    assert await refused(admin, "/contacts", **given | over) == constraint


async def test_a_recall_calls_in_the_order_of_priority(admin: Client) -> None:
    for priority in (3, 1, 2):
        await a_contact(admin, priority=priority, name=str(priority))
    rows = (await admin.get("/contacts", params={"sort": "priority", "filter[role]": "recall_24h"})).json()["items"]
    assert [row["name"] for row in rows] == ["1", "2", "3"]


async def test_a_contact_is_verified_and_a_retired_one_is_not(admin: Client) -> None:
    one = f"/contacts/{(await a_contact(admin))['id']}"
    assert (await admin.post(f"{one}:verify", json={})).json()["last_verified_at"] is not None
    assert (await admin.delete(one, headers={"If-Match": (await admin.get(one)).headers["etag"]})).status_code == 204
    assert (await admin.post(f"{one}:verify", json={})).status_code == 409


async def test_an_erased_person_leaves_a_row_and_a_trail_that_say_nothing(
    database: Database, tenant: TenantRef, sign_in: SignIn, admin: Client
) -> None:
    manager = await sign_in(tenant, "QM")
    one = f"/contacts/{(await a_contact(admin, name='Ana Pérez', email='ana@example.com', is_primary=True))['id']}"
    assert (await manager.post(f"{one}:erase", json={"reason": "asked to be forgotten"})).status_code == 200
    row = (await admin.get(one)).json()
    assert (row["email"], row["phone"], row["state"], row["is_primary"]) == (None, None, "retired", False)
    assert "Ana" not in str(row)
    back = await changed(manager, row, "/contacts", email="ana@example.com")
    assert (back.status_code, back.json()["constraint"]) == (422, "ck_core_contact_erased")
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        trail = str(
            [each.diff for each in (await db.scalars(select(AuditRow).where(AuditRow.entity == "core.contact")))]
        )
    assert "personal" in trail
    assert [word for word in ("Ana", "ana@", "+1510") if word in trail] == []


ADDRESS = {"party_kind": "supplier", "lines": ["1 Dock Rd"], "city": "Oakland", "region": "US-CA", "country": "US"}


async def test_a_time_given_in_another_zone_is_answered_as_it_is_read(admin: Client) -> None:
    row = await made(admin, "/addresses", **ADDRESS, party_id=str(uuid.uuid4()), valid_from="2026-01-01T02:00:00+02:00")
    assert row == (await admin.get(f"/addresses/{row['id']}")).json()
    assert row["valid_from"] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "over", [{"lines": ["\x1b@^XA"]}, {"lines": ["x" * 4001]}, {"city": "Oak\x9bland"}, {"postal_code": "\x07"}]
)
async def test_no_text_of_an_address_steers_a_printer(admin: Client, over: dict[str, Any]) -> None:
    there = ADDRESS | {"party_id": str(uuid.uuid4()), "valid_from": "2026-01-01T00:00:00Z"}
    new = {"lines": ["2 Dock Rd"], "city": "Oakland", "country": "US"}
    row = await made(admin, "/addresses", **there)
    for path, said in ((f"/addresses/{row['id']}:supersede", new), ("/addresses", there)):
        answer = await admin.post(path, json=said | over)
        (wrong,) = answer.json()["errors"]
        assert (answer.status_code, wrong["where"].split(".")[1]) == (422, next(iter(over))), answer.text


async def test_a_party_is_at_one_address_at_a_time(admin: Client) -> None:
    party = str(uuid.uuid4())
    first = await made(admin, "/addresses", **ADDRESS, party_id=party, valid_from="2026-01-01T00:00:00Z")
    again = await refused(admin, "/addresses", **ADDRESS, party_id=party, valid_from="2026-06-01T00:00:00Z")
    assert again == "one_at_a_time"
    await made(admin, "/addresses", **ADDRESS, party_id=party, use="billing", valid_from="2026-06-01T00:00:00Z")
    new = {"lines": ["2 Dock Rd"], "city": "Oakland", "country": "US"}
    early = await admin.post(f"/addresses/{first['id']}:supersede", json=new | {"valid_from": "2025-01-01T00:00:00Z"})
    assert (early.status_code, early.json()["code"]) == (422, "address_begins_before")
    moved = await admin.post(f"/addresses/{first['id']}:supersede", json=new | {"valid_from": "2026-07-01T00:00:00Z"})
    assert (moved.status_code, moved.json()["lines"], moved.json()["state"]) == (200, ["2 Dock Rd"], "current")
    old = (await admin.get(f"/addresses/{first['id']}")).json()
    assert (old["state"], old["valid_to"]) == ("superseded", "2026-07-01T00:00:00Z")
    assert (await admin.post(f"/addresses/{first['id']}:supersede", json=new)).status_code == 409


async def test_an_address_that_was_retired_makes_room_and_is_not_followed(admin: Client) -> None:
    party = str(uuid.uuid4())
    first = await made(admin, "/addresses", **ADDRESS, party_id=party, valid_from="2026-01-01T00:00:00Z")
    assert (await gone(admin, f"/addresses/{first['id']}")).status_code == 204
    new = {"lines": ["2 Dock Rd"], "city": "Oakland", "country": "US"}
    after = await admin.post(f"/addresses/{first['id']}:supersede", json=new)
    assert (after.status_code, after.json()["code"]) == (409, "address_retired")
    await made(admin, "/addresses", **ADDRESS, party_id=party, valid_from="2026-01-01T00:00:00Z")


async def test_a_cited_address_stays_as_it_was_cited(admin: Client, database: Database, tenant: TenantRef) -> None:
    row = await made(admin, "/addresses", **ADDRESS, party_id=str(uuid.uuid4()), valid_from="2026-01-01T00:00:00Z")
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        places.cite(db, await db.get_one(Address, uuid.UUID(row["id"])))
    answer = await changed(admin, row, "/addresses", city="Berkeley")
    assert answer.status_code == 409, answer.text
    assert (await admin.get(f"/addresses/{row['id']}")).json()["city"] == "Oakland"
    new = {"lines": ["2 Dock Rd"], "city": "Berkeley", "country": "US"}
    assert (await admin.post(f"/addresses/{row['id']}:supersede", json=new)).status_code == 200


@pytest.mark.parametrize(
    ("over", "constraint"),
    [
        ({"country": "us"}, "ck_core_address_country"),
        ({"region": "DE-BY"}, "ck_core_address_region"),
        ({"lines": []}, "ck_core_address_lines"),
        ({"use": "secret"}, "ck_core_address_use"),
        ({"party_kind": "company"}, "ck_core_address_party_kind"),
        ({"latitude": "1", "longitude": "181"}, "ck_core_address_geo"),
        ({"longitude": "1"}, "ck_core_address_geo_pair"),
        ({"city": "  "}, "ck_core_address_not_blank"),
        ({"lines": ["1 Dock Rd", ""]}, "ck_core_address_not_blank"),
    ],
)
async def test_an_address_that_is_on_no_map_is_refused(admin: Client, over: dict[str, Any], constraint: str) -> None:
    body = ADDRESS | {"party_id": str(uuid.uuid4()), "valid_from": "2026-01-01T00:00:00Z"} | over
    assert await refused(admin, "/addresses", **body) == constraint


@pytest.mark.parametrize(
    ("over", "constraint"),
    [
        ({"gln": "4012345000008"}, "ck_core_plant_gln"),
        ({"fda_ffr": "123"}, "ck_core_plant_fda_ffr"),
        ({"fsis_est": "X1"}, "ck_core_plant_fsis_est"),
        ({"regimes": ["moon"]}, "ck_core_plant_regimes"),
        ({"code": "p 1"}, "ck_core_plant_code"),
        ({"tz": "Mars/Olympus"}, "time_zone_unknown"),
    ],
)
async def test_a_plant_that_no_register_knows_is_refused(admin: Client, over: dict[str, Any], constraint: str) -> None:
    assert (
        await refused(admin, "/plants", **{"code": "P8", "name": "Plant 8", "tz": "America/Los_Angeles"} | over)
        == constraint
    )


async def test_the_numbers_of_the_registers_are_kept(admin: Client) -> None:
    given = {
        "gln": "4012345000009",
        "fda_ffr": "12345678901",
        "fsis_est": "M123A",
        "regimes": ["fda_pchf", "juice_120"],
    }
    row = await made(admin, "/plants", code="P8", name="Plant 8", tz="Europe/Madrid", **given)
    assert {name: row[name] for name in given} == given


async def test_the_database_agrees_with_the_kernel_on_check_digits(database: Database, tenant: TenantRef) -> None:
    numbers = [f"{number * 7_919_393 % 10**13:013}" for number in range(2000)]
    async with database.tenant_session(tenant.id) as db:
        asked = func.unnest(cast(numbers, ARRAY(Text))).table_valued("key").render_derived()
        found = (await db.execute(select(asked.c.key, func.is_gs1_key(asked.c.key, 13)))).all()
    assert dict(map(tuple, found)) == {number: check_digits.is_right(number) for number in numbers}
    assert len({each for _, each in found}) == 2


async def test_the_day_of_a_plant_is_fixed_once_something_was_made(
    database: Database, tenant: TenantRef, admin: Client
) -> None:
    free = await made(admin, "/plants", code="P8", name="Plant 8", tz="UTC")
    assert (await changed(admin, free, "/plants", tz="Europe/Madrid", day_start="06:00:00")).status_code == 200
    scene = await a_scene(database, tenant)
    row = {"id": str(scene.plant.id)}
    for change in ({"tz": "Europe/Madrid"}, {"day_start": "05:00:00"}):
        answer = await changed(admin, row, "/plants", **change)
        assert (answer.status_code, answer.json()["constraint"]) == (409, "ck_core_plant_day_is_fixed")
    assert (await changed(admin, row, "/plants", name="Renamed")).status_code == 200


async def test_a_plant_closes_only_when_nothing_of_it_is_open(
    database: Database, tenant: TenantRef, admin: Client
) -> None:
    scene = await a_scene(database, tenant)
    one, why = f"/plants/{scene.plant.id}", {"reason": "moved to the new hall"}
    assert (await admin.post(f"{one}:close-down", json=why)).json()["code"] == "illegal_move"
    assert (await admin.post(f"{one}:suspend", json=why)).json()["state"] == "suspended"
    answer = await admin.post(f"{one}:close-down", json=why)
    assert (answer.status_code, answer.json()["code"]) == (409, "plant_in_use")
    assert (answer.json()["batches"], answer.json()["lots"]) == (1, 1)
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        (await db.get_one(type(scene.batch), scene.batch.id)).status = BatchState.cancelled
        for lot in (scene.lot, scene.basil):
            (await db.get_one(type(lot), lot.id)).status = LotState.depleted
    assert (await admin.post(f"{one}:close-down", json=why)).json()["state"] == "closed"
    assert (await admin.post(f"{one}:activate", json={})).status_code == 409


async def test_a_planned_plant_opens(database: Database, tenant: TenantRef, admin: Client) -> None:
    row = await made(admin, "/plants", code="P8", name="Plant 8", tz="UTC")
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        (await db.get_one(Plant, uuid.UUID(row["id"]))).state = machines.PLANT.start
    assert (await admin.post(f"/plants/{row['id']}:activate", json={})).json()["state"] == "active"


async def test_a_suspended_plant_opens_again(admin: Client) -> None:
    row = await made(admin, "/plants", code="P8", name="Plant 8", tz="UTC")
    one = f"/plants/{row['id']}"
    await admin.post(f"{one}:suspend", json={"reason": "winter break"})
    assert (await admin.post(f"{one}:activate", json={})).json()["state"] == "active"
