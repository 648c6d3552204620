"""The kiosk put together: which stations and views there are, and what runs beside them."""

# ruff: noqa: PLC0415  # a view's module is loaded when the view is made: a terminal starts with one of them

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from foodflow_desktop.keys import Keys
from foodflow_desktop.stations.batch import FinishStation, StartStation
from foodflow_desktop.stations.ccp import CcpStation
from foodflow_desktop.stations.checks import ChecksStation
from foodflow_desktop.stations.context import Context
from foodflow_desktop.stations.deviation import DeviationStation
from foodflow_desktop.stations.downtime import DowntimeStation
from foodflow_desktop.stations.history import HistoryStation
from foodflow_desktop.stations.line import LineStation
from foodflow_desktop.stations.line_recording import LineRecording
from foodflow_desktop.stations.material import MaterialStation
from foodflow_desktop.stations.pairing import PairingStation
from foodflow_desktop.stations.scrap import ScrapStation
from foodflow_desktop.stations.sync_details import SyncDetailsStation
from foodflow_desktop.stations.weigh import WeighStation
from foodflow_desktop.sync.engine import Engine
from foodflow_desktop.views import i18n
from foodflow_desktop.views.shell import RailEntry, Shell
from foodflow_desktop.views.station_view import StationView


class Worker(Protocol):
    """Something that runs as long as the window is there: line recording, telemetry."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End; waits for its threads."""


@dataclass
class Kiosk:
    """The window and what runs beside it."""

    shell: Shell
    workers: Sequence[Worker] = field(default_factory=list)

    def start(self) -> None:
        """Start what runs beside the window, and make the views that are not there yet."""
        for worker in self.workers:
            worker.start()
        self.shell.make_ready()

    def stop(self) -> None:
        """Stop it, newest first."""
        self.shell.stop()
        for worker in reversed(self.workers):
            worker.stop()


RAIL: tuple[RailEntry, ...] = (
    RailEntry("run", "play", "Run"),
    RailEntry("weigh", "scale", "Weigh"),
    RailEntry("materials", "box", "Materials"),
    RailEntry("checks", "clipboard", "Checks"),
    RailEntry("downtime", "pause", "Downtime"),
    RailEntry("more", "dots", "More"),
)
"""Fixed order of ux.md, section 3; an entry stands here once its view exists."""

HOME = "run"


def build(context: Context, engine: Engine, keys: Keys, hub: str) -> Kiosk:
    """The kiosk's window with all its views, and what records the line beside it.

    Args:
        engine: sends what is recorded; started once the terminal is paired.
        hub: address proposed for pairing.
    """
    i18n.use_zone(context.zone)
    shell = Shell(context, RAIL, HOME)
    recording = LineRecording(context)
    downtime = DowntimeStation(context, recording)
    weigh = WeighStation(context)
    shell.badge("weigh", weigh.badge)
    shell.badge("downtime", lambda: -1 if downtime.badge() else 0)
    shell.watch("downtime", lambda: downtime.wants_attention)

    def paired() -> None:
        context.pins.set_pepper(keys.pepper() or b"")
        engine.start()

    offers = {
        **_own_views(context, PairingStation(context, keys, hub, paired), engine),
        **_line_views(context, downtime, weigh),
        **_check_views(context),
    }
    for name, make in offers.items():
        shell.offer(name, make)
    shell.go("sign_in")
    return Kiosk(shell, [recording])


Offers = dict[str, Callable[[], StationView]]
"""How to make each view, by its name. A view's module is loaded with it: a terminal starts with one of them."""


def _own_views(context: Context, pairing_station: PairingStation, engine: Engine) -> Offers:
    """The terminal itself."""
    history_station, sync_station = HistoryStation(context), SyncDetailsStation(context, engine.send_now)

    def pairing() -> StationView:
        from foodflow_desktop.views.pairing_view import PairingView

        return PairingView(context, pairing_station)

    def more() -> StationView:
        from foodflow_desktop.views.more_view import MoreView

        return MoreView(context)

    def history() -> StationView:
        from foodflow_desktop.views.history_view import HistoryView

        return HistoryView(context, history_station)

    def sync() -> StationView:
        from foodflow_desktop.views.sync_details_view import SyncDetailsView

        return SyncDetailsView(context, sync_station)

    return {"pairing": pairing, "more": more, "history": history, "sync": sync}


def _line_views(context: Context, downtime_station: DowntimeStation, weigh_station: WeighStation) -> Offers:
    """What an operator does at a running line, what is needed first in front."""
    line_station, material_station, scrap_station = (
        LineStation(context),
        MaterialStation(context),
        ScrapStation(context),
    )
    start_station, finish_station = StartStation(context), FinishStation(context)

    def run() -> StationView:
        from foodflow_desktop.views.run_view import RunView

        return RunView(context, line_station)

    def weigh() -> StationView:
        from foodflow_desktop.views.weigh_view import WeighView

        return WeighView(context, weigh_station)

    def start_batch() -> StationView:
        from foodflow_desktop.views.batch_view import StartView

        return StartView(context, start_station)

    def finish_batch() -> StationView:
        from foodflow_desktop.views.batch_view import FinishView

        return FinishView(context, finish_station)

    def materials() -> StationView:
        from foodflow_desktop.views.material_view import MaterialView

        return MaterialView(context, material_station)

    def downtime() -> StationView:
        from foodflow_desktop.views.downtime_view import DowntimeView

        return DowntimeView(context, downtime_station)

    def scrap() -> StationView:
        from foodflow_desktop.views.scrap_view import ScrapView

        return ScrapView(context, scrap_station)

    return {
        "run": run,
        "weigh": weigh,
        "materials": materials,
        "downtime": downtime,
        "start_batch": start_batch,
        "finish_batch": finish_batch,
        "scrap": scrap,
    }


def _check_views(context: Context) -> Offers:
    """Checks, and what follows from them."""
    checks_station, ccp_station, deviation_station = (
        ChecksStation(context),
        CcpStation(context),
        DeviationStation(context),
    )

    def checks() -> StationView:
        from foodflow_desktop.views.checks_view import ChecksView

        return ChecksView(context, checks_station)

    def ccp() -> StationView:
        from foodflow_desktop.views.ccp_view import CcpView

        return CcpView(context, ccp_station)

    def deviation() -> StationView:
        from foodflow_desktop.views.deviation_view import DeviationView

        return DeviationView(context, deviation_station)

    return {"checks": checks, "ccp": ccp, "deviation": deviation}
