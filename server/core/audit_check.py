"""Does the audit trail stand as it was written? The first row or seal that does not is named.

Reads the trail once, in order, a thousand rows at a time; memory does not grow with its length.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.core import audit, seals
from server.core.audit import AuditHead, AuditRow
from server.core.seals import Anchor, AuditSeal

CHUNK = 1000

WORDS = {
    "row_missing": "Row {number} is missing: it was deleted, or the numbers were changed.",
    "row_twice": "Row {number} stands twice: one was put in.",
    "row_changed": "Row {number} was changed after it was written.",
    "row_beyond": "Row {number} was never numbered: it was put in.",
    "seal_missing": "Seal {number} is missing.",
    "seal_changed": "Seal {number} was changed after it was made.",
    "seal_chain": "Seal {number} does not follow the one before: seals were made anew.",
    "seal_rows": "Seal {number} does not fit its rows: a row below it was rewritten with its hash.",
    "anchor_differs": "Seal {number} is not the one that was anchored outside the database.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """The first thing that is wrong, with the number of the row or seal."""

    what: str
    number: int

    @property
    def sentence(self) -> str:
        """In words."""
        return WORDS[self.what].format(number=self.number)

    @property
    def is_seal(self) -> bool:
        """Whether ``number`` is a seal's; else a row's."""
        return not self.what.startswith("row_")


@dataclass(frozen=True, slots=True)
class Report:
    """What was checked, and the first thing found wrong."""

    rows: int
    seals: int
    anchors: int
    finding: Finding | None


class _Walk:
    """Rows in order against their hashes, with what the present seal needs of them."""

    def __init__(self, rows: AsyncIterator[AuditRow]) -> None:
        self._rows = rows
        self.next = 1
        self.count = 0

    async def take(self, until: int | None) -> tuple[list[bytes], Finding | None]:
        """The hashes of the rows up to a number; None: of all that is left, not kept."""
        leaves: list[bytes] = []
        while until is None or self.next <= until:
            row = await anext(self._rows, None)
            if row is None:
                break
            if row.seq != self.next:
                return leaves, Finding("row_twice" if row.seq < self.next else "row_missing", min(row.seq, self.next))
            content = {name: getattr(row, name) for name in _CONTENT}
            if audit.digest(content) != row.row_hash:
                return leaves, Finding("row_changed", row.seq)
            if until is not None:
                leaves.append(row.row_hash)
            self.next, self.count = self.next + 1, self.count + 1
        if until is not None and self.next <= until:
            return leaves, Finding("row_missing", self.next)
        return leaves, None


_CONTENT = [name for name in AuditRow.__table__.columns.keys() if name != "row_hash"]  # noqa: SIM118  a collection


async def verify(db: AsyncSession, anchors: Sequence[Anchor] = ()) -> Report:
    """Check every row, every seal, and the seals against the anchors kept outside the database."""
    # In this order: a seal that is made meanwhile has rows beyond what is read here.
    newest = await db.scalar(select(func.max(AuditSeal.number))) or 0
    head = await db.scalar(select(AuditHead.n)) or 0
    beyond = await db.scalar(select(func.min(AuditRow.seq)).where(AuditRow.seq > select(AuditHead.n).scalar_subquery()))
    sealed = {anchor.number: anchor for anchor in anchors}
    columns = AuditRow.__table__.columns
    wanted = select(*columns).where(AuditRow.seq <= head).order_by(AuditRow.seq)
    found = await db.stream(wanted, execution_options={"yield_per": CHUNK})
    walk = _Walk(aiter(found))  # type: ignore[arg-type]  # a row of the columns reads like the object
    checked, finding = 0, None
    previous: AuditSeal | None = None
    try:
        async for seal in _seals(db, newest):
            finding = await _check(walk, seal, previous, sealed)
            if finding is not None:
                break
            previous, checked = seal, checked + 1
        if finding is None:
            _, finding = await walk.take(None)
    finally:
        await found.close()
    if finding is None and walk.next <= head:
        finding = Finding("row_missing", walk.next)
    if finding is None and beyond is not None:
        finding = Finding("row_beyond", beyond)
    if finding is None and any(number > checked for number in sealed):
        finding = Finding("seal_missing", checked + 1)
    return Report(walk.count, checked, len(sealed), finding)


async def _check(
    walk: _Walk, seal: AuditSeal, previous: AuditSeal | None, anchors: dict[int, Anchor]
) -> Finding | None:
    number = previous.number + 1 if previous else 1
    what = None
    if seal.number != number:
        what = "seal_missing"
    elif seals.root_of(seal) != seal.root or seal.from_seq != walk.next:
        what = "seal_changed"
    elif seal.prev_root != (previous.root if previous else seals.FIRST_ROOT):
        what = "seal_chain"
    elif number in anchors and anchors[number].root != seal.root.hex():
        what = "anchor_differs"
    if what is not None:
        return Finding(what, number)
    leaves, finding = await walk.take(seal.to_seq)
    if finding is None and seals.merkle(leaves) != seal.merkle_root:
        return Finding("seal_rows", number)
    return finding


async def _seals(db: AsyncSession, until: int) -> AsyncIterator[AuditSeal]:
    """The seals up to a number in order, by chunks and not by cursor: the rows have it."""
    last = 0
    while True:
        here = AuditSeal.number.between(last + 1, until)
        query = select(AuditSeal).where(here).order_by(AuditSeal.number).limit(CHUNK)
        some = (await db.scalars(query)).all()
        for each in some:
            yield each
        if not some:
            return
        last = some[-1].number
        db.expunge_all()
