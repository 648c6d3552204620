"""The declarative bases and the columns that many tables share. No sessions here."""

from __future__ import annotations

import enum
import uuid
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, Enum, LargeBinary, MetaData, Numeric, SmallInteger, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

CONVENTION = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

TYPES: dict[Any, Any] = {
    enum.Enum: Enum(enum.Enum, native_enum=False, length=32, create_constraint=False),
    datetime: DateTime(timezone=True),
    str: Text,
    bytes: LargeBinary,
    dict[str, Any]: JSONB,
    dict[str, str]: JSONB,
    list[dict[str, Any]]: JSONB,
}

Qty = Annotated[Decimal, mapped_column(Numeric(14, 4))]
"""A quantity at rest (identity_core, conventions)."""
Factor = Annotated[Decimal, mapped_column(Numeric(18, 6))]
"""A per-unit recipe quantity, factor or rate."""
Money = Annotated[Decimal, mapped_column(Numeric(18, 4))]


class TenantBase(DeclarativeBase):
    """Tables that every tenant has in its own schema. Models never name a schema."""

    metadata = MetaData(naming_convention=CONVENTION)
    type_annotation_map = TYPES


class PlatformBase(DeclarativeBase):
    """Tables of the platform: tenants, and which terminal belongs to which."""

    metadata = MetaData(naming_convention=CONVENTION)
    type_annotation_map = TYPES


def plant_column(model: type[Any]) -> Any | None:
    """The column that says at which plant a row is: ``plant_id``, or what the model names; None where no plant is."""
    return getattr(model, getattr(model, "__plant__", "plant_id"), None)


def plant_of(row: Any) -> uuid.UUID | None:
    """The plant a row is at; None for one that belongs to the whole company."""
    found: uuid.UUID | None = getattr(row, getattr(row, "__plant__", "plant_id"), None)
    return found


class MasterRow:
    """A row that people maintain: versioned, stamped, retired and never deleted.

    ``version`` is the optimistic lock and the ETag; stamps come from the session's actor and
    clock (``sessions``).
    """

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    created_by: Mapped[uuid.UUID | None]
    updated_at: Mapped[datetime]
    updated_by: Mapped[uuid.UUID | None]
    retired_at: Mapped[datetime | None]

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805  # SQLAlchemy passes the class
        return {"version_id_col": cls.version}


class FactRow:
    """An immutable row made from a fact: who, where, when, and its place in the device's log.

    Born on the server: device and place are NULL. UPDATE and DELETE are refused by trigger. The plant is
    the terminal's: whoever's rights end at another plant does not see the row.
    """

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    plant_id: Mapped[uuid.UUID | None]
    device_id: Mapped[uuid.UUID | None]
    incarnation: Mapped[uuid.UUID | None]
    lane: Mapped[int | None] = mapped_column(SmallInteger)
    seq: Mapped[int | None] = mapped_column(BigInteger)
    hash: Mapped[bytes | None]
    hlc: Mapped[int | None] = mapped_column(BigInteger)
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    received_at: Mapped[datetime]
    clock_skew_ms: Mapped[int | None]
    performed_by: Mapped[uuid.UUID | None]
    corrects_id: Mapped[uuid.UUID | None]
    correction_reason: Mapped[str | None]

    def __init_subclass__(cls, **options: Any) -> None:
        """Every fact table refuses the same place in a device's log twice."""
        declared = cls.__dict__.get("__table_args__", ())
        cls.__table_args__ = (  # type: ignore[attr-defined]
            *declared,
            UniqueConstraint("device_id", "incarnation", "lane", "seq"),
        )
        super().__init_subclass__(**options)
