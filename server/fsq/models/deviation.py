"""Deviations, and what was done about them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text, Uuid

from foodflow_kernel.machines.fsq import DeviationState
from server.core.db import FactRow, MasterRow, TenantBase

OPEN_STATES = "('open','contained','investigating','disposition','capa','verified')"


class Deviation(MasterRow, TenantBase):
    """Something went outside its limits: from the breach to the closing signature.

    The same root event has one open deviation per CCP and batch; a second one that a terminal
    opened offline is kept as a duplicate of the first.
    """

    __tablename__ = "fsq_deviation"
    __feed__ = "deviation"
    __table_args__ = (
        Index("uq_fsq_deviation_number", "plant_id", "year", "n", unique=True),
        Index("uq_fsq_deviation_fact", "fact_id", unique=True),
        Index(
            "uq_fsq_deviation_open",
            "ccp_id",
            "batch_id",
            unique=True,
            postgresql_where=text(f"duplicate_of_id is null and ccp_id is not null and state in {OPEN_STATES}"),
        ),
        Index("ix_fsq_deviation_state", "state", "severity"),
        CheckConstraint("severity in ('minor','major','critical')", name="severity"),
        CheckConstraint("(number is null) = (duplicate_of_id is not null)", name="number"),
    )

    plant_id: Mapped[uuid.UUID]
    number: Mapped[str | None]
    """DV-0093; a duplicate shows the number of the first."""
    year: Mapped[int]
    n: Mapped[int | None]
    local_no: Mapped[str] = mapped_column(server_default="")
    state: Mapped[DeviationState]
    severity: Mapped[str]
    source: Mapped[str]
    ccp_id: Mapped[uuid.UUID | None]
    ccp_version_id: Mapped[uuid.UUID | None]
    reading_id: Mapped[uuid.UUID | None]
    batch_id: Mapped[uuid.UUID | None]
    line_id: Mapped[uuid.UUID | None]
    lot_ids: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(Uuid), server_default=text("'{}'"))
    last_good_at: Mapped[datetime | None]
    detected_at: Mapped[datetime]
    detected_by: Mapped[uuid.UUID | None]
    summary: Mapped[str] = mapped_column(server_default="")
    detail: Mapped[str] = mapped_column(server_default="")
    duplicate_of_id: Mapped[uuid.UUID | None]
    fact_id: Mapped[uuid.UUID | None]
    flags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))


class DeviationStep(FactRow, TenantBase):
    """A containing action at the line, signed `performed`, with what the server made of the command."""

    __tablename__ = "fsq_deviation_step"
    __table_args__ = (
        Index("ix_fsq_deviation_step_deviation", "deviation_id", "occurred_at"),
        CheckConstraint("outcome in ('applied','merged','conflict','rejected')", name="outcome"),
    )

    deviation_id: Mapped[uuid.UUID]
    action_code: Mapped[str]
    note: Mapped[str] = mapped_column(server_default="")
    recheck_due_at: Mapped[datetime | None]
    signature: Mapped[dict[str, Any]]
    outcome: Mapped[str]
    reason: Mapped[str | None]
