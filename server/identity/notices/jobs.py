"""What happens to notifications by themselves: up the ladder, out as letters, over when their time is."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Select, select

from foodflow_kernel.machines import NOTIFICATION
from server.core import audit, live
from server.core.actor import system
from server.core.db.sessions import TenantRef
from server.core.jobs import Periodic
from server.core.mail import Letter, Mail
from server.core.models import Notification, NotificationRecipient
from server.identity.models import User
from server.identity.notices import answering
from server.identity.notices.post import OPEN, TOP, TOPIC, reach

if TYPE_CHECKING:
    from fastapi import FastAPI

    from server.core.db.sessions import Database

Row = TypeVar("Row")

log = logging.getLogger(__name__)

_AT_ONCE = 100
_LETTERS = 20
"""In one transaction: each may take seconds."""


async def escalate(app: FastAPI, tenant: TenantRef) -> None:
    """What nobody acknowledged in time goes to the next role, up to the tenant's admins."""
    database: Database = app.state.database
    actor = system(tenant.id, "notifications")
    async with database.tenant_session(tenant.id, actor) as db:
        now = database.clock.now()
        due = select(Notification).where(Notification.state.in_(OPEN), Notification.escalate_at <= now)
        for row in (await db.scalars(_some(due, Notification.escalate_at))).all():
            before = row.level
            if before < TOP:
                await reach(db, row, before + 1)
            after = timedelta(minutes=row.escalate_after_min or 0)
            row.escalate_at = now + after if row.level < TOP else None
            audit.write(db, actor, f"{answering.CODE}.escalate", answering.CODE, row.id, {"level": [before, row.level]})
            live.tell(db, TOPIC, row.id)


async def announce(app: FastAPI, tenant: TenantRef) -> None:
    """Tell open screens of what waited for the end of somebody's quiet hours."""
    database: Database = app.state.database
    async with database.tenant_session(tenant.id, system(tenant.id, "notifications")) as db:
        now = database.clock.now()
        waiting = NotificationRecipient.announced_at.is_(None)
        due = select(NotificationRecipient).where(waiting, NotificationRecipient.due_at <= now)
        for own in (await db.scalars(_some(due, NotificationRecipient.due_at))).all():
            own.announced_at = now
            live.tell(db, TOPIC, own.notification_id)


async def expire(app: FastAPI, tenant: TenantRef) -> None:
    """Close what is not critical and whose time is over."""
    database: Database = app.state.database
    actor = system(tenant.id, "notifications")
    async with database.tenant_session(tenant.id, actor) as db:
        due = select(Notification).where(Notification.state.in_(OPEN), Notification.expires_at <= database.clock.now())
        for row in (await db.scalars(_some(due, Notification.expires_at))).all():
            row.state, row.escalate_at = NOTIFICATION.move(row.state, "expire"), None
            audit.write(db, actor, f"{answering.CODE}.expire", answering.CODE, row.id)
            live.tell(db, TOPIC, row.id)


async def send_letters(app: FastAPI, tenant: TenantRef) -> None:
    """Send what is also a letter, to who has an address. One that could not be sent is tried again."""
    database: Database = app.state.database
    actor, sent = system(tenant.id, "notifications"), []
    async with database.tenant_session(tenant.id, actor) as db:
        now = database.clock.now()
        due = (
            select(NotificationRecipient, Notification, User.email)
            .join(Notification, Notification.id == NotificationRecipient.notification_id)
            .join(User, User.id == NotificationRecipient.user_id)
            .where(
                NotificationRecipient.is_by_mail,
                NotificationRecipient.mailed_at.is_(None),
                NotificationRecipient.due_at <= now,
                Notification.state.in_(OPEN),
                User.email.is_not(None),
            )
            .order_by(NotificationRecipient.due_at)
            .limit(_LETTERS)
            .with_for_update(of=NotificationRecipient, skip_locked=True)
        )
        for own, row, email in (await db.execute(due)).all():
            if not await _sent(app.state.mail, Letter(email or "", *_text(row, tenant))):
                break
            own.mailed_at = now
            sent.append(own)
    # By itself: a copy is locked here, and who acknowledges locks the notification before the copy.
    async with database.tenant_session(tenant.id, actor) as db:
        for own in sorted(sent, key=lambda each: each.notification_id):
            await answering.deliver(db, own.user_id, [own.notification_id])


async def _sent(mail: Mail, letter: Letter) -> bool:
    try:
        await asyncio.to_thread(mail.send, letter)
    except Exception:
        log.exception("a notification could not be sent as a letter")
        return False
    return True


def _text(row: Notification, tenant: TenantRef) -> tuple[str, str]:
    # A subject is one line (RFC 5322, 2.2).
    subject = " ".join(f"[{row.severity}] {row.title}".split())
    lines = [row.title, row.body, "", f"{tenant.name}, {row.last_at:%Y-%m-%d %H:%M} UTC"]
    if row.severity == "critical":
        lines.append("Somebody must acknowledge this in FoodFlow OS; until then it goes to the next person up.")
    return subject, "\n".join(line for line in lines if line or line == "")


def _some(statement: Select[Row], by: Any) -> Select[Row]:
    return statement.order_by(by).limit(_AT_ONCE).with_for_update(skip_locked=True)


JOBS = (
    Periodic("core.notification_escalate", 60, escalate),
    Periodic("core.notification_announce", 60, announce),
    Periodic("core.notification_letters", 60, send_letters),
    Periodic("core.notification_expire", 300, expire),
)
