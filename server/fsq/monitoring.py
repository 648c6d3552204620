"""Readings of critical control points, judged a second time with the version they name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.rules import ccp
from foodflow_kernel.wire.bodies import CcpReading
from server.core import stamp as stamps
from server.core.corrections import is_current
from server.core.stamp import Stamp
from server.fsq.models import CcpMonitoring, CcpVersion, Deviation

LATE = timedelta(minutes=15)
"""Recorded later than this after it happened: not contemporaneous (fsq.md, CCPMonitoring)."""


def limits_of(version: CcpVersion) -> ccp.CcpLimits:
    """The numeric limits of a version."""
    return ccp.CcpLimits(version.crit_min, version.crit_max, version.op_min, version.op_max)


def rejudge(body: CcpReading, version: CcpVersion | None) -> tuple[ccp.CcpJudgement | None, list[str]]:
    """The server's own judgement of a reading, and what is unusual about it.

    None with a flag when it cannot be judged: the version is not known here (UNKNOWN_VERSION),
    the unit is another one (UNIT_DIFFERS), or pieces are missing (PIECES_MISSING).
    """
    if version is None:
        return None, ["UNKNOWN_VERSION"]
    flags = []
    if version.pieces:
        missing = set(version.pieces) - {piece.piece for piece in body.pieces}
        if missing or not body.pieces:
            return None, ["PIECES_MISSING"]
        judged = ccp.judge_detector([piece.rejected for piece in body.pieces])
    elif body.value is None or body.unit != version.unit:
        return None, ["UNIT_DIFFERS"]
    else:
        judged = ccp.judge(body.value, limits_of(version))
    if judged.verdict is not body.verdict:
        flags.append("RESULT_DIFFERS")
    return judged, flags


async def record(db: AsyncSession, stamp: Stamp, body: CcpReading, *, extra_flags: Sequence[str] = ()) -> bool:
    """Keep a reading with both verdicts; a difference is itself flagged for a person.

    Returns:
        Whether one of the two calls it a breach that must have a deviation.
    """
    version = await db.get(CcpVersion, body.ccp_version_id)
    judged, flags = rejudge(body, version)
    if stamp.recorded_at - stamp.occurred_at > LATE:
        flags.append("LATE")
    if version is not None and await _is_judged_otherwise_now(db, body, version, judged):
        flags.append("LIMITS_CHANGED")
    margin = body.margin if judged is None else judged.margin
    row = {
        "ccp_version_id": body.ccp_version_id,
        "ccp_id": body.ccp_id,
        "line_id": stamp.line_id,
        "batch_id": body.batch_id,
        "lot_id": body.lot_id,
        "due_at": body.due_at,
        "value": body.value,
        "unit": body.unit,
        "pieces": [piece.model_dump() for piece in body.pieces],
        "equipment_id": body.equipment_id,
        "source": body.source.value,
        "result_kiosk": body.verdict,
        "result_server": None if judged is None else judged.verdict,
        "margin": margin,
        "is_attempt": body.is_attempt,
        "flags": [*stamp.flags, *extra_flags, *flags],
    }
    await stamps.record(db, CcpMonitoring, [stamp.columns() | row])
    return not body.is_attempt and (body.verdict.is_breach or (judged is not None and judged.verdict.is_breach))


async def _is_judged_otherwise_now(
    db: AsyncSession, body: CcpReading, used: CcpVersion, judged: ccp.CcpJudgement | None
) -> bool:
    if used.status == "effective" or judged is None:
        return False
    statement = select(CcpVersion).where(CcpVersion.ccp_id == used.ccp_id, CcpVersion.status == "effective")
    current = await db.scalar(statement)
    if current is None:
        return False
    again, _ = rejudge(body, current)
    return again is not None and again.verdict.is_breach != judged.verdict.is_breach


_BREACH = tuple(verdict for verdict in ccp.CcpVerdict if verdict.is_breach)


async def unanswered_breaches(db: AsyncSession) -> Sequence[CcpMonitoring]:
    """Breaches that no deviation speaks of: neither one that names the reading, nor one of the same root.

    A deviation of the same CCP and batch that was still to be closed when the reading was taken
    covers it; one that was detected before and has ended does not.
    """
    names_it = select(Deviation.id).where(Deviation.reading_id == CcpMonitoring.id)
    same_root = select(Deviation.id).where(
        Deviation.ccp_id == CcpMonitoring.ccp_id,
        Deviation.batch_id.is_not_distinct_from(CcpMonitoring.batch_id),
        Deviation.state.not_in(("closed", "void")) | (Deviation.detected_at >= CcpMonitoring.occurred_at),
    )
    statement = (
        select(CcpMonitoring)
        .where(
            ~CcpMonitoring.is_attempt,
            CcpMonitoring.result_kiosk.in_(_BREACH) | CcpMonitoring.result_server.in_(_BREACH),
            is_current(CcpMonitoring),
            ~names_it.exists(),
            ~same_root.exists(),
        )
        .order_by(CcpMonitoring.occurred_at)
    )
    return (await db.scalars(statement)).all()


async def last_good_at(db: AsyncSession, reading: CcpMonitoring) -> object:
    """When the same CCP was last read inside its limits before this reading, in the same batch."""
    statement = (
        select(CcpMonitoring.occurred_at)
        .where(
            CcpMonitoring.ccp_id == reading.ccp_id,
            CcpMonitoring.batch_id.is_not_distinct_from(reading.batch_id),
            CcpMonitoring.occurred_at < reading.occurred_at,
            CcpMonitoring.result_server.in_((ccp.CcpVerdict.ok, ccp.CcpVerdict.op_limit)),
            ~CcpMonitoring.is_attempt,
        )
        .order_by(CcpMonitoring.occurred_at.desc())
    )
    return await db.scalar(statement.limit(1))


def shown(value: Decimal | None, unit: str | None) -> str:
    """A value with its unit as a person reads it.

    >>> shown(Decimal("71.200000"), "°C")
    '71.2 °C'
    """
    if value is None:
        return ""
    plain = format(value.normalize(), "f")
    return f"{plain} {unit or ''}".strip()
