"""Moving a batch: commands from the line, reduced under a lock; an illegal one is kept and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import IllegalMove
from foodflow_kernel.machines import BATCH
from foodflow_kernel.machines.plant_ops import BatchState
from foodflow_kernel.units import Uom
from foodflow_kernel.wire.bodies import BatchMoved
from foodflow_kernel.wire.exchange import CommandAnswer
from server.core import stamp as stamps
from server.core.corrections import is_current
from server.core.stamp import Stamp
from server.plant_ops.models import BatchMove, LineCount, LineProductRate, ProductionBatch, ProductionLine, ScrapEvent

FROM_THE_LINE = frozenset({"start", "pause", "resume", "complete", "abort"})


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a command: applied, merged, conflict or rejected, and the state after it."""

    outcome: str
    to: BatchState
    reason: str | None = None

    @property
    def changes(self) -> bool:
        """Whether the batch moves."""
        return self.outcome in ("applied", "merged")


def decide(status: BatchState, rev: int, move: str, base_rev: int) -> Decision:
    """Judge a command against the batch as it is now.

    A legal move is applied, or merged when the terminal did not know the newest revision. An
    illegal one is a conflict when somebody else moved the batch in between, otherwise rejected.

    >>> decide(BatchState.released, 3, "start", 3).outcome
    'applied'
    >>> decide(BatchState.paused, 5, "pause", 4).outcome
    'conflict'
    """
    if move not in FROM_THE_LINE:
        return Decision("rejected", status, "unknown_move")
    try:
        to = BATCH.move(status, move)
    except IllegalMove:
        return Decision("conflict" if base_rev < rev else "rejected", status, "illegal_move")
    return Decision("applied" if base_rev == rev else "merged", to)


async def locked(db: AsyncSession, batch_id: UUID) -> ProductionBatch | None:
    """The batch, locked until the end of the transaction."""
    statement = select(ProductionBatch).where(ProductionBatch.id == batch_id).with_for_update()
    return await db.scalar(statement.execution_options(populate_existing=True))


async def answered(db: AsyncSession, fact_id: UUID) -> CommandAnswer | None:
    """The answer that a command already got, if it came before."""
    kept = await db.get(BatchMove, fact_id)
    return None if kept is None else CommandAnswer(fact_id=kept.id, outcome=kept.outcome, reason=kept.reason)


async def move(
    db: AsyncSession, batch: ProductionBatch, stamp: Stamp, body: BatchMoved, *, refusal: str | None = None
) -> CommandAnswer:
    """Reduce a command on a locked batch and keep it with its outcome.

    Args:
        refusal: a reason from outside this context (a rejected lot) that beats every move.
    """
    decision = decide(batch.status, batch.version, body.move, body.base_rev)
    if decision.changes and refusal is not None and body.move != "abort":
        decision = Decision("rejected", batch.status, refusal)
    if decision.changes and body.move == "start" and await _is_line_busy(db, batch):
        decision = Decision("conflict", batch.status, "line_busy")
    row = {
        "batch_id": batch.id,
        "move": body.move[:32],
        "base_rev": body.base_rev,
        "found_rev": batch.version,
        "found_status": batch.status,
        "outcome": decision.outcome,
        "reason": decision.reason,
        "gates": dict(body.gates),
        "good": body.good,
        "scrap": body.scrap,
        "counter_total": body.counter_total,
        "left_over": body.left_over.model_dump(mode="json") if body.left_over else None,
        "signature": body.signature.model_dump(mode="json") if body.signature else None,
    }
    await stamps.record(db, BatchMove, [stamp.columns() | row])
    if decision.changes:
        await _apply(db, batch, decision.to, stamp.occurred_at, body)
        await db.flush()
    return CommandAnswer(fact_id=stamp.id, outcome=decision.outcome, reason=decision.reason)


async def _apply(db: AsyncSession, batch: ProductionBatch, to: BatchState, at: datetime, body: BatchMoved) -> None:
    # Asked before the first change: a query in between would flush, and count as a revision of its own.
    rate = await rate_at(db, batch.line_id, batch.item_id, at)
    counted = (await counts(db, [batch.id])).get(batch.id, Counts())
    batch.status = to
    if body.move == "start":
        batch.started_at = at
        batch.ccp_version_ids = list(body.ccp_version_ids)
        batch.pri_s = rate or batch.pri_s
    if body.move in ("complete", "abort"):
        batch.ended_at = at
        batch.good = max(counted.good if body.good is None else body.good, 0)
        batch.scrap = max(counted.scrap if body.scrap is None else body.scrap, 0)
        batch.total = max(counted.total, batch.good + batch.scrap)


async def _is_line_busy(db: AsyncSession, batch: ProductionBatch) -> bool:
    # Of two batches that start at once the second waits here, and finds the first.
    line = select(ProductionLine.id).where(ProductionLine.id == batch.line_id)
    await db.execute(line.with_for_update(key_share=True))
    other = select(ProductionBatch.id).where(
        ProductionBatch.line_id == batch.line_id,
        ProductionBatch.id != batch.id,
        ProductionBatch.status.in_([BatchState.running, BatchState.paused]),
    )
    return await db.scalar(other.limit(1)) is not None


async def rate_at(db: AsyncSession, line_id: UUID, item_id: UUID, at: datetime) -> Decimal | None:
    """Planned run time per item [s] of a product on a line at an instant."""
    statement = select(LineProductRate.pri_s).where(
        LineProductRate.line_id == line_id,
        LineProductRate.item_id == item_id,
        LineProductRate.valid_from <= at,
        or_(LineProductRate.valid_to.is_(None), LineProductRate.valid_to > at),
    )
    return await db.scalar(statement)


@dataclass(frozen=True, slots=True)
class Counts:
    """Pieces of a batch so far: everything counted, and what of it was scrapped."""

    total: int = 0
    scrap: int = 0

    @property
    def good(self) -> int:
        """Counted and not scrapped; never below zero."""
        return max(self.total - self.scrap, 0)


async def counts(
    db: AsyncSession,
    batch_ids: list[UUID],
    *,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
) -> dict[UUID, Counts]:
    """What the facts say of batches, in all or inside a window."""
    total = select(LineCount.batch_id, func.sum(LineCount.delta)).group_by(LineCount.batch_id)
    total = total.where(LineCount.batch_id.in_(batch_ids), is_current(LineCount))
    lost = select(ScrapEvent.batch_id, func.sum(ScrapEvent.qty)).group_by(ScrapEvent.batch_id)
    lost = lost.where(ScrapEvent.batch_id.in_(batch_ids), ScrapEvent.uom == Uom.H87, is_current(ScrapEvent))
    if from_at is not None:
        total, lost = total.where(LineCount.occurred_at >= from_at), lost.where(ScrapEvent.occurred_at >= from_at)
    if to_at is not None:
        total, lost = total.where(LineCount.occurred_at < to_at), lost.where(ScrapEvent.occurred_at < to_at)
    totals = {row[0]: int(row[1]) for row in await db.execute(total) if row[0] is not None}
    scraps = {row[0]: int(row[1]) for row in await db.execute(lost)}
    return {key: Counts(totals.get(key, 0), scraps.get(key, 0)) for key in totals.keys() | scraps.keys()}
