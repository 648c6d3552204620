"""Sensor readings: blocks of samples, and the newest value of each sensor."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.wire.bodies import SensorLatest as LatestBody
from foodflow_kernel.wire.bodies import Telemetry
from server.core import live
from server.core import stamp as stamps
from server.core.stamp import Stamp
from server.plant_ops.models import SensorBlock, SensorLatest

SENSOR_TOPIC = "sensor"
"""Of open screens that show sensors."""


async def record_blocks(db: AsyncSession, facts: Sequence[tuple[Stamp, Telemetry]]) -> None:
    """Keep blocks of samples as they came."""
    rows = [
        stamp.columns()
        | {
            "sensor_id": body.sensor_id,
            "from_at": body.from_at,
            "period_ms": body.period_ms,
            "step": body.step,
            "first": body.first,
            "deltas": list(body.deltas),
            "samples": 1 + sum(delta is not None for delta in body.deltas),
        }
        for stamp, body in facts
    ]
    await stamps.record(db, SensorBlock, rows)


async def keep_latest(db: AsyncSession, facts: Sequence[tuple[Stamp, LatestBody]]) -> None:
    """Remember the newest value of each sensor; an older one that comes late changes nothing."""
    newest: dict[object, dict[str, object]] = {}
    for stamp, body in sorted(facts, key=lambda fact: (fact[0].occurred_at, fact[0].seq or 0)):
        newest[body.sensor_id] = {
            "sensor_id": body.sensor_id,
            "occurred_at": stamp.occurred_at,
            "lane": stamp.lane or 0,
            "seq": stamp.seq or 0,
            "value": body.value,
            "quality": body.quality,
        }
        live.tell(db, SENSOR_TOPIC, body.sensor_id)
    statement = insert(SensorLatest).values(list(newest.values()))
    new = statement.excluded
    await db.execute(
        statement.on_conflict_do_update(
            index_elements=[SensorLatest.sensor_id],
            set_={name: new[name] for name in ("occurred_at", "lane", "seq", "value", "quality")},
            where=tuple_(SensorLatest.occurred_at, SensorLatest.seq) < tuple_(new.occurred_at, new.seq),
        )
    )
