"""The kiosk put together: which stations and views there are, and what runs beside them."""

from __future__ import annotations

from collections.abc import Sequence
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
from foodflow_desktop.views.batch_view import FinishView, StartView
from foodflow_desktop.views.ccp_view import CcpView
from foodflow_desktop.views.checks_view import ChecksView
from foodflow_desktop.views.deviation_view import DeviationView
from foodflow_desktop.views.downtime_view import DowntimeView
from foodflow_desktop.views.history_view import HistoryView
from foodflow_desktop.views.material_view import MaterialView
from foodflow_desktop.views.more_view import MoreView
from foodflow_desktop.views.pairing_view import PairingView
from foodflow_desktop.views.run_view import RunView
from foodflow_desktop.views.scrap_view import ScrapView
from foodflow_desktop.views.shell import RailEntry, Shell
from foodflow_desktop.views.station_view import StationView
from foodflow_desktop.views.sync_details_view import SyncDetailsView
from foodflow_desktop.views.weigh_view import WeighView


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
        """Start what runs beside the window."""
        for worker in self.workers:
            worker.start()

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

    for view in (
        PairingView(context, PairingStation(context, keys, hub, paired)),
        *_line_views(context, downtime, weigh),
        *_check_views(context),
        MoreView(context),
        HistoryView(context, HistoryStation(context)),
        SyncDetailsView(context, SyncDetailsStation(context, engine.send_now)),
    ):
        shell.add(view)
    shell.go("sign_in")
    return Kiosk(shell, [recording])


def _line_views(context: Context, downtime: DowntimeStation, weigh: WeighStation) -> tuple[StationView, ...]:
    """What an operator does at a running line."""
    return (
        RunView(context, LineStation(context)),
        WeighView(context, weigh),
        StartView(context, StartStation(context)),
        FinishView(context, FinishStation(context)),
        MaterialView(context, MaterialStation(context)),
        DowntimeView(context, downtime),
        ScrapView(context, ScrapStation(context)),
    )


def _check_views(context: Context) -> tuple[StationView, ...]:
    """Checks, and what follows from them."""
    return (
        ChecksView(context, ChecksStation(context)),
        CcpView(context, CcpStation(context)),
        DeviationView(context, DeviationStation(context)),
    )
