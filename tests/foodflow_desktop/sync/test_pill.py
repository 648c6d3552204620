"""The pill tells the truth (ux.md, 12.4): for random queues, acknowledgements and outages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foodflow_desktop.sync.status import LaneStatus, PillState, SyncStatus, pill

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

lanes = st.builds(
    LaneStatus,
    lane=st.sampled_from([0, 1, 2, 3]),
    unsent=st.integers(0, 4),
    dead=st.integers(0, 1),
    problem=st.sampled_from([None, None, None, "fork"]),
)
statuses = st.builds(
    SyncStatus,
    is_paired=st.booleans(),
    lanes=st.lists(lanes, max_size=4).map(tuple),
    heard_at=st.one_of(st.none(), st.integers(-7200, 90).map(lambda s: NOW + timedelta(seconds=s))),
    cannot_save=st.sampled_from([None, None, "disk_full", "damaged"]),
    conflicts=st.integers(0, 1),
    is_revoked=st.booleans(),
)


@given(statuses)
def test_the_words_equal_the_state(status: SyncStatus) -> None:
    waiting = sum(lane.unsent for lane in status.lanes if lane.lane < 3)
    help_ = sum(lane.dead + bool(lane.problem) for lane in status.lanes) + status.conflicts + status.is_revoked
    age = None if status.heard_at is None else (NOW - status.heard_at).total_seconds()
    heard = age is not None and -1 <= age < 30
    shown = pill(status, NOW)
    expected = (
        PillState.cannot_save
        if status.cannot_save
        else PillState.not_paired
        if not status.is_paired
        else PillState.needs_help
        if help_
        else PillState.offline
        if not heard
        else PillState.sending
        if waiting
        else PillState.all_sent
    )
    assert shown.state is expected
    assert shown.waiting == waiting
    if shown.state is PillState.all_sent:
        assert waiting == 0
        assert heard


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (SyncStatus(True, (), NOW), "All sent · just now"),
        (SyncStatus(True, (LaneStatus(1, unsent=3),), NOW), "Sending 3"),
        (SyncStatus(True, (LaneStatus(1, unsent=12),), NOW - timedelta(seconds=31)), "Offline · 12 saved here"),
        (SyncStatus(True, (LaneStatus(1, dead=2),), NOW), "Needs help · 2"),
        (SyncStatus(False), "Not paired"),
        (SyncStatus(True, (), NOW, cannot_save="disk_full"), "Cannot save"),
        (SyncStatus(True, (LaneStatus(3, unsent=500),), NOW), "All sent · just now"),
    ],
)
def test_the_exact_words(status: SyncStatus, text: str) -> None:
    assert pill(status, NOW).text == text
