"""Quantity lost, with its cause."""

from __future__ import annotations

import uuid

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped

from foodflow_kernel.units import Uom
from server.core.db import FactRow, Qty, TenantBase


class ScrapEvent(FactRow, TenantBase):
    """Pieces or mass of a batch that became scrap."""

    __tablename__ = "plant_ops_scrap_event"
    __table_args__ = (
        Index("ix_plant_ops_scrap_event_batch", "batch_id"),
        Index("ix_plant_ops_scrap_event_line", "line_id", "occurred_at"),
        Index("ix_plant_ops_scrap_event_reason", "reason_code", "occurred_at"),
        CheckConstraint("qty > 0", name="qty"),
    )

    batch_id: Mapped[uuid.UUID]
    lot_id: Mapped[uuid.UUID | None]
    line_id: Mapped[uuid.UUID | None]
    qty: Mapped[Qty]
    uom: Mapped[Uom]
    reason_code: Mapped[str]
    stage: Mapped[str]
    disposition: Mapped[str]
    source: Mapped[str]
