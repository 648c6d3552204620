"""Pallets: what a lot is packed on, with the number that travels with it."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from foodflow_kernel.units import Uom
from server.core.db import MasterRow, Qty, TenantBase


class Pallet(MasterRow, TenantBase):
    """A pallet of one lot, in the warehouse or shipped."""

    __tablename__ = "fsq_pallet"
    __table_args__ = (
        Index("uq_fsq_pallet_sscc", "sscc", unique=True),
        Index("ix_fsq_pallet_lot", "lot_id"),
        CheckConstraint("length(sscc) = 18", name="sscc"),
        CheckConstraint("qty > 0", name="qty"),
        CheckConstraint("status in ('in_warehouse','shipped')", name="status"),
    )

    plant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("core_plant.id"))
    sscc: Mapped[str]
    lot_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("fsq_lot.id"))
    qty: Mapped[Qty]
    uom: Mapped[Uom]
    status: Mapped[str]
    packed_at: Mapped[datetime]
    shipped_at: Mapped[datetime | None]
    partner_code: Mapped[str | None]
    partner_name: Mapped[str | None]
    document_no: Mapped[str | None]
