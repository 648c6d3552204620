"""Posting a notification: once while it is open, to whoever must know."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, SQLColumnExpression, case, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.ids import new_id
from foodflow_kernel.machines import NOTIFICATION
from foodflow_kernel.machines.content import NotificationState
from foodflow_kernel.machines.identity import UserState
from server.core import config, live
from server.core.models import Notification, NotificationRecipient
from server.core.models.notification import OPEN as IS_OPEN
from server.identity.models import Role, User, UserRole
from server.identity.notices import quiet

LADDER: tuple[tuple[str, ...], ...] = (("OP", "QT"), ("SV",), ("QM",), ("TA",))
"""Who is asked when nobody answered: identity_core, Notification."""
TOP = len(LADDER) - 1
OPEN = (NotificationState.pending, NotificationState.delivered, NotificationState.read)
TOPIC = "notification"
_LONGEST = 300
_SEVERITIES = ("info", "warn", "critical")


@dataclass(frozen=True, slots=True)
class New:
    """What is to be said.

    Args:
        dedupe_key: while one with this key is open, saying it again only counts.
        roles: who must know, at the plant; those for the whole company hold it everywhere.
        user_ids: people who must know whatever their role.
        escalate_after_min: None takes what the company set for the severity; 'info' never escalates.
    """

    category: str
    severity: str
    title: str
    dedupe_key: str
    roles: tuple[str, ...] = ()
    user_ids: tuple[uuid.UUID, ...] = ()
    plant_id: uuid.UUID | None = None
    body: str = ""
    entity: str | None = None
    entity_id: uuid.UUID | None = None
    escalate_after_min: int | None = None


async def post(db: AsyncSession, new: New) -> uuid.UUID:
    """Say it once: a new notification with its recipients, or one more on the count of the open one.

    Of two transactions that say the same at the same time one makes it, and the other, which waits
    for the first to end, counts.
    """
    now = db.info["clock"].now()
    row_id = new_id(now)
    after = await _escalate_after(db, new, now)
    level = max((n for n, rung in enumerate(LADDER) if set(rung) & set(new.roles)), default=0)
    keep_h = await config.effective(db, "notify.keep_h", now, plant_id=new.plant_id)
    is_critical = new.severity == "critical"
    statement = insert(Notification).values(
        id=row_id,
        version=1,
        created_at=now,
        updated_at=now,
        plant_id=new.plant_id,
        category=new.category,
        severity=new.severity,
        title=new.title[:_LONGEST],
        body=new.body,
        entity=new.entity,
        entity_id=new.entity_id,
        dedupe_key=new.dedupe_key,
        channels=["app", "mail"] if await _is_by_mail(db, new, now) else ["app"],
        state=NOTIFICATION.start,
        count=1,
        last_at=now,
        escalate_after_min=after,
        escalate_at=None if after is None or level == TOP else now + timedelta(minutes=after),
        level=level,
        expires_at=None if is_critical else now + timedelta(hours=keep_h),
    )
    said = statement.excluded
    is_worse = _rank(said.severity) > _rank(Notification.severity)
    again = statement.on_conflict_do_update(
        index_elements=["dedupe_key"],
        index_where=text(IS_OPEN),
        set_={
            "count": Notification.count + 1,
            "version": Notification.version + 1,
            "last_at": said.last_at,
            "updated_at": said.updated_at,
            **{
                name: case((is_worse, said[name]), else_=getattr(Notification, name))
                for name in ("severity", "escalate_after_min", "escalate_at", "expires_at", "channels")
            },
        },
    ).returning(Notification.id)
    found: uuid.UUID = (await db.execute(again)).scalar_one()
    row = await db.get_one(Notification, found, populate_existing=True)
    if found == row_id:
        await reach(db, row, level, new.user_ids, roles=new.roles)
    elif is_critical:
        await _wake_all(db, row, now)
    live.tell(db, TOPIC, found)
    return found


async def reach(
    db: AsyncSession,
    row: Notification,
    level: int,
    user_ids: Iterable[uuid.UUID] = (),
    *,
    roles: Iterable[str] | None = None,
) -> int:
    """Put a notification into the inboxes of a rung, or of the next one up that has somebody. Returns how many."""
    now = db.info["clock"].now()
    wanted, people = LADDER[level] if roles is None else roles, set(user_ids)
    people |= await holders(db, wanted, row.plant_id, now)
    added = await _add(db, row, level, people, now)
    while not added and row.severity != "info" and level < TOP:
        level += 1
        added = await _add(db, row, level, await holders(db, LADDER[level], row.plant_id, now), now)
    row.level = level
    return added


async def holders(db: AsyncSession, roles: Iterable[str], plant_id: uuid.UUID | None, at: datetime) -> set[uuid.UUID]:
    """Active people who hold one of these roles at a plant at an instant."""
    here = () if plant_id is None else (or_(UserRole.plant_id.is_(None), UserRole.plant_id == plant_id),)
    asked = (
        select(UserRole.user_id)
        .join(Role, Role.id == UserRole.role_id)
        .join(User, User.id == UserRole.user_id)
        .where(
            Role.key.in_(list(roles)),
            Role.retired_at.is_(None),
            UserRole.retired_at.is_(None),
            UserRole.valid_from <= at,
            or_(UserRole.valid_to.is_(None), UserRole.valid_to > at),
            User.status == UserState.active,
            *here,
        )
    )
    return set((await db.scalars(asked)).all())


async def _add(db: AsyncSession, row: Notification, level: int, people: set[uuid.UUID], now: datetime) -> int:
    if not people:
        return 0
    due = await quiet.due(db, people, row.severity, now)
    rows = [
        {
            "id": new_id(now),
            "notification_id": row.id,
            "user_id": user_id,
            "level": level,
            "due_at": due[user_id],
            "is_by_mail": "mail" in row.channels,
            "announced_at": now if due[user_id] <= now else None,
        }
        for user_id in sorted(people)
    ]
    statement = insert(NotificationRecipient).values(rows).on_conflict_do_nothing().returning(NotificationRecipient.id)
    return len((await db.scalars(statement)).all())


async def _wake_all(db: AsyncSession, row: Notification, now: datetime) -> None:
    """What has become critical no longer waits for anybody's quiet hours, and is a letter to all."""
    waiting = update(NotificationRecipient).where(NotificationRecipient.notification_id == row.id)
    values = {"due_at": case((NotificationRecipient.due_at > now, now), else_=NotificationRecipient.due_at)}
    is_by_mail = {"is_by_mail": True} if "mail" in row.channels else {}
    await db.execute(waiting.values(values | is_by_mail), execution_options={"synchronize_session": False})


async def _escalate_after(db: AsyncSession, new: New, now: datetime) -> int | None:
    if new.severity == "info":
        return None
    if new.escalate_after_min is not None:
        return new.escalate_after_min
    key = "notify.escalate_critical_min" if new.severity == "critical" else "notify.escalate_warn_min"
    return int(await config.effective(db, key, now, plant_id=new.plant_id))


async def _is_by_mail(db: AsyncSession, new: New, now: datetime) -> bool:
    least = await config.effective(db, "notify.mail_from", now, plant_id=new.plant_id)
    return least in _SEVERITIES and _SEVERITIES.index(new.severity) >= _SEVERITIES.index(least)


def _rank(severity: SQLColumnExpression[str]) -> ColumnElement[int]:
    return case({name: rank for rank, name in enumerate(_SEVERITIES)}, value=severity)
