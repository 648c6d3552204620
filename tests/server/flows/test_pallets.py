from uuid import UUID, uuid4

import httpx
from sqlalchemy import select

from foodflow_kernel.gs1.check_digits import is_right
from foodflow_kernel.machines.fsq import HoldState
from foodflow_kernel.wire import bodies
from server import seed
from server.core.db.sessions import Database, TenantRef
from server.fsq.models import Lot, LotHold, Pallet
from tests.server.conftest import PASSWORD, SignIn
from tests.server.factories import NOW, Scene, a_scene

SHIP = {"partner_code": "114", "partner_name": "Depot North", "document_no": "DN-1"}


async def running(scene: Scene) -> None:
    count = bodies.LineCount(line_id=scene.line.id, batch_id=scene.batch.id, delta=600, total=600, raw=600, from_at=NOW)
    await scene.push(scene.fact(scene.moved("start", 1)), scene.fact(count))


async def hold(scene: Scene) -> None:
    await scene.push(scene.fact(bodies.HoldPlaced(hold_id=uuid4(), lot_id=scene.lot.id, reason="CCP-1 cook too low")))


async def packed(client: httpx.AsyncClient, lot_id: UUID, qty: str = "480", uom: str = "H87") -> httpx.Response:
    return await client.post(f"/fsq/lots/{lot_id}:pack", json={"qty": qty, "uom": uom})


