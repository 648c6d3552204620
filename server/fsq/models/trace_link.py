"""Traceability: material went from one node to another, and is never unsaid."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from foodflow_kernel.units import Uom
from server.core.db import FactRow, Qty, TenantBase


class TraceLink(FactRow, TenantBase):
    """One edge of the graph of material.

    ``source`` and ``target`` are node keys (see ``server.fsq.nodes``): ``supplier:``, ``lot:``,
    ``batch:``, ``pallet:`` and ``customer:``. The edge from a batch to its output lot carries no
    quantity: that is what the batch counted.
    """

    __tablename__ = "fsq_trace_link"
    __table_args__ = (
        Index("ix_fsq_trace_link_source", "source", postgresql_include=["target"]),
        Index("ix_fsq_trace_link_target", "target", postgresql_include=["source"]),
        Index("ix_fsq_trace_link_event", "event_id"),
        CheckConstraint(
            "cte in ('receive','transform','pack','ship','return','split','merge','rework','destroy')", name="cte"
        ),
        CheckConstraint("source <> target", name="two_nodes"),
        CheckConstraint("qty > 0", name="qty"),
    )

    event_id: Mapped[uuid.UUID]
    cte: Mapped[str]
    source: Mapped[str]
    target: Mapped[str]
    from_lot_id: Mapped[uuid.UUID | None]
    to_lot_id: Mapped[uuid.UUID | None]
    batch_id: Mapped[uuid.UUID | None]
    pallet_id: Mapped[uuid.UUID | None]
    item_id: Mapped[uuid.UUID | None]
    qty: Mapped[Qty | None]
    uom: Mapped[Uom]
    partner_code: Mapped[str | None]
    partner_name: Mapped[str | None]
    document_no: Mapped[str | None]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    flags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
