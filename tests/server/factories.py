"""Rows for tests: required fields only, nothing random but ids; and facts as a terminal would push them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.machines.fsq import LotState
from foodflow_kernel.machines.plant_ops import BatchState
from foodflow_kernel.rules import ccp
from foodflow_kernel.units import Uom
from foodflow_kernel.wire import bodies
from foodflow_kernel.wire.exchange import CommandAnswer
from foodflow_kernel.wire.facts import Fact, Wire
from server.core.actor import Actor, ActorKind
from server.core.db.sessions import Database, TenantRef
from server.core.models import Plant
from server.fsq.models import Ccp, CcpVersion, Lot
from server.planning.models import Item
from server.plant_ops.models import LineProductRate, ProductionBatch, ProductionLine, ReasonCode
from server.sync import verbs
from server.sync.stored import StoredFact

D = Decimal
NOW = datetime(2026, 11, 23, 10, 10, tzinfo=UTC)
OPERATOR = UUID(int=1041)


async def a_plant(db: AsyncSession, **over: Any) -> Plant:
    row = Plant(**({"id": uuid4(), "code": "P1", "name": "Plant 1", "tz": "UTC"} | over))
    db.add(row)
    await db.flush()
    return row


async def an_item(db: AsyncSession, **over: Any) -> Item:
    given = {"id": uuid4(), "code": uuid4().hex[:12], "names": {"en": "Soup"}, "kind": "finished", "base_uom": Uom.H87}
    row = Item(**(given | over))
    db.add(row)
    await db.flush()
    return row


async def a_lot(db: AsyncSession, plant: Plant, item: Item, **over: Any) -> Lot:
    given = {
        "id": uuid4(),
        "plant_id": plant.id,
        "lot_code": uuid4().hex[:12],
        "item_id": item.id,
        "kind": "finished" if item.kind == "finished" else "raw",
        "status": LotState.released,
        "qty_initial": D(480),
        "uom": item.base_uom,
    }
    row = Lot(**(given | over))
    db.add(row)
    await db.flush()
    return row


@dataclass
class Scene:
    """A line with a released batch, its lot, a cook check, an ingredient, and a terminal that pushes."""

    database: Database
    tenant: TenantRef
    plant: Plant
    line: ProductionLine
    item: Item
    lot: Lot
    batch: ProductionBatch
    cook: CcpVersion
    basil: Lot
    device: UUID = field(default_factory=uuid4)
    incarnation: UUID = field(default_factory=uuid4)
    seq: dict[int, int] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        return Actor(ActorKind.user, self.tenant.id, OPERATOR, "Operator 1041", device_id=self.device)

    def fact(self, body: Wire, *, at: datetime = NOW, **over: Any) -> tuple[StoredFact, Fact, Wire]:
        """A fact as it is stored: the next place in its lane."""
        kind = bodies.KIND_OF[type(body)]
        self.seq[kind.lane] = self.seq.get(kind.lane, 0) + 1
        given: dict[str, Any] = {
            "id": uuid4(),
            "kind": kind.name,
            "ver": kind.ver,
            "at": at,
            "occurred_at": at,
            "mono_ns": 0,
            "boot_id": "b",
            "hlc": 0,
            "performed_by": OPERATOR,
            "line_id": self.line.id,
            "body": body.model_dump(mode="json"),
        }
        stored = StoredFact(
            device_id=self.device,
            incarnation=self.incarnation,
            lane=int(kind.lane),
            seq=self.seq[kind.lane],
            hash=bytes(32),
            received_at=at + timedelta(seconds=1),
            plant_id=self.plant.id,
            line_id=self.line.id,
        )
        return stored, Fact(**(given | over)), body

    async def push(self, *facts: tuple[StoredFact, Fact, Wire]) -> list[CommandAnswer | None]:
        """Apply facts in one transaction, as a pushed batch does."""
        async with self.database.tenant_session(self.tenant.id, self.actor) as db:
            answers = [await verbs.VERBS[fact.kind](db, self.actor, stored, fact, body) for stored, fact, body in facts]
            await verbs.settle(db, self.actor, self.device)
        return answers

    def moved(self, move: str, base_rev: int, **over: Any) -> bodies.BatchMoved:
        return bodies.BatchMoved(batch_id=self.batch.id, move=move, base_rev=base_rev, **over)

    def cooked(self, value: str, **over: Any) -> bodies.CcpReading:
        """A cook temperature, judged as the kiosk would."""
        judged = ccp.judge(D(value), ccp.CcpLimits(crit_min=D(74)))
        given: dict[str, Any] = {
            "ccp_version_id": self.cook.id,
            "ccp_id": self.cook.ccp_id,
            "batch_id": self.batch.id,
            "lot_id": self.lot.id,
            "value": D(value),
            "unit": "°C",
            "source": bodies.Source.sensor,
            "verdict": judged.verdict,
            "margin": judged.margin,
        }
        return bodies.CcpReading(**(given | over))

    def issued(self, lot: Lot, qty: str = "12") -> bodies.MaterialIssued:
        return bodies.MaterialIssued(
            batch_id=self.batch.id,
            item_id=lot.item_id,
            lot_id=lot.id,
            lot_code=lot.lot_code,
            amount=bodies.Amount(value=D(qty), uom=lot.uom),
            source=bodies.Source.label,
            raw_scan="",
        )


async def a_scene(database: Database, tenant: TenantRef) -> Scene:
    async with database.tenant_session(tenant.id) as db:
        plant = await a_plant(db)
        line = ProductionLine(id=uuid4(), plant_id=plant.id, code="L2", name="Line 2", kind="fill")
        db.add(line)
        item = await an_item(db)
        basil_item = await an_item(db, kind="ingredient", base_uom=Uom.KGM, names={"en": "Basil purée"})
        lot = await a_lot(db, plant, item, status=LotState.expected, qty_initial=D(4800), lot_code="TBS-261123-02")
        basil = await a_lot(db, plant, basil_item, lot_code="BP-261117-A")
        batch = ProductionBatch(
            id=uuid4(),
            plant_id=plant.id,
            batch_no="B-2611-0418",
            line_id=line.id,
            item_id=item.id,
            status=BatchState.released,
            planned_qty=D(4800),
            uom=Uom.H87,
            planned_start=NOW,
            planned_end=NOW + timedelta(hours=4),
            output_lot_id=lot.id,
        )
        point = Ccp(id=uuid4(), plant_id=plant.id, line_id=line.id, ccp_no="CCP-1", hazard="Salmonella")
        db.add_all([batch, point])
        db.add(LineProductRate(id=uuid4(), line_id=line.id, item_id=item.id, pri_s=D("3.333333"),
                               valid_from=NOW - timedelta(days=1)))  # fmt: skip
        db.add(ReasonCode(id=uuid4(), tree="downtime", code="jam", names={"en": "Jam"}, category="breakdown"))
        await db.flush()
        cook = CcpVersion(
            id=uuid4(),
            plant_id=plant.id,
            ccp_id=point.id,
            ccp_version=1,
            status="effective",
            effective_from=NOW,
            names={"en": "Cook temperature"},
            parameter="temperature",
            unit="°C",
            crit_min=D(74),
            frequency_min=30,
        )
        db.add(cook)
        await db.flush()
    return Scene(database, tenant, plant, line, item, lot, batch, cook, basil)
