from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foodflow_kernel.rules import signal
from foodflow_kernel.rules.signal import Change, Counter, LineWatch, Moment, Running

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
S = 1_000_000_000


@pytest.mark.parametrize(
    ("bits", "before", "raw", "delta", "change"),
    [
        (16, None, 500, 0, Change.first),
        (16, 500, 500, 0, Change.counted),
        (16, 500, 512, 12, Change.counted),
        (16, 65_535, 0, 1, Change.rolled_over),
        (16, 65_530, 4, 10, Change.rolled_over),
        (32, 4_294_967_290, 4, 10, Change.rolled_over),
        (32, 65_530, 4, 4, Change.was_reset),
        (16, 31_200, 0, 0, Change.was_reset),
        (16, 31_200, 9, 9, Change.was_reset),
        (16, 500, 30_000, 0, Change.jumped),
        (16, 500, 499, 0, Change.jumped),
    ],
)
def test_counter_step(bits, before, raw, delta, change):
    after, step = signal.count(Counter(bits=bits, raw=before), raw, S)
    assert (step.delta, step.change) == (delta, change)
    assert (after.raw, after.mono_ns) == (raw, S)


def test_jump_is_shown_but_not_counted_and_counting_goes_on():
    counter, step = signal.count(Counter(raw=500), 30_000, S)
    assert step.suspect == 29_500
    assert signal.count(counter, 30_003, 2 * S)[1].delta == 3


def test_long_gap_allows_what_the_line_could_have_made():
    assert signal.count(Counter(raw=500), 30_000, 600 * S)[1].delta == 29_500


@given(
    st.sampled_from([16, 32]),
    st.integers(0, (1 << 32) - 1),
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 5)), min_size=1, max_size=80),
)
def test_no_piece_is_lost_or_invented_over_any_roll_over(bits, start, steps):
    top = 1 << bits
    true, now = start % top, 0
    counter, _ = signal.count(Counter(bits=bits), true % top, now)
    counted = 0
    for made, seconds in steps:
        true, now = true + made, now + seconds * S
        counter, step = signal.count(counter, true % top, now)
        assert step.change in (Change.counted, Change.rolled_over)
        counted += step.delta
    assert counted == sum(made for made, _ in steps)


@given(st.integers(1000, 60_000), st.integers(0, 50))
def test_reset_counts_what_was_made_since(before, since):
    _, step = signal.count(Counter(bits=32, raw=before), since, S)
    assert (step.delta, step.change) == (since, Change.was_reset)


def play(readings, line=None, **options):
    """Readings as (second, is_running); what came of them as (moment, second of `at`, lasted)."""
    line, seen = line or LineWatch(), []
    for second, is_running in readings:
        at = START + timedelta(seconds=second)
        line, events = signal.watch(line, is_running=is_running, at=at, mono_ns=second * S, **options)
        seen += [(e.moment, (e.at - START).total_seconds(), e.lasted_s) for e in events]
    return line, seen


def test_line_that_runs_says_so_once():
    line, seen = play([(0, True), (1, True), (2, True)])
    assert line.state is Running.running
    assert seen == [(Moment.started, 0, 0)]


def test_short_stop_is_a_micro_stop_and_asks_nothing():
    _, seen = play([(0, True), (10, False), (100, False), (129, True)])
    assert seen == [(Moment.started, 0, 0), (Moment.paused, 10, 0), (Moment.micro_stop, 129, 119)]


def test_stop_of_exactly_the_limit_is_a_stop_that_began_when_it_began():
    line, seen = play([(0, True), (10, False), (129, False), (130, False), (131, False)])
    assert line.state is Running.stopped
    assert seen[2:] == [(Moment.stop_opened, 10, 120)]


def test_stop_closes_when_the_line_runs_again():
    _, seen = play([(0, True), (10, False), (130, False), (400, True)])
    assert seen[2:] == [(Moment.stop_opened, 10, 120), (Moment.stop_closed, 400, 390)]


def test_stop_longer_than_the_polling_gap_opens_and_closes_at_once():
    _, seen = play([(0, True), (10, False), (400, True)])
    assert seen[2:] == [(Moment.stop_opened, 10, 390), (Moment.stop_closed, 400, 390)]


def test_limit_of_the_plant_is_followed():
    _, seen = play([(0, True), (10, False), (70, False)], microstop_s=60)
    assert seen[-1] == (Moment.stop_opened, 10, 60)


def test_line_first_seen_standing_opens_a_stop_in_time():
    _, seen = play([(0, False), (120, False)])
    assert seen == [(Moment.paused, 0, 0), (Moment.stop_opened, 0, 120)]


def test_clock_set_back_opens_and_closes_nothing():
    line, _ = play([(0, True), (10, False)])
    back = START - timedelta(hours=1)
    line, events = signal.watch(line, is_running=False, at=back, mono_ns=20 * S)
    assert events == ()
    line, events = signal.watch(line, is_running=True, at=back, mono_ns=30 * S)
    assert [(e.moment, e.lasted_s) for e in events] == [(Moment.micro_stop, 20)]


def test_stop_goes_on_over_a_restart_of_the_program():
    line = signal.resume(Running.stopped, START, now=START + timedelta(seconds=300), mono_ns=7 * S)
    line, events = signal.watch(line, is_running=True, at=START + timedelta(seconds=301), mono_ns=8 * S)
    assert [(e.moment, e.lasted_s) for e in events] == [(Moment.stop_closed, 301)]


def test_lost_signal_ends_knowledge_where_it_was_last_heard():
    line, _ = play([(0, True), (10, True)])
    assert signal.lose(line, mono_ns=19 * S, patience_s=10) == (line, ())
    line, events = signal.lose(line, mono_ns=20 * S, patience_s=10)
    assert line.state is Running.unknown
    assert [(e.moment, (e.at - START).total_seconds()) for e in events] == [(Moment.signal_lost, 10)]
    assert signal.lose(line, mono_ns=99 * S, patience_s=10)[1] == ()


def test_lost_signal_leaves_an_open_stop_open():
    line, _ = play([(0, True), (10, False), (130, False)])
    assert signal.lose(line, mono_ns=999 * S, patience_s=10) == (line, ())


@given(st.lists(st.tuples(st.integers(1, 200), st.booleans()), max_size=60))
def test_every_opened_stop_is_closed_before_the_next_opens(steps):
    now, readings = 0, []
    for seconds, is_running in steps:
        now += seconds
        readings.append((now, is_running))
    line, seen = play(readings)
    is_open = False
    for moment, _, _ in seen:
        if moment is Moment.stop_opened:
            assert not is_open
            is_open = True
        elif moment is Moment.stop_closed:
            assert is_open
            is_open = False
    assert is_open == (line.state is Running.stopped)
    assert replace(line) == line
