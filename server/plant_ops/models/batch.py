"""Production batches, and the commands that moved them or tried to."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Uuid

from foodflow_kernel.machines.plant_ops import BatchState
from foodflow_kernel.units import Uom
from server.core.db import Factor, FactRow, MasterRow, Qty, TenantBase


class ProductionBatch(MasterRow, TenantBase):
    """One run of one product on one line.

    Its row ``version`` is the ``base_rev`` of a command, so only moves write this row: what was
    counted lives in the facts, and is copied here when the batch completes.
    """

    __tablename__ = "plant_ops_batch"
    __feed__ = "batch"
    __table_args__ = (
        Index("uq_plant_ops_batch_no", "plant_id", "batch_no", unique=True),
        Index(
            "uq_plant_ops_batch_running",
            "line_id",
            unique=True,
            postgresql_where=text("status in ('running','paused')"),
        ),
        Index("ix_plant_ops_batch_line", "line_id", "started_at"),
        Index("ix_plant_ops_batch_item", "item_id", "started_at"),
        CheckConstraint("planned_qty > 0", name="planned_qty"),
        CheckConstraint("planned_start < planned_end", name="planned_period"),
        CheckConstraint("good >= 0 and scrap >= 0 and good + scrap <= total", name="counts"),
    )

    plant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("core_plant.id"))
    batch_no: Mapped[str]
    line_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("plant_ops_line.id"))
    item_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("planning_item.id"))
    work_order_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("planning_work_order.id"))
    bom_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("planning_bom.id"))
    status: Mapped[BatchState]
    planned_qty: Mapped[Qty]
    uom: Mapped[Uom]
    planned_start: Mapped[datetime]
    planned_end: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    pri_s: Mapped[Factor | None]
    output_lot_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("fsq_lot.id"))
    total: Mapped[int | None]
    good: Mapped[int | None]
    scrap: Mapped[int | None]
    ccp_version_ids: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(Uuid), server_default=text("'{}'"))
    """CCP versions in force when it started; it keeps them."""


class BatchMove(FactRow, TenantBase):
    """A command to move a batch, with what the server made of it. An illegal one is kept too."""

    __tablename__ = "plant_ops_batch_move"
    __table_args__ = (
        Index("ix_plant_ops_batch_move_batch", "batch_id", "occurred_at"),
        CheckConstraint("outcome in ('applied','merged','conflict','rejected')", name="outcome"),
    )

    batch_id: Mapped[uuid.UUID]
    move: Mapped[str]
    base_rev: Mapped[int]
    found_rev: Mapped[int]
    found_status: Mapped[BatchState]
    outcome: Mapped[str]
    reason: Mapped[str | None]
    gates: Mapped[dict[str, Any]]
    good: Mapped[int | None]
    scrap: Mapped[int | None]
    counter_total: Mapped[int | None]
    left_over: Mapped[dict[str, Any] | None]
    signature: Mapped[dict[str, Any] | None]
