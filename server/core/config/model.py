"""The table of what was set."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from foodflow_kernel.machines.content import ConfigState
from server.core.config.keys import Scope
from server.core.db import MasterRow, TenantBase

NOWHERE = "'00000000-0000-0000-0000-000000000000'"
"""Stands for no place, so that two values for the whole company meet."""


class SystemConfig(MasterRow, TenantBase):
    """One value of a setting, at one place, from an instant on. A change is a new row that ends this one.

    Args:
        scope_id: the plant, line or terminal; None for the whole company.
        plant_id: where that place is; None if it is no one plant's.
        value: JSON; null: nothing is set here from then on, and the wider value holds.
    """

    __tablename__ = "core_system_config"
    __table_args__ = (
        Index("ix_core_system_config_key_valid", "key", "valid_from"),
        CheckConstraint("scope in ('system','tenant','plant','line','device')", name="scope"),
        CheckConstraint("(scope in ('system','tenant')) = (scope_id is null)", name="scope_id"),
        CheckConstraint("(scope in ('system','tenant')) = (plant_id is null)", name="plant_id"),
        CheckConstraint("valid_to is null or valid_to > valid_from", name="valid"),
        CheckConstraint("char_length(reason) between 5 and 500", name="reason"),
        CheckConstraint("signed_by <> proposed_by", name="proposer_is_not_signer"),
        CheckConstraint(
            r"state in ('proposed','withdrawn') or key !~ '^(hold|ccp|retention|oee|esign)\.' or signed_by is not null",
            name="signed",
        ),
        CheckConstraint("(signed_by is null) = (signed_at is null)", name="signed_at"),
        ExcludeConstraint(
            ("key", "="),
            ("scope", "="),
            (func.coalesce(text("scope_id"), text(f"{NOWHERE}::uuid")), "="),
            (func.tstzrange(text("valid_from"), text("valid_to")), "&&"),
            name="ex_core_system_config_valid",
            using="gist",
            where=text("state NOT IN ('proposed', 'withdrawn')"),
        ),
    )

    key: Mapped[str]
    scope: Mapped[Scope]
    scope_id: Mapped[uuid.UUID | None]
    plant_id: Mapped[uuid.UUID | None]
    value: Mapped[Any] = mapped_column(JSONB)
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]
    state: Mapped[ConfigState]
    reason: Mapped[str]
    proposed_by: Mapped[uuid.UUID | None]
    signed_by: Mapped[uuid.UUID | None]
    signed_at: Mapped[datetime | None]
