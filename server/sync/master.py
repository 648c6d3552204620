"""Master data as a terminal receives it: one renderer per entity of ``wire.master``.

Asked with ids it draws those rows, as far as the terminal's plant may see them; asked with None
it draws everything a terminal needs to start with. What is over and done stays on the server.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.machines.fsq import DeviationState, HoldState, LotState
from foodflow_kernel.machines.plant_ops import BatchState, WorkOrderState
from foodflow_kernel.wire import master
from server.core.models import Plant
from server.fsq import hold
from server.fsq.models import Ccp, CcpVersion, Deviation, Lot, LotHold
from server.planning.models import Bom, BomLine, Item, WorkOrder
from server.plant_ops import batch as batches
from server.plant_ops.models import Equipment, ProductionBatch, ProductionLine, ReasonCode, Sensor, WeightSpec
from server.sync import crew
from server.sync.stored import Terminal

Renderer: TypeAlias = Callable[[AsyncSession, str, Sequence[UUID] | None, Terminal], Awaitable[Sequence[master.Entity]]]


_OPEN_ORDERS = (WorkOrderState.released, WorkOrderState.in_progress, WorkOrderState.on_hold)
_OPEN_BATCHES = (BatchState.released, BatchState.running, BatchState.paused, BatchState.completed)


async def _rows(db: AsyncSession, model: Any, ids: Sequence[UUID] | None, statement: Select[Any]) -> Sequence[Any]:
    """The rows asked for, or, for a first contact, those of ``statement`` that are not retired."""
    if ids is not None:
        found = select(model).where(model.id.in_(ids))
        return (await db.scalars(found)).all()
    return (await db.scalars(statement.where(model.retired_at.is_(None)).order_by(model.id))).all()


def _here(row: Any, terminal: Terminal) -> bool:
    return row.plant_id is None or row.plant_id == terminal.plant_id


async def plants(db: AsyncSession, _entity: str, ids: Sequence[UUID] | None, terminal: Terminal) -> list[master.Entity]:
    """The terminal's own plant."""
    wanted = [terminal.plant_id] if ids is None else [i for i in ids if i == terminal.plant_id]
    return [
        master.Plant(
            id=row.id,
            code=row.code,
            name=row.name,
            tz=row.tz,
            day_start=row.day_start,
            auto_lock_s=row.auto_lock_s,
            microstop_s=row.microstop_s,
        )
        for row in await db.scalars(select(Plant).where(Plant.id.in_(wanted)))
    ]


async def lines(db: AsyncSession, _entity: str, ids: Sequence[UUID] | None, terminal: Terminal) -> list[master.Entity]:
    """Lines of the plant."""
    all_here = select(ProductionLine).where(ProductionLine.plant_id == terminal.plant_id)
    return [
        master.Line(
            id=row.id,
            plant_id=row.plant_id,
            code=row.code,
            name=row.name,
            names=row.names,
            area=row.area,
            kind=row.kind,
            allergen_class=tuple(row.allergen_class),
        )
        for row in await _rows(db, ProductionLine, ids, all_here)
        if _here(row, terminal)
    ]


async def items(db: AsyncSession, _entity: str, ids: Sequence[UUID] | None, _terminal: Terminal) -> list[master.Entity]:
    """Products, ingredients and packaging."""
    return [
        master.Item(
            id=row.id,
            code=row.code,
            names=row.names,
            kind=row.kind,
            base_uom=row.base_uom,
            gtin14=row.gtin14,
            allergens=tuple(row.allergens),
            unit_names=row.unit_names,
            units_per_case=row.units_per_case,
            place=row.place,
        )
        for row in await _rows(db, Item, ids, select(Item))
    ]


async def weight_specs(
    db: AsyncSession, _entity: str, ids: Sequence[UUID] | None, _terminal: Terminal
) -> list[master.Entity]:
    """Weight limits."""
    return [
        master.WeightSpecRow(
            id=row.id,
            item_id=row.item_id,
            version=row.spec_version,
            low_g=row.low_g,
            target_g=row.target_g,
            high_g=row.high_g,
            tare_g=row.tare_g,
            sample_size=row.sample_size,
            every_min=row.every_min,
        )
        for row in await _rows(db, WeightSpec, ids, select(WeightSpec))
    ]


