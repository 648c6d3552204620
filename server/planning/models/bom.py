"""Recipes: what goes into a product, by revision. Drafting and approval are verbs of a later step."""

from __future__ import annotations

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from foodflow_kernel.units import Uom
from server.core.db import Factor, MasterRow, Qty, TenantBase


class Bom(MasterRow, TenantBase):
    """One revision of a recipe, for a batch of ``batch_qty``; only approved ones reach a terminal."""

    __tablename__ = "planning_bom"
    __feed__ = "bom"
    __table_args__ = (
        Index("uq_planning_bom_item_revision", "item_id", "revision", unique=True),
        CheckConstraint("status in ('draft','in_review','approved','superseded','obsolete')", name="status"),
        CheckConstraint("batch_qty > 0", name="batch_qty"),
    )

    item_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("planning_item.id"))
    revision: Mapped[str]
    status: Mapped[str]
    batch_qty: Mapped[Qty]
    uom: Mapped[Uom]


class BomLine(MasterRow, TenantBase):
    """One component of a recipe: quantity per batch quantity of the recipe, and the step it goes in at."""

    __tablename__ = "planning_bom_line"
    __table_args__ = (
        Index("uq_planning_bom_line", "bom_id", "item_id", "step", unique=True),
        CheckConstraint("qty_per > 0", name="qty_per"),
    )

    bom_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("planning_bom.id"))
    item_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("planning_item.id"))
    qty_per: Mapped[Factor]
    uom: Mapped[Uom]
    step: Mapped[int]
