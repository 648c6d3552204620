"""What a person does with a notification: it was shown, read, acknowledged. Never undone."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import NotFound
from foodflow_kernel.machines import NOTIFICATION
from foodflow_kernel.machines.content import NotificationState
from server.core import audit, live
from server.core.actions import Action
from server.core.actor import Actor
from server.core.models import Notification, NotificationRecipient
from server.identity.notices.post import OPEN, TOPIC

CODE = "core.notification"
_STEPS = {
    NotificationState.pending: "deliver",
    NotificationState.delivered: "read",
    NotificationState.read: "ack",
}


class Nothing(BaseModel):
    """Nothing needs to be said with it."""

    model_config = ConfigDict(extra="forbid")


async def deliver(db: AsyncSession, user_id: uuid.UUID, ids: Collection[uuid.UUID]) -> None:
    """Note that these notifications have reached a person's screen."""
    if not ids:
        return
    copy = NotificationRecipient
    mine = (copy.user_id == user_id, copy.notification_id.in_(ids), copy.delivered_at.is_(None))
    asked = select(Notification).where(Notification.id.in_(select(copy.notification_id).where(*mine)))
    # The notification before anybody's copy, as who acknowledges does: the other way round each waits for the other.
    locked = asked.order_by(Notification.id).with_for_update().execution_options(populate_existing=True)
    rows = (await db.scalars(locked)).all()
    marked = update(copy).where(*mine).values(delivered_at=db.info["clock"].now()).returning(copy.notification_id)
    fresh = set((await db.scalars(marked, execution_options={"synchronize_session": False})).all()) if rows else ()
    for row in rows:
        if row.id in fresh and row.state is NotificationState.pending:
            row.state = NOTIFICATION.move(row.state, "deliver")
            audit.write(db, db.info["actor"], f"{CODE}.deliver", CODE, row.id)


async def read(db: AsyncSession, row: Notification, _command: Nothing) -> Notification:
    """A person has read it; when the first one has, the notification is read.

    Raises:
        NotFound: `record_unknown`: it was not sent to this person.
    """
    mine = await _mine(db, row)
    _advance(row, NotificationState.read)
    _note(db, mine)
    return row


async def ack(db: AsyncSession, row: Notification, _command: Nothing) -> Notification:
    """A person takes care of it: it is closed, and goes no further up.

    Raises:
        NotFound: `record_unknown`: it was not sent to this person.
        NotAllowed: `person_needed`: no terminal and no program acknowledges.
        IllegalMove: it has expired.
    """
    actor: Actor = db.info["actor"]
    person_id = actor.person()
    mine = await _mine(db, row)
    if row.state is not NotificationState.acked:
        _advance(row, NotificationState.acked)
        row.acked_by, row.acked_at, row.escalate_at = person_id, db.info["clock"].now(), None
    _note(db, mine)
    mine.acked_at = mine.acked_at or db.info["clock"].now()
    live.tell(db, TOPIC, row.id)
    return row


async def read_all(db: AsyncSession, actor: Actor) -> int:
    """Read all that waits in a person's inbox. Returns how many."""
    asked = (
        select(Notification)
        .join(NotificationRecipient, NotificationRecipient.notification_id == Notification.id)
        .where(NotificationRecipient.user_id == actor.id, NotificationRecipient.read_at.is_(None), visible(actor))
        .order_by(Notification.id)
        .with_for_update(of=Notification)
    )
    rows = (await db.scalars(asked)).all()
    for row in rows:
        await read(db, row, Nothing())
        audit.write(db, actor, f"{CODE}.read", CODE, row.id)
    return len(rows)


def visible(actor: Actor) -> Any:
    """The notifications of plants that the actor sees now, whatever was sent earlier."""
    plants = actor.plants_with(f"{CODE}.read")
    return True if plants is None else Notification.plant_id.is_(None) | Notification.plant_id.in_(plants)


def _advance(row: Notification, goal: NotificationState) -> None:
    """Move on, state by state; one that is further already stays."""
    order = (*OPEN, NotificationState.acked)
    if row.state in order and order.index(row.state) >= order.index(goal):
        return
    while row.state is not goal:
        row.state = NOTIFICATION.move(row.state, _STEPS.get(row.state, "ack"))


def _note(db: AsyncSession, mine: NotificationRecipient) -> None:
    now = db.info["clock"].now()
    mine.delivered_at = mine.delivered_at or now
    mine.read_at = mine.read_at or now


async def _mine(db: AsyncSession, row: Notification) -> NotificationRecipient:
    actor: Actor = db.info["actor"]
    asked = select(NotificationRecipient).where(
        NotificationRecipient.notification_id == row.id, NotificationRecipient.user_id == actor.id
    )
    # Not locked: who writes into a copy has locked its notification; letters, which have not, write `mailed_at` alone.
    found = await db.scalar(asked.execution_options(populate_existing=True))
    if found is None:
        raise NotFound("record_unknown", id=row.id)
    return found


READ = Action("read", read, Nothing, risk="read")
ACK = Action("ack", ack, Nothing)
