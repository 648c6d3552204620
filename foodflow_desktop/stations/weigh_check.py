"""The samples of a weigh check, read from what was recorded: which check is open, what is in it.

A check is ``sample_size`` portions of one batch. It survives a restart because nothing of it is
kept but its weighings. A weighing taken back leaves its place open; it stays readable.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from foodflow_desktop.stations.running import Running
from foodflow_desktop.store import Entry, Store, queries
from foodflow_kernel.rules.weight import WeightVerdict
from foodflow_kernel.wire import bodies, master

READ = 200
"""Newest weighings looked at: many times the largest check."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One portion of a check that counts."""

    no: int
    fact_id: UUID
    net_g: Decimal
    verdict: WeightVerdict
    is_typed: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its samples so far by number."""

    check_id: UUID | None
    size: int
    samples: tuple[Sample, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether all its samples are there."""
        return len(self.samples) >= self.size

    @property
    def next_no(self) -> int:
        """The first number that has no sample."""
        taken = {sample.no for sample in self.samples}
        return next(no for no in range(1, self.size + 2) if no not in taken)

    @property
    def average_g(self) -> Decimal | None:
        """The mean of its samples [g]; None without any."""
        if not self.samples:
            return None
        return sum((sample.net_g for sample in self.samples), Decimal(0)) / len(self.samples)


def spec_of(picture_specs: dict[UUID, master.WeightSpecRow], item_id: UUID) -> master.WeightSpecRow | None:
    """The newest weight limits of an item."""
    found = [spec for spec in picture_specs.values() if spec.item_id == item_id]
    return max(found, key=lambda spec: spec.version, default=None)


def newest(store: Store, batch_id: UUID, size: int) -> Check:
    """The check a batch is in: its last one, complete or not; empty if there was none."""
    found = _counting(store, batch_id)
    if not found:
        return Check(None, size)
    check_id = found[0].ref_id
    by_no: dict[int, Sample] = {}
    for entry in found:
        if entry.ref_id == check_id:
            sample = _sample(entry)
            by_no.setdefault(sample.no, sample)
    return Check(check_id, size, tuple(by_no[no] for no in sorted(by_no)))


def due_at(store: Store, running: Running, spec: master.WeightSpecRow) -> datetime | None:
    """When the next check should begin: its period after the last sample, or after the start."""
    if spec.every_min is None:
        return None
    found = _counting(store, running.batch.id)
    known = [at for at in (running.started_at, running.resumed_at) if at is not None]
    if found:
        known.append(found[0].occurred_at)
    return max(known) + timedelta(minutes=spec.every_min) if known else None


def _counting(store: Store, batch_id: UUID) -> list[Entry]:
    """Weighings of a batch that were not taken back, newest first."""
    with store.reading() as db:
        found = queries.entries(db, kinds=("weighing",), batch_id=batch_id, limit=READ)
        since = min((entry.recorded_at for entry in found), default=None)
        voids = queries.entries(db, kinds=("voided",), since=since, limit=READ) if found else []
    gone = {void.corrects_id for void in voids}
    return [entry for entry in found if entry.id not in gone]


def _sample(entry: Entry) -> Sample:
    body = bodies.Weighing.model_validate(entry.data)
    is_typed = body.source is bodies.Source.typed
    return Sample(body.sample_no, entry.id, body.net_g, body.verdict, is_typed, entry.occurred_at)
