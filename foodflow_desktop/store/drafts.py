"""What a caller hands to the store, and what it gets back once it is safe on disk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from foodflow_kernel.wire.facts import Fact, Wire
from foodflow_kernel.wire.protocol import Lane


@dataclass(frozen=True, slots=True)
class Draft:
    """A fact about to be recorded. The store adds identity, times and place in the chain.

    Args:
        body: one of the bodies of ``wire.bodies.KINDS``; decides kind, version and lane.
        performed_by: the signed-in user; None only for kinds that need none.
        occurred_at: when it happened, if not now.
        id: given only when another draft of the same call must name this fact.
    """

    body: Wire
    performed_by: UUID | None
    line_id: UUID | None
    occurred_at: datetime | None = None
    flags: tuple[str, ...] = ()
    corrects_id: UUID | None = None
    correction_reason: str | None = None
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """A fact that is committed: the screen may say "saved".

    Args:
        raw: the exact bytes in the journal.
        hash: the chain hash of its row.
    """

    fact: Fact
    incarnation: UUID
    lane: Lane
    seq: int
    hash: bytes
    raw: bytes


@dataclass(frozen=True, slots=True)
class Row:
    """A journal row as it stands in the file."""

    lane: int
    seq: int
    kind: str
    ver: int
    body: bytes
    hash: bytes
    sig: bytes | None
