"""The supervisor's inbox: what was stored but not applied, and both versions of a forked log.

A person decides, with a name and a reason. Deciding never changes a byte: a replay runs the same
bytes again (after a fix on the server, or now that the record it missed is there), a waiver says
that nothing needs to be done.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import Row, RowMapping, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel import sentences
from foodflow_kernel.errors import NotFound, Refused
from foodflow_kernel.wire.facts import Instant, Wire
from foodflow_kernel.wire.reports import QuarantineLine
from server.core.actor import Actor
from server.sync import interpret, quarantine
from server.sync.models import Place, SyncDead, SyncFork, SyncLog, SyncTelemetry, at_place, log_of, same_place
from server.sync.stored import device_actor

PAGE = 200


class Decide(BaseModel):
    """Which row, and why; the name is the caller's."""

    device: UUID
    incarnation: UUID
    lane: int
    seq: int
    reason: Annotated[str, Field(min_length=3, max_length=500)]


class DeadLine(QuarantineLine):
    """A row in quarantine with its full identity and the decision, once there is one."""

    incarnation: UUID
    state: str
    decided_name: str | None = None
    decided_reason: str | None = None
    decided_at: Instant | None = None


class ForkLine(Wire):
    """Two versions of the same place in a log."""

    device_id: UUID
    device_name: str
    incarnation: UUID
    lane: int
    seq: int
    received_at: Instant
    kept: str | None = None
    other: str


async def dead(db: AsyncSession, names: dict[UUID, str], state: str = quarantine.OPEN) -> list[DeadLine]:
    """Rows in quarantine with reason and raw bytes, newest first, at most ``PAGE``."""
    lines: list[DeadLine] = []
    for log in (SyncLog, SyncTelemetry):
        question = (
            select(*SyncDead.__table__.c, log.body)
            .join(log, same_place(log, SyncDead))
            .where(SyncDead.state == state)
            .order_by(SyncDead.received_at.desc())
            .limit(PAGE)
        )
        lines.extend(_line(row, names) for row in (await db.execute(question)).mappings())
    return sorted(lines, key=lambda line: line.received_at, reverse=True)[:PAGE]


def _line(values: RowMapping, names: dict[UUID, str]) -> DeadLine:
    return DeadLine(
        device_id=values["device_id"],
        device_name=names.get(values["device_id"], ""),
        incarnation=values["incarnation"],
        lane=values["lane"],
        seq=values["seq"],
        kind=values["kind"],
        reason=values["reason"],
        sentence=sentences.sentence(values["reason"], values["detail"]),
        received_at=values["received_at"],
        raw=values["body"].decode("utf-8", errors="backslashreplace"),
        state=values["state"],
        decided_name=values["decided_name"],
        decided_reason=values["decided_reason"],
        decided_at=values["decided_at"],
    )


async def replay(db: AsyncSession, actor: Actor, command: Decide, now: datetime) -> DeadLine:
    """Run a row of the quarantine again, as the operator it names; it stays open if it still cannot.

    Raises:
        NotFound: `dead_row_unknown`.
        Refused: `dead_row_decided`.
    """
    row = await _locked(db, command)
    log = log_of(command.lane)
    question = select(log.body, log.hash).where(*at_place(log, _key(command)))
    body, row_hash = (await db.execute(question)).one()  # no row of a log is ever gone
    await db.execute(delete(SyncDead).where(*at_place(SyncDead, _key(command))))
    device = device_actor(db.info["tenant_id"], row.device_id, row.plant_id)
    fate = await interpret.apply(db, device, [(quarantine.stored_again(row, row_hash), body)], now)
    if not fate.dead:
        kept = {name: getattr(row, name) for name in SyncDead.__table__.c.keys()}  # noqa: SIM118  a collection, not a dict
        await quarantine.bury(db, [kept | _decision(quarantine.APPLIED, actor, command, now)])
    return await _one(db, command)


async def waive(db: AsyncSession, actor: Actor, command: Decide, now: datetime) -> DeadLine:
    """Say that a row in quarantine needs nothing more.

    Raises:
        NotFound: `dead_row_unknown`.
        Refused: `dead_row_decided`.
    """
    await _locked(db, command)
    values = _decision(quarantine.WAIVED, actor, command, now)
    await db.execute(update(SyncDead).where(*at_place(SyncDead, _key(command))).values(values))
    return await _one(db, command)


async def forks(db: AsyncSession, names: dict[UUID, str]) -> list[ForkLine]:
    """Both versions of every place where a log came twice, newest first, at most ``PAGE``."""
    question = (
        select(SyncFork, SyncLog.body)
        .join(SyncLog, same_place(SyncLog, SyncFork), isouter=True)
        .order_by(SyncFork.received_at.desc(), SyncFork.seq)
        .limit(PAGE)
    )
    return [
        ForkLine(
            device_id=fork.device_id,
            device_name=names.get(fork.device_id, ""),
            incarnation=fork.incarnation,
            lane=fork.lane,
            seq=fork.seq,
            received_at=fork.received_at,
            kept=None if kept is None else kept.decode("utf-8", errors="backslashreplace"),
            other=fork.body.decode("utf-8", errors="backslashreplace"),
        )
        for fork, kept in await db.execute(question)
    ]


async def open_by_device(db: AsyncSession) -> dict[UUID, int]:
    """How many rows of each device wait for a person."""
    question = (
        select(SyncDead.device_id, func.count()).where(SyncDead.state == quarantine.OPEN).group_by(SyncDead.device_id)
    )
    return dict((await db.execute(question)).all())


def _decision(state: str, actor: Actor, command: Decide, now: datetime) -> dict[str, object]:
    return {
        "state": state,
        "decided_by": actor.id,
        "decided_name": actor.name,
        "decided_reason": command.reason,
        "decided_at": now,
    }


def _key(command: Decide) -> Place:
    return command.device, command.incarnation, command.lane, command.seq


async def _locked(db: AsyncSession, command: Decide) -> Row[Any]:
    question = select(*SyncDead.__table__.c).where(*at_place(SyncDead, _key(command))).with_for_update()
    row = (await db.execute(question)).one_or_none()
    if row is None:
        raise NotFound("dead_row_unknown")
    if row.state != quarantine.OPEN:
        raise Refused("dead_row_decided", state=row.state, by=row.decided_name)
    return row


async def _one(db: AsyncSession, command: Decide) -> DeadLine:
    log = log_of(command.lane)
    question = (
        select(*SyncDead.__table__.c, log.body)
        .join(log, same_place(log, SyncDead))
        .where(*at_place(SyncDead, _key(command)))
    )
    row = (await db.execute(question)).mappings().one()
    return _line(row, {})
