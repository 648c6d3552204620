"""Orders to produce. Their verbs come with planning; this slice releases them by seed and pulls them."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from foodflow_kernel.machines.plant_ops import WorkOrderState
from foodflow_kernel.units import Uom
from server.core.db import MasterRow, Qty, TenantBase


class WorkOrder(MasterRow, TenantBase):
    """An order to make a quantity of one product on one line by one recipe."""

    __tablename__ = "planning_work_order"
    __feed__ = "work_order"
    __table_args__ = (
        Index("uq_planning_work_order_no", "plant_id", "wo_no", unique=True),
        Index("ix_planning_work_order_status", "plant_id", "status"),
        CheckConstraint("qty_planned > 0", name="qty_planned"),
        CheckConstraint("start_at < end_at", name="period"),
    )

    plant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("core_plant.id"))
    wo_no: Mapped[str]
    item_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("planning_item.id"))
    bom_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("planning_bom.id"))
    line_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("plant_ops_line.id"))
    qty_planned: Mapped[Qty]
    uom: Mapped[Uom]
    status: Mapped[WorkOrderState]
    start_at: Mapped[datetime]
    end_at: Mapped[datetime]
