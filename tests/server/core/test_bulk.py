"""Many rows in one request over HTTP: each its own fate, all or none, nothing at all, and whose they are."""

from __future__ import annotations

import asyncio
import json
import random
import string
import uuid
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from foodflow_kernel.ids import new_id
from server.core.actor import system
from server.core.audit import AuditRow
from server.core.db.sessions import Database, TenantRef
from server.core.feed import FeedRow
from server.core.resource import bulk
from server.identity.models import Role, UserRole
from server.plant_ops.models import Equipment, ProductionLine
from tests.conftest import a_tenant
from tests.server.conftest import SignIn, a_plant
from tests.server.core.wide import an_instrument

Row = dict[str, Any]
PATH = "/plant-ops/equipment:bulk"


@dataclass
class Place:
    database: Database
    tenant: TenantRef
    plant: uuid.UUID
    client: httpx.AsyncClient

    def row(self, tag: str, **over: Any) -> Row:
        return {"plant_id": str(self.plant), "tag": tag, "names": {"en": tag}, "equipment_class": "scale"} | over

    async def written(self) -> tuple[int, int, int]:
        """How many rows, audit rows of them, and feed rows there are."""
        async with self.database.tenant_session(self.tenant.id) as db:
            audits = select(func.count()).where(AuditRow.entity == "plant_ops.equipment")
            counts = [await db.scalar(select(func.count()).select_from(each)) or 0 for each in (Equipment, FeedRow)]
            return counts[0], await db.scalar(audits) or 0, counts[1]

    async def tags(self) -> set[str]:
        async with self.database.tenant_session(self.tenant.id) as db:
            return set(await db.scalars(select(Equipment.tag)))


@pytest_asyncio.fixture(loop_scope="session")
async def place(database: Database, tenant: TenantRef, sign_in: SignIn) -> Place:
    return Place(database, tenant, await a_plant(database, tenant), await sign_in(tenant, "TA"))


def fates(answer: httpx.Response) -> list[tuple[int, str | None]]:
    """Status and first code of each row; the places are those of the request."""
    results = answer.json()["results"]
    assert [result["index"] for result in results] == list(range(len(results)))
    return [(result["status"], (result["errors"] or [{"code": None}])[0]["code"]) for result in results]


def a_mix(place: Place) -> list[Row]:
    return [
        place.row("A"),
        place.row("B", criticality="Z"),
        place.row("A"),
        place.row("C", nonsense=1),
        place.row("D", plant_id=str(uuid.uuid4())),
        place.row("E", range_min="99999999999999999999"),
        "no row",  # type: ignore[list-item]  # on purpose
        place.row("F", calib_due_on="2026-12-01", range_min="-1.5"),
    ]


FATES = [
    (201, None),
    (422, "value_refused"),
    (409, "constraint_violated"),
    (422, "request_invalid"),
    (422, "reference_unknown"),
    (422, "value_out_of_range"),
    (422, "request_invalid"),
    (201, None),
]


async def test_each_row_has_its_own_fate_and_good_ones_are_written(place: Place) -> None:
    before = await place.written()
    answer = await place.client.post(PATH, json={"rows": a_mix(place)})
    assert (answer.status_code, fates(answer)) == (200, FATES)
    results = answer.json()["results"]
    assert results[1]["errors"][0]["constraint"] == "ck_plant_ops_equipment_criticality"
    assert results[2]["errors"][0]["constraint"] == "uq_plant_ops_equipment_tag"
    assert results[3]["errors"][0]["where"] == "nonsense"
    assert await place.tags() == {"A", "F"}
    assert await place.written() == tuple(count + 2 for count in before)
    made = (await place.client.get(f"/plant-ops/equipment/{results[7]['id']}")).json()
    assert (made["tag"], made["range_min"], made["criticality"], made["version"]) == ("F", "-1.500000", "B", 1)


NO_TEXT, TOO_LONG = "half a pair \ud800", "".join(random.Random(1).choices(string.ascii_letters, k=4000))  # noqa: S311


