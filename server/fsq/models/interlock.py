"""Materials that the interlock kept out."""

from __future__ import annotations

import uuid

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from server.core.db import FactRow, TenantBase


class InterlockStop(FactRow, TenantBase):
    """A scan was refused at the line; nothing was issued."""

    __tablename__ = "fsq_interlock_stop"
    __table_args__ = (Index("ix_fsq_interlock_stop_batch", "batch_id", "occurred_at"),)

    batch_id: Mapped[uuid.UUID | None]
    line_id: Mapped[uuid.UUID | None]
    cause: Mapped[str]
    raw_scan: Mapped[str]
    item_id: Mapped[uuid.UUID | None]
    lot_id: Mapped[uuid.UUID | None]
    lot_code: Mapped[str | None]
    needed_item_id: Mapped[uuid.UUID | None]
    allergens: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
