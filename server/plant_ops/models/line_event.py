"""What a line did: states and counts, as facts. Intervals are folded from them when asked."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from server.core.db import FactRow, TenantBase


class LineEvent(FactRow, TenantBase):
    """The line changed state: running, setup, down, planned_down, starved, blocked, idle, cleaning, trial."""

    __tablename__ = "plant_ops_line_event"
    __table_args__ = (
        Index("ix_plant_ops_line_event_line", "line_id", "occurred_at"),
        CheckConstraint(
            "state in ('running','setup','down','planned_down','starved','blocked','idle','cleaning','trial')",
            name="state",
        ),
    )

    line_id: Mapped[uuid.UUID]
    batch_id: Mapped[uuid.UUID | None]
    state: Mapped[str]
    source: Mapped[str]


class LineCount(FactRow, TenantBase):
    """Pieces counted since the count before; roll-over and reset of the register are already taken out."""

    __tablename__ = "plant_ops_line_count"
    __table_args__ = (
        Index("ix_plant_ops_line_count_line", "line_id", "occurred_at"),
        Index("ix_plant_ops_line_count_batch", "batch_id"),
        CheckConstraint("delta >= 0", name="delta"),
    )

    line_id: Mapped[uuid.UUID]
    batch_id: Mapped[uuid.UUID | None]
    delta: Mapped[int]
    total: Mapped[int]
    raw: Mapped[int] = mapped_column(BigInteger)
    from_at: Mapped[datetime]
    was_reset: Mapped[bool]
