"""What a terminal says of itself."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped

from server.core.db import FactRow, TenantBase


class TerminalEvent(FactRow, TenantBase):
    """A session began or ended, the clock jumped, the terminal witnessed its own journal."""

    __tablename__ = "plant_ops_terminal_event"
    __table_args__ = (
        Index("ix_plant_ops_terminal_event_kind", "kind", "occurred_at"),
        CheckConstraint("kind in ('session_started','session_ended','clock_jumped','witness')", name="kind"),
    )

    kind: Mapped[str]
    line_id: Mapped[uuid.UUID | None]
    detail: Mapped[dict[str, Any]]
