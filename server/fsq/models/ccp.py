"""Critical control points: the point, and its limits by version."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text, Uuid

from foodflow_kernel.units import Uom
from foodflow_kernel.wire.master import Names
from server.core.db import Factor, MasterRow, Qty, TenantBase


class Ccp(MasterRow, TenantBase):
    """A point of a line where a hazard is controlled. Its limits are in its versions."""

    __tablename__ = "fsq_ccp"
    __table_args__ = (
        Index("uq_fsq_ccp_no", "line_id", "ccp_no", unique=True),
        CheckConstraint("kind in ('ccp','preventive_control','quality_point')", name="kind"),
    )

    plant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("core_plant.id"))
    line_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("plant_ops_line.id"))
    ccp_no: Mapped[str]
    kind: Mapped[str] = mapped_column(server_default="ccp")
    hazard: Mapped[str]


class CcpVersion(MasterRow, TenantBase):
    """The limits of a CCP for a time. A change is a new version; a running batch keeps its own."""

    __tablename__ = "fsq_ccp_version"
    __feed__ = "ccp"
    __table_args__ = (
        Index("uq_fsq_ccp_version", "ccp_id", "ccp_version", unique=True),
        Index("uq_fsq_ccp_version_effective", "ccp_id", unique=True, postgresql_where=text("status = 'effective'")),
        CheckConstraint("status in ('draft','validated','approved','effective','superseded')", name="status"),
        CheckConstraint(
            "crit_min is not null or crit_max is not null or cardinality(pieces) > 0", name="has_critical_limit"
        ),
        CheckConstraint("crit_min is null or op_min is null or crit_min <= op_min", name="op_min"),
        CheckConstraint("crit_max is null or op_max is null or op_max <= crit_max", name="op_max"),
        CheckConstraint("frequency_min is null or frequency_min > 0", name="frequency_min"),
    )

    plant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("core_plant.id"))
    ccp_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("fsq_ccp.id"))
    ccp_version: Mapped[int]
    status: Mapped[str]
    effective_from: Mapped[datetime]
    superseded_at: Mapped[datetime | None]
    item_ids: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(Uuid), server_default=text("'{}'"))
    names: Mapped[Names]
    place: Mapped[Names] = mapped_column(server_default=text("'{}'"))
    vessel_id: Mapped[uuid.UUID | None]
    vessel_qty: Mapped[Qty | None]
    vessel_uom: Mapped[Uom | None]
    parameter: Mapped[str]
    unit: Mapped[str | None]
    crit_min: Mapped[Factor | None]
    crit_max: Mapped[Factor | None]
    op_min: Mapped[Factor | None]
    op_max: Mapped[Factor | None]
    jump: Mapped[Factor | None]
    pieces: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    frequency_min: Mapped[int | None]
    grace_min: Mapped[int] = mapped_column(server_default=text("5"))
    instrument_id: Mapped[uuid.UUID | None]
    for_operators: Mapped[bool] = mapped_column(server_default=text("false"))
    icon: Mapped[str] = mapped_column(server_default="")
    actions: Mapped[list[dict[str, Any]]] = mapped_column(server_default=text("'[]'"))
