"""Words that records are marked with."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from foodflow_kernel.machines.content import TagState
from server.core.actor import Actor
from server.core.db import MasterRow, TenantBase
from server.core.models.linked import seen_with


class Tag(MasterRow, TenantBase):
    """A key and a value, such as ``campaign: summer``; one pair means one thing in the whole company.

    Args:
        plant_id: whose word it is; none for one of the whole company.
        colour: of its chip on a screen, ``#rrggbb``.
        is_system: brought by the product: neither renamed nor merged nor retired.
        merged_into_id: the tag that took over its records.
    """

    __tablename__ = "core_tag"
    __table_args__ = (
        CheckConstraint("char_length(key) between 1 and 50 and key = btrim(key)", name="key"),
        CheckConstraint("char_length(value) <= 100 and value = btrim(value)", name="value"),
        CheckConstraint("colour ~ '^#[0-9a-f]{6}$'", name="colour"),
        CheckConstraint("(state = 'active') = (retired_at is null)", name="retired"),
        CheckConstraint("(state = 'merged') = (merged_into_id is not null)", name="merged"),
        CheckConstraint("merged_into_id <> id", name="merged_into_another"),
        CheckConstraint("not is_system or (state = 'active' and plant_id is null)", name="system"),
    )

    plant_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("core_plant.id"))
    key: Mapped[str]
    value: Mapped[str] = mapped_column(server_default=text("''"))
    colour: Mapped[str | None]
    is_system: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    state: Mapped[TagState] = mapped_column(default=TagState.active, server_default=text("'active'"))
    merged_into_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("core_tag.id"))


Index("uq_core_tag_key_value", func.lower(Tag.key), func.lower(Tag.value), unique=True)


class TagLink(TenantBase):
    """A record is marked with a tag.

    Args:
        entity: permission prefix of the record's resource, such as ``fsq.lot``.
        plant_id: the record's, or the tag's where all plants share the record.
    """

    __tablename__ = "core_tag_link"
    __table_args__ = (
        UniqueConstraint("tag_id", "entity", "entity_id"),
        Index("ix_core_tag_link_entity", "entity", "entity_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    plant_id: Mapped[uuid.UUID | None]
    tag_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("core_tag.id"))
    entity: Mapped[str]
    entity_id: Mapped[uuid.UUID]
    created_at: Mapped[datetime]
    created_by: Mapped[uuid.UUID | None]

    @classmethod
    def seen_by(cls, actor: Actor) -> list[ColumnElement[bool]]:
        """Links to records that the actor may read."""
        return seen_with(actor, cls.entity, cls.plant_id)
