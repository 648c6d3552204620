"""Rights that end at a plant end there for everything: facts, what rows refer to, what all plants share."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from decimal import Decimal

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import select

from foodflow_kernel.units import Uom
from foodflow_kernel.wire import bodies
from server.app import RESOURCES
from server.core.actor import system
from server.core.db import FactRow
from server.core.db.sessions import Database, TenantRef
from server.core.resource import Resource
from server.plant_ops.models import ProductionLine, ReasonCode
from tests.server.conftest import SignIn, a_plant
from tests.server.factories import Scene, a_scene

FACTS = [resource for resource in RESOURCES if issubclass(resource.model, FactRow)]


@dataclass(frozen=True)
class Two:
    """A plant with a fact of its own, another one, and a supervisor of each."""

    scene: Scene
    other: uuid.UUID
    here: httpx.AsyncClient
    there: httpx.AsyncClient
    everywhere: httpx.AsyncClient


@pytest_asyncio.fixture(loop_scope="session")
async def two(database: Database, tenant: TenantRef, sign_in: SignIn) -> Two:
    scene = await a_scene(database, tenant)
    lost = bodies.Amount(value=Decimal(1), uom=Uom.KGM)
    await scene.push(scene.fact(bodies.ScrapRecorded(batch_id=scene.batch.id, amount=lost, reason_code="drop")))
    other = await a_plant(database, tenant, "P2")
    clients = [await sign_in(tenant, "SV", plant) for plant in (scene.plant.id, other, None)]
    return Two(scene, other, *clients)


@pytest.mark.parametrize("resource", FACTS, ids=lambda each: each.path)
def test_every_fact_has_a_plant_to_be_scoped_by(resource: Resource) -> None:
    assert "plant_id" in resource.shown


async def test_a_fact_is_listed_read_and_exported_at_its_plant_only(two: Two) -> None:
    path = "/plant-ops/scrap"
    (row,) = (await two.everywhere.get(path)).json()["items"]
    assert row["plant_id"] == str(two.scene.plant.id)
    assert [each["id"] for each in (await two.here.get(path)).json()["items"]] == [row["id"]]
    assert (await two.there.get(path)).json()["items"] == []
    assert (await two.here.get(f"{path}/{row['id']}")).status_code == 200
    hidden = await two.there.get(f"{path}/{row['id']}")
    assert (hidden.status_code, hidden.json()["code"]) == (404, "record_unknown")
    sheets = [await each.get(path, headers={"Accept": "text/csv"}) for each in (two.here, two.there)]
    assert [row["id"] in sheet.text for sheet in sheets] == [True, False]


async def test_a_plant_is_seen_by_who_has_rights_there(two: Two) -> None:
    assert [row["id"] for row in (await two.there.get("/plants")).json()["items"]] == [str(two.other)]
    assert (await two.there.get(f"/plants/{two.scene.plant.id}")).status_code == 404


async def test_a_row_refers_to_nothing_at_a_plant_its_author_does_not_see(
    two: Two, database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    admin = await sign_in(tenant, "TA", two.other)
    made = {"plant_id": str(two.other), "tag": "S1", "equipment_class": "scale", "names": {"en": "S"}}
    for line in (two.scene.line.id, uuid.uuid4()):
        answer = await admin.post("/plant-ops/equipment", json=made | {"line_id": str(line)})
        assert (answer.status_code, answer.json()["code"]) == (422, "reference_unknown"), answer.text
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        assert await db.scalar(select(ProductionLine.id)) == two.scene.line.id
    bulk = await admin.post(
        "/plant-ops/equipment:bulk", json={"rows": [made, made | {"tag": "S2", "line_id": str(two.scene.line.id)}]}
    )
    assert [each["status"] for each in bulk.json()["results"]] == [201, 422]


async def test_a_row_refers_to_its_own_plant(two: Two, tenant: TenantRef, sign_in: SignIn) -> None:
    admin = await sign_in(tenant, "TA")
    made = {"plant_id": str(two.other), "tag": "S1", "equipment_class": "scale", "names": {"en": "S"}}
    wrong = await admin.post("/plant-ops/equipment", json=made | {"line_id": str(two.scene.line.id)})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "reference_elsewhere")
    row = (await admin.post("/plant-ops/equipment", json=made)).json()
    later = await admin.patch(
        f"/plant-ops/equipment/{row['id']}", json={"line_id": str(two.scene.line.id)}, headers={"If-Match": '"1"'}
    )
    assert (later.status_code, later.json()["code"]) == (422, "reference_elsewhere")


async def test_a_right_at_one_plant_is_none_over_what_all_share(
    two: Two, database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    """Reasons are the company's: whoever administers one plant reads them and changes none."""
    admin = await sign_in(tenant, "TA", two.other)
    new = {"tree": "downtime", "code": "x1", "names": {"en": "X"}, "category": "breakdown"}
    assert (await admin.post("/plant-ops/reasons", json=new)).status_code == 403
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        reason = await db.scalar(select(ReasonCode))
    assert reason is not None
    one, version = f"/plant-ops/reasons/{reason.id}", {"If-Match": f'"{reason.version}"'}
    assert (await admin.patch(one, json={"names": {"en": "Y"}}, headers=version)).status_code == 403
    assert (await admin.delete(one, headers=version)).status_code == 403
    bulk = await admin.patch(
        "/plant-ops/reasons:bulk",
        json={"rows": [{"id": str(reason.id), "version": reason.version, "names": {"en": "Y"}}]},
    )
    assert [each["status"] for each in bulk.json()["results"]] == [403]
    assert (await admin.get(one)).status_code == 200
    everywhere = await sign_in(tenant, "TA")
    assert (await everywhere.post("/plant-ops/reasons", json=new)).status_code == 201
