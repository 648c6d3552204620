"""Readings of critical control points."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from foodflow_kernel.rules.ccp import CcpVerdict
from server.core.db import Factor, FactRow, TenantBase

BREACHES = "({})".format(",".join(f"'{verdict}'" for verdict in CcpVerdict if verdict.is_breach))


class CcpMonitoring(FactRow, TenantBase):
    """A reading, as the terminal judged it and as the server judges it with the version it names.

    ``flags``: RESULT_DIFFERS, LATE, UNKNOWN_VERSION, LIMITS_CHANGED, CALIBRATION_OVERDUE, and
    what the terminal or sync already said.
    """

    __tablename__ = "fsq_ccp_monitoring"
    __table_args__ = (
        Index("ix_fsq_ccp_monitoring_ccp", "ccp_id", "occurred_at"),
        Index("ix_fsq_ccp_monitoring_batch", "batch_id", "occurred_at"),
        Index(
            "ix_fsq_ccp_monitoring_breach",
            "occurred_at",
            postgresql_where=text(f"not is_attempt and (result_kiosk in {BREACHES} or result_server in {BREACHES})"),
        ),
    )

    ccp_version_id: Mapped[uuid.UUID]
    ccp_id: Mapped[uuid.UUID]
    line_id: Mapped[uuid.UUID | None]
    batch_id: Mapped[uuid.UUID | None]
    lot_id: Mapped[uuid.UUID | None]
    due_at: Mapped[datetime | None]
    value: Mapped[Factor | None]
    unit: Mapped[str | None]
    pieces: Mapped[list[dict[str, Any]]]
    equipment_id: Mapped[uuid.UUID | None]
    source: Mapped[str]
    result_kiosk: Mapped[CcpVerdict]
    result_server: Mapped[CcpVerdict | None]
    margin: Mapped[Factor | None]
    is_attempt: Mapped[bool]
    flags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