async def boms(db: AsyncSession, _entity: str, ids: Sequence[UUID] | None, _terminal: Terminal) -> list[master.Entity]:
    """Approved recipes with their lines; a draft is nobody's business on the floor."""
    rows = await _rows(db, Bom, ids, select(Bom).where(Bom.status == "approved"))
    wanted = [row.id for row in rows if row.status == "approved"]
    parts: dict[UUID, list[master.BomLine]] = {bom_id: [] for bom_id in wanted}
    statement = select(BomLine).where(BomLine.bom_id.in_(wanted), BomLine.retired_at.is_(None))
    for line in await db.scalars(statement.order_by(BomLine.step, BomLine.id)):
        parts[line.bom_id].append(
            master.BomLine(item_id=line.item_id, qty_per=line.qty_per, uom=line.uom, step=line.step)
        )
    return [
        master.Bom(
            id=row.id,
            item_id=row.item_id,
            revision=row.revision,
            batch_qty=row.batch_qty,
            uom=row.uom,
            lines=tuple(parts[row.id]),
        )
        for row in rows
        if row.id in parts
    ]


async def work_orders(
    db: AsyncSession, _entity: str, ids: Sequence[UUID] | None, terminal: Terminal
) -> list[master.Entity]:
    """Released orders of the plant, with the batch each will make."""
    open_here = select(WorkOrder).where(WorkOrder.plant_id == terminal.plant_id, WorkOrder.status.in_(_OPEN_ORDERS))
    rows = [row for row in await _rows(db, WorkOrder, ids, open_here) if _here(row, terminal)]
    made = select(ProductionBatch.work_order_id, ProductionBatch.id).where(
        ProductionBatch.work_order_id.in_([row.id for row in rows])
    )
    batch_of: dict[UUID | None, UUID] = {row[0]: row[1] for row in await db.execute(made)}
    return [
        master.WorkOrder(
            id=row.id,
            wo_no=row.wo_no,
            item_id=row.item_id,
            bom_id=row.bom_id,
            line_id=row.line_id,
            qty_planned=row.qty_planned,
            uom=row.uom,
            status=row.status,
            start_at=row.start_at,
            end_at=row.end_at,
            batch_id=batch_of.get(row.id),
        )
        for row in rows
    ]


async def production_batches(
    db: AsyncSession, _entity: str, ids: Sequence[UUID] | None, terminal: Terminal
) -> list[master.Entity]:
    """Batches of the plant that are not over, with what was counted so far."""
    open_here = select(ProductionBatch).where(
        ProductionBatch.plant_id == terminal.plant_id, ProductionBatch.status.in_(_OPEN_BATCHES)
    )
    rows = [row for row in await _rows(db, ProductionBatch, ids, open_here) if _here(row, terminal)]
    counted = await batches.counts(db, [row.id for row in rows])
    drawn: list[master.Entity] = []
    for row in rows:
        so_far = counted.get(row.id, batches.Counts())
        drawn.append(
            master.Batch(
                id=row.id,
                batch_no=row.batch_no,
                line_id=row.line_id,
                item_id=row.item_id,
                work_order_id=row.work_order_id,
                status=row.status,
                planned_qty=row.planned_qty,
                uom=row.uom,
                output_lot_id=row.output_lot_id,
                started_at=row.started_at,
                ended_at=row.ended_at,
                pri_s=row.pri_s,
                total=so_far.total if row.total is None else row.total,
                good=so_far.good if row.good is None else row.good,
                scrap=so_far.scrap if row.scrap is None else row.scrap,
            )
        )
    return drawn


