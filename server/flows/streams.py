"""What open screens follow: a person's notifications, the lines, the sensors."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Query, WebSocket
from sqlalchemy import ColumnElement, Select, select, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from server.core import access
from server.core.actor import Actor
from server.core.live import socket
from server.core.models import Notification, NotificationRecipient
from server.core.room import Room
from server.identity.notices import answering, inbox
from server.identity.notices.post import OPEN, TOPIC
from server.plant_ops.line_events import LINE_TOPIC
from server.plant_ops.models import LineCount, LineEvent, ProductionLine, Sensor, SensorLatest
from server.plant_ops.sensors import SENSOR_TOPIC

router = Room()

Row = TypeVar("Row", LineEvent, LineCount)

After = Annotated[int | None, Query(ge=0, le=2**62, description="the last seq the client has")]
_FIRST_PAGE = 100


class Notifications:
    """The open notifications of a person; one that was closed is shown closed."""

    topic = TOPIC
    code = "core.notification.read"

    async def rows(self, db: AsyncSession, actor: Actor, ids: set[uuid.UUID] | None) -> Sequence[dict[str, Any]]:
        """Not before the end of the person's quiet hours."""
        due = NotificationRecipient.due_at <= db.info["clock"].now()
        asked = inbox.mine(actor).where(due).order_by(Notification.id.desc())
        if ids is None:
            asked = asked.where(Notification.state.in_(OPEN)).limit(_FIRST_PAGE)
        else:
            asked = asked.where(Notification.id.in_(ids))
        return [inbox.item(row, own).model_dump(mode="json") for row, own in (await db.execute(asked)).all()]

    async def sent(self, db: AsyncSession, actor: Actor, items: Sequence[dict[str, Any]]) -> None:
        """They have reached a screen."""
        if actor.id is not None:
            fresh = [uuid.UUID(each["id"]) for each in items if each["delivered_at"] is None]
            await answering.deliver(db, actor.id, fresh)


class Lines:
    """What each line does, since when, and how much it has counted."""

    topic = LINE_TOPIC
    code = "plant_ops.board.read"

    async def rows(self, db: AsyncSession, actor: Actor, ids: set[uuid.UUID] | None) -> Sequence[dict[str, Any]]:
        """The newest state and count of lines the actor sees."""
        asked = select(ProductionLine).where(_seen(ProductionLine.plant_id, actor, self.code))
        asked = asked.where(ProductionLine.retired_at.is_(None)).order_by(ProductionLine.code)
        if ids is not None:
            asked = asked.where(ProductionLine.id.in_(ids))
        lines = (await db.scalars(asked)).all()
        here = [line.id for line in lines]
        states = {row.line_id: row for row in (await db.scalars(_newest(LineEvent, LineEvent.line_id, here))).all()}
        counts = {row.line_id: row for row in (await db.scalars(_newest(LineCount, LineCount.line_id, here))).all()}
        return [_line(line, states.get(line.id), counts.get(line.id)) for line in lines]

    async def sent(self, db: AsyncSession, actor: Actor, items: Sequence[dict[str, Any]]) -> None:
        """Nothing is kept of who has seen a line."""


class Sensors:
    """The newest value of each sensor."""

    topic = SENSOR_TOPIC
    code = "plant_ops.sensor.read"

    async def rows(self, db: AsyncSession, actor: Actor, ids: set[uuid.UUID] | None) -> Sequence[dict[str, Any]]:
        """The newest values of sensors the actor sees."""
        asked = select(Sensor, SensorLatest).join(SensorLatest, SensorLatest.sensor_id == Sensor.id, isouter=True)
        asked = asked.where(_seen(Sensor.plant_id, actor, self.code), Sensor.retired_at.is_(None))
        if ids is not None:
            asked = asked.where(Sensor.id.in_(ids))
        found = (await db.execute(asked.order_by(Sensor.tag))).all()
        return [
            {
                "sensor_id": sensor.id,
                "plant_id": sensor.plant_id,
                "line_id": sensor.line_id,
                "tag": sensor.tag,
                "unit": sensor.unit,
                "value": latest.value if latest else None,
                "quality": latest.quality if latest else None,
                "at": latest.occurred_at if latest else None,
            }
            for sensor, latest in found
        ]

    async def sent(self, db: AsyncSession, actor: Actor, items: Sequence[dict[str, Any]]) -> None:
        """Nothing is kept of who has seen a value."""


def _seen(plant: InstrumentedAttribute[uuid.UUID], actor: Actor, code: str) -> ColumnElement[bool]:
    plants = actor.plants_with(code)
    return true() if plants is None else plant.in_(plants)


def _newest(model: type[Row], line: InstrumentedAttribute[uuid.UUID], here: Sequence[uuid.UUID]) -> Select[Row]:
    asked = select(model).where(line.in_(here)).ext(distinct_on(line))
    return asked.order_by(line, model.occurred_at.desc(), model.id.desc())


def _line(line: ProductionLine, state: LineEvent | None, count: LineCount | None) -> dict[str, Any]:
    return {
        "line_id": line.id,
        "plant_id": line.plant_id,
        "code": line.code,
        "name": line.name,
        "state": state.state if state else None,
        "since": state.occurred_at if state else None,
        "batch_id": state.batch_id if state else None,
        "total": count.total if count else None,
        "counted_at": count.occurred_at if count else None,
    }


@router.websocket("/ws/notifications", dependencies=[access.needs_alone(Notifications.code)])
async def notifications(ws: WebSocket, after: After = None) -> None:
    """The caller's own notifications."""
    await socket.serve(ws, Notifications(), after)


@router.websocket("/ws/lines", dependencies=[access.needs_alone(Lines.code)])
async def lines(ws: WebSocket, after: After = None) -> None:
    """The lines of the caller's plants."""
    await socket.serve(ws, Lines(), after)


@router.websocket("/ws/sensors", dependencies=[access.needs_alone(Sensors.code)])
async def sensors(ws: WebSocket, after: After = None) -> None:
    """The sensors of the caller's plants."""
    await socket.serve(ws, Sensors(), after)
