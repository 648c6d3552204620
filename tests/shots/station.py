"""Downtime and pairing with the data of mockups 06 and 10; scrap, history, sync details and more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from PySide6.QtWidgets import QWidget

from foodflow_desktop.stations.context import Context
from foodflow_desktop.stations.downtime import DowntimeScreen, DowntimeStation, tiles
from foodflow_desktop.stations.history import HistoryStation
from foodflow_desktop.stations.line_recording import LineRecording
from foodflow_desktop.stations.pairing import PairingScreen, PairingStation, Step
from foodflow_desktop.stations.scrap import ScrapStation
from foodflow_desktop.stations.stops import Stop
from foodflow_desktop.stations.sync_details import SyncDetailsStation, screen_of
from foodflow_desktop.store import Draft
from foodflow_desktop.store.status import LaneStatus, SyncStatus
from foodflow_desktop.sync.pairing import Offer
from foodflow_desktop.sync.status import PillState
from foodflow_desktop.views.downtime_view import DowntimeView
from foodflow_desktop.views.history_view import HistoryView
from foodflow_desktop.views.more_view import MoreView
from foodflow_desktop.views.pairing_view import PairingView
from foodflow_desktop.views.scrap_view import ScrapView
from foodflow_desktop.views.sync_details_view import SyncDetailsView
from foodflow_kernel.wire import bodies
from foodflow_kernel.wire.bodies import Source
from tests.foodflow_desktop.stations import plant
from tests.shots import frame
from tests.shots.shot import Shot

SIZE = (1280, 800)
USED = {"jam": 8, "film_change": 5, "breakdown": 2, "no_material": 2, "upstream": 1, "downstream": 1}


def downtime(context: Context) -> DowntimeView:
    """The stop of 09:57:03, two minutes and fourteen seconds later."""
    view = DowntimeView(context, DowntimeStation(context, LineRecording(context)))
    started = frame.at(9, 57, 3)
    stop = Stop(plant.idof("stop"), plant.LINE_2, plant.BATCH, started, Source.signal)
    line = context.store.master.lines[plant.LINE_2]
    view.show_screen(
        DowntimeScreen(
            line_name=context.named(line.names),
            now=started + timedelta(seconds=134),
            stop=stop,
            reason=None,
            standing_since=None,
            is_signal_heard=True,
            has_user=True,
            reasons=tiles(context.store.master.reasons_by_tree["downtime"], USED, None, context.named),
        )
    )
    return view


def pairing(context: Context) -> PairingView:
    """The third step, with the code and words of the picture."""
    view = PairingView(context, PairingStation(context, None, "https://hub.plant1:8443", lambda: None))  # type: ignore[arg-type]
    now = frame.at(10, 10)
    words = ("amber", "ladle", "north", "fig")
    offer = Offer(plant.idof("device"), "K7QX-42MN", words, now + timedelta(minutes=8, seconds=41))
    view.show_screen(
        PairingScreen(
            step=Step.approve, hub="https://Plant 1", offer=offer, now=now, is_busy=False, error=None, plant="", line="",
            terminal="", devices=(),
        )
    )  # fmt: skip
    return view


def scrap(context: Context) -> ScrapView:
    """Twelve cups chosen, seven saved before."""
    station = ScrapStation(context)
    station.choose("underfill")
    station.key("7")
    plant.run(station.record())
    station.choose("bad_seal")
    station.key("1")
    station.key("2")
    view = ScrapView(context, station)
    view.refresh()
    return view


def history(context: Context) -> HistoryView:
    """A few records, one about to be taken back."""
    scrap(context)
    plant.run(DowntimeStation(context, _recording(context)).explain("jam"))
    reading = bodies.CcpReading(
        ccp_version_id=plant.COOK, ccp_id=plant.idof("CCP-1"), batch_id=plant.BATCH, lot_id=plant.LOT,
        value=Decimal("78.4"), unit="CEL", source="sensor", verdict="ok",
    )  # fmt: skip
    context.store.record(Draft(reading, plant.idof("FFB-2003"), plant.LINE_2))
    station = HistoryStation(context)
    station.choose(next(row.fact_id for row in station.screen().rows if row.kind == "scrap_recorded"))
    station.give_reason("twice")
    view = HistoryView(context, station)
    view.refresh()
    return view


def sync(context: Context) -> SyncDetailsView:
    """Offline since 10:31 with twelve records here."""
    now = frame.at(10, 42)
    lanes = (
        LaneStatus(0, unsent=3, oldest_at=frame.at(10, 31)), LaneStatus(1, unsent=9, oldest_at=frame.at(10, 32)),
        LaneStatus(2), LaneStatus(3, unsent=64),
    )  # fmt: skip
    status = SyncStatus(is_paired=True, lanes=lanes, heard_at=frame.at(10, 31), hub="https://hub.plant1:8443")
    view = SyncDetailsView(context, SyncDetailsStation(context, lambda: None))
    view.show_screen(screen_of(status, now, "T-07"))
    return view


def more(context: Context) -> MoreView:
    """The list of further screens."""
    view = MoreView(context)
    view.refresh()
    return view


def _recording(context: Context) -> LineRecording:
    recording = LineRecording(context)
    recording.start()
    recording.stop()
    return recording


def _build(
    make: Callable[[Context], QWidget], here: str, look: str = "light", language: str = "en", scale: float = 1.0
) -> Callable[[], QWidget]:
    def build() -> QWidget:
        frame.dressed(look, language, scale)
        bar = replace(frame.BAR, clock="09:59")
        if make is pairing:
            bar = replace(
                frame.BAR,
                line="New terminal",
                about="FoodFlow OS 0.1 · not paired yet",
                pill=PillState.not_paired,
                user="",
            )
        badges = {"downtime": -1} if make is downtime else {}
        return frame.window(make(frame.context(language)), here=here, bar=bar, badges=badges)

    return build


SHOTS: tuple[Shot, ...] = (
    Shot("downtime", "06-downtime.png", SIZE, _build(downtime, "downtime")),
    Shot("pairing", "10-pairing.png", SIZE, _build(pairing, "")),
    Shot("scrap", "", SIZE, _build(scrap, "run")),
    Shot("history", "", SIZE, _build(history, "more")),
    Shot("sync-details", "", SIZE, _build(sync, "more")),
    Shot("more", "", SIZE, _build(more, "more")),
    Shot("downtime-dark-es-130", "", SIZE, _build(downtime, "downtime", "dark", "es", 1.3)),
)
