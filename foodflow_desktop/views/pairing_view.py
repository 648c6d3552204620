"""Setting up a terminal (mockup 10): steps on the left, the present one on the right."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QStackedWidget, QWidget

from foodflow_desktop.hardware.readings import DeviceState
from foodflow_desktop.stations.context import Context
from foodflow_desktop.stations.pairing import POLL_S, PairingScreen, PairingStation, Step
from foodflow_desktop.views import i18n, jobs, theme
from foodflow_desktop.views.i18n import sentence, tr
from foodflow_desktop.views.qr_view import QrView
from foodflow_desktop.views.station_view import StationView
from foodflow_desktop.views.widgets.controls import Field, Icon, Words
from foodflow_desktop.views.widgets.kiosk import TouchButton
from foodflow_desktop.views.widgets.mixed import MixedWords
from foodflow_desktop.views.widgets.parts import Card, Rule, clear, column, row

DEVICE_STATES = {
    DeviceState.connecting: lambda: tr("Connecting"),
    DeviceState.connected: lambda: tr("Connected"),
    DeviceState.silent: lambda: tr("No answer"),
    DeviceState.garbled: lambda: tr("Not understood"),
    DeviceState.unplugged: lambda: tr("Not connected"),
    DeviceState.faulty: lambda: tr("Reports a fault"),
    DeviceState.stopped: lambda: tr("Stopped"),
}


class StepRow(QWidget):
    """One step: a check when done, its number before."""

    def __init__(self, step: Step) -> None:
        super().__init__()
        self.setObjectName(f"pairing.step.{step.value}")
        self._step, self._state = step, "later"
        self._title = Words(f"pairing.step.{step.value}.title", 20, 680, wrap=True)
        self._below = Words(f"pairing.step.{step.value}.below", 16, 450, "ink2", wrap=True)
        words = column(gap=1)
        words.addStretch(1)
        words.addWidget(self._title)
        words.addWidget(self._below)
        words.addStretch(1)
        box = row(margins=(74, 6, 10, 6))
        box.addLayout(words, 1)
        self.setLayout(box)
        self.setMinimumHeight(84)

    def show_step(self, title: str, below: str, state: str) -> None:
        """state: done, now or later."""
        self._state = state
        self._title.say(title, "ink2" if state == "later" else "ink")
        self._below.say(below)
        self._below.setVisible(bool(below))
        self.setAccessibleName(f"{title}, {below}" if below else title)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the field of the present step and the circle."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = self.height() / 2
        if self._state == "now":
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("accentSoft"))
            painter.drawRoundedRect(QRectF(self.rect()), 12, 12)
        circle = QRectF(18, middle - 20, 40, 40)
        if self._state == "done":
            painter.drawPixmap(QPointF(20, middle - 18), theme.pixmap("check", 36, "ok", self.devicePixelRatioF()))
            return
        is_now = self._state == "now"
        painter.setPen(QPen(theme.colour("accent" if is_now else "lineStrong"), 2))
        painter.setBrush(theme.colour("accent") if is_now else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(circle.adjusted(1, 1, -1, -1))
        painter.setFont(theme.font(19 / theme.scale(), 680))
        painter.setPen(theme.colour("onAccent" if is_now else "ink2"))
        painter.drawText(circle, Qt.AlignmentFlag.AlignCenter, str(self._step.value))


class WordTile(Card):
    """One of the four words."""

    def __init__(self, name: str) -> None:
        super().__init__(name, fill="surface2")
        self.radius = 10
        self.words = Words(f"{name}.text", 21, 650)
        box = row(margins=(22, 12, 22, 12))
        box.addWidget(self.words)
        self.setLayout(box)


class PairingView(StationView):
    """Steps and pages; asks the hub by itself while it waits."""

    name = "pairing"
    rail = ""

    def __init__(self, context: Context, station: PairingStation) -> None:
        super().__init__(context)
        self.station = station
        station.on_changed = lambda: jobs.on_ui(self.refresh)
        self._title = Words("pairing.title", 23, 720, wrap=True)
        self._steps = {step: StepRow(step) for step in Step}
        self._pages = QStackedWidget()
        self._page = {
            Step.language: self._language_page(),
            Step.hub: self._hub_page(),
            Step.approve: self._approve_page(),
            Step.line: self._line_page(),
            Step.devices: self._devices_page(),
        }
        for page in self._page.values():
            self._pages.addWidget(page)
        left = Card("pairing.steps")
        left.setFixedWidth(360)
        inside = column(margins=(17, 23, 17, 20))
        title = row(margins=(18, 0, 0, 13))
        title.addWidget(self._title)
        inside.addLayout(title)
        for step in self._steps.values():
            inside.addWidget(step)
        inside.addStretch(1)
        left.setLayout(inside)
        right = Card("pairing.page")
        inside = column(margins=(41, 32, 41, 33))
        inside.addWidget(self._pages)
        right.setLayout(inside)
        whole = row(gap=32, margins=(40, 28, 40, 28))
        whole.addWidget(left)
        whole.addWidget(right, 1)
        self.setLayout(whole)
        self._timer = QTimer(self)
        self._timer.setInterval(int(POLL_S * 1000))
        self._timer.timeout.connect(lambda: self.do(self.station.poll))

    def enter(self, about: Any = None) -> None:
        """Begin to ask."""
        self._timer.start()
        super().enter(about)

    def leave(self) -> None:
        """Stop asking."""
        self._timer.stop()

    def refresh(self) -> None:
        """Draw the station's picture again."""
        self.show_screen(self.station.screen())

    def show_screen(self, screen: PairingScreen) -> None:
        """Draw one picture."""
        self._title.say(tr("Set up this terminal"))
        self._show_steps(screen)
        self._pages.setCurrentWidget(self._page[screen.step])
        self._show_language()
        self._show_hub(screen)
        self._show_approve(screen)
        self._show_line(screen)
        self._show_devices(screen)

    def _show_steps(self, screen: PairingScreen) -> None:
        below = {
            Step.language: i18n.LANGUAGES[i18n.current()] if screen.step > Step.language else "",
            Step.hub: tr("Hub at {address}", address=screen.hub.removeprefix("https://"))
            if screen.step > Step.hub
            else "",
            Step.approve: tr("Waiting for a supervisor") if screen.step is Step.approve else "",
            Step.line: " · ".join(part for part in (screen.line, screen.terminal) if part),
            Step.devices: "",
        }
        titles = {
            Step.language: tr("Language"),
            Step.hub: tr("Find the plant hub"),
            Step.approve: tr("Approve this terminal"),
            Step.line: tr("Line and name"),
            Step.devices: tr("Scale, scanner, sensors"),
        }
        for step, line in self._steps.items():
            state = "done" if step < screen.step else "now" if step is screen.step else "later"
            line.show_step(titles[step], below[step], state)

    # --- pages ---------------------------------------------------------------------------

    def _language_page(self) -> QWidget:
        self._language_title = Words("pairing.language.title", 30, 720, wrap=True)
        self._languages = {
            code: TouchButton(f"pairing.language.{code}", "outline", px=24, height=96) for code in i18n.LANGUAGES
        }
        page, box = QWidget(), column(gap=16)
        box.addWidget(self._language_title)
        for code, button in self._languages.items():
            box.addWidget(button)
            button.clicked.connect(lambda _=False, code=code: self._use(code))
        box.addStretch(1)
        page.setLayout(box)
        return page

    def _show_language(self) -> None:
        self._language_title.say("Language · Idioma")
        for code, button in self._languages.items():
            button.say(i18n.LANGUAGES[code])
            button.set_kind("chosen" if code == i18n.current() else "outline")

    def _use(self, code: str) -> None:
        self.go("language", code)
        self.station.go(Step.hub)

    def _hub_page(self) -> QWidget:
        self._hub_title = Words("pairing.hub.title", 30, 720, wrap=True)
        self._hub_about = Words("pairing.hub.about", 19, 450, "ink2", wrap=True)
        self.hub = Field("pairing.hub.address")
        self._hub_error = Words("pairing.hub.error", 18, 600, "crit", wrap=True)
        self.find_hub = TouchButton("pairing.find", "primary", "search", px=21, weight=680, height=88)
        self.hub_back = TouchButton("pairing.hub.back", "outline", "back", px=21, weight=680, height=84)
        page, box = QWidget(), column(gap=14)
        for part in (self._hub_title, self._hub_about, self.hub, self._hub_error):
            box.addWidget(part)
        box.addStretch(1)
        foot = row(gap=12)
        foot.addWidget(self.hub_back)
        foot.addStretch(1)
        foot.addWidget(self.find_hub)
        box.addLayout(foot)
        page.setLayout(box)
        self.find_hub.clicked.connect(self._find)
        self.hub.returnPressed.connect(self._find)
        self.hub_back.clicked.connect(lambda: self.station.go(Step.language))
        return page

    def _show_hub(self, screen: PairingScreen) -> None:
        self._hub_title.say(tr("Find the plant hub"))
        self._hub_about.say(tr("Type the address of the hub as your administrator gave it."))
        self.hub.setAccessibleName(tr("Address of the hub"))
        self.hub.setPlaceholderText("https://hub.plant1.example:8443")
        if not self.hub.text() and screen.hub and not self.hub.hasFocus():
            self.hub.setText(screen.hub)
        self._hub_error.say(sentence(screen.error) if screen.error and screen.step is Step.hub else "")
        self.find_hub.say(tr("Searching…") if screen.is_busy else tr("Find the hub"))
        self.find_hub.setEnabled(not screen.is_busy)
        self.hub_back.say(tr("Back"))

    def _find(self) -> None:
        self.do(lambda: self.station.find_hub(self.hub.text()))

    def _approve_page(self) -> QWidget:
        self._approve_title = Words("pairing.approve.title", 30, 720, wrap=True)
        self._approve_about = MixedWords("pairing.approve.about", 19, 450)
        self.qr = QrView("pairing.qr")
        self._code_label = Words("pairing.code.label", 18, 600, "ink2")
        self.code = Words("pairing.code", 64, 700, mono=True)
        self._expires = Words("pairing.expires", 18, 400, "ink2")
        self._words_title = Words("pairing.words.title", 19, 680, wrap=True, track=0.13)
        self._words = [WordTile(f"pairing.word.{place}") for place in range(1, 5)]
        self._approve_error = Words("pairing.approve.error", 18, 600, "crit", wrap=True)
        self.approve_back = TouchButton("pairing.back", "outline", "back", px=21, weight=680, height=84, side=41)
        self._waiting = Words("pairing.waiting", 19, 450, "ink2")
        code = column(gap=7)
        code.addStretch(1)
        code.addWidget(self._code_label)
        code.addWidget(self.code)
        expires = row(gap=12)
        expires.addWidget(Icon("clock", 24, "ink2"))
        expires.addWidget(self._expires, 1)
        code.addLayout(expires)
        code.addStretch(1)
        middle = row(gap=40)
        middle.addWidget(self.qr)
        middle.addLayout(code, 1)
        words = row(gap=12)
        for chip in self._words:
            words.addWidget(chip)
        words.addStretch(1)
        foot = row(gap=10)
        foot.addWidget(self.approve_back)
        foot.addStretch(1)
        foot.addWidget(Icon("sync", 26, "ink2"))
        foot.addWidget(self._waiting)
        page, box = QWidget(), column()
        box.addWidget(self._approve_title)
        box.addSpacing(12)
        box.addWidget(self._approve_about)
        box.addSpacing(31)
        box.addLayout(middle)
        box.addSpacing(30)
        box.addWidget(Rule())
        box.addSpacing(22)
        box.addWidget(self._words_title)
        box.addSpacing(16)
        box.addLayout(words)
        box.addWidget(self._approve_error)
        box.addStretch(1)
        box.addLayout(foot)
        page.setLayout(box)
        self.approve_back.clicked.connect(lambda: self.station.go(Step.hub))
        return page

    def _show_approve(self, screen: PairingScreen) -> None:
        self._approve_title.say(tr("Ask a supervisor to approve this terminal"))
        self._approve_about.say(tr("On a laptop open **Terminals**, then **Add**. Scan the picture or type the code."))
        self._code_label.say(tr("Code"))
        self._words_title.say(tr("Both screens must show the same four words"))
        self.approve_back.say(tr("Back"))
        self._waiting.say(tr("Waiting for approval…"))
        self._approve_error.say(sentence(screen.error) if screen.error and screen.step is Step.approve else "")
        self._approve_error.setVisible(bool(self._approve_error.text()))
        if screen.offer is None:
            return
        self.code.say(screen.offer.code)
        self.qr.show_text(screen.offer.code)
        self.qr.setAccessibleName(tr("Picture of the code {code}", code=screen.offer.code))
        minutes, seconds = divmod(screen.expires_in_s, 60)
        self._expires.say(tr("New code in {time}", time=f"{minutes}:{seconds:02d}"))
        for chip, word in zip(self._words, screen.offer.words, strict=True):
            chip.words.say(word)

    def _line_page(self) -> QWidget:
        self._line_title = Words("pairing.line.title", 30, 720, wrap=True)
        self._line_about = Words("pairing.line.about", 19, 450, "ink2", wrap=True)
        self._line_name = Words("pairing.line.name", 44, 720)
        self.line_next = TouchButton("pairing.line.next", "primary", "chevron", px=21, weight=680, height=88)
        page, box = QWidget(), column(gap=14)
        for part in (self._line_title, self._line_about, self._line_name):
            box.addWidget(part)
        box.addStretch(1)
        foot = row()
        foot.addStretch(1)
        foot.addWidget(self.line_next)
        box.addLayout(foot)
        page.setLayout(box)
        self.line_next.clicked.connect(lambda: self.station.go(Step.devices))
        return page

    def _show_line(self, screen: PairingScreen) -> None:
        self._line_title.say(tr("This terminal is approved"))
        where = " · ".join(part for part in (screen.line, screen.terminal) if part)
        self._line_name.say(where)
        about = tr("It belongs to {plant}.", plant=screen.plant) if screen.plant else ""
        if not screen.line:
            about = f"{about} {tr('Loading the data of its line…')}".strip()
        self._line_about.say(about)
        self.line_next.say(tr("Next"))

    def _devices_page(self) -> QWidget:
        self._devices_title = Words("pairing.devices.title", 30, 720, wrap=True)
        self._devices_about = Words("pairing.devices.about", 19, 450, "ink2", wrap=True)
        self._devices = column()
        self._device_rows: dict[str, tuple[Words, Words, Icon]] = {}
        self.done = TouchButton("pairing.done", "primary", "check", px=21, weight=680, height=88)
        page, box = QWidget(), column(gap=14)
        box.addWidget(self._devices_title)
        box.addWidget(self._devices_about)
        box.addLayout(self._devices)
        box.addStretch(1)
        foot = row()
        foot.addStretch(1)
        foot.addWidget(self.done)
        box.addLayout(foot)
        page.setLayout(box)
        self.done.clicked.connect(lambda: self.go("sign_in"))
        return page

    def _show_devices(self, screen: PairingScreen) -> None:
        self._devices_title.say(tr("Try each device"))
        if screen.devices:
            self._devices_about.say(tr("Put something on the scale and scan any code: it must show here."))
        else:
            self._devices_about.say(tr("No devices are set up on this terminal. Weights and codes are typed by hand."))
        self.done.say(tr("Ready to work"))
        if set(self._device_rows) != {test.device for test in screen.devices}:
            clear(self._devices)
            self._device_rows = {}
            for test in screen.devices:
                self._devices.addWidget(Rule())
                icon = Icon("check", 26, "ok")
                name = Words(f"pairing.device.{test.device}", 20, 650)
                state = Words(f"pairing.device.{test.device}.state", 19, 500, "ink2")
                line = row(gap=16, margins=(0, 14, 0, 14))
                line.addWidget(icon)
                line.addWidget(name, 1)
                line.addWidget(state)
                self._devices.addLayout(line)
                self._device_rows[test.device] = (name, state, icon)
        for test in screen.devices:
            name, state, icon = self._device_rows[test.device]
            name.say(test.device)
            words = DEVICE_STATES[test.status.state]()
            state.say(f"{words} · {test.value}" if test.value else words)
            icon.show_icon("check" if test.status.is_heard else "warn", "ok" if test.status.is_heard else "warn")