@pytest.mark.parametrize(
    "over", [{"names": {"en": NO_TEXT}}, {"names": {NO_TEXT: "x"}}, {"tag": NO_TEXT}, {"tag": TOO_LONG}]
)
async def test_a_text_that_cannot_be_stored_refuses_its_own_row(place: Place, over: Row) -> None:
    body = json.dumps({"rows": [place.row("A"), place.row("B") | over, place.row("C")]})
    answer = await place.client.post(PATH, content=body, headers={"Content-Type": "application/json"})
    assert fates(answer) == [(201, None), (422, "value_out_of_range"), (201, None)]
    alone = json.dumps(place.row("D") | over)
    refused = await place.client.post(
        "/plant-ops/equipment", content=alone, headers={"Content-Type": "application/json"}
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "value_out_of_range")
    assert await place.tags() == {"A", "C"}


async def test_what_is_asked_of_a_bulk_is_not_said_in_its_body(place: Place) -> None:
    answer = await place.client.post(PATH, json={"rows": [place.row("A")], "atomic": True})
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "body.atomic")


@pytest.mark.parametrize(
    "path", ["/plant-ops/equipment:bulk", "/plant-ops/equipment:import", "/users:bulk", "/users:import",
             "/roles/01a207a2-3280-7e41-aca2-18de93687902/permissions:bulk"],
)  # fmt: skip
async def test_a_misspelt_way_writes_nothing(place: Place, path: str) -> None:
    answer = await place.client.post(path, json={"rows": [place.row("A")]}, params={"atomik": True})
    assert (answer.status_code, answer.json()["code"]) == (422, "parameter_unknown")
    assert await place.tags() == set()


async def test_a_row_that_refers_to_nothing_names_the_field(place: Place) -> None:
    answer = await place.client.post(PATH, json={"rows": [place.row("A", line_id=str(uuid.uuid4()))]})
    (error,) = answer.json()["results"][0]["errors"]
    assert (error["code"], error["where"]) == ("reference_unknown", "line_id")


async def test_no_text_of_master_data_steers_a_printer_or_has_no_end(place: Place) -> None:
    """It goes onto labels and screens of every terminal."""
    good = [place.row("A", unit="kg\nnet\t"), place.row("B", unit="x" * 4000), place.row("C", names={"en": "Wägung"})]
    bad = [
        place.row("D\x1b"),
        place.row("E", unit="x" * 4001),
        place.row("F", names={"en": "\x07"}),
        place.row("G\x9b"),
    ]
    answer = await place.client.post(PATH, json={"rows": [*good, *bad]})
    assert fates(answer) == [(201, None)] * 3 + [(422, "request_invalid")] * 4
    said = [result["errors"][0] for result in answer.json()["results"][3:]]
    assert [each["where"] for each in said] == ["tag", "unit", "names.en", "tag"]
    assert said[0]["detail"].startswith("holds a control character")
    assert said[1]["detail"] == "longer than 4000 characters"


async def test_atomic_writes_nothing_when_one_row_is_refused(place: Place) -> None:
    before = await place.written()
    answer = await place.client.post(PATH, json={"rows": a_mix(place)}, params={"atomic": True})
    assert answer.status_code == 422
    assert fates(answer) == [(424, None), *FATES[1:7], (424, None)]
    assert {result["id"] for result in answer.json()["results"]} == {None}
    assert await place.written() == before


async def test_atomic_writes_all_when_none_is_refused(place: Place) -> None:
    rows = [place.row(f"T{number}") for number in range(20)]
    answer = await place.client.post(PATH, json={"rows": rows}, params={"atomic": True})
    assert (answer.status_code, set(fates(answer))) == (200, {(201, None)})
    assert await place.tags() == {row["tag"] for row in rows}


@pytest.mark.parametrize("atomic", [False, True])
async def test_a_dry_run_says_the_same_and_writes_neither_row_nor_audit_nor_feed(place: Place, atomic: bool) -> None:
    before = await place.written()
    for rows, expected in ((a_mix(place), FATES), ([place.row("A")], [(201, None)])):
        answer = await place.client.post(PATH, json={"rows": rows}, params={"dry_run": True, "atomic": atomic})
        is_refused = atomic and len(rows) > 1
        assert answer.status_code == (422 if is_refused else 200)
        assert fates(answer) == [(424, None) if is_refused and each[0] == 201 else each for each in expected]
        assert {result["id"] for result in answer.json()["results"]} == {None}
    assert await place.written() == before


