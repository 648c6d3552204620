"""Sync details say what the pill says, and count what the pill leaves out."""

from __future__ import annotations

from datetime import timedelta

from foodflow_desktop.stations.sync_details import SyncDetailsStation, screen_of
from foodflow_desktop.store.status import LaneStatus, SyncStatus
from foodflow_desktop.sync.status import PillState
from tests.foodflow_desktop.stations import plant
from tests.foodflow_desktop.stations.plant import AT


def test_telemetry_waits_in_the_details_and_not_in_the_count():
    lanes = (LaneStatus(0, unsent=1, oldest_at=AT), LaneStatus(1, unsent=2), LaneStatus(3, unsent=900))
    screen = screen_of(SyncStatus(is_paired=True, lanes=lanes, heard_at=AT), AT, "T-07")
    assert (screen.waiting, screen.pill.state, screen.pill.count) == (3, PillState.sending, 3)
    assert [lane.unsent for lane in screen.lanes] == [1, 2, 900]
    assert screen.oldest_at == AT


def test_all_sent_only_while_the_hub_is_heard():
    status = SyncStatus(is_paired=True, lanes=(LaneStatus(0), LaneStatus(1)), heard_at=AT)
    assert screen_of(status, AT + timedelta(seconds=29), "").pill.state is PillState.all_sent
    late = screen_of(status, AT + timedelta(seconds=31), "")
    assert (late.pill.state, late.is_heard) == (PillState.offline, False)


def test_a_revoked_terminal_says_so_before_any_other_error():
    status = SyncStatus(is_paired=True, last_error="hub_unreachable", is_revoked=True)
    assert screen_of(status, AT, "").problem == "revoked"


def test_what_was_just_recorded_waits_and_send_now_asks_the_engine(context):
    asked = []
    station = SyncDetailsStation(context, lambda: asked.append("now"))
    plant.sign_in(context, "FFB-1041")
    plant.count(context, 3)
    assert station.screen().waiting == 1
    assert station.screen().terminal == "T-07"
    station.send_now()
    assert asked == ["now"]
