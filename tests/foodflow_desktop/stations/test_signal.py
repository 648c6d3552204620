"""The line signal folded to states, counts and stops; the micro-stop limit; roll-over; a restart."""

from __future__ import annotations

from datetime import timedelta

from foodflow_desktop.hardware.readings import SignalReading
from foodflow_desktop.stations.signal import SignalPast, SignalStation
from foodflow_desktop.stations.stops import StopLog
from foodflow_desktop.store import Draft
from foodflow_kernel import ids
from foodflow_kernel.clock import FakeClock
from foodflow_kernel.wire.bodies import LineCount, LineState, Source, StopClosed, StopExplained, StopOpened
from tests.foodflow_desktop.stations.plant import AT, BATCH, LINE_2

PRI_S = 2
"""One piece every two seconds."""


class Line:
    """A line whose signal is read once a second, and what was recorded of it."""

    def __init__(self, past: SignalPast | None = None, stops: StopLog | None = None, at=AT, raw: int = 100) -> None:
        self.clock = FakeClock(at)
        self.stops = stops or StopLog(LINE_2)
        self.drafts: list[Draft] = []
        self.batch = BATCH
        self.raw = raw
        self.bits = 32
        self.station = SignalStation(
            LINE_2, self.stops, batch=lambda: self.batch, microstop_s=lambda: 120, record=self._record, past=past
        )

    def _record(self, drafts: list[Draft]) -> None:
        self.drafts += drafts
        for draft in drafts:
            if isinstance(draft.body, StopOpened | StopClosed | StopExplained):
                self.stops.saved(ids.new_id(self.clock.now()), draft.occurred_at, draft.body)

    def run(self, seconds: int, *, is_running: bool = True) -> None:
        for second in range(seconds):
            if is_running and second % PRI_S == PRI_S - 1:
                self.raw = (self.raw + 1) % (1 << self.bits)
            now, mono = self.clock.now(), self.clock.mono_ns()
            self.station.on_reading(SignalReading(now, is_running, self.raw, mono, bits=self.bits))
            self.clock.advance(1)

    def bodies(self, kind: type) -> list:
        return [draft.body for draft in self.drafts if isinstance(draft.body, kind)]


def test_pieces_are_counted_each_ten_seconds_and_add_up():
    line = Line()
    line.run(61)
    counts = line.bodies(LineCount)
    assert sum(count.delta for count in counts) == 30
    assert counts[-1].total == 30
    assert [count.from_at for count in counts[1:]] == [
        draft.occurred_at for draft in line.drafts if isinstance(draft.body, LineCount)
    ][:-1]
    assert len(counts) == 7
    assert {draft.performed_by for draft in line.drafts} == {None}


def test_a_standing_line_is_still_heard():
    line = Line()
    line.run(10)
    before = len(line.bodies(LineCount))
    line.run(60, is_running=False)
    assert len(line.bodies(LineCount)) - before >= 6
    assert all(count.delta == 0 for count in line.bodies(LineCount)[before + 1 :])


def test_a_micro_stop_changes_the_state_and_asks_nobody():
    line = Line()
    line.run(30)
    line.run(119, is_running=False)
    line.run(30)
    assert [state.state for state in line.bodies(LineState)] == ["running", "down", "running"]
    assert not line.bodies(StopOpened)


def test_a_stop_is_opened_at_the_limit_and_dated_back_then_closed_by_the_signal():
    line = Line()
    line.run(30)
    stopped_at = line.clock.now()
    line.run(121, is_running=False)
    opened = line.bodies(StopOpened)
    assert [(stop.started_at, stop.source, stop.batch_id) for stop in opened] == [(stopped_at, Source.signal, BATCH)]
    line.run(40, is_running=False)
    assert len(line.bodies(StopOpened)) == 1
    ran_at = line.clock.now()
    line.run(5)
    closed = line.bodies(StopClosed)
    assert [(stop.stop_id, stop.ended_at) for stop in closed] == [(opened[0].stop_id, ran_at)]
    line.run(60)
    assert len(line.bodies(StopClosed)) == 1


def test_a_stop_ended_by_hand_is_not_opened_again_while_the_line_stands():
    line = Line()
    line.run(10)
    line.run(130, is_running=False)
    stop = line.stops.open
    line.stops.saved(ids.new_id(AT), AT, StopClosed(stop_id=stop.stop_id, ended_at=line.clock.now(), source="manual"))
    line.run(300, is_running=False)
    line.run(10)
    assert len(line.bodies(StopOpened)) == 1
    assert not line.bodies(StopClosed)


def test_a_counter_that_rolls_over_loses_no_piece_and_one_that_was_reset_says_so():
    line = Line(raw=65_530)
    line.bits = 16
    line.run(60)
    assert line.raw < 100
    made = line.raw + 65_536 - 65_530
    line.station.flush(line.clock.now())
    assert line.bodies(LineCount)[-1].total == made
    line.raw = 0
    line.run(2)
    assert line.bodies(LineCount)[-1].was_reset or line.bodies(LineCount)[-2].was_reset


def test_pieces_go_to_the_batch_that_ran_when_they_were_made():
    line = Line()
    line.run(15)
    other = ids.new_id(AT)
    line.batch = other
    line.run(15)
    line.station.flush(line.clock.now())
    by_batch = {}
    for count in line.bodies(LineCount):
        by_batch[count.batch_id] = by_batch.get(count.batch_id, 0) + count.delta
    assert by_batch == {BATCH: 7, other: 7}
    assert line.bodies(LineCount)[-1].total == 7


def test_after_a_restart_pieces_made_meanwhile_are_counted_and_the_open_stop_goes_on():
    first = Line()
    first.run(20)
    first.run(130, is_running=False)
    counted = first.bodies(LineCount)[-1]
    state = [draft for draft in first.drafts if isinstance(draft.body, LineState)][-1]
    past = SignalPast("down", state.occurred_at, counted, first.drafts[-1].occurred_at)
    second = Line(past, first.stops, at=first.clock.now() + timedelta(seconds=60), raw=first.raw + 12)
    second.run(30, is_running=False)
    assert not second.bodies(StopOpened)
    assert not second.bodies(LineState)
    assert second.bodies(LineCount)[0].delta == 12
    assert second.bodies(LineCount)[0].total == counted.total + 12
    second.run(3)
    assert [stop.stop_id for stop in second.bodies(StopClosed)] == [first.bodies(StopOpened)[0].stop_id]