async def make(place: Place, *tags: str) -> list[str]:
    answer = await place.client.post(PATH, json={"rows": [place.row(tag) for tag in tags]})
    return [result["id"] for result in answer.json()["results"]]


async def test_all_rows_of_a_request_are_locked_in_one_order_before_any_is_written(place: Place) -> None:
    """Of two that name the same rows the other way round, each would wait for the other."""
    low, high = sorted(await make(place, "A", "B"))
    rows = [{"id": high, "version": 1, "unit": "g"}, {"id": low, "version": 7, "unit": "g"}]
    company, nobody = place.tenant.id, system(place.tenant.id)
    async with place.database.tenant_session(company, nobody) as db:
        (await db.get_one(Equipment, uuid.UUID(high))).unit = "kg"
        await db.flush()
        waits = asyncio.create_task(place.client.patch(PATH, json={"rows": rows}))
        await asyncio.sleep(0.5)
        assert not waits.done()
        with pytest.raises(DBAPIError, match="could not obtain lock"):
            async with place.database.tenant_session(company, nobody) as other:
                await other.get_one(Equipment, uuid.UUID(low), with_for_update={"nowait": True})
    answer = await waits
    assert (answer.status_code, fates(answer)) == (200, [(412, "version_stale")] * 2)
    assert (await place.client.get(f"/plant-ops/equipment/{high}")).json()["unit"] == "kg"


async def test_rows_are_changed_each_at_the_version_that_was_read(place: Place) -> None:
    a, b, c, d = await make(place, "A", "B", "C", "D")
    before = await place.written()
    changes = [
        {"id": a, "version": 1, "unit": "g"},
        {"id": b, "version": 7, "unit": "g"},
        {"id": c, "unit": "g"},
        {"id": a, "version": 1, "unit": "kg"},
        {"id": str(uuid.uuid4()), "version": 1, "unit": "g"},
        {"id": d, "version": 1, "tag": "X"},
        {"id": d, "version": 1, "criticality": "Z"},
    ]
    expected = [
        (200, None),
        (412, "version_stale"),
        (428, "row_version_missing"),
        (422, "row_repeated"),
        (404, "record_unknown"),
        (422, "request_invalid"),
        (422, "value_refused"),
    ]
    dry = await place.client.patch(PATH, json={"rows": changes}, params={"dry_run": True})
    assert (dry.status_code, fates(dry)) == (200, expected)
    assert await place.written() == before
    atomic = await place.client.patch(PATH, json={"rows": changes}, params={"atomic": True})
    assert (atomic.status_code, fates(atomic)[0]) == (422, (424, None))
    assert await place.written() == before
    answer = await place.client.patch(PATH, json={"rows": changes})
    assert (answer.status_code, fates(answer)) == (200, expected)
    row = (await place.client.get(f"/plant-ops/equipment/{a}")).json()
    assert (row["unit"], row["version"]) == ("g", 2)
    assert (await place.client.get(f"/plant-ops/equipment/{b}")).json()["unit"] is None
    rows, audits, feed = await place.written()
    assert (rows, audits, feed) == (before[0], before[1] + 1, before[2] + 1)


async def test_one_bad_row_costs_few_runs_and_no_order_is_lost(place: Place) -> None:
    rows = [place.row(f"T{number}", criticality="Z" if number in (7, 63) else "A") for number in range(100)]
    answer = await place.client.post(PATH, json={"rows": rows})
    assert [index for index, fate in enumerate(fates(answer)) if fate[0] != 201] == [7, 63]
    assert len(await place.tags()) == 98


