"""The standing data of a demo plant: lines, items, recipes, equipment, checks, orders, lots."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.gs1.check_digits import build_gln, build_gtin
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines.fsq import LotState
from foodflow_kernel.machines.plant_ops import BatchState, WorkOrderState
from server.core import stamp
from server.core.db.sessions import TenantRef
from server.core.models import Address, Contact, Location, Note, Plant, Tag, TagLink
from server.fsq import links, nodes
from server.fsq.models import Ccp, CcpVersion, Lot
from server.planning.models import Bom, BomLine, Item, WorkOrder
from server.plant_ops.models import (
    Equipment,
    LineProductRate,
    ProductionBatch,
    ProductionLine,
    ReasonCode,
    Sensor,
    ShiftPattern,
    WeightSpec,
)
from server.seed import catalogue
from server.seed.moment import Moment

D = Decimal
BASIL_BEST_BEFORE = date(2026, 12, 14)
"""As printed on the label of the pictures, as long as that is still some days ahead."""


@dataclass(slots=True)
class World:
    """The rows of one demo plant, by the names people know them by."""

    db: AsyncSession
    tenant: TenantRef
    when: Moment
    plant: Plant
    lines: dict[int, ProductionLine] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    boms: dict[str, Bom] = field(default_factory=dict)
    assets: dict[str, Equipment] = field(default_factory=dict)
    checks: dict[tuple[int, str], CcpVersion] = field(default_factory=dict)
    lots: dict[str, Lot] = field(default_factory=dict)
    batches: dict[str, ProductionBatch] = field(default_factory=dict)

    def id(self) -> UUID:
        """A fresh row id."""
        return new_id(self.when.now)

    async def keep(self, *rows: Any) -> None:
        """Write rows, so that others may name them."""
        self.db.add_all(rows)
        await self.db.flush()


async def build(db: AsyncSession, tenant: TenantRef, when: Moment, plant_code: str) -> World:
    """All standing data of a plant."""
    plant = Plant(
        id=new_id(when.now),
        code=plant_code,
        name="Plant 1",
        tz=when.tz,
        gln=build_gln(tenant.gs1_company_prefix, 1),
        day_start=time(6),
        auto_lock_s=1800,  # the demo runs faster than its people
        microstop_s=120,
    )
    world = World(db, tenant, when, plant)
    await world.keep(plant)
    await _shifts(world)
    await _lines(world)
    await _items(world)
    await _equipment(world)
    await _checks(world)
    await _recipes(world)
    await _raw_lots(world)
    await _places(world)
    return world


async def _places(world: World) -> None:
    """The site, two places in it, who is called in a recall, and where the site is."""
    at = {"street": "1200 Harbor Way", "city": "Richmond", "postal_code": "94804", "country": "US"}
    site = Location(
        id=new_id(world.when.now), plant_id=world.plant.id, code="SITE", name="Richmond plant", kind="area",
        business_name=world.tenant.name, phone="+15105550100", state_region="CA", **at,
    )  # fmt: skip
    await world.keep(site)
    inside = (("COLD1", "Cold store 1", "storage", "chilled"), ("HOLD1", "Hold cage", "qa_hold", "ambient"))
    for code, name, kind, temp_class in inside:
        place = {"code": code, "name": name, "kind": kind, "temp_class": temp_class}
        await world.keep(Location(id=new_id(world.when.now), plant_id=world.plant.id, parent_id=site.id, **place))
    call = Contact(
        id=new_id(world.when.now), party_kind="company", role="recall_24h", name="Recall desk",
        phone="+15105550199", email="recall@example.com", priority=1,
    )  # fmt: skip
    where = Address(
        id=new_id(world.when.now), plant_id=world.plant.id, party_kind="plant", party_id=world.plant.id,
        lines=[at["street"]], city=at["city"], region="US-CA", postal_code=at["postal_code"], country="US",
        valid_from=world.when.ago(minutes=60 * 24 * 365),
    )  # fmt: skip
    await world.keep(call)
    await world.keep(where)
    await _words(world, site)


async def _words(world: World, site: Location) -> None:
    """Two tags of the plant, what one of them marks, and what somebody noted of the site."""
    about = {"plant_id": world.plant.id, "entity": "core.location", "entity_id": site.id}
    for value, colour in (("cold chain", "#2f6fb3"), ("visitors", "#8a6d1f")):
        named = f"{world.plant.code} {value}"
        tag = Tag(id=new_id(world.when.now), plant_id=world.plant.id, key="area", value=named, colour=colour)
        await world.keep(tag)
    link = TagLink(id=new_id(world.when.now), tag_id=tag.id, created_at=world.when.now, **about)
    await world.keep(link)
    said = {
        "kind": "observation",
        "visibility": "plant",
        "body": "The gate to the dock closes at 22:00",
        "mentions": [],
    }
    born = stamp.server_born(world.when.now, None).columns()
    await stamp.record(world.db, Note, [born | about | said | {"supersedes_id": None}])


async def _shifts(world: World) -> None:
    hours = (("A", 6, 14), ("B", 14, 22), ("C", 22, 6))
    await world.keep(
        *(
            ShiftPattern(id=world.id(), plant_id=world.plant.id, name=name, starts=time(start), ends=time(end))
            for name, start, end in hours
        )
    )
    await world.keep(
        *(ReasonCode(id=world.id(), sort=place, **reason) for place, reason in enumerate(catalogue.REASONS, start=1))
    )


async def _lines(world: World) -> None:
    for data in catalogue.LINES:
        world.lines[data.number] = ProductionLine(
            id=world.id(),
            plant_id=world.plant.id,
            code=f"L{data.number}",
            name=f"Line {data.number}",
            names=catalogue.named(f"Line {data.number}", f"Línea {data.number}"),
            area=data.area,
            kind=data.kind,
            allergen_class=list(data.allergens),
        )
    await world.keep(*world.lines.values())


async def _items(world: World) -> None:
    for data in catalogue.ITEMS:
        world.items[data.code] = Item(
            id=world.id(),
            code=data.code,
            names=catalogue.named(data.en, data.es),
            kind=data.kind,
            base_uom=data.uom,
            gtin14=build_gtin(world.tenant.gs1_company_prefix, data.reference),
            allergens=list(data.allergens),
            unit_names=dict(data.units),
            units_per_case=data.per_case,
            place=data.place,
            shelf_life_days=data.shelf_days,
        )
    await world.keep(*world.items.values())
    for line in catalogue.LINES:
        low, target, high, tare = (D(value) for value in line.weights)
        await world.keep(
            WeightSpec(
                id=world.id(),
                item_id=world.items[line.item].id,
                spec_version=1,
                low_g=low,
                target_g=target,
                high_g=high,
                tare_g=tare,
                sample_size=5,
                every_min=30,
            ),
            LineProductRate(
                id=world.id(),
                line_id=world.lines[line.number].id,
                item_id=world.items[line.item].id,
                pri_s=D(line.pri_s),
                valid_from=world.when.ago(days=90),
            ),
        )


async def _equipment(world: World) -> None:
    for data in catalogue.ASSETS:
        due = None if data.calib_days is None else world.when.today + timedelta(days=data.calib_days)
        world.assets[data.tag] = Equipment(
            id=world.id(),
            plant_id=world.plant.id,
            tag=data.tag,
            names=catalogue.named(data.en, data.es),
            line_id=None if data.line is None else world.lines[data.line].id,
            equipment_class=data.kind,
            unit=data.unit,
            range_min=_decimal(data.low),
            range_max=_decimal(data.high),
            resolution=_decimal(data.resolution),
            calib_interval_d=None if due is None else 365,
            calib_due_on=due,
            test_weight_g=_decimal(data.test_g),
            test_tolerance_g=_decimal(data.test_tolerance_g),
            test_every_min=data.test_every_min,
        )
    await world.keep(*world.assets.values())


async def _checks(world: World) -> None:
    for data in catalogue.CHECKS:
        line = world.lines[data.line]
        point = Ccp(
            id=world.id(),
            plant_id=world.plant.id,
            line_id=line.id,
            ccp_no=data.no,
            kind=data.kind,
            hazard=data.hazard,
        )
        vessel = world.assets[data.vessel].id if data.vessel else None
        version = CcpVersion(
            id=world.id(),
            plant_id=world.plant.id,
            ccp_id=point.id,
            ccp_version=3 if data.no == "CCP-1" else 1,
            status="effective",
            effective_from=world.when.ago(days=60),
            names=catalogue.named(data.en, data.es),
            place=data.place,
            vessel_id=vessel,
            vessel_qty=_decimal(data.vessel_kg),
            vessel_uom=catalogue.KG if vessel else None,
            parameter=data.parameter,
            unit=data.unit,
            crit_min=_decimal(data.crit_min),
            crit_max=_decimal(data.crit_max),
            op_min=_decimal(data.op_min),
            op_max=_decimal(data.op_max),
            jump=_decimal(data.jump),
            pieces=list(data.pieces),
            frequency_min=data.every_min,
            instrument_id=world.assets[data.instrument].id if data.instrument else None,
            for_operators=data.for_operators,
            icon=data.icon,
            actions=[dict(action) for action in data.actions],
        )
        await world.keep(point)
        await world.keep(version)
        world.checks[data.line, data.no] = version
    cook = world.checks[2, "CCP-1"]
    await world.keep(
        Sensor(
            id=world.id(),
            plant_id=world.plant.id,
            tag="P-14",
            names=catalogue.named("Kettle 2 temperature", "Temperatura marmita 2"),
            kind="temp",
            unit="°C",
            line_id=world.lines[2].id,
            equipment_id=world.assets["P-14"].id,
            range_min=D(-40),
            range_max=D(125),
            period_ms=100,
            step=D("0.1"),
            ccp_id=cook.ccp_id,
        )
    )


async def _recipes(world: World) -> None:
    for data in catalogue.RECIPES:
        bom = Bom(
            id=world.id(),
            item_id=world.items[data.item].id,
            revision=data.revision,
            status="approved",
            batch_qty=D(data.batch_qty),
            uom=catalogue.PIECE,
        )
        world.boms[data.item] = bom
        await world.keep(bom)
        await world.keep(
            *(
                BomLine(
                    id=world.id(),
                    bom_id=bom.id,
                    item_id=world.items[item].id,
                    qty_per=D(qty),
                    uom=world.items[item].base_uom,
                    step=step,
                )
                for item, qty, step in data.parts
            )
        )


async def _raw_lots(world: World) -> None:
    for code, item_code, supplier_lot, supplier, qty, days, line in catalogue.LOTS:
        item = world.items[item_code]
        received = world.when.local(9, 30, days=-6)
        expiry = world.when.today + timedelta(days=days)
        if code == "BP-261117-A" and world.when.today <= BASIL_BEST_BEFORE - timedelta(days=10):
            expiry = BASIL_BEST_BEFORE
        lot = Lot(
            id=world.id(),
            plant_id=world.plant.id,
            lot_code=code,
            item_id=item.id,
            kind="packaging" if item.kind == "packaging" else "raw",
            status=LotState.released,
            qty_initial=D(qty),
            uom=item.base_uom,
            gtin14=item.gtin14,
            supplier_name=supplier,
            supplier_lot=supplier_lot,
            received_at=received,
            expiry_on=expiry,
            allergens=list(item.allergens),
            line_id=None if line is None else world.lines[line].id,
            place=item.place,
        )
        world.lots[code] = lot
        await world.keep(lot)
        link = links.Link(
            "receive",
            nodes.supplier(supplier, supplier_lot),
            nodes.lot(lot.id),
            lot.qty_initial,
            lot.uom,
            to_lot_id=lot.id,
            item_id=item.id,
            partner_name=supplier,
            document_no=f"ASN-{supplier_lot}",
        )
        await links.record(world.db, [(stamp.server_born(received, None, world.plant.id), link)])


@dataclass(frozen=True, slots=True)
class Run:
    """A batch with its order and output lot."""

    batch_no: str
    line: int
    wo_no: str
    lot_code: str
    planned: int
    start_at: datetime
    end_at: datetime
    status: BatchState
    order_status: WorkOrderState
    lot_status: LotState


async def plan_run(world: World, run: Run) -> ProductionBatch:
    """An order, the batch that makes it, and the lot it will be."""
    data = next(line for line in catalogue.LINES if line.number == run.line)
    item, bom = world.items[data.item], world.boms[data.item]
    shelf = item.shelf_life_days or 30
    lot = Lot(
        id=world.id(),
        plant_id=world.plant.id,
        lot_code=run.lot_code,
        item_id=item.id,
        kind="finished",
        status=run.lot_status,
        qty_initial=D(run.planned),
        uom=item.base_uom,
        gtin14=item.gtin14,
        made_at=None if run.lot_status is LotState.expected else run.start_at,
        expiry_on=(run.start_at + timedelta(days=shelf)).date(),
        allergens=list(item.allergens),
        place=world.lines[run.line].name,
    )
    order = WorkOrder(
        id=world.id(),
        plant_id=world.plant.id,
        wo_no=run.wo_no,
        item_id=item.id,
        bom_id=bom.id,
        line_id=world.lines[run.line].id,
        qty_planned=D(run.planned),
        uom=item.base_uom,
        status=run.order_status,
        start_at=run.start_at,
        end_at=run.end_at,
    )
    world.lots[run.lot_code] = lot
    await world.keep(lot, order)
    is_started = run.status not in (BatchState.planned, BatchState.released)
    batch = ProductionBatch(
        id=world.id(),
        plant_id=world.plant.id,
        batch_no=run.batch_no,
        line_id=order.line_id,
        item_id=item.id,
        work_order_id=order.id,
        bom_id=bom.id,
        status=run.status,
        planned_qty=D(run.planned),
        uom=item.base_uom,
        planned_start=run.start_at,
        planned_end=run.end_at,
        started_at=run.start_at if is_started else None,
        ended_at=run.end_at if run.status in (BatchState.completed, BatchState.closed) else None,
        pri_s=D(data.pri_s),
        output_lot_id=lot.id,
        ccp_version_ids=[version.id for (line, _), version in world.checks.items() if line == run.line],
    )
    world.batches[run.batch_no] = batch
    await world.keep(batch)
    if is_started:
        born = stamp.server_born(run.start_at, None, world.plant.id)
        await links.record_output(world.db, born, batch_id=batch.id, lot_id=lot.id, item_id=item.id, uom=item.base_uom)
    return batch


def _decimal(value: str | None) -> Decimal | None:
    return None if value is None else D(value)
