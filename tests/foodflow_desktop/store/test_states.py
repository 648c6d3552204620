"""Journal and acknowledgements under random use: what holds after every step, and after restarts."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from foodflow_desktop.store import Store
from foodflow_desktop.store.check import verify
from foodflow_desktop.sync.status import PillState, pill
from foodflow_kernel.clock import FakeClock
from foodflow_kernel.wire import signing
from foodflow_kernel.wire.protocol import Lane
from tests.foodflow_desktop.store.terminals import KEY, hold, opened, samples, settled, weighing

DRAFTS = {Lane.urgent: hold, Lane.events: weighing, Lane.telemetry: samples}


class Terminal(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="foodflow-states-"))
        self.clock = FakeClock()
        self.store: Store = opened(self.folder, self.clock)
        self.saved: dict[Lane, list[bytes]] = {lane: [] for lane in DRAFTS}
        self.server: dict[Lane, list[bytes]] = {lane: [] for lane in DRAFTS}
        self.acked: dict[Lane, int] = dict.fromkeys(DRAFTS, 0)

    @rule(lane=st.sampled_from(list(DRAFTS)), count=st.integers(1, 5))
    def record(self, lane: Lane, count: int) -> None:
        self.saved[lane] += [row.raw for row in self.store.record_all([DRAFTS[lane]() for _ in range(count)])]

    @rule(lane=st.sampled_from(list(DRAFTS)), rows=st.integers(1, 4), lost=st.booleans())
    def push(self, lane: Lane, rows: int, lost: bool) -> None:
        incarnation = self.store.status().incarnation
        batch = self.store.outbox.next_batch(incarnation, lane, max_rows=rows)
        if batch is None:
            assert len(self.server[lane]) >= self.acked[lane] == len(self.saved[lane])
            return
        assert batch.last.sig is not None
        assert batch.first == self.acked[lane] + 1
        assert len(batch.rows) <= rows
        known = len(self.server[lane]) - self.acked[lane]
        self.server[lane] += [row.body for row in batch.rows][known:]
        if not lost:
            assert self.store.outbox.acknowledge(
                incarnation, lane, batch.last.seq, batch.last.hash, at=self.clock.now()
            )
            self.acked[lane] = batch.last.seq
            self.store.heard(self.clock.now())

    @rule(seconds=st.sampled_from([1, 40, 3600]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule()
    def hear(self) -> None:
        self.store.heard(self.clock.now())

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = opened(self.folder, self.clock)

    @precondition(lambda self: any(self.acked.values()))
    @rule()
    def stale_answer(self) -> None:
        incarnation = self.store.status().incarnation
        lane = next(lane for lane, seq in self.acked.items() if seq)
        old = self.store.outbox.hash_at(incarnation, lane, 1)
        assert self.store.outbox.acknowledge(incarnation, lane, 1, old, at=self.clock.now())

    @invariant()
    def acknowledged_is_stored_and_stored_is_what_was_saved(self) -> None:
        for lane, saved in self.saved.items():
            assert self.server[lane] == saved[: len(self.server[lane])]
            assert self.acked[lane] <= len(self.server[lane])

    @invariant()
    def the_pill_tells_the_truth(self) -> None:
        status, now = settled(self.store), self.clock.now()
        waiting = sum(len(self.saved[lane]) - self.acked[lane] for lane in (Lane.urgent, Lane.events))
        assert status.waiting == waiting
        shown = pill(status, now)
        assert shown.waiting == waiting
        assert (shown.state is PillState.all_sent) <= (waiting == 0)

    def teardown(self) -> None:
        self.store.close()
        report = verify(self.folder, signing.public_bytes(KEY))
        assert report.faults == ()
        assert report.rows == sum(map(len, self.saved.values()))
        shutil.rmtree(self.folder)


TestTerminal = Terminal.TestCase
TestTerminal.settings = settings(max_examples=12, stateful_step_count=15, deadline=None)