@pytest.mark.parametrize("body", [{"rows": []}, {"rows": [{}] * (bulk.MAX_ROWS + 1)}, {"rows": {}}, {}, [], None])
async def test_a_body_that_is_no_list_of_rows_or_too_long_is_refused(place: Place, body: Any) -> None:
    for method in ("POST", "PATCH"):
        answer = await place.client.request(method, PATH, json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid"), answer.text


async def test_rows_of_another_plant_are_not_there_and_of_a_plant_without_the_right_are_refused(
    place: Place, sign_in: SignIn
) -> None:
    elsewhere = await a_plant(place.database, place.tenant, "P2")
    async with place.database.tenant_session(place.tenant.id, system(place.tenant.id)) as db:
        theirs = an_instrument(place.database, elsewhere, 1)
        db.add(theirs)
    (mine,) = await make(place, "A")
    local = await sign_in(place.tenant, "MT", plant_id=place.plant)
    changes = [{"id": str(theirs.id), "version": 1, "unit": "g"}, {"id": mine, "version": 1, "unit": "g"}]
    answer = await local.patch(PATH, json={"rows": changes})
    assert fates(answer) == [(404, "record_unknown"), (200, None)]
    creator = await sign_in(place.tenant, "TA", plant_id=place.plant)
    answer = await creator.post(PATH, json={"rows": [place.row("N", plant_id=str(elsewhere)), place.row("M")]})
    assert fates(answer) == [(404, "record_unknown"), (201, None)]
    refused = await local.post(PATH, json={"rows": [place.row("O")]})
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_missing")


async def test_a_right_at_one_plant_changes_nothing_at_another_that_is_seen(place: Place, sign_in: SignIn) -> None:
    elsewhere = await a_plant(place.database, place.tenant, "P2")
    both = await sign_in(place.tenant, "TA", plant_id=elsewhere)
    async with place.database.tenant_session(place.tenant.id, system(place.tenant.id)) as db:
        theirs = an_instrument(place.database, elsewhere, 1)
        db.add(theirs)
        reader = (await db.scalars(select(Role).where(Role.key == "AU"))).one()
        person = uuid.UUID((await both.get("/me")).json()["id"])
        seen = {"plant_id": place.plant, "valid_from": place.database.clock.now()}
        db.add(UserRole(id=new_id(place.database.clock.now()), user_id=person, role_id=reader.id, **seen))
    (mine,) = await make(place, "A")
    changes = [{"id": mine, "version": 1, "unit": "g"}, {"id": str(theirs.id), "version": 1, "unit": "g"}]
    assert (await both.get(f"/plant-ops/equipment/{mine}")).status_code == 200
    answer = await both.patch(PATH, json={"rows": changes})
    assert fates(answer) == [(403, "permission_missing"), (200, None)]


async def test_rows_of_another_company_are_not_there(place: Place, sign_in: SignIn) -> None:
    other = await a_tenant(place.database, "other")
    stranger = await sign_in(other, "TA")
    (mine,) = await make(place, "A")
    answer = await stranger.patch(PATH, json={"rows": [{"id": mine, "version": 1, "unit": "g"}]})
    assert fates(answer) == [(404, "record_unknown")]
    answer = await stranger.post(PATH, json={"rows": [place.row("B")]})
    assert fates(answer) == [(422, "reference_unknown")]
    assert await place.tags() == {"A"}


async def test_a_line_of_a_plant_keeps_what_the_database_makes_of_a_row(place: Place) -> None:
    rows = [{"plant_id": str(place.plant), "code": f"L{n}", "name": "Line", "kind": "pack"} for n in range(3)]
    answer = await place.client.post("/plant-ops/lines:bulk", json={"rows": rows})
    assert set(fates(answer)) == {(201, None)}
    async with place.database.tenant_session(place.tenant.id) as db:
        diff = (await db.scalars(select(AuditRow.diff).where(AuditRow.entity == "plant_ops.line"))).first()
        lines = (await db.scalars(select(ProductionLine))).all()
    assert {str(line.oee_target) for line in lines} == {"0.800000"}
    assert diff is not None
    assert (diff["oee_target"], diff["allergen_class"]) == ("0.8", [])
    assert new_id(place.database.clock.now()).version == lines[0].id.version


async def test_a_mistake_of_ours_is_nobodys_row() -> None:
    """What no rule refused ends the request, instead of being said of a row."""

    async def broken(_steps: Any) -> dict[int, bulk.RowResult]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        bulk.refused(0, None, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        await bulk._group([(0, None)], broken)
