"""Which check is due next in a running batch (fsq.md, section 3: CCP due list)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.wire.master import Names
from server.core.corrections import is_current
from server.fsq.models import Ccp, CcpMonitoring, CcpVersion


@dataclass(frozen=True, slots=True)
class DueCheck:
    """A check and when it must be taken."""

    ccp_id: UUID
    ccp_no: str
    names: Names
    due_at: datetime
    grace: timedelta

    def is_late(self, now: datetime) -> bool:
        """Whether its grace has passed."""
        return now > self.due_at + self.grace


async def next_of(
    db: AsyncSession, line_id: UUID, item_id: UUID, batch_id: UUID, since: datetime, kept: Collection[UUID]
) -> DueCheck | None:
    """The check of a batch that is due first: last reading, or batch start, plus its frequency.

    Args:
        since: when the batch started.
        kept: versions the batch started with; they count for it even if superseded.
    """
    versions = select(CcpVersion, Ccp.ccp_no).join(Ccp, Ccp.id == CcpVersion.ccp_id)
    versions = versions.where(Ccp.line_id == line_id, CcpVersion.frequency_min.is_not(None))
    in_force = CcpVersion.id.in_(kept) if kept else CcpVersion.status == "effective"
    rows = (await db.execute(versions.where(in_force))).all()
    newest = select(CcpMonitoring.ccp_id, func.max(CcpMonitoring.occurred_at)).where(
        CcpMonitoring.batch_id == batch_id, ~CcpMonitoring.is_attempt, is_current(CcpMonitoring)
    )
    last = {row[0]: row[1] for row in await db.execute(newest.group_by(CcpMonitoring.ccp_id))}
    checks = [
        DueCheck(
            version.ccp_id,
            ccp_no,
            version.names,
            last.get(version.ccp_id, since) + timedelta(minutes=version.frequency_min or 0),
            timedelta(minutes=version.grace_min),
        )
        for version, ccp_no in rows
        if not version.item_ids or item_id in version.item_ids
    ]
    return min(checks, key=lambda check: check.due_at, default=None)
