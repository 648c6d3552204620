"""The kiosk's window: bar, rail, one view; routes scans and keys; locks by itself.

Views are made once, when first shown or in the quiet after the window is up, and stay: a language
switch or another person keeps drafts. Whatever a device thread, the store or a job brings arrives
here through ``jobs.on_ui``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QStackedWidget, QWidget

from foodflow_desktop.hardware.readings import Scan
from foodflow_desktop.stations import labels, running
from foodflow_desktop.stations.checks import ChecksStation
from foodflow_desktop.stations.context import Context
from foodflow_desktop.stations.sign_in import SignInStation
from foodflow_desktop.store import Recorded
from foodflow_desktop.sync import status as sync_status
from foodflow_desktop.views import i18n, jobs
from foodflow_desktop.views.bar import BarScreen, Rail, TopBar
from foodflow_desktop.views.i18n import tr
from foodflow_desktop.views.keys import name_of
from foodflow_desktop.views.sign_in_view import SignInView
from foodflow_desktop.views.station_view import StationView
from foodflow_desktop.views.toast import Toast
from foodflow_desktop.views.widgets.parts import column, row
from foodflow_kernel.gs1.plant import ScanKind

TICK_MS = 500
MAKE_READY_MS = 40
"""Between two views made ahead: the window answers touches in between."""
BURST_MS = 80
OPEN_TO_ALL = ("sign_in", "pairing")
"""Views that need nobody signed in."""
ACTIVITY = (QEvent.Type.MouseButtonPress, QEvent.Type.KeyPress, QEvent.Type.TouchBegin)


@dataclass(frozen=True, slots=True)
class RailEntry:
    """One entry of the rail: its name is its view's name."""

    name: str
    icon: str
    words: str


