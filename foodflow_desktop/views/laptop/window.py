"""The laptop's frame: sidebar, header and the screens; asks the hub again every few seconds.

Nothing here blocks: each question runs through ``jobs`` and the screens are shown again when it
is answered. A screen keeps what it has while a new answer is on its way.
"""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QScrollArea, QStackedWidget, QWidget

from foodflow_desktop.stations.supervisor import Supervisor
from foodflow_desktop.store import Recorded
from foodflow_desktop.views import i18n, jobs
from foodflow_desktop.views.laptop.board_view import BoardView
from foodflow_desktop.views.laptop.deviations_view import DeviationsView
from foodflow_desktop.views.laptop.header import Header
from foodflow_desktop.views.laptop.sidebar import ENTRIES, Sidebar
from foodflow_desktop.views.laptop.sign_in_view import LaptopSignInView
from foodflow_desktop.views.laptop.sync_health_view import SyncHealthView
from foodflow_desktop.views.laptop.terminals_view import TerminalsView
from foodflow_desktop.views.laptop.trace_view import TraceView
from foodflow_desktop.views.widgets.parts import column, row

ASK_EVERY_S = 5.0
"""Plant seconds between questions."""
ASK_FASTEST_MS = 1000


class LaptopWindow(QWidget):
    """The whole laptop mode in one widget.

    Args:
        rate: plant seconds per real second, so that a fast demo asks as often as a real plant.
    """

    def __init__(self, supervisor: Supervisor, rate: float = 1.0) -> None:
        super().__init__()
        self.setObjectName("window")
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._supervisor = supervisor
        self._is_asking = False
        self.current = "board"
        self.on_saved: list[Callable[[Recorded], None]] = []
        """Nothing is recorded here; the remote asks every window alike."""
        self.sign_in = LaptopSignInView()
        self.sidebar = Sidebar()
        self.header = Header()
        self.board = BoardView()
        self.deviations = DeviationsView()
        self.trace = TraceView()
        self.sync_health = SyncHealthView()
        self.terminals = TerminalsView()
        self._pages = {
            "board": self.board,
            "deviations": self.deviations,
            "trace": self.trace,
            "sync_health": self.sync_health,
            "terminals": self.terminals,
        }
        self._stack = QStackedWidget()
        for page in self._pages.values():
            self._stack.addWidget(page)
        right = column()
        right.addWidget(self.header)
        right.addWidget(self._stack, 1)
        inside = row()
        inside.addWidget(self.sidebar)
        inside.addLayout(right, 1)
        self._inside = QWidget()
        self._inside.setLayout(inside)
        self._outer = QStackedWidget()
        self._outer.addWidget(self.sign_in)
        self._outer.addWidget(self._inside)
        whole = column()
        whole.addWidget(self._outer)
        self.setLayout(whole)
        self._connect()
        self._timer = QTimer(self)
        self._timer.setInterval(max(ASK_FASTEST_MS, int(ASK_EVERY_S * 1000 / rate)))
        self._timer.timeout.connect(self.ask)
        self._second = QTimer(self)
        self._second.setInterval(1000)
        self._second.timeout.connect(self.show_all)
        self.show_all()

    def start(self) -> None:
        """Begin to ask the hub again and again."""
        self._timer.start()
        self._second.start()

    def view_name(self) -> str:
        """The open screen, for the remote."""
        return self.current if self._supervisor.screen().person else "sign_in"

    def reveal(self, widget: QWidget) -> None:
        """Scroll until a control can be clicked."""
        parent = widget.parentWidget()
        while parent is not None:
            if isinstance(parent, QScrollArea):
                parent.ensureWidgetVisible(widget)
            parent = parent.parentWidget()

    def ask(self) -> None:
        """Ask for every report, unless the last question is still open or nobody is signed in."""
        if self._supervisor.screen().person is not None and not self._is_asking:
            self._is_asking = True
            jobs.run(self._supervisor.refresh, lambda _: self._asked(), lambda _: self._asked())

    def go(self, name: str) -> None:
        """Open a screen."""
        self.current = name
        self.show_all()

    def search(self, text: str) -> None:
        """Find a lot or batch and show it in Trace."""
        if text.strip():
            self.go("trace")
            self._do(lambda: self._supervisor.trace.search(text))

    def show_all(self) -> None:
        """Draw the open screen as of now."""
        screen = self._supervisor.screen()
        if screen.tz is not None:
            i18n.use_zone(ZoneInfo(screen.tz))
        self._outer.setCurrentWidget(self._inside if screen.person else self.sign_in)
        self.sign_in.show_screen(screen)  # with somebody in it too: no password stays in its field
        if screen.person is None:
            return
        titles = {name: words() for name, _, words in ENTRIES}
        self.sidebar.show_screen(screen, self.current)
        self.header.show_screen(screen, titles[self.current])
        self._stack.setCurrentWidget(self._pages[self.current])
        match self.current:
            case "board":
                self.board.show_screen(self._supervisor.board.screen())
            case "deviations":
                self.deviations.show_screen(self._supervisor.board.deviations())
            case "trace":
                self.trace.show_screen(self._supervisor.trace.screen())
            case "sync_health":
                self.sync_health.show_screen(self._supervisor.sync_health())
            case _:
                self.terminals.show_screen(self._supervisor.terminals.screen())

    def showEvent(self, event: QShowEvent) -> None:
        """The keyboard starts nowhere, or in the first empty field of the sign-in."""
        super().showEvent(event)
        self.setFocus()
        if self._supervisor.screen().person is None:
            self.sign_in.begin()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop asking."""
        self._timer.stop()
        self._second.stop()
        super().closeEvent(event)

    def _connect(self) -> None:
        supervisor, terminals, trace = self._supervisor, self._supervisor.terminals, self._supervisor.trace
        self.sign_in.asked.connect(
            lambda address, tenant, login, password, totp: self._do(
                lambda: supervisor.sign_in(address, tenant, login, password, totp)
            )
        )
        self.sign_in.language_asked.connect(self._use_language)
        self.sidebar.language_asked.connect(self._use_language)
        self.sidebar.chosen.connect(self.go)
        self.sidebar.signed_out.connect(lambda: self._do(supervisor.sign_out))
        self.header.searched.connect(self.search)
        self.header.pill.clicked.connect(lambda: self.go("sync_health"))
        self.board.side.opened.connect(self.go)
        self.board.side.deviation_opened.connect(self._open_deviation)
        self.deviations.chosen.connect(lambda number: self._now(lambda: supervisor.board.choose(number)))
        self.deviations.trace_asked.connect(self.search)
        self.trace.searched.connect(lambda text: self._do(lambda: trace.search(text)))
        self.trace.opened.connect(lambda hit: self._do(lambda: trace.open(hit)))
        self.trace.turned.connect(lambda direction: self._do(lambda: trace.turn(direction)))
        self.trace.table_asked.connect(lambda shows: self._now(lambda: trace.show_table(shows)))
        self.trace.csv_asked.connect(lambda: self.trace.save_csv(trace.csv()))
        self.trace.packed.connect(lambda qty: self._do(lambda: trace.pack(qty)))
        self.trace.shipped.connect(
            lambda pallet, code, name, document: self._do(lambda: trace.ship(pallet, code, name, document))
        )
        self.terminals.add_asked.connect(lambda is_adding: self._now(lambda: terminals.add(is_adding)))
        self.terminals.code_typed.connect(lambda code: self._do(lambda: terminals.find(code)))
        self.terminals.approved.connect(lambda line, name: self._do(lambda: terminals.approve(line, name)))
        self.terminals.revoke_asked.connect(lambda device: self._now(lambda: terminals.ask_revoke(device)))
        self.terminals.revoked.connect(lambda reason: self._do(lambda: terminals.revoke(reason)))
        QShortcut(QKeySequence("Ctrl+K"), self, self._focus_search)
        QShortcut(QKeySequence("Ctrl+L"), self, lambda: self._do(supervisor.sign_out))
        for number, (name, _, _) in enumerate(ENTRIES, start=1):
            QShortcut(QKeySequence(f"Alt+{number}"), self, lambda name=name: self.go(name))

    def _do(self, work: Callable[[], object]) -> None:
        """Run a question off the UI thread and show what came of it."""
        jobs.run(work, lambda _: self.show_all(), self._failed)

    def _now(self, change: Callable[[], object]) -> None:
        change()
        self.show_all()

    def _asked(self) -> None:
        self._is_asking = False
        self.show_all()

    def _failed(self, error: BaseException) -> None:
        self.show_all()
        raise error

    def _focus_search(self) -> None:
        self.header.search.setFocus()
        self.header.search.selectAll()

    def _open_deviation(self, number: str) -> None:
        self._supervisor.board.choose(number)
        self.go("deviations")

    def _use_language(self, language: str) -> None:
        i18n.use(language)
        self.show_all()
