"""Stops of a line: what the terminals said of them, and the row people read and approve."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from foodflow_kernel.machines.plant_ops import DowntimeState
from server.core.db import FactRow, MasterRow, TenantBase


class StopFact(FactRow, TenantBase):
    """One statement about a stop: it opened, was explained, or closed."""

    __tablename__ = "plant_ops_stop_fact"
    __table_args__ = (
        Index("ix_plant_ops_stop_fact_stop", "stop_id", "occurred_at"),
        CheckConstraint("step in ('opened','explained','closed')", name="step"),
    )

    stop_id: Mapped[uuid.UUID]
    step: Mapped[str]
    line_id: Mapped[uuid.UUID | None]
    batch_id: Mapped[uuid.UUID | None]
    at: Mapped[datetime]
    """When the line stopped or ran again; for an explanation, when it was given."""
    reason_code: Mapped[str | None]
    category: Mapped[str | None]
    equipment_id: Mapped[uuid.UUID | None]
    note: Mapped[str] = mapped_column(server_default="")
    source: Mapped[str | None]


class Downtime(MasterRow, TenantBase):
    """A stop of a line, reduced from its facts; the same facts in any order give the same row."""

    __tablename__ = "plant_ops_downtime"
    __table_args__ = (
        Index("ix_plant_ops_downtime_line", "line_id", "started_at"),
        Index("ix_plant_ops_downtime_open", "line_id", postgresql_where=text("state = 'open'")),
        Index("ix_plant_ops_downtime_reason", "reason_code"),
        CheckConstraint("ended_at is null or started_at <= ended_at", name="period"),
    )

    plant_id: Mapped[uuid.UUID | None]
    line_id: Mapped[uuid.UUID]
    batch_id: Mapped[uuid.UUID | None]
    equipment_id: Mapped[uuid.UUID | None]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    state: Mapped[DowntimeState]
    reason_code: Mapped[str | None]
    category: Mapped[str | None]
    is_failure: Mapped[bool] = mapped_column(server_default=text("false"))
    is_planned: Mapped[bool] = mapped_column(server_default=text("false"))
    note: Mapped[str] = mapped_column(server_default="")
    source: Mapped[str] = mapped_column(server_default="signal")
