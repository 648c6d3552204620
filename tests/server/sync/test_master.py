"""What a terminal receives of the demo plant, entity by entity."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest_asyncio
from sqlalchemy import select

from foodflow_kernel.wire import master
from server import seed
from server.core.db.sessions import Database, TenantRef
from server.fsq.models import CcpVersion, Lot
from server.plant_ops.models import ProductionLine
from server.sync.master import RENDERERS
from server.sync.stored import Terminal
from tests.conftest import a_tenant
from tests.server.factories import a_plant, a_scene, an_item


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demo(database: Database) -> TenantRef:
    tenant = await a_tenant(database, "master")
    await seed.plant(database, tenant)
    return tenant


async def terminal_on(database: Database, tenant: TenantRef, line: str = "L2") -> Terminal:
    async with database.tenant_session(tenant.id) as db:
        row = await db.scalar(select(ProductionLine).where(ProductionLine.code == line))
        assert row is not None
    return Terminal(
        device_id=uuid4(),
        tenant_id=tenant.id,
        plant_id=row.plant_id,
        line_id=row.id,
        name="T-07",
        public_key=b"",
        is_revoked=False,
        pepper=b"p" * 32,
    )


async def drawn(
    database: Database, tenant: TenantRef, terminal: Terminal, entity: str, ids: Sequence[Any] | None = None
) -> Sequence[Any]:
    async with database.tenant_session(tenant.id) as db:
        return await RENDERERS[entity](db, entity, ids, terminal)


async def test_a_new_terminal_receives_every_entity(database: Database, demo: TenantRef) -> None:
    terminal = await terminal_on(database, demo)
    assert set(RENDERERS) == set(master.ENTITIES)
    for entity, shape in master.ENTITIES.items():
        rows = await drawn(database, demo, terminal, entity)
        assert rows, entity
        assert all(type(row) is shape for row in rows)
        assert len({row.id for row in rows}) == len(rows)
        again = await drawn(database, demo, terminal, entity, [row.id for row in rows])
        assert {row.id: row for row in again} == {row.id: row for row in rows}


async def test_the_soup_of_line_2_is_as_pictured(database: Database, demo: TenantRef) -> None:
    terminal = await terminal_on(database, demo)
    (order,) = [row for row in await drawn(database, demo, terminal, "work_order") if row.wo_no == "WO-261123-02"]
    (batch,) = [row for row in await drawn(database, demo, terminal, "batch") if row.id == order.batch_id]
    assert (batch.batch_no, batch.planned_qty, batch.total, batch.status) == ("B-2611-0418", 4800, 0, "released")
    (recipe,) = [row for row in await drawn(database, demo, terminal, "bom") if row.id == order.bom_id]
    items = {row.id: row for row in await drawn(database, demo, terminal, "item")}
    assert [(items[part.item_id].names["en"], part.qty_per, part.step) for part in recipe.lines] == [
        ("Tomato base", 1200, 1),
        ("Salt", 9, 2),
        ("Basil purée", 180, 3),
        ("Olive oil", 30, 4),
        ("Cup 600 ml", 4800, 5),
        ("Lid film", 2, 6),
    ]
    checks = {
        row.ccp_no: row for row in await drawn(database, demo, terminal, "ccp") if row.line_id == terminal.line_id
    }
    assert set(checks) == {"CCP-1", "CCP-2", "CCP-3", "CP-4", "QP-6"}
    assert (checks["CCP-1"].crit_min, checks["CCP-1"].frequency_min) == (74, 30)
    assert checks["CCP-2"].pieces == ("Fe 1.5", "NF 2.0", "SS 2.5")


async def test_a_held_lot_says_so(database: Database, demo: TenantRef) -> None:
    terminal = await terminal_on(database, demo)
    held = [row.lot_code for row in await drawn(database, demo, terminal, "lot") if row.is_held]
    assert held == ["PSS-261122-01"]


async def test_another_plant_is_none_of_its_business(database: Database, tenant: TenantRef) -> None:
    scene = await a_scene(database, tenant)
    terminal = await terminal_on(database, tenant)
    async with database.tenant_session(tenant.id) as db:
        other = await a_plant(db, code="P2")
        item = await an_item(db)
        lot = Lot(id=uuid4(), plant_id=other.id, lot_code="X", item_id=item.id, kind="raw", status="released",
                  qty_initial=1, uom="H87")  # fmt: skip
        db.add(lot)
        await db.flush()
    assert lot.id not in {row.id for row in await drawn(database, tenant, terminal, "lot")}
    assert await drawn(database, tenant, terminal, "lot", [lot.id]) == []
    assert [row.id for row in await drawn(database, tenant, terminal, "lot", [scene.lot.id])] == [scene.lot.id]
    assert await drawn(database, tenant, terminal, "plant", [other.id]) == []


async def test_a_running_batch_keeps_the_version_it_started_with(database: Database, tenant: TenantRef) -> None:
    scene = await a_scene(database, tenant)
    terminal = await terminal_on(database, tenant)
    await scene.push(scene.fact(scene.moved("start", 1, ccp_version_ids=(scene.cook.id,))))
    async with database.tenant_session(tenant.id) as db:
        (await db.get_one(CcpVersion, scene.cook.id)).status = "superseded"
    assert [row.id for row in await drawn(database, tenant, terminal, "ccp")] == [scene.cook.id]
    await scene.push(scene.fact(scene.moved("complete", 2)))
    assert await drawn(database, tenant, terminal, "ccp") == []