async def test_a_pallet_gets_its_own_sscc_and_no_more_than_was_made(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    scene = await a_scene(database, tenant)
    await running(scene)
    client = await sign_in(tenant, "SV")
    first, second = await packed(client, scene.lot.id, "300"), await packed(client, scene.lot.id, "300")
    assert first.status_code == second.status_code == 200, first.text
    ssccs = {first.json()["sscc"], second.json()["sscc"]}
    assert len(ssccs) == 2
    assert all(is_right(sscc) and sscc[1:8] == tenant.gs1_company_prefix for sscc in ssccs)
    third = await packed(client, scene.lot.id, "1")
    assert (third.status_code, third.json()["code"]) == (409, "not_enough_made")


async def test_a_lot_is_packed_once_it_is_made_and_in_its_own_unit(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    scene = await a_scene(database, tenant)
    client = await sign_in(tenant, "SV")
    early = await packed(client, scene.lot.id)
    await running(scene)
    kilograms = await packed(client, scene.lot.id, uom="KGM")
    assert [(r.status_code, r.json()["code"]) for r in (early, kilograms)] == [
        (409, "lot_not_packable"),
        (409, "unit_differs"),
    ]
    assert kilograms.json()["expected"] == "H87"
    async with database.tenant_session(tenant.id) as db:
        assert (await db.scalars(select(Pallet))).all() == []


async def test_a_held_lot_is_neither_packed_nor_shipped(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    scene = await a_scene(database, tenant)
    await running(scene)
    client = await sign_in(tenant, "SV")
    pallet = (await packed(client, scene.lot.id)).json()
    await hold(scene)
    again = await packed(client, scene.lot.id, "12")
    shipped = await client.post(f"/fsq/pallets/{pallet['id']}:ship", json=SHIP)
    assert [(r.status_code, r.json()["code"]) for r in (again, shipped)] == [(409, "lot_held")] * 2
    assert "TBS-261123-02" in shipped.json()["detail"]
    async with database.tenant_session(tenant.id) as db:
        assert [row.status for row in await db.scalars(select(Pallet))] == ["in_warehouse"]


async def test_a_lot_in_quarantine_waits_and_a_released_one_leaves_once(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    scene = await a_scene(database, tenant)
    await running(scene)
    client, manager = await sign_in(tenant, "SV"), await sign_in(tenant, "QM")
    pallet = (await packed(client, scene.lot.id)).json()["id"]
    early = await client.post(f"/fsq/pallets/{pallet}:ship", json=SHIP)
    assert (early.json()["code"], early.json()["state"]) == ("lot_not_released", "quarantine")
    signature = {"password": PASSWORD, "meaning": "released"}
    order = {"reason": "All checks passed", "signature": signature}
    assert (await client.post(f"/fsq/lots/{scene.lot.id}:release", json=order)).status_code == 403
    assert (await manager.post(f"/fsq/lots/{scene.lot.id}:release", json=order)).status_code == 200
    assert (await client.post(f"/fsq/pallets/{pallet}:ship", json=SHIP)).status_code == 200
    twice = await client.post(f"/fsq/pallets/{pallet}:ship", json=SHIP)
    assert twice.json()["code"] == "already_shipped"


async def test_a_held_lot_is_not_released(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    scene = await a_scene(database, tenant)
    await running(scene)
    await hold(scene)
    order = {"reason": "All checks passed", "signature": {"password": PASSWORD, "meaning": "released"}}
    answer = await (await sign_in(tenant, "QM")).post(f"/fsq/lots/{scene.lot.id}:release", json=order)
    assert (answer.status_code, answer.json()["code"]) == (409, "lot_held")


async def test_only_a_manager_who_signs_ends_a_hold(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    scene = await a_scene(database, tenant)
    await hold(scene)
    manager = await sign_in(tenant, "QM")
    (row,) = (await manager.get("/fsq/holds", params={"filter[state][eq]": "open"})).json()["items"]
    order = {"reason": "Kettle re-checked, all good", "signature": {"password": "not it", "meaning": "released"}}
    wrong = await manager.post(f"/fsq/holds/{row['id']}:release", json=order)
    assert wrong.json()["code"] == "signature_failed"
    right = await manager.post(
        f"/fsq/holds/{row['id']}:release", json=order | {"signature": {"password": PASSWORD, "meaning": "released"}}
    )
    assert right.status_code == 200, right.text
    async with database.tenant_session(tenant.id) as db:
        held = await db.get_one(LotHold, UUID(row["id"]))
        assert (held.state, held.end_reason) == (HoldState.released, "Kettle re-checked, all good")


async def test_the_reports_answer_over_the_api(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    await seed.plant(database, tenant)
    client = await sign_in(tenant, "SV")
    board = await client.get("/plant-ops/board")
    assert board.status_code == 200, board.text
    assert [line["name"] for line in board.json()["lines"]] == ["Line 1", "Line 2", "Line 3", "Line 4"]
    oee = await client.get("/plant-ops/oee", params={"group": "hour"})
    assert oee.status_code == 200, oee.text
    assert oee.json()["total"]["missing"] is None
    async with database.tenant_session(tenant.id) as db:
        lot_id = await db.scalar(select(Lot.id).where(Lot.lot_code == "BP-261117-A"))
    trace = await client.get(f"/fsq/lots/{lot_id}/trace", params={"direction": "forward"})
    assert trace.status_code == 200, trace.text
    assert trace.json()["balance"]["not_found"] == "1.2000"
    operator = await sign_in(tenant, "OP")
    assert (await operator.get("/plant-ops/board")).status_code == 403
    assert (await client.get(f"/fsq/lots/{uuid4()}/trace")).status_code == 404


async def test_a_held_lot_traces_back_to_its_ingredient_and_forward_to_its_pallet(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    scene = await a_scene(database, tenant)
    await running(scene)
    await scene.push(scene.fact(scene.issued(scene.basil)))
    client = await sign_in(tenant, "SV")
    pallet = (await packed(client, scene.lot.id)).json()
    await hold(scene)
    found = (await client.get(f"/fsq/lots/{scene.lot.id}/trace")).json()
    shown = {(node["column"], node["kind"], node["code"], node["is_held"]) for node in found["nodes"]}
    assert shown == {
        (1, "lot", "BP-261117-A", False),
        (2, "batch", "B-2611-0418", False),
        (3, "lot", "TBS-261123-02", True),
        (3, "pallet", f"PAL-{pallet['sscc'][-5:-1]}", True),
    }
    ends = {(edge["source"].partition(":")[0], edge["target"].partition(":")[0]) for edge in found["edges"]}
    assert ends == {("lot", "batch"), ("batch", "lot"), ("batch", "pallet")}
    back = (await client.get(f"/fsq/lots/{scene.basil.id}/trace", params={"direction": "forward"})).json()
    assert {node["code"] for node in back["nodes"] if node["is_held"]} == {
        "TBS-261123-02",
        f"PAL-{pallet['sscc'][-5:-1]}",
    }
    share = {edge["target"].partition(":")[0]: edge["share"] for edge in back["edges"]}
    assert share["batch"] == share["pallet"] == 1.0
    assert back["balance"]["used"] == "12.0000"
    assert back["balance"]["in_store"] == "468.0000"
