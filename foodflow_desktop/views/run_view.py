"""Run: the line's home (mockups 02 and 11)."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from foodflow_desktop.stations.context import Context
from foodflow_desktop.stations.line import LineStation
from foodflow_desktop.stations.line_screen import RunScreen
from foodflow_desktop.views import i18n, theme
from foodflow_desktop.views.i18n import tr
from foodflow_desktop.views.run_parts import Figure, NoBatch, OfflineStrip, StateChip, TaskButton, WideButton
from foodflow_desktop.views.station_view import StationView
from foodflow_desktop.views.widgets.controls import Words
from foodflow_desktop.views.widgets.hour import Dash, HourBars, PlanTrack
from foodflow_desktop.views.widgets.kiosk import Pill
from foodflow_desktop.views.widgets.parts import Card, Rule, Stack, Swatch, column, row

SIDE_W, UPPER_H = 358, 404
NARROW, NARROW_SIDE_W = 1200, 284
"""A window narrower than this gives the line more room; the batch number is in the bar anyway."""


class StateCard(Card):
    """State, product, count against plan, rate, good, scrap, finish."""

    def __init__(self) -> None:
        super().__init__("run.card")
        self._state, self._held = StateChip("run.state"), Pill("run.held", height=40, px=18, weight=680, side=13)
        self._batch = Words("run.batch", 17.6, 450, "ink2", mono=True)
        self._product = Words("run.product", 36, 700, heading=True, wrap=True)
        self._count, self._of = Words("run.count", 84, 740), Words("run.of", 25, 450, "ink2", wrap=True)
        self._track = PlanTrack("run.plan")
        self._rate, self._good = Figure("run.rate"), Figure("run.good")
        self._scrap, self._finish = Figure("run.scrap_total"), Figure("run.finishes")
        self.retheme()
        self._build()

    def retheme(self) -> None:
        """Follow the text scale, and a product name that needs two lines."""
        layout = self.layout()
        needed = layout.minimumHeightForWidth(self.width()) if layout is not None else 0
        self.setMinimumHeight(max(theme.px(UPPER_H), needed))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width may break the name elsewhere."""
        super().resizeEvent(event)
        self.retheme()

    def _build(self) -> None:
        chips = row(gap=12)
        chips.addWidget(self._state)
        chips.addWidget(self._held)
        chips.addStretch(1)
        chips.addWidget(self._batch)
        count = row(gap=15)
        count.addWidget(self._count)
        count.addWidget(self._of, 1, Qt.AlignmentFlag.AlignBottom)
        figures = QGridLayout()
        figures.setContentsMargins(0, 0, 0, 0)
        figures.setHorizontalSpacing(0)
        places = ((self._rate, 264), (self._good, 125), (self._scrap, 140), (self._finish, 155))
        for place, (figure, stretch) in enumerate(places):
            figures.addWidget(figure, 0, place)
            figures.setColumnStretch(place, stretch)
            figure.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._of.setContentsMargins(0, 0, 0, 14)  # on the count's baseline
        box = column(margins=(29, 25, 29, 20))
        box.addLayout(chips)
        box.addSpacing(16)
        box.addWidget(self._product)
        box.addSpacing(3)
        box.addLayout(count)
        box.addStretch(1)
        box.addWidget(self._track)
        box.addSpacing(18)
        box.addWidget(Rule())
        box.addSpacing(17)
        box.addLayout(figures)
        box.addSpacing(1)
        self.setLayout(box)

    def show_batch(self, shows: bool) -> None:
        """Whether there is room for the batch number."""
        self._batch.setVisible(shows)

    def show_screen(self, screen: RunScreen) -> None:
        """Draw it."""
        self._state.show_state(screen.word, screen.minutes)
        self._held.setVisible(screen.is_held)
        self._held.say(tr("Lot on hold"), icon="lock", ink="hold", fill="holdSoft", border="holdSoft")
        self._batch.say(screen.batch_no)
        self._product.say(screen.product)
        self._count.say(i18n.number(screen.made))
        self._of.say(tr("of {n} {unit}", n=i18n.number(screen.planned), unit=screen.unit).strip())
        share = screen.made / screen.planned if screen.planned else 0.0
        now = screen.plan_now / screen.planned if screen.plan_now is not None and screen.planned else None
        words = tr("plan now {n}", n=i18n.number(screen.plan_now)) if screen.plan_now is not None else ""
        self._track.show_shares(share, now, words)
        rate = i18n.number(screen.rate, 1) if screen.rate is not None else "–"
        target = tr("per min · target {n}", n=i18n.number(screen.target, 0)) if screen.target else tr("per min")
        self._rate.say(tr("Rate"), rate, target)
        self._good.say(tr("Good"), i18n.number(screen.good))
        self._scrap.say(tr("Scrap"), i18n.number(screen.scrap), i18n.percent(screen.scrap_share))
        finish = i18n.clock(screen.finishes_at) if screen.finishes_at else "–"
        self._finish.say(tr("Finishes about"), finish)
        self.retheme()