class Shell(QWidget):
    """The whole kiosk."""

    def __init__(self, context: Context, rail: tuple[RailEntry, ...], home: str) -> None:
        super().__init__()
        self.setObjectName("window")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        jobs.prepare()
        self.context = context
        self._entries, self._home = rail, home
        self.sign_in = SignInStation(context)
        self._checks = ChecksStation(context)
        self._views: dict[str, StationView] = {}
        self._offered: dict[str, Callable[[], StationView]] = {}
        """How to make the views that nobody needed yet."""
        self._pages: dict[str, QScrollArea] = {}
        """Each view in a page that scrolls where large text leaves no other way."""
        self._before_lock = home
        self._seen_ns = context.clock.mono_ns()
        self.on_saved: list[Callable[[Recorded], None]] = []
        self._badges: dict[str, Callable[[], int]] = {"checks": self._checks.badge}
        self._watched: dict[str, Callable[[], Any]] = {}
        self._brought: dict[str, Any] = {}
        self.bar, self.rail, self.stack = TopBar(), Rail([(entry.name, entry.icon) for entry in rail]), QStackedWidget()
        self.toast = Toast(self)
        body = row()
        body.addWidget(self.rail)
        body.addWidget(self.stack, 1)
        whole = column()
        whole.addWidget(self.bar)
        whole.addLayout(body, 1)
        self.setLayout(whole)
        self._wire()
        self._front: StationView = SignInView(context, self.sign_in)
        self.add(self._front)
        self.go("sign_in")

    def _wire(self) -> None:
        context = self.context
        for name, button in self.rail.buttons.items():
            button.clicked.connect(lambda _=False, n=name: self.go(n))
        self.bar.language.clicked.connect(lambda: self.go("language", "es" if i18n.current() == "en" else "en"))
        self.bar.pill.clicked.connect(lambda: self.go("sync"))
        self.bar.user.clicked.connect(lambda: self.lock("locked"))
        self.sign_in.on_signed_in = self._on_signed_in
        self.sign_in.on_locked = self._on_locked
        context.store.subscribe(jobs.gathered(self._on_recorded))
        context.store.on_master(lambda _: jobs.on_ui(self._on_master))
        changed = jobs.coalesced(self._soon)
        context.store.on_status(lambda _: changed())
        context.hardware.subscribe(Scan, lambda scan: jobs.on_ui(lambda: self.scanned(scan)))
        self._is_gone = False
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._show_bar)
        self._tick = QTimer(self)
        self._tick.setInterval(TICK_MS)
        self._tick.timeout.connect(self._on_tick)
        self._tick.start()
        self._ready = QTimer(self)
        self._ready.setInterval(MAKE_READY_MS)
        self._ready.timeout.connect(self._make_next)

    def stop(self) -> None:
        """No more ticks, and nothing that is still on its way to the window: it goes."""
        self._is_gone = True
        self._tick.stop()
        self._later.stop()
        self._ready.stop()

    # --- views ---------------------------------------------------------------------------

    def add(self, view: StationView) -> None:
        """Take in a view."""
        self._views[view.name] = view
        view.go, view.tell = self.go, self.tell
        page = QScrollArea()
        page.setWidgetResizable(True)
        page.setFrameShape(QFrame.Shape.NoFrame)
        page.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        page.setWidget(view)
        self._pages[view.name] = page
        self.stack.addWidget(page)

    def offer(self, name: str, make: Callable[[], StationView]) -> None:
        """Take in a view that is made when it is first shown: a terminal starts with one, not with fifteen."""
        self._offered[name] = make

    def make_ready(self) -> None:
        """Make the offered views one after another, so that nobody waits for one at its first touch."""
        self._ready.start()

    def _make_next(self) -> None:
        if self._offered:
            self._known(next(iter(self._offered)))
        else:
            self._ready.stop()

    def _known(self, name: str) -> StationView | None:
        """A view by its name, made if it was only offered."""
        make = self._offered.pop(name, None)
        if make is not None:
            self.add(make())
        return self._views.get(name)

    def _has(self, name: str | None) -> bool:
        return name in self._views or name in self._offered

    def badge(self, entry: str, count: Callable[[], int]) -> None:
        """What a rail entry counts; a negative number is an exclamation mark."""
        self._badges[entry] = count

    def watch(self, name: str, ask: Callable[[], Any]) -> None:
        """Bring a view up by itself, once for each thing that ``ask`` names."""
        self._watched[name] = ask

    def view(self) -> StationView:
        """The view in front."""
        return self._front

    def view_name(self) -> str:
        """Its name, for the remote."""
        return self._front.name

    def go(self, name: str, about: Any = None) -> None:
        """Show a view; ``language`` switches the language instead."""
        if name == "language":
            self.use_language(about)
            return
        if name == "home":
            name = self._home
        if self.context.session.user is None and name not in OPEN_TO_ALL:
            name, about = "sign_in", None
        if name == "sign_in" and self.context.store.terminal is None and self._has("pairing"):
            name = "pairing"
        target = self._known(name) or self._known(self._home) or self._front
        if self._front is not target:
            self._front.leave()
        self._front = target
        self.stack.setCurrentWidget(self._pages[target.name])
        self.setFocus()
        target.enter(about)
        self._show_bar()

    def refresh(self) -> None:
        """Draw bar and view again."""
        self.view().refresh()
        self._show_bar()

    def reveal(self, widget: QWidget) -> None:
        """Scroll a control into sight, as a person would before touching it."""
        page = self._pages[self._front.name]
        if page.isAncestorOf(widget):
            page.ensureWidgetVisible(widget, 8, 8)

    def tell(self, text: str, kind: str = "ok") -> None:
        """A message that goes by itself."""
        self.toast.tell(text, kind)

    def use_language(self, language: str) -> None:
        """Switch the language at run time; drafts stay."""
        i18n.use(language)
        self.context.language = language
        self.view().refresh()
        self._show_bar()

    # --- who works -----------------------------------------------------------------------

    def lock(self, cause: str) -> None:
        """Hide everything until somebody signs in."""
        self.view().do(lambda: self.sign_in.lock(cause))

    def _on_locked(self) -> None:
        self._before_lock = self.view().name
        self.go("sign_in")

    def _on_signed_in(self) -> None:
        user = self.context.session.user
        if user is not None:
            self.use_language(user.locale if user.locale != "en" else i18n.current())
        self._seen_ns = self.context.clock.mono_ns()
        if self.view().name == "sign_in":
            self.go(self._before_lock)
        else:
            self.view().refresh()
            self._show_bar()

    # --- what comes in -------------------------------------------------------------------

    def scanned(self, scan: Scan) -> None:
        """A code was scanned: a badge switches, the view in front may use the rest, else it is routed."""
        self._seen_ns = self.context.clock.mono_ns()
        found = labels.routed(self.context, scan.raw, scan.symbology)
        if found.kind is ScanKind.badge:
            self.view().do(lambda: self.sign_in.on_badge(found.code))
            return
        if self.context.session.user is None:
            self.tell(tr("Sign in first, then scan."), "warn")
            return
        if self.view().on_scan(scan):
            return
        target = {
            ScanKind.work_order: "start_batch",
            ScanKind.material: "materials",
            ScanKind.lot: "materials",
        }.get(found.kind)
        if target is not None and self._has(target):
            self.go(target)
            if self.view().on_scan(scan):
                return
        self.tell(tr("Nothing here uses this code: {code}", code=found.code[:40]), "warn")

    def _on_recorded(self, rows: Sequence[Recorded]) -> None:
        """Facts are durable: screens list them as saved from here on."""
        for recorded in rows:
            for callback in self.on_saved:
                callback(recorded)
        self._soon()

    def _soon(self) -> None:
        """Draw the bar shortly: once for a burst of facts, not once for each."""
        if not self._is_gone and not self._later.isActive():
            self._later.start(BURST_MS)

    def _on_master(self) -> None:
        if self._is_gone:
            return
        i18n.use_zone(self.context.zone)
        self.view().refresh()
        self._show_bar()

    def _on_tick(self) -> None:
        self._show_bar()
        self.view().refresh()
        self._bring()
        user = self.context.session.user
        plant = next(iter(self.context.store.master.plants.values()), None)
        if user is None or plant is None:
            return
        if self.context.clock.mono_ns() - self._seen_ns > plant.auto_lock_s * 1e9:
            self.lock("idle")

    def _bring(self) -> None:
        """Bring up what asks for it, unless somebody stands before a stop screen or nobody is signed in."""
        if self.context.session.user is None or self.view().holds_front:
            return
        for name, ask in self._watched.items():
            found = ask()
            if found is not None and self._brought.get(name) != found:
                self._brought[name] = found
                self.go(name)

    def touched(self) -> None:
        """Any touch or key keeps the terminal unlocked."""
        self._seen_ns = self.context.clock.mono_ns()

    def showEvent(self, event: QShowEvent) -> None:
        """Listen at the window, where touches and keys arrive before any widget: few events, not all of Qt's."""
        super().showEvent(event)
        handle = self.windowHandle()
        if handle is not None:
            handle.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A touch or key at the window."""
        if event.type() in ACTIVITY:
            self.touched()
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """F1 to F7 are the rail, Ctrl+L locks, the rest is for the view in front."""
        key = name_of(event)
        if key == "lock":
            self.lock("locked")
        elif key.startswith("rail") and int(key[4:]) <= len(self._entries):
            self.go(self._entries[int(key[4:]) - 1].name)
        elif not key or not self.view().key(key):
            super().keyPressEvent(event)

    # --- the bar -------------------------------------------------------------------------

    def _show_bar(self) -> None:
        context = self.context
        picture, line_id = context.store.master, context.line_id
        line = picture.lines.get(line_id) if line_id else None
        seen = running.current_batch(context.store, line_id)
        item = picture.items.get(seen.batch.item_id) if seen else None
        terminal, user = context.terminal, context.session.user
        about = (
            " · ".join(part for part in (tr("Terminal {n}", n=terminal.name), terminal.area) if part)
            if terminal
            else ""
        )
        if seen and item and user:
            about = f"{context.named(item.names)} · {seen.batch.batch_no}"
        is_new = context.store.terminal is None
        if is_new:
            about = tr("FoodFlow OS · not paired yet")
        state = sync_status.pill(context.store.status(), context.clock.now())
        self.bar.show_screen(
            BarScreen(
                line=context.named(line.names, line.name) if line else tr("New terminal") if is_new else "FoodFlow OS",
                about=about,
                pill=state.state,
                count=state.count,
                language=i18n.current(),
                user=context.named(user.names, user.printed_name) if user else "",
                short=user.short_no[-2:] if user else "",
                clock=i18n.clock(context.clock.now()),
            )
        )
        here = self.view().rail or self.view().name
        self.rail.setVisible(user is not None)
        for entry in self._entries:
            button = self.rail.buttons[entry.name]
            button.say(tr(entry.words))
            count = self._badges.get(entry.name)
            button.show_state(entry.name == here, count() if count and user else 0)
