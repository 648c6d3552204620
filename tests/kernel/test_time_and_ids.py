"""Clocks that jump, and ids that do not collide when they do (trap T3)."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from foodflow_kernel.clock import CLOCK_ENV, FakeClock, HybridClock, ScaledClock, from_ms, to_ms
from foodflow_kernel.ids import new_id


def test_t3_ids_never_collide_when_the_clock_goes_back() -> None:
    clock = FakeClock()
    ids = set()
    for step in (0, -86_400, 31_536_000, -31_536_000):
        clock.jump(step)
        ids |= {new_id(clock.now()) for _ in range(500)}
    assert len(ids) == 2000


def test_id_carries_its_millisecond_and_version() -> None:
    at = datetime(2026, 11, 23, 9, 14, 31, 250_000, tzinfo=UTC)
    made = new_id(at)
    assert (made.version, made.int >> 80) == (7, to_ms(at))


@given(st.lists(st.integers(-400_000_000, 400_000_000), min_size=1, max_size=40))
def test_hybrid_stamps_only_grow(jumps_ms: list[int]) -> None:
    hlc, clock = HybridClock(), FakeClock()
    last = 0
    for jump in jumps_ms:
        clock.jump(jump / 1000)
        stamp = hlc.tick(clock.now())
        assert stamp > last
        last = stamp


def test_hybrid_clock_does_not_follow_a_peer_far_ahead() -> None:
    hlc, clock = HybridClock(), FakeClock()
    far = to_ms(clock.now() + timedelta(minutes=6)) << 16
    assert hlc.receive(far, clock.now()) < far
    near = to_ms(clock.now() + timedelta(minutes=4)) << 16
    assert hlc.receive(near, clock.now()) > near


def test_fake_clock_jump_leaves_monotonic_time_alone() -> None:
    clock = FakeClock()
    clock.advance(2)
    clock.jump(-3600)
    assert clock.mono_ns() == 2_000_000_000


def test_scaled_clock_runs_at_its_rate() -> None:
    clock = ScaledClock(real_epoch_s=1_000.0, simulated_epoch_s=5_000.0, rate=10.0)
    assert clock.rate == 10.0
    assert (clock.now() - from_ms(5_000_000)).total_seconds() > 10 * 1_000_000_000


def test_processes_share_one_scaled_clock() -> None:
    spec = ScaledClock(1_700_000_000.0, 1_800_000_000.0, 12.0).to_env()
    code = "from foodflow_kernel.clock import clock_from_env as c; k = c(); print(k.simulated_epoch_s, k.rate)"
    out = subprocess.run(
        [sys.executable, "-c", code],
        env={CLOCK_ENV: spec, "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=True,
    )
    assert out.stdout.split() == ["1800000000.0", "12.0"]


@given(st.integers(0, 4_000_000_000_000))
def test_milliseconds_round_trip(ms: int) -> None:
    assert to_ms(from_ms(ms)) == ms
