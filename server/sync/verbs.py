"""Fact kind to verb: the one table that says what a pushed fact does here.

A verb applies one fact, once, in any order. It raises ``Refused`` or ``Invalid`` and the fact
waits in quarantine; it raises ``Unresolved`` and the fact waits, parked, for the record it
names. Kinds whose facts are only rows also stand in ``BULK``: the same effect for many at once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import FoodFlowError
from foodflow_kernel.wire import bodies
from foodflow_kernel.wire.exchange import CommandAnswer
from foodflow_kernel.wire.facts import Fact
from server.core import audit
from server.core.actor import Actor
from server.core.stamp import Stamp
from server.flows import breach, issue_material, move_batch
from server.fsq import deviation, hold, interlock, monitoring
from server.fsq.models import Deviation, LotHold
from server.plant_ops import batch as batches
from server.plant_ops import downtime, line_events, scrap, sensors, terminal, weighing
from server.sync.stored import StoredFact

Outcome: TypeAlias = CommandAnswer | None
Verb: TypeAlias = Callable[[AsyncSession, Actor, StoredFact, Fact, Any], Awaitable[Outcome]]
BulkVerb: TypeAlias = Callable[
    [AsyncSession, Actor, Sequence[tuple[StoredFact, Fact, Any]]], Awaitable[Sequence[Outcome] | None]
]
Recorder: TypeAlias = Callable[[AsyncSession, Sequence[tuple[Stamp, Any]]], Awaitable[None]]


_BREACH = "ccp_breach"
"""Set on the session by a reading that must have a deviation; batches without one need no look."""


class Unresolved(FoodFlowError):
    """The fact names a record that is not here yet; it waits for it, parked."""

    def __init__(self, entity: str, row_id: UUID) -> None:
        super().__init__("unresolved", entity=entity, id=row_id)
        self.entity = entity
        self.id = row_id


def stamp_of(stored: StoredFact, fact: Fact) -> Stamp:
    """Identity, time and author of a pushed fact, as every fact table keeps them."""
    return Stamp(
        id=fact.id,
        occurred_at=fact.occurred_at,
        recorded_at=fact.at,
        received_at=stored.received_at,
        performed_by=fact.performed_by,
        plant_id=stored.plant_id,
        line_id=fact.line_id or stored.line_id,
        device_id=stored.device_id,
        incarnation=stored.incarnation,
        lane=stored.lane,
        seq=stored.seq,
        hash=stored.hash,
        hlc=fact.hlc,
        clock_skew_ms=stored.clock_skew_ms,
        corrects_id=fact.corrects_id,
        correction_reason=fact.correction_reason,
        flags=(*fact.flags, *stored.flags),
    )


async def ccp_reading(db: AsyncSession, _actor: Actor, stored: StoredFact, fact: Fact, body: bodies.CcpReading) -> None:
    """A reading of a critical control point."""
    if await monitoring.record(db, stamp_of(stored, fact), body):
        db.info[_BREACH] = True


async def deviation_opened(
    db: AsyncSession, actor: Actor, stored: StoredFact, fact: Fact, body: bodies.DeviationOpened
) -> None:
    """A breach became a deviation on the terminal."""
    stamp = stamp_of(stored, fact)
    new = deviation.NewDeviation(
        deviation_id=body.deviation_id,
        plant_id=stored.plant_id,
        severity=body.severity,
        source=body.source,
        detected_at=stamp.occurred_at,
        detected_by=stamp.performed_by,
        local_no=body.local_no,
        ccp_id=body.ccp_id,
        ccp_version_id=body.ccp_version_id,
        reading_id=body.reading_id,
        batch_id=body.batch_id,
        line_id=stamp.line_id,
        lot_ids=body.lot_ids,
        last_good_at=body.last_good_at,
        summary=body.summary,
        fact_id=fact.id,
        flags=stamp.flags,
    )
    if await db.get(Deviation, new.deviation_id) is None:
        row = await deviation.open_(db, new)
        said = {"number": row.number, "fact": fact.id}
        audit.write(db, actor, "fsq.deviation.open", "fsq.deviation", row.id, said, plant_id=row.plant_id)


async def hold_placed(db: AsyncSession, actor: Actor, stored: StoredFact, fact: Fact, body: bodies.HoldPlaced) -> None:
    """A lot is held, at once, even if it is not known here yet."""
    new = hold.NewHold(
        hold_id=body.hold_id,
        lot_id=body.lot_id,
        reason=body.reason,
        source=body.source,
        placed_at=fact.occurred_at,
        placed_by=fact.performed_by,
        plant_id=stored.plant_id,
        qty=body.qty,
        deviation_id=body.deviation_id,
        marked_from=body.marked_from,
        marked_qty=body.marked_qty,
        vessel=body.vessel,
        device_id=stored.device_id,
        fact_id=fact.id,
    )
    if await db.get(LotHold, new.hold_id) is None:
        row = await hold.place(db, new)
        audit.write(
            db,
            actor,
            "fsq.hold.place",
            "fsq.hold",
            row.id,
            {"lot_id": row.lot_id, "fact": fact.id},
            body.reason,
            plant_id=row.plant_id,
        )


async def deviation_action(
    db: AsyncSession, actor: Actor, stored: StoredFact, fact: Fact, body: bodies.DeviationAction
) -> CommandAnswer:
    """A containing action, signed `performed` on the terminal.

    Raises:
        Unresolved: the deviation is not here yet.
    """
    known = await deviation.answered(db, fact.id)
    if known is not None:
        return known
    row = await deviation.locked(db, body.deviation_id)
    if row is None:
        raise Unresolved("deviation", body.deviation_id)
    answer = await deviation.act(db, row, stamp_of(stored, fact), body)
    said = {"action": body.action_code, "state": row.state, "outcome": answer.outcome, "fact": fact.id}
    audit.write(db, actor, "fsq.deviation.contain", "fsq.deviation", row.id, said, plant_id=row.plant_id)
    return answer


async def batch_moved(
    db: AsyncSession, actor: Actor, stored: StoredFact, fact: Fact, body: bodies.BatchMoved
) -> CommandAnswer:
    """A command to move a batch.

    Raises:
        Unresolved: the batch is not here yet.
    """
    known = await batches.answered(db, fact.id)
    if known is not None:
        return known
    batch = await batches.locked(db, body.batch_id)
    if batch is None:
        raise Unresolved("batch", body.batch_id)
    before = batch.status
    answer = await move_batch.move(db, batch, stamp_of(stored, fact), body)
    said = {"status": [before, batch.status], "outcome": answer.outcome, "fact": fact.id}
    audit.write(
        db,
        actor,
        f"plant_ops.batch.{body.move[:32]}",
        "plant_ops.batch",
        batch.id,
        said,
        answer.reason,
        plant_id=stored.plant_id,
    )
    return answer


async def stop_opened(db: AsyncSession, actor: Actor, stored: StoredFact, fact: Fact, body: bodies.StopOpened) -> None:
    """The line stopped."""
    await downtime.record_opened(db, stamp_of(stored, fact), body)
    _note_stop(db, actor, "open", stored, fact, body.stop_id)


async def stop_explained(
    db: AsyncSession, actor: Actor, stored: StoredFact, fact: Fact, body: bodies.StopExplained
) -> None:
    """A reason was given for a stop."""
    await downtime.record_explained(db, stamp_of(stored, fact), body)
    _note_stop(db, actor, "explain", stored, fact, body.stop_id)


async def stop_closed(db: AsyncSession, actor: Actor, stored: StoredFact, fact: Fact, body: bodies.StopClosed) -> None:
    """The line runs again."""
    await downtime.record_closed(db, stamp_of(stored, fact), body)
    _note_stop(db, actor, "close", stored, fact, body.stop_id)


def _note_stop(db: AsyncSession, actor: Actor, verb: str, stored: StoredFact, fact: Fact, stop_id: UUID) -> None:
    action = f"plant_ops.downtime.{verb}"
    audit.write(db, actor, action, "plant_ops.downtime", stop_id, {"fact": fact.id}, plant_id=stored.plant_id)


async def voided(db: AsyncSession, actor: Actor, stored: StoredFact, fact: Fact, body: bodies.Voided) -> None:
    """An earlier entry is taken back; a stop that loses its reason is reduced again."""
    stamp = stamp_of(stored, fact)
    await terminal.take_back(db, stamp, body)
    if body.target_kind == "stop_explained":
        await downtime.reduce_after_void(db, stamp)
    said = {"kind": body.target_kind, "fact": fact.id}
    audit.write(
        db, actor, "core.fact.void", body.target_kind, stamp.corrects_id, said, body.reason, plant_id=stored.plant_id
    )


def _terminal(kind: str) -> Recorder:
    async def record(db: AsyncSession, facts: Sequence[tuple[Stamp, Any]]) -> None:
        await terminal.record(db, kind, facts)

    return record


RECORDERS: dict[str, Recorder] = {
    "interlock_stopped": interlock.record,
    "clock_jumped": _terminal("clock_jumped"),
    "witness": _terminal("witness"),
    "session_started": _terminal("session_started"),
    "session_ended": _terminal("session_ended"),
    "weighing": weighing.record,
    "test_weight": weighing.record_test_weights,
    "material_issued": issue_material.record,
    "scrap_recorded": scrap.record,
    "line_state": line_events.record_states,
    "line_count": line_events.record_counts,
    "sensor_latest": sensors.keep_latest,
    "telemetry": sensors.record_blocks,
}
"""Kinds that only become rows, whatever else has happened."""


def _one(recorder: Recorder) -> Verb:
    async def verb(db: AsyncSession, _actor: Actor, stored: StoredFact, fact: Fact, body: Any) -> None:
        await recorder(db, [(stamp_of(stored, fact), body)])

    return verb


def _many(recorder: Recorder) -> BulkVerb:
    async def verb(db: AsyncSession, _actor: Actor, rows: Sequence[tuple[StoredFact, Fact, Any]]) -> None:
        await recorder(db, [(stamp_of(stored, fact), body) for stored, fact, body in rows])

    return verb


BULK: dict[str, BulkVerb] = {kind: _many(recorder) for kind, recorder in RECORDERS.items()}

VERBS: dict[str, Verb] = {
    "ccp_reading": ccp_reading,
    "deviation_opened": deviation_opened,
    "hold_placed": hold_placed,
    "deviation_action": deviation_action,
    "batch_moved": batch_moved,
    "stop_opened": stop_opened,
    "stop_explained": stop_explained,
    "stop_closed": stop_closed,
    "voided": voided,
    **{kind: _one(recorder) for kind, recorder in RECORDERS.items()},
}


async def settle(db: AsyncSession, _actor: Actor, _device_id: UUID) -> None:
    """After the last fact of a batch, in its transaction: complete what the terminal left open."""
    if db.info.pop(_BREACH, False):
        await breach.settle(db)