async def lots(db: AsyncSession, _entity: str, ids: Sequence[UUID] | None, terminal: Terminal) -> list[master.Entity]:
    """Lots of the plant that can still be scanned, each with whether it is held."""
    usable = select(Lot).where(Lot.plant_id == terminal.plant_id, Lot.status != LotState.disposed)
    rows = [row for row in await _rows(db, Lot, ids, usable) if _here(row, terminal)]
    held = await hold.open_on(db, [row.id for row in rows])
    return [
        master.Lot(
            id=row.id,
            lot_code=row.lot_code,
            item_id=row.item_id,
            kind=row.kind,
            status=row.status,
            is_held=row.id in held,
            qty=row.qty_initial,
            uom=row.uom,
            gtin14=row.gtin14,
            supplier_lot=row.supplier_lot,
            expiry_on=row.expiry_on,
            expiry_kind=row.expiry_kind,
            allergens=tuple(row.allergens),
            line_id=row.line_id,
            place=row.place,
        )
        for row in rows
    ]


async def holds(db: AsyncSession, _entity: str, ids: Sequence[UUID] | None, terminal: Terminal) -> list[master.Entity]:
    """Open holds; ended ones only when asked for."""
    open_here = select(LotHold).where(
        LotHold.state == HoldState.open, or_(LotHold.plant_id.is_(None), LotHold.plant_id == terminal.plant_id)
    )
    return [
        master.Hold(
            id=row.id,
            lot_id=row.lot_id,
            state=row.state,
            reason=row.reason,
            placed_at=row.placed_at,
            deviation_id=row.deviation_id,
        )
        for row in await _rows(db, LotHold, ids, open_here)
        if _here(row, terminal)
    ]


async def deviations(
    db: AsyncSession, _entity: str, ids: Sequence[UUID] | None, terminal: Terminal
) -> list[master.Entity]:
    """Deviations that are not ended; a duplicate carries the number of the first."""
    open_here = select(Deviation).where(
        Deviation.plant_id == terminal.plant_id,
        Deviation.state.not_in((DeviationState.closed, DeviationState.void)),
    )
    rows = [row for row in await _rows(db, Deviation, ids, open_here) if _here(row, terminal)]
    firsts = [row.duplicate_of_id for row in rows if row.duplicate_of_id is not None]
    number_of: dict[UUID, str | None] = {
        row[0]: row[1]
        for row in await db.execute(select(Deviation.id, Deviation.number).where(Deviation.id.in_(firsts)))
    }
    return [
        master.Deviation(
            id=row.id,
            number=row.number or (number_of.get(row.duplicate_of_id) if row.duplicate_of_id else None),
            state=row.state,
            severity=row.severity,
            ccp_id=row.ccp_id,
            batch_id=row.batch_id,
            line_id=row.line_id,
            summary=row.summary,
            detected_at=row.detected_at,
        )
        for row in rows
    ]


async def equipment(
    db: AsyncSession, _entity: str, ids: Sequence[UUID] | None, terminal: Terminal
) -> list[master.Entity]:
    """Equipment of the plant."""
    all_here = select(Equipment).where(Equipment.plant_id == terminal.plant_id)
    return [
        master.Equipment(
            id=row.id,
            tag=row.tag,
            names=row.names,
            line_id=row.line_id,
            equipment_class=row.equipment_class,
            unit=row.unit,
            range_min=row.range_min,
            range_max=row.range_max,
            resolution=row.resolution,
            calib_due_on=row.calib_due_on,
            test_weight_g=row.test_weight_g,
            test_tolerance_g=row.test_tolerance_g,
            test_every_min=row.test_every_min,
        )
        for row in await _rows(db, Equipment, ids, all_here)
        if _here(row, terminal)
    ]


async def sensors(
    db: AsyncSession, _entity: str, ids: Sequence[UUID] | None, terminal: Terminal
) -> list[master.Entity]:
    """Sensors of the plant."""
    all_here = select(Sensor).where(Sensor.plant_id == terminal.plant_id)
    return [
        master.Sensor(
            id=row.id,
            tag=row.tag,
            names=row.names,
            kind=row.kind,
            unit=row.unit,
            line_id=row.line_id,
            equipment_id=row.equipment_id,
            range_min=row.range_min,
            range_max=row.range_max,
            period_ms=row.period_ms,
            step=row.step,
            ccp_id=row.ccp_id,
        )
        for row in await _rows(db, Sensor, ids, all_here)
        if _here(row, terminal)
    ]


