"""Items: everything that is bought, made, stored or sold."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from foodflow_kernel.units import Uom
from foodflow_kernel.wire.master import Names
from server.core.db import MasterRow, TenantBase


class Item(MasterRow, TenantBase):
    """A product, ingredient or packaging material: what a lot is a lot of."""

    __tablename__ = "planning_item"
    __feed__ = "item"
    __table_args__ = (
        Index("uq_planning_item_code", "code", unique=True),
        CheckConstraint("kind in ('finished','intermediate','ingredient','packaging','consumable')", name="kind"),
        CheckConstraint("units_per_case is null or units_per_case > 0", name="units_per_case"),
    )

    code: Mapped[str]
    names: Mapped[Names]
    kind: Mapped[str]
    base_uom: Mapped[Uom]
    gtin14: Mapped[str | None]
    allergens: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    unit_names: Mapped[Names] = mapped_column(server_default=text("'{}'"))
    """What one piece is called, plural: cups, vasos."""
    units_per_case: Mapped[int | None]
    place: Mapped[str] = mapped_column(server_default="")
    lot_tracked: Mapped[bool] = mapped_column(server_default=text("true"))
    shelf_life_days: Mapped[int | None]
