"""Lines, how fast they should run for each product, and when they are manned."""

from __future__ import annotations

import uuid
from datetime import datetime, time
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.dialects.postgresql import ARRAY, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from foodflow_kernel.wire.master import Names
from server.core.db import Factor, MasterRow, TenantBase


class ProductionLine(MasterRow, TenantBase):
    """A production line: the unit that OEE is measured of and batches are scheduled on."""

    __tablename__ = "plant_ops_line"
    __feed__ = "line"
    __table_args__ = (
        Index("uq_plant_ops_line_code", "plant_id", "code", unique=True),
        CheckConstraint("kind in ('fill','pack','cook','mix','bake','chill')", name="kind"),
    )

    plant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("core_plant.id"))
    code: Mapped[str]
    name: Mapped[str]
    names: Mapped[Names] = mapped_column(server_default=text("'{}'"))
    area: Mapped[str] = mapped_column(server_default="")
    kind: Mapped[str]
    allergen_class: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    oee_target: Mapped[Factor] = mapped_column(default=Decimal("0.8"))


class LineProductRate(MasterRow, TenantBase):
    """Planned run time per item [s] of one product on one line, for a period.

    A batch copies it at its start, so changing a rate never rewrites what was released.
    """

    __tablename__ = "plant_ops_line_product_rate"
    __table_args__ = (
        CheckConstraint("pri_s > 0", name="pri_s"),
        CheckConstraint("valid_to is null or valid_from < valid_to", name="period"),
        ExcludeConstraint(
            ("line_id", "="),
            ("item_id", "="),
            (func.tstzrange(text("valid_from"), text("valid_to")), "&&"),
            name="ex_plant_ops_line_product_rate_period",
            using="gist",
        ),
    )

    line_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("plant_ops_line.id"))
    item_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("planning_item.id"))
    pri_s: Mapped[Factor]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]


class ShiftPattern(MasterRow, TenantBase):
    """A shift of a plant in local wall time; one that ends before it starts runs past midnight."""

    __tablename__ = "plant_ops_shift_pattern"
    __table_args__ = (Index("uq_plant_ops_shift_pattern", "plant_id", "name", unique=True),)

    plant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("core_plant.id"))
    name: Mapped[str]
    starts: Mapped[time]
    ends: Mapped[time]
