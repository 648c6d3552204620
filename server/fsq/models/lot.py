"""Lots of material and product."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from foodflow_kernel.machines.fsq import LotState
from foodflow_kernel.units import Uom
from server.core.db import MasterRow, Qty, TenantBase


class Lot(MasterRow, TenantBase):
    """A traceability lot: what was received together or made together.

    Whether it is held is no column: it is held while any hold on it is open, and a hold may be
    known before the lot is.
    """

    __tablename__ = "fsq_lot"
    __feed__ = "lot"
    __table_args__ = (
        Index("uq_fsq_lot_code", "plant_id", "item_id", "lot_code", unique=True),
        Index("ix_fsq_lot_code", "lot_code"),
        Index("ix_fsq_lot_fefo", "item_id", "status", "expiry_on"),
        Index("ix_fsq_lot_supplier", "supplier_lot"),
        CheckConstraint("length(lot_code) between 1 and 20", name="lot_code"),
        CheckConstraint("qty_initial > 0", name="qty_initial"),
        CheckConstraint("kind in ('raw','wip','finished','packaging','rework')", name="kind"),
        CheckConstraint("expiry_kind in ('use_by','best_before')", name="expiry_kind"),
        CheckConstraint("(counted_qty is null) = (counted_at is null)", name="counted"),
    )

    plant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("core_plant.id"))
    lot_code: Mapped[str]
    item_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("planning_item.id"))
    kind: Mapped[str]
    status: Mapped[LotState]
    qty_initial: Mapped[Qty]
    uom: Mapped[Uom]
    gtin14: Mapped[str | None]
    supplier_name: Mapped[str | None]
    supplier_lot: Mapped[str | None]
    made_at: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    expiry_on: Mapped[date | None]
    expiry_kind: Mapped[str] = mapped_column(server_default="best_before")
    allergens: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    line_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("plant_ops_line.id"))
    """The line it is staged for, if any."""
    place: Mapped[str] = mapped_column(server_default="")
    counted_qty: Mapped[Qty | None]
    """What the last stock count found."""
    counted_at: Mapped[datetime | None]
