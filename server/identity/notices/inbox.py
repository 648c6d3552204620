"""A person's own inbox, and their quiet hours."""

from __future__ import annotations

import uuid
from typing import Annotated, Any
from zoneinfo import available_timezones

from fastapi import Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert

from foodflow_kernel.errors import Invalid
from foodflow_kernel.machines.content import NotificationState
from server.core import access, audit
from server.core.actions import Action, perform
from server.core.actor import Actor
from server.core.models import Notification, NotificationRecipient, QuietHours
from server.core.resource.declared import LocalTime
from server.core.room import Room
from server.identity.notices import answering
from server.identity.notices.post import OPEN

router = Room(tags=["core"], responses=access.PROBLEMS)


class Item(BaseModel):
    """A notification in the caller's inbox; the times are the caller's own."""

    id: uuid.UUID
    category: str
    severity: str
    title: str
    body: str
    entity: str | None
    entity_id: uuid.UUID | None
    plant_id: uuid.UUID | None
    state: NotificationState
    count: int
    level: int
    created_at: AwareDatetime
    last_at: AwareDatetime
    acked_by: uuid.UUID | None
    delivered_at: AwareDatetime | None
    read_at: AwareDatetime | None
    acked_at: AwareDatetime | None


class Inbox(BaseModel):
    """A page of the inbox, newest first."""

    items: list[Item]
    next: uuid.UUID | None
    unread: int = Field(description="open ones that the caller has not read, on all pages")


class Count(BaseModel):
    """How many."""

    count: int


class Quiet(BaseModel):
    """Quiet hours in wall time; an end before the start is on the next day."""

    model_config = ConfigDict(extra="forbid")

    starts: LocalTime
    ends: LocalTime
    tz: str = Field(max_length=64, description="IANA time zone")


@router.get("/notifications", dependencies=[access.needs("core.notification.read")])
async def list_notifications(
    caller: access.Signed,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: uuid.UUID | None = None,
    is_open: Annotated[bool | None, Query(description="open ones only, or closed ones only")] = None,
) -> Inbox:
    """The caller's notifications, newest first; those on the page count as delivered."""
    asked = mine(caller.actor).order_by(Notification.id.desc()).limit(limit + 1)
    if after is not None:
        asked = asked.where(Notification.id < after)
    if is_open is not None:
        asked = asked.where(Notification.state.in_(OPEN) if is_open else Notification.state.not_in(OPEN))
    rows = (await caller.db.execute(asked)).all()
    page = rows[:limit]
    if caller.actor.id is not None:
        waiting = [row.id for row, own in page if own.delivered_at is None]
        await answering.deliver(caller.db, caller.actor.id, waiting)
        if waiting:
            page = (await caller.db.execute(asked.limit(limit))).all()
    unread = mine(caller.actor).where(Notification.state.in_(OPEN), NotificationRecipient.read_at.is_(None))
    return Inbox(
        items=[item(row, own) for row, own in page],
        next=page[-1][0].id if len(rows) > limit else None,
        unread=await caller.db.scalar(select(func.count()).select_from(unread.subquery())) or 0,
    )


@router.post("/notifications/{notification_id}:read", dependencies=[access.needs("core.notification.read")])
async def read(notification_id: uuid.UUID, caller: access.Signed) -> Item:
    """Note that the caller has read it."""
    return await _do(caller, notification_id, answering.READ)


@router.post("/notifications/{notification_id}:ack", dependencies=[access.needs("core.notification.ack")])
async def ack(notification_id: uuid.UUID, caller: access.Signed) -> Item:
    """Acknowledge: the caller takes care of it, and it goes to nobody else."""
    return await _do(caller, notification_id, answering.ACK)


@router.post("/notifications:read-all", dependencies=[access.needs("core.notification.read")])
async def read_all(caller: access.Signed) -> Count:
    """Note that the caller has read all."""
    return Count(count=await answering.read_all(caller.db, caller.actor))


@router.get("/me/quiet-hours", dependencies=[access.needs("core.notification.read")])
async def quiet_hours(caller: access.Signed) -> Quiet | None:
    """When the caller is not disturbed by what is not critical; null: never."""
    row = await caller.db.get(QuietHours, caller.actor.id) if caller.actor.id else None
    return Quiet(starts=row.starts, ends=row.ends, tz=row.tz) if row else None


@router.put("/me/quiet-hours", dependencies=[access.needs("core.notification.read")])
async def set_quiet_hours(caller: access.Signed, body: Quiet | None = None) -> Quiet | None:
    """Set the caller's quiet hours; null ends them. What is critical comes at any hour."""
    user_id = caller.actor.person()
    row = await caller.db.get(QuietHours, user_id)
    if body is None:
        if row is not None:
            await caller.db.delete(row)
    elif body.tz not in available_timezones() or body.starts.tzinfo or body.ends.tzinfo or body.starts == body.ends:
        raise Invalid("quiet_hours_bad")
    else:
        values = body.model_dump()
        statement = insert(QuietHours).values(user_id=user_id, **values)
        await caller.db.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_=values))
    said = None if body is None else body.model_dump(mode="json")
    audit.write(caller.db, caller.actor, "core.notification.quiet_hours", "identity.user", user_id, {"quiet": said})
    return body


def mine(actor: Actor) -> Select[Notification, NotificationRecipient]:
    """The notifications sent to a person, of plants that they see."""
    return (
        select(Notification, NotificationRecipient)
        .join(NotificationRecipient, NotificationRecipient.notification_id == Notification.id)
        .where(NotificationRecipient.user_id == actor.id, answering.visible(actor))
        .execution_options(populate_existing=True)
    )


def item(row: Notification, own: NotificationRecipient) -> Item:
    """A notification as its recipient sees it."""
    shown: dict[str, Any] = {name: getattr(row, name) for name in Item.model_fields if hasattr(row, name)}
    shown |= {name: getattr(own, name) for name in ("delivered_at", "read_at", "acked_at")}
    return Item(**shown)


async def _do(caller: access.Caller, notification_id: uuid.UUID, action: Action) -> Item:
    db, actor = caller.db, caller.actor
    await perform(db, actor, Notification, answering.CODE, action, notification_id, answering.Nothing())
    row, own = (await db.execute(mine(actor).where(Notification.id == notification_id))).one()
    return item(row, own)
