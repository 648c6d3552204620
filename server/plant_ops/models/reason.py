"""Reasons that a person can touch."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from foodflow_kernel.wire.master import Names
from server.core.db import MasterRow, TenantBase


class ReasonCode(MasterRow, TenantBase):
    """One reason of a tree: why a line stopped, why a piece was scrapped, why a weight is off."""

    __tablename__ = "plant_ops_reason"
    __feed__ = "reason"
    __table_args__ = (
        Index("uq_plant_ops_reason_code", "tree", "code", unique=True),
        CheckConstraint("tree in ('downtime','scrap','weight','over_issue')", name="tree"),
    )

    tree: Mapped[str]
    code: Mapped[str]
    names: Mapped[Names]
    category: Mapped[str | None]
    is_failure: Mapped[bool] = mapped_column(server_default=text("false"))
    is_planned: Mapped[bool] = mapped_column(server_default=text("false"))
    icon: Mapped[str] = mapped_column(server_default="")
    sort: Mapped[int] = mapped_column(server_default=text("0"))