async def ccps(db: AsyncSession, _entity: str, ids: Sequence[UUID] | None, terminal: Terminal) -> list[master.Entity]:
    """Effective CCP versions, and superseded ones that a running batch started with."""
    kept = select(ProductionBatch.ccp_version_ids).where(
        ProductionBatch.plant_id == terminal.plant_id,
        ProductionBatch.status.in_((BatchState.running, BatchState.paused)),
    )
    in_use = {version_id for versions in await db.scalars(kept) for version_id in versions}
    all_here = select(CcpVersion).where(
        CcpVersion.plant_id == terminal.plant_id,
        or_(CcpVersion.status == "effective", CcpVersion.id.in_(in_use)),
    )
    rows = [
        row
        for row in await _rows(db, CcpVersion, ids, all_here)
        if _here(row, terminal) and (row.status == "effective" or row.id in in_use)
    ]
    points = {
        row.id: row for row in await db.scalars(select(Ccp).where(Ccp.id.in_([version.ccp_id for version in rows])))
    }
    return [_ccp(row, points[row.ccp_id]) for row in rows]


_DECIMALS = {"temperature": 1, "ph": 2}
"""Digits that the instruments of a parameter show; the table keeps six for all."""


def _as_read(value: Decimal | None, parameter: str) -> Decimal | None:
    """A limit with the digits people read it with: 74.0 °C, pH 4.60, 18 N."""
    if value is None:
        return None
    exact = value.normalize()
    least = Decimal(1).scaleb(-_DECIMALS.get(parameter, 0))
    return value.quantize(least) if exact == value.quantize(least) else exact


def _ccp(row: CcpVersion, point: Ccp) -> master.Ccp:
    return master.Ccp(
        id=row.id,
        ccp_id=row.ccp_id,
        ccp_no=point.ccp_no,
        version=row.ccp_version,
        line_id=point.line_id,
        item_ids=tuple(row.item_ids),
        names=row.names,
        place=row.place,
        vessel_id=row.vessel_id,
        vessel_qty=row.vessel_qty,
        vessel_uom=row.vessel_uom,
        parameter=row.parameter,
        unit=row.unit,
        crit_min=_as_read(row.crit_min, row.parameter),
        crit_max=_as_read(row.crit_max, row.parameter),
        op_min=_as_read(row.op_min, row.parameter),
        op_max=_as_read(row.op_max, row.parameter),
        jump=_as_read(row.jump, row.parameter),
        pieces=tuple(row.pieces),
        frequency_min=row.frequency_min,
        grace_min=row.grace_min,
        instrument_id=row.instrument_id,
        for_operators=row.for_operators,
        icon=row.icon,
        actions=tuple(master.CcpAction.model_validate(action) for action in row.actions),
    )


async def reasons(
    db: AsyncSession, _entity: str, ids: Sequence[UUID] | None, _terminal: Terminal
) -> list[master.Entity]:
    """Reasons people can touch."""
    return [
        master.Reason(
            id=row.id,
            tree=row.tree,
            code=row.code,
            names=row.names,
            category=row.category,
            is_failure=row.is_failure,
            is_planned=row.is_planned,
            icon=row.icon,
            sort=row.sort,
        )
        for row in await _rows(db, ReasonCode, ids, select(ReasonCode))
    ]


RENDERERS: dict[str, Renderer] = {
    "plant": plants,
    "line": lines,
    "item": items,
    "weight_spec": weight_specs,
    "bom": boms,
    "work_order": work_orders,
    "batch": production_batches,
    "lot": lots,
    "hold": holds,
    "deviation": deviations,
    "equipment": equipment,
    "sensor": sensors,
    "ccp": ccps,
    "reason": reasons,
    "user": crew.users,
    "terminal": crew.terminal_itself,
}
"""Entity to renderer, in the order a first contact reads them."""