class HourCard(Card):
    """The last hour in five-minute bars."""

    def __init__(self) -> None:
        super().__init__("run.hour")
        self._title = Words("run.hour.title", 22, 680, heading=True, wrap=True)
        self._target, self._stop = (
            Words("run.hour.target", 16, 600, "ink3", wrap=True),
            Words("run.hour.stop", 16, 600, "ink3", wrap=True),
        )
        self._dash, self._swatch = Dash(), Swatch("ink3", 14)
        self._bars = HourBars("run.hour.bars")
        head = row(gap=8)
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(self._dash)
        head.addWidget(self._target)
        head.addSpacing(4)
        head.addWidget(self._swatch)
        head.addWidget(self._stop)
        box = column(gap=14, margins=(29, 19, 29, 20))
        box.addLayout(head)
        box.addWidget(self._bars, 1)
        self.setLayout(box)

    def show_screen(self, screen: RunScreen) -> None:
        """Draw it."""
        self._title.say(tr("Last hour"))
        has_target, stop = screen.per_bar is not None, screen.stop
        self._dash.setVisible(has_target)
        self._target.setVisible(has_target)
        self._target.say(tr("target {n} per 5 min", n=screen.per_bar))
        self._swatch.setVisible(stop is not None)
        self._stop.setVisible(stop is not None)
        if stop is not None:
            self._stop.say(tr("{n} min stop {at}", n=stop.minutes, at=i18n.clock(stop.at)))
        self._bars.show_bars(screen.bars, screen.per_bar, i18n.clock(screen.to_at) if screen.to_at else "")


class NextCard(Card):
    """At most three things to do."""

    def __init__(self, view: RunView) -> None:
        super().__init__("run.next")
        self._title, self._count = (
            Words("run.next.title", 22, 680, heading=True),
            Words("run.next.count", 17, 650, "ink3"),
        )
        self._nothing = Words("run.next.nothing", 19, 450, "ink2", wrap=True)
        self._tasks = [TaskButton(f"run.task.{number}") for number in (1, 2, 3)]
        head = row(margins=(5, 1, 5, 5))
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(self._count)
        box = column(gap=12, margins=(21, 19, 21, 20))
        box.addLayout(head)
        box.addWidget(self._nothing)
        for task in self._tasks:
            task.clicked.connect(lambda _=False, t=task: view.open_task(t))
            box.addWidget(task)
        box.addStretch(1)
        self.setLayout(box)
        self.retheme()

    def retheme(self) -> None:
        """Follow the text scale."""
        self.setMinimumHeight(theme.px(UPPER_H))

    def show_screen(self, screen: RunScreen) -> None:
        """Draw them."""
        self._title.say(tr("Next for you"))
        self._count.say(f"{len(screen.tasks)}" if screen.tasks else "")
        self._nothing.setVisible(not screen.tasks)
        self._nothing.say(tr("Nothing to do now."))
        for place, task in enumerate(self._tasks):
            task.setVisible(place < len(screen.tasks))
            if place < len(screen.tasks):
                task.show_task(screen.tasks[place])


class RunView(StationView):
    """The line's home."""

    name = "run"

    def __init__(self, context: Context, station: LineStation) -> None:
        super().__init__(context)
        self.station = station
        station.on_changed = self.refresh
        self._strip = OfflineStrip("run.offline")
        self._strip.clicked.connect(lambda _=False: self.go("sync"))
        self._state, self._hour, self._next = StateCard(), HourCard(), NextCard(self)
        self._scrap, self._finish = WideButton("run.scrap", "trash"), WideButton("run.finish", "flag")
        self._scrap.clicked.connect(lambda _=False: self.go("scrap"))
        self._finish.clicked.connect(lambda _=False: self.go("finish_batch"))
        self._empty = NoBatch()
        self._whole = Stack()
        self._running = QWidget()
        self._running.setLayout(self._layout())
        self._whole.addWidget(self._running)
        self._whole.addWidget(self._empty)
        box = column(gap=16, margins=(24, 20, 24, 22))
        box.addWidget(self._strip)
        box.addWidget(self._whole, 1)
        self.setLayout(box)

    def _layout(self) -> QHBoxLayout:
        left: QVBoxLayout = column(gap=20)
        left.addWidget(self._state)
        left.addWidget(self._hour, 1)
        buttons: QVBoxLayout = column(gap=17)
        buttons.addWidget(self._scrap, 1)
        buttons.addWidget(self._finish, 1)
        right: QVBoxLayout = column(gap=20)
        right.addWidget(self._next)
        right.addLayout(buttons, 1)
        self._side = (self._next, self._scrap, self._finish)
        for part in self._side:
            part.setFixedWidth(SIDE_W)
        both: QHBoxLayout = row(gap=20)
        both.addLayout(left, 1)
        both.addLayout(right)
        return both

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow window has a narrower side."""
        super().resizeEvent(event)
        is_wide = self.window().width() >= NARROW
        for part in self._side:
            part.setFixedWidth(SIDE_W if is_wide else NARROW_SIDE_W)
        self._state.show_batch(is_wide)

    def enter(self, about: Any = None) -> None:
        """The view comes to the front."""
        self.station.forget()
        self.refresh()

    def refresh(self) -> None:
        """Draw the station's picture."""
        self.show_screen(self.station.screen())

    def open_task(self, button: TaskButton) -> None:
        """Go where a task is done."""
        if button.task is not None:
            self.go(button.task.view, button.task.about)

    def show_screen(self, screen: RunScreen) -> None:
        """Draw a picture; nothing else decides what is seen."""
        self._strip.show_offline(screen.offline)
        if not screen.has_batch:
            self._empty.show_orders(screen.orders)
            self._whole.setCurrentWidget(self._empty)
            return
        self._whole.setCurrentWidget(self._running)
        self._state.show_screen(screen)
        self._hour.show_screen(screen)
        self._next.show_screen(screen)
        self._scrap.say(tr("Record scrap"))
        self._finish.say(tr("Finish batch"))
