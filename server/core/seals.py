"""Seals over the audit trail: what a superuser changes, moves, adds or deletes below a seal is found.

A seal is the Merkle root of the hashes of a run of rows, chained to the seal before. Rows are
numbered at commit without a hole (``audit``), so no row can appear below a seal later. The chain's
roots are also appended to a file outside the database, an anchor each: whoever recomputes all rows
and seals in the database still does not agree with the file, or with a printout of it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from server.core import audit
from server.core.actor import system
from server.core.audit import AuditHead, AuditRow
from server.core.db import partitions
from server.core.db.base import TenantBase
from server.core.jobs import Periodic

if TYPE_CHECKING:
    from fastapi import FastAPI

    from server.core.db.sessions import Database, TenantRef

SEAL_EVERY_S = 60
LONGEST = 10_000
"""Rows below one seal; bounds the memory of sealing and verifying."""
FIRST_ROOT = bytes(32)
"""What the first seal is chained to."""


class AuditSeal(TenantBase):
    """Rows ``from_seq`` to ``to_seq`` stand as they were at ``at``.

    Args:
        number: from 1, without a hole.
        merkle_root: of the rows' hashes, in order.
        prev_root: ``root`` of the seal before.
        root: SHA-256 of all the fields above.
    """

    __tablename__ = "core_audit_seal"
    __table_args__ = (
        CheckConstraint("number >= 1 and from_seq >= 1 and count = to_seq - from_seq + 1 and count >= 1", name="run"),
        UniqueConstraint("from_seq"),
        UniqueConstraint("prev_root"),
    )

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    from_seq: Mapped[int] = mapped_column(BigInteger)
    to_seq: Mapped[int] = mapped_column(BigInteger)
    count: Mapped[int]
    at: Mapped[datetime]
    merkle_root: Mapped[bytes]
    prev_root: Mapped[bytes]
    root: Mapped[bytes]


def merkle(leaves: Sequence[bytes]) -> bytes:
    r"""Merkle tree hash of hashes, shape (32,); leaves and nodes are marked apart.

    Source: RFC 9162, 2.1.1; the tree is filled from the left, a last node without partner moves up.

    >>> merkle([b"a"]) == hashlib.sha256(b"\0a").digest()
    True
    """
    level = [hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves]
    while len(level) > 1:
        pairs = [hashlib.sha256(b"\1" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[len(level) - len(level) % 2 :]
    return level[0] if level else hashlib.sha256(b"").digest()


def root_of(seal: AuditSeal) -> bytes:
    """The root that a seal's fields make, shape (32,)."""
    names = ("number", "from_seq", "to_seq", "count", "at", "merkle_root", "prev_root")
    return audit.digest({name: getattr(seal, name) for name in names})


async def seal_next(db: AsyncSession) -> AuditSeal | None:
    """Seal what is not sealed yet, at most ``LONGEST`` rows; None if there is nothing, or another sealer was first."""
    last = await db.scalar(select(AuditSeal).order_by(AuditSeal.number.desc()).limit(1))
    start = last.to_seq + 1 if last else 1
    # The counter first: every row up to it has committed.
    head = await db.scalar(select(AuditHead.n)) or 0
    end = min(head, start + LONGEST - 1)
    if end < start:
        return None
    hashes = select(AuditRow.row_hash).where(AuditRow.seq.between(start, end)).order_by(AuditRow.seq)
    leaves = (await db.scalars(hashes)).all()
    if len(leaves) != end - start + 1:
        raise RuntimeError(f"rows {start} to {end} of the audit trail are not complete; run audit verify")
    made = AuditSeal(
        number=last.number + 1 if last else 1,
        from_seq=start,
        to_seq=end,
        count=len(leaves),
        at=db.info["clock"].now(),
        merkle_root=merkle(leaves),
        prev_root=last.root if last else FIRST_ROOT,
    )
    made.root = root_of(made)
    row = {column.key: getattr(made, column.key) for column in AuditSeal.__table__.columns}
    stored = await db.scalar(insert(AuditSeal).values(row).on_conflict_do_nothing().returning(AuditSeal.number))
    return made if stored else None


@dataclass(frozen=True, slots=True)
class Anchor:
    """A seal's root as it stands outside the database."""

    number: int
    to_seq: int
    root: str
    at: str


def anchor_file(data_folder: Path, tenant: TenantRef) -> Path:
    """Where a tenant's anchors are."""
    return data_folder / "anchors" / f"{tenant.slug}.jsonl"


def read_anchors(path: Path) -> list[Anchor]:
    """The anchors in order; two sealers may have written one twice. A line that was cut off by a crash is none."""
    if not path.exists():
        return []
    found: dict[Anchor, None] = {}
    for line in path.read_text().splitlines(keepends=True):
        if line.endswith("\n"):
            found[Anchor(**json.loads(line))] = None
    return sorted(found, key=lambda each: each.number)


def append_anchors(path: Path, seals: Sequence[AuditSeal]) -> None:
    """Add lines to the end and have them on disk."""
    if not seals:
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = [
        json.dumps(asdict(Anchor(each.number, each.to_seq, each.root.hex(), each.at.isoformat()))) + "\n"
        for each in seals
    ]
    is_cut = path.exists() and path.stat().st_size and not path.read_bytes().endswith(b"\n")
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        if is_cut:
            os.ftruncate(handle, path.read_bytes().rfind(b"\n") + 1)
        os.write(handle, "".join(lines).encode())
        os.fsync(handle)
    finally:
        os.close(handle)


async def seal(database: Database, tenant: TenantRef, data_folder: Path) -> int:
    """Seal all that has committed and anchor the seals; how many seals were made."""
    made = 0
    while True:
        async with database.tenant_session(tenant.id, system(tenant.id, "sealer")) as db:
            if await seal_next(db) is None:
                break
        made += 1
    path = anchor_file(data_folder, tenant)
    anchored = await asyncio.to_thread(read_anchors, path)
    beyond = AuditSeal.number > (anchored[-1].number if anchored else 0)
    async with database.tenant_session(tenant.id, system(tenant.id, "sealer")) as db:
        new = (await db.scalars(select(AuditSeal).where(beyond).order_by(AuditSeal.number))).all()
    await asyncio.to_thread(append_anchors, path, new)
    return made


async def _seal(app: FastAPI, tenant: TenantRef) -> None:
    await seal(app.state.database, tenant, app.state.settings.data_folder)


async def _months_ahead(app: FastAPI, tenant: TenantRef) -> None:
    database: Database = app.state.database
    await asyncio.to_thread(partitions.ensure, database.cluster.owner, tenant.schema, database.clock.now())


JOBS = (
    Periodic("core.audit.seal", SEAL_EVERY_S, _seal),
    Periodic("core.audit.months", 6 * 3600, _months_ahead),
)
