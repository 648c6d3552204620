"""Entries that were taken back or corrected: they stay readable, sums leave them out."""

from __future__ import annotations

import uuid

from sqlalchemy import ColumnElement, Index, and_, exists
from sqlalchemy.orm import Mapped, aliased

from server.core.db import FactRow, TenantBase


class VoidedFact(FactRow, TenantBase):
    """An earlier entry was taken back by a later one that names it."""

    __tablename__ = "core_voided_fact"
    __table_args__ = (Index("ix_core_voided_fact_target", "target_id"),)

    target_id: Mapped[uuid.UUID]
    target_kind: Mapped[str]
    reason: Mapped[str]


def is_current(model: type[FactRow]) -> ColumnElement[bool]:
    """Whether a row of a fact table still counts: neither taken back nor corrected by another."""
    later = aliased(model)
    return and_(
        ~exists().where(VoidedFact.target_id == model.id),
        ~exists().where(later.corrects_id == model.id),
    )
