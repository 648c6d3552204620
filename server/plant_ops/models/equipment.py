"""Equipment of a line, its instruments with calibration and test weight, and its sensors."""

from __future__ import annotations

import uuid
from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from foodflow_kernel.wire.master import Names
from server.core.db import Factor, MasterRow, Qty, TenantBase


class Equipment(MasterRow, TenantBase):
    """An asset: a kettle, scale, probe, detector or printer. Instruments carry range and due dates."""

    __tablename__ = "plant_ops_equipment"
    __feed__ = "equipment"
    __table_args__ = (
        Index("uq_plant_ops_equipment_tag", "plant_id", "tag", unique=True),
        CheckConstraint("range_min is null or range_max is null or range_min < range_max", name="instrument_range"),
        CheckConstraint("criticality in ('A','B','C')", name="criticality"),
    )

    plant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("core_plant.id"))
    tag: Mapped[str]
    names: Mapped[Names]
    line_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("plant_ops_line.id"))
    equipment_class: Mapped[str]
    criticality: Mapped[str] = mapped_column(server_default="B")
    unit: Mapped[str | None]
    range_min: Mapped[Factor | None]
    range_max: Mapped[Factor | None]
    resolution: Mapped[Factor | None]
    calib_interval_d: Mapped[int | None]
    calib_due_on: Mapped[date | None]
    test_weight_g: Mapped[Qty | None]
    test_tolerance_g: Mapped[Qty | None]
    test_every_min: Mapped[int | None]


class Sensor(MasterRow, TenantBase):
    """A measuring point sampled all the time. A CCP's limits never come from here."""

    __tablename__ = "plant_ops_sensor"
    __feed__ = "sensor"
    __table_args__ = (
        Index("uq_plant_ops_sensor_tag", "plant_id", "tag", unique=True),
        CheckConstraint("range_min < range_max", name="sensor_range"),
        CheckConstraint("period_ms > 0", name="period_ms"),
    )

    plant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("core_plant.id"))
    tag: Mapped[str]
    names: Mapped[Names]
    kind: Mapped[str]
    unit: Mapped[str]
    line_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("plant_ops_line.id"))
    equipment_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("plant_ops_equipment.id"))
    range_min: Mapped[Factor]
    range_max: Mapped[Factor]
    period_ms: Mapped[int]
    step: Mapped[Factor]
    ccp_id: Mapped[uuid.UUID | None]
