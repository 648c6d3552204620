"""What somebody must know, to whom it was sent, and when each of them must not be disturbed."""

from __future__ import annotations

import uuid
from datetime import datetime, time

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from foodflow_kernel.machines.content import NotificationState
from server.core.db import MasterRow, TenantBase

OPEN = "state in ('pending','delivered','read')"


class Notification(MasterRow, TenantBase):
    """Something happened that people of certain roles must know; the same again only counts up.

    Args:
        category: context and what, such as ``fsq.hold``.
        dedupe_key: one open notification has it; a repeat adds to ``count``.
        escalate_after_min: minutes until it goes to the next role unless a person acknowledges it.
        level: how far up it has gone: 0 operators and QA technicians, 1 supervisors, 2 QA managers,
            3 tenant admins.
    """

    __tablename__ = "core_notification"
    __table_args__ = (
        Index("uq_core_notification_dedupe_key", "dedupe_key", unique=True, postgresql_where=text(OPEN)),
        Index("ix_core_notification_escalate_at", "escalate_at", postgresql_where=text(OPEN)),
        Index("ix_core_notification_expires_at", "expires_at", postgresql_where=text(OPEN)),
        CheckConstraint("severity in ('info','warn','critical')", name="severity"),
        CheckConstraint("count >= 1", name="count"),
        CheckConstraint("level between 0 and 3", name="level"),
        CheckConstraint("escalate_after_min > 0", name="escalate_after_min"),
        CheckConstraint("severity <> 'critical' or escalate_after_min is not null", name="critical_escalates"),
        CheckConstraint(
            "severity <> 'critical' or (state <> 'expired' and expires_at is null)", name="critical_never_expires"
        ),
        CheckConstraint("(state = 'acked') = (acked_by is not null)", name="acked_by_a_person"),
        CheckConstraint("(acked_by is null) = (acked_at is null)", name="acked_at"),
        CheckConstraint("char_length(title) between 1 and 300", name="title"),
    )

    plant_id: Mapped[uuid.UUID | None]
    category: Mapped[str]
    severity: Mapped[str]
    title: Mapped[str]
    body: Mapped[str] = mapped_column(server_default="")
    entity: Mapped[str | None]
    entity_id: Mapped[uuid.UUID | None]
    dedupe_key: Mapped[str]
    channels: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[NotificationState]
    count: Mapped[int] = mapped_column(server_default=text("1"))
    last_at: Mapped[datetime]
    escalate_after_min: Mapped[int | None]
    escalate_at: Mapped[datetime | None]
    level: Mapped[int] = mapped_column(SmallInteger)
    expires_at: Mapped[datetime | None]
    acked_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("identity_user.id"))
    acked_at: Mapped[datetime | None]


class NotificationRecipient(TenantBase):
    """A notification in one person's inbox. What they did with it is never undone.

    Args:
        due_at: not before: the end of the person's quiet hours.
        announced_at: when open screens were told.
    """

    __tablename__ = "core_notification_recipient"
    __table_args__ = (
        UniqueConstraint("notification_id", "user_id"),
        Index("ix_core_notification_recipient_user_id", "user_id", "notification_id"),
        Index("ix_core_notification_recipient_due", "due_at", postgresql_where=text("announced_at is null")),
        Index(
            "ix_core_notification_recipient_letters",
            "due_at",
            postgresql_where=text("is_by_mail and mailed_at is null"),
        ),
        CheckConstraint("acked_at is null or read_at is not null", name="acked_is_read"),
        CheckConstraint("read_at is null or delivered_at is not null", name="read_is_delivered"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    notification_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("core_notification.id"))
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("identity_user.id"))
    level: Mapped[int] = mapped_column(SmallInteger)
    due_at: Mapped[datetime]
    is_by_mail: Mapped[bool]
    announced_at: Mapped[datetime | None]
    mailed_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
    acked_at: Mapped[datetime | None]


class QuietHours(TenantBase):
    """When a person must not be disturbed, in their own wall time; what is critical comes anyway."""

    __tablename__ = "core_quiet_hours"
    __table_args__ = (CheckConstraint("starts <> ends", name="starts"),)

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("identity_user.id"), primary_key=True)
    starts: Mapped[time]
    ends: Mapped[time]
    tz: Mapped[str]
