"""Holds: a lot may not be used, labelled or shipped."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped

from foodflow_kernel.machines.fsq import HoldState
from foodflow_kernel.units import Uom
from server.core.db import MasterRow, Qty, TenantBase


class LotHold(MasterRow, TenantBase):
    """A hold over a lot, known by lot id even while the lot itself is not known here.

    Anyone on the floor may place one, offline too; only the server ends one, by the signature
    of a QA manager. ``fact_id`` makes placing it twice impossible.
    """

    __tablename__ = "fsq_lot_hold"
    __feed__ = "hold"
    __table_args__ = (
        Index("uq_fsq_lot_hold_fact", "fact_id", unique=True),
        Index("ix_fsq_lot_hold_open", "lot_id", postgresql_where=text("state = 'open'")),
        Index("ix_fsq_lot_hold_deviation", "deviation_id"),
        CheckConstraint("(state = 'open') = (ended_at is null)", name="ended"),
        CheckConstraint("ended_by is null or placed_by is null or ended_by <> placed_by", name="own_work"),
        CheckConstraint("(qty is null) = (uom is null)", name="qty"),
    )

    plant_id: Mapped[uuid.UUID | None]
    lot_id: Mapped[uuid.UUID]
    state: Mapped[HoldState]
    qty: Mapped[Qty | None]
    uom: Mapped[Uom | None]
    reason: Mapped[str]
    source: Mapped[str]
    deviation_id: Mapped[uuid.UUID | None]
    marked_from: Mapped[datetime | None]
    marked_qty: Mapped[Qty | None]
    marked_uom: Mapped[Uom | None]
    vessel: Mapped[str | None]
    placed_at: Mapped[datetime]
    placed_by: Mapped[uuid.UUID | None]
    device_id: Mapped[uuid.UUID | None]
    fact_id: Mapped[uuid.UUID | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[uuid.UUID | None]
    end_reason: Mapped[str | None]
