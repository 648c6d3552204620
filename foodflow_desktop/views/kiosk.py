"""The kiosk put together: which stations and views there are, and what runs beside them."""

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
from foodflow_desktop.stations.material import MaterialStation
from foodflow_desktop.sync.engine import Engine
from foodflow_desktop.views import i18n
from foodflow_desktop.views.batch_view import FinishView, StartView
from foodflow_desktop.views.ccp_view import CcpView
from foodflow_desktop.views.checks_view import ChecksView
from foodflow_desktop.views.deviation_view import DeviationView
from foodflow_desktop.views.material_view import MaterialView
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
        """Start what runs beside the window."""
        for worker in self.workers:
            worker.start()

    def stop(self) -> None:
        """Stop it, newest first."""
        self.shell.stop()
        for worker in reversed(self.workers):
            worker.stop()


RAIL: tuple[RailEntry, ...] = (
    RailEntry("materials", "box", "Materials"),
    RailEntry("checks", "clipboard", "Checks"),
)
"""Fixed order of ux.md, section 3; an entry stands here once its view exists."""

VIEWS: tuple[Callable[[Context], StationView], ...] = (
    lambda context: ChecksView(context, ChecksStation(context)),
    lambda context: CcpView(context, CcpStation(context)),
    lambda context: DeviationView(context, DeviationStation(context)),
    lambda context: MaterialView(context, MaterialStation(context)),
    lambda context: StartView(context, StartStation(context)),
    lambda context: FinishView(context, FinishStation(context)),
)
"""Every view of the kiosk but the sign-in, which the shell brings itself."""

HOME = "checks"


def build(context: Context, engine: Engine, keys: Keys, hub: str) -> Kiosk:
    """The kiosk's window with all its views.

    Args:
        engine, keys, hub: for pairing and the sync details.
    """
    i18n.use_zone(context.zone)
    shell = Shell(context, RAIL, HOME)
    for make in VIEWS:
        shell.add(make(context))
    shell.go("sign_in")
    return Kiosk(shell)
