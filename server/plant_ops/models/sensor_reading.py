"""Sensor readings: blocks of samples as they came, and the newest value of each sensor."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, SmallInteger
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from server.core.db import Factor, FactRow, TenantBase


class SensorBlock(FactRow, TenantBase):
    """Samples at a fixed period: value_i = (first + sum of deltas up to i) * step. Never changed."""

    __tablename__ = "plant_ops_sensor_block"
    __table_args__ = (
        Index("ix_plant_ops_sensor_block_sensor", "sensor_id", "from_at"),
        CheckConstraint("period_ms > 0", name="period_ms"),
    )

    sensor_id: Mapped[uuid.UUID]
    from_at: Mapped[datetime]
    period_ms: Mapped[int]
    step: Mapped[Factor]
    first: Mapped[int] = mapped_column(BigInteger)
    deltas: Mapped[list[int | None]] = mapped_column(ARRAY(BigInteger))
    samples: Mapped[int]


class SensorLatest(TenantBase):
    """The newest value heard of a sensor; replaced whenever a newer one comes."""

    __tablename__ = "plant_ops_sensor_latest"

    sensor_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    occurred_at: Mapped[datetime]
    lane: Mapped[int] = mapped_column(SmallInteger)
    seq: Mapped[int] = mapped_column(BigInteger)
    value: Mapped[float | None]
    quality: Mapped[str]
