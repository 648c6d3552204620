"""The laptop's screens with the data of mockups 20, 21 and 23."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from foodflow_desktop.stations.supervisor import Supervisor
from foodflow_desktop.views import i18n, theme
from foodflow_desktop.views.laptop.window import LaptopWindow
from foodflow_kernel.clock import FakeClock
from tests.shots.hub import NOW, PicturedHub
from tests.shots.shot import Shot

SIZE = (1440, 900)


def laptop(page: str, person: str = "Supervisor 3001") -> LaptopWindow:
    """The laptop as pictured, with one of its screens open."""
    supervisor = Supervisor(PicturedHub(person=person, short_no=person[-4:]), FakeClock(NOW))
    supervisor.sign_in("https://hub", "harvest", "3001", "")
    window = LaptopWindow(supervisor)
    window.go(page)
    return window


def _build(
    page: str, person: str = "Supervisor 3001", look: str = "light", language: str = "en"
) -> Callable[[], QWidget]:
    def build() -> QWidget:
        theme.use(look)
        i18n.use(language)
        window = laptop(page, person)
        if page == "trace":
            window._supervisor.trace.search("BP-261117-A")
            window._supervisor.trace.turn("forward")
            window.show_all()
        return window

    return build


SHOTS: tuple[Shot, ...] = (
    Shot("line-board", "20-line-board.png", SIZE, _build("board")),
    Shot("trace", "21-trace-recall.png", SIZE, _build("trace", "QA manager 4001")),
    Shot("sync-health", "23-sync-health.png", SIZE, _build("sync_health")),
    Shot("deviations", "", SIZE, _build("deviations")),
    Shot("terminals", "", SIZE, _build("terminals")),
    Shot("line-board-dark-es", "", SIZE, _build("board", look="dark", language="es")),
)
