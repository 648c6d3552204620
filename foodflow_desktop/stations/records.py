"""What was recorded here, typed and oldest first: how stations read the projection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Generic, TypeVar
from uuid import UUID

from foodflow_desktop.store import Entry, Store, queries
from foodflow_kernel.wire import bodies
from foodflow_kernel.wire.facts import Wire

B = TypeVar("B", bound=Wire)

EVERYTHING = 5_000
"""More facts of one kind than a batch can have of those read here; counts are summed in SQL."""


@dataclass(frozen=True, slots=True)
class Record(Generic[B]):
    """One fact: its typed body and when and by whom it was taken."""

    body: B
    entry: Entry

    @property
    def at(self) -> datetime:
        """When it happened."""
        return self.entry.occurred_at


def taken(
    store: Store,
    kind: type[B],
    *,
    batch_id: UUID | None = None,
    ref_id: UUID | None = None,
    since: datetime | None = None,
) -> list[Record[B]]:
    """All facts of a kind that match, oldest first."""
    name = bodies.KIND_OF[kind].name
    with store.reading() as db:
        found = queries.entries(db, kinds=(name,), batch_id=batch_id, ref_id=ref_id, since=since, limit=EVERYTHING)
    return [Record(kind.model_validate(entry.data), entry) for entry in reversed(found)]


def counted(store: Store, batch_id: UUID, since: datetime | None = None) -> Decimal:
    """Pieces the line counter saw in a batch, from an instant on."""
    with store.reading() as db:
        return Decimal(queries.counted(db, batch_id, since))


def taken_back(store: Store, since: datetime | None = None) -> frozenset[UUID]:
    """Entries that a later one took back; they stay readable and do not count."""
    return frozenset(one.entry.corrects_id for one in taken(store, bodies.Voided, since=since) if one.entry.corrects_id)
