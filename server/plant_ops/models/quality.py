"""Weights: the limits, the portions weighed against them, and the test weights of the scales."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from foodflow_kernel.rules.weight import WeightVerdict
from server.core.db import FactRow, MasterRow, Qty, TenantBase


class WeightSpec(MasterRow, TenantBase):
    """Weight limits of an item's portion; a new limit is a new ``spec_version``."""

    __tablename__ = "plant_ops_weight_spec"
    __feed__ = "weight_spec"
    __table_args__ = (
        Index("uq_plant_ops_weight_spec", "item_id", "spec_version", unique=True),
        CheckConstraint("low_g <= target_g and target_g <= high_g", name="limits"),
        CheckConstraint("sample_size between 1 and 60", name="sample_size"),
    )

    item_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("planning_item.id"))
    spec_version: Mapped[int]
    low_g: Mapped[Qty]
    target_g: Mapped[Qty]
    high_g: Mapped[Qty]
    tare_g: Mapped[Qty]
    sample_size: Mapped[int]
    every_min: Mapped[int | None]


class QualityCheck(FactRow, TenantBase):
    """One portion weighed, with the limits it was judged by and both verdicts."""

    __tablename__ = "plant_ops_quality_check"
    __table_args__ = (
        Index("ix_plant_ops_quality_check_batch", "batch_id", "occurred_at"),
        Index("ix_plant_ops_quality_check_lot", "lot_id"),
        Index(
            "ix_plant_ops_quality_check_failed",
            "occurred_at",
            postgresql_where=text("result_server <> 'in_tolerance'"),
        ),
    )

    batch_id: Mapped[uuid.UUID]
    lot_id: Mapped[uuid.UUID | None]
    item_id: Mapped[uuid.UUID]
    equipment_id: Mapped[uuid.UUID | None]
    check_id: Mapped[uuid.UUID]
    sample_no: Mapped[int]
    net_g: Mapped[Qty]
    tare_g: Mapped[Qty]
    source: Mapped[str]
    limits: Mapped[dict[str, Any]]
    result_kiosk: Mapped[WeightVerdict]
    result_server: Mapped[WeightVerdict]
    reason_code: Mapped[str | None]
    flags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))


class TestWeight(FactRow, TenantBase):
    """A scale was checked with its test weight."""

    __tablename__ = "plant_ops_test_weight"
    __table_args__ = (Index("ix_plant_ops_test_weight_equipment", "equipment_id", "occurred_at"),)

    equipment_id: Mapped[uuid.UUID]
    nominal_g: Mapped[Qty]
    shown_g: Mapped[Qty]
    tolerance_g: Mapped[Qty]
    passed: Mapped[bool]
    passed_server: Mapped[bool]
    flags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
