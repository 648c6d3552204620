"""Start of a batch through its gates, and its end with counts and a signature."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QWidget

from foodflow_desktop.hardware.readings import Scan
from foodflow_desktop.stations.batch import Field, FinishScreen, FinishStation, Gate, GateRow, StartScreen, StartStation
from foodflow_desktop.stations.context import Context
from foodflow_desktop.views import i18n, kiosk_words, theme
from foodflow_desktop.views.i18n import clock, number, tr
from foodflow_desktop.views.sign_pad import SignCard
from foodflow_desktop.views.station_view import StationView
from foodflow_desktop.views.widgets.controls import Icon, Words
from foodflow_desktop.views.widgets.kiosk import Pages, Pressable, TouchButton
from foodflow_desktop.views.widgets.parts import Card, column, row


class GateLine(QWidget):
    """One gate the terminal knows by itself."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._icon, self._words = Icon("check", 30, "ok"), Words(f"{name}.name", 20, 600)
        self._note = Words(f"{name}.note", 18, 450, "ink2", wrap=True)
        box = row(gap=14, margins=(0, 7, 0, 7))
        box.addWidget(self._icon)
        box.addWidget(self._words)
        box.addWidget(self._note, 1)
        self._note.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setLayout(box)

    def show_gate(self, one: GateRow) -> None:
        """Draw a gate."""
        self._icon.show_icon("check" if one.is_open else "crit", "ok" if one.is_open else "crit")
        name, note = _gate(one)
        self._words.say(name)
        self._note.say(note, "ink2" if one.is_open else "crit")


class ConfirmTile(Pressable):
    """What a person confirms: one touch, and it says so."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._note, self._is_done = "", False
        self.setMinimumHeight(104)

    def show_state(self, text: str, note: str, *, is_done: bool) -> None:
        """Draw it."""
        self._note, self._is_done = note, is_done
        self.say(text, f"{text}. {note}. {tr('confirmed') if is_done else ''}")
        self.update()

    def sizeHint(self) -> QSize:
        """The card's width."""
        return QSize(400, 104)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the tile."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour("accent" if self._is_done else "lineStrong"), 3 if self._is_done else 2))
        painter.setBrush(theme.colour("accentSoft" if self._is_done or self.isDown() else "surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5), 14, 14)
        self.paint_focus(painter, 14)
        middle = self.height() / 2
        if self._is_done:
            pixmap = theme.pixmap("check", 36, "accent", self.devicePixelRatioF())
            painter.drawPixmap(QPointF(22, middle - 18), pixmap)
        else:
            painter.setPen(QPen(theme.colour("lineStrong"), 2))
            painter.setBrush(theme.colour("surface"))
            painter.drawEllipse(QPointF(40, middle), 15, 15)
        painter.setPen(theme.colour("ink"))
        flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter) | int(Qt.TextFlag.TextWordWrap)
        painter.setFont(theme.font(21, 680))
        painter.drawText(QRectF(76, 8, self.width() - 88, self.height() * 0.55 - 8), flags, self.text())
        painter.setFont(theme.font(17, 450))
        painter.setPen(theme.colour("ink2"))
        painter.drawText(QRectF(76, self.height() * 0.52, self.width() - 88, self.height() * 0.42), flags, self._note)


class StartView(StationView):
    """Work order scanned, line cleared, Start."""

    name, rail = "start_batch", "run"
    holds_front = True

    def __init__(self, context: Context, station: StartStation) -> None:
        super().__init__(context)
        self.station = station
        station.on_changed = self.refresh
        station.on_started = self._on_started
        self._pages = Pages()
        self._pages.addWidget(self._choose_page())
        self._pages.addWidget(self._gates_page())
        self.setLayout(self._pages)

    def _choose_page(self) -> QWidget:
        card = Card("start_batch.scan")
        self._scan_title = Words("start_batch.scan_title", 30, 720, wrap=True)
        self._scan_note = Words("start_batch.scan_note", 19, 450, "ink2", wrap=True)
        words = column(gap=4)
        words.addStretch(1)
        words.addWidget(self._scan_title)
        words.addWidget(self._scan_note)
        words.addStretch(1)
        inside = row(gap=24, margins=(32, 24, 32, 24))
        inside.addWidget(Icon("barcode", 72, "accent"))
        inside.addLayout(words, 1)
        card.setLayout(inside)
        self._planned_title = Words("start_batch.planned_title", 21, 680)
        self._planned = [
            TouchButton(f"start_batch.planned.{n}", "outline", px=21, weight=680, height=104) for n in range(3)
        ]
        box = column(gap=14, margins=(24, 20, 24, 22))
        box.addWidget(card)
        box.addSpacing(8)
        box.addWidget(self._planned_title)
        for n, button in enumerate(self._planned):
            button.clicked.connect(lambda _=False, n=n: self._on_planned(n))
            box.addWidget(button)
        box.addStretch(1)
        page = QWidget()
        page.setLayout(box)
        return page

    def _gates_page(self) -> QWidget:
        card = Card("start_batch.order")
        self._product = Words("start_batch.product", 34, 720, wrap=True)
        self._codes = Words("start_batch.codes", 19, 500, "ink2", mono=True, wrap=True)
        self._qty = Words("start_batch.qty", 24, 600)
        inside = column(gap=8, margins=(32, 26, 32, 26))
        for part in (self._product, self._codes, self._qty):
            inside.addWidget(part)
        card.setLayout(inside)
        gates = Card("start_batch.gates")
        self._gates_title = Words("start_batch.gates_title", 21, 680)
        self._gates = [GateLine(f"start_batch.gate.{n}") for n in range(4)]
        inside = column(margins=(32, 22, 32, 22))
        inside.addWidget(self._gates_title)
        inside.addSpacing(8)
        for gate in self._gates:
            inside.addWidget(gate)
        inside.addStretch(1)
        gates.setLayout(inside)
        self._clear = ConfirmTile("start_batch.clear")
        self._clear.clicked.connect(self.station.confirm_clear)
        self._back = TouchButton("start_batch.back", "outline", px=20, weight=680, height=88)
        self._back.clicked.connect(self.station.back)
        self._start = TouchButton("start_batch.start", "primary", "play", px=25, weight=680, height=88)
        self._start.clicked.connect(lambda: self.do(self.station.start))
        buttons = row(gap=16)
        buttons.addWidget(self._back, 200)
        buttons.addStretch(1)
        buttons.addWidget(self._start, 470)
        box = column(gap=18, margins=(24, 20, 24, 22))
        box.addWidget(card)
        box.addWidget(gates, 1)
        box.addWidget(self._clear)
        box.addLayout(buttons)
        page = QWidget()
        page.setLayout(box)
        return page

    def on_scan(self, scan: Scan) -> bool:
        """A work order is for here."""
        return self.station.on_scan(scan.raw)

    def key(self, text: str) -> bool:
        """Enter starts, Escape goes back."""
        if text == "enter":
            self._start.click()
        elif text == "escape":
            self.station.back()
        else:
            return False
        return True

    def _on_planned(self, place: int) -> None:
        planned = self.station.screen().planned
        if place < len(planned):
            self.station.choose(planned[place].work_order_id)

    def _on_started(self) -> None:
        self.tell(tr("Batch started"), "ok")
        self.go("home")

    def refresh(self) -> None:
        """Draw the start."""
        screen = self.station.screen()
        self._pages.setCurrentIndex(1 if screen.gates else 0)
        if screen.gates:
            self._show_gates(screen)
            return
        self._scan_title.say(tr("Scan a work order"))
        note = tr("Or touch one of the next planned on {line}.", line=screen.line_name)
        is_unknown = bool(screen.unknown_code)
        self._scan_note.say(
            tr("{code} is not a released work order here.", code=screen.unknown_code[:40]) if is_unknown else note,
            "crit" if is_unknown else "ink2",
        )
        self._planned_title.say(tr("Next planned") if screen.planned else tr("Nothing is planned on this line."))
        for n, button in enumerate(self._planned):
            button.setVisible(n < len(screen.planned))
            if n < len(screen.planned):
                one = screen.planned[n]
                button.say(f"{clock(one.start_at)} · {one.product} · {number(one.qty)} {one.unit} · {one.wo_no}")

    def _show_gates(self, screen: StartScreen) -> None:
        self._product.say(screen.product)
        self._codes.say(" · ".join(part for part in (screen.wo_no, screen.batch_no, screen.lot_code) if part))
        self._qty.say(f"{number(screen.qty)} {screen.unit}" if screen.qty is not None else "")
        self._gates_title.say(tr("Before the start"))
        known = [gate for gate in screen.gates if not gate.is_confirmed_by_person]
        asked = [gate for gate in screen.gates if gate.is_confirmed_by_person]
        for line, one in zip(self._gates, known, strict=True):
            line.show_gate(one)
        changeover = next((one for one in asked if one.gate is Gate.allergen_changeover), None)
        text, note = tr("Line is cleared"), tr("No product, packaging or labels of the last batch are left.")
        if changeover is not None:
            allergens = ", ".join(kiosk_words.allergen(one) for one in changeover.detail.split(", "))
            text = tr("Line is cleared and allergen-clean")
            note = tr("Nothing of the last batch is left. Cleaned and checked for: {a}.", a=allergens)
        self._clear.show_state(text, note, is_done=all(gate.is_open for gate in asked))
        self._back.say(tr("Back"))
        self._start.say(tr("Start {batch}", batch=screen.batch_no))
        self._start.setEnabled(screen.may_start)


def _gate(one: GateRow) -> tuple[str, str]:
    """A gate's name, and what is wrong or known."""
    match one.gate:
        case Gate.order_released:
            return tr("Work order released"), one.detail if one.is_open else tr("not released for this line")
        case Gate.line_available:
            return tr("Line is free"), "" if one.is_open else tr(
                "{batch} still runs: finish it first", batch=one.detail
            )
        case Gate.release_fresh:
            return tr("Release is fresh"), tr("pulled within 24 h") if one.is_open else tr(
                "older than 24 h: connect to the hub"
            )
        case Gate.ccp_plan:
            return tr("Checks are planned"), tr("HACCP plan in force") if one.is_open else tr("no CCP for this product")
    return one.gate.value, ""


class CountButton(Pressable):
    """A number to type: its label, value and unit."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._label, self._unit, self._is_here = "", "", False
        self.setMinimumHeight(92)

    def show_value(self, label: str, value: str, unit: str, *, is_here: bool) -> None:
        """Draw it."""
        self._label, self._unit, self._is_here = label, unit, is_here
        self.say(value or "–", f"{label}: {value} {unit}")
        self.update()

    def sizeHint(self) -> QSize:
        """The card's width."""
        return QSize(300, 92)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the field."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour("accent" if self._is_here else "lineStrong"), 3 if self._is_here else 2))
        painter.setBrush(theme.colour("accentSoft" if self._is_here else "surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5), 14, 14)
        self.paint_focus(painter, 14)
        painter.setFont(theme.font(19, 600))
        painter.setPen(theme.colour("ink2"))
        area = QRectF(22, 0, self.width() - 44, self.height())
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self._label)
        painter.setFont(theme.font(17, 450))
        width = painter.fontMetrics().horizontalAdvance(self._unit)
        painter.drawText(area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._unit)
        painter.setFont(theme.font(34, 700))
        painter.setPen(theme.colour("ink"))
        area = area.adjusted(0, 0, -width - 10, 0)
        painter.drawText(area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self.text())


class FinishView(StationView):
    """Good, scrap, left over, signature."""

    name, rail = "finish_batch", "run"
    holds_front = True

    def __init__(self, context: Context, station: FinishStation) -> None:
        super().__init__(context)
        self.station = station
        station.on_changed = self.refresh
        station.on_finished = self._on_finished
        self._title, self._batch = (
            Words("finish_batch.title", 30, 720),
            Words("finish_batch.batch", 19, 500, "ink2", mono=True),
        )
        head = row(gap=18)
        head.addWidget(self._title)
        head.addWidget(self._batch)
        head.addStretch(1)
        self.sign = SignCard("finish_batch", self._on_pin, station.pin_backspace, station.pin_clear)
        self._right = Pages()
        self._right.addWidget(self._keypad())
        self._right.addWidget(self.sign)
        body = row(gap=20)
        body.addWidget(self._counts(), 1)
        side = QWidget()
        side.setFixedWidth(430)
        side.setLayout(self._right)
        body.addWidget(side)
        whole = column(gap=16, margins=(24, 20, 24, 22))
        whole.addLayout(head)
        whole.addLayout(body, 1)
        self.setLayout(whole)

    def _counts(self) -> Card:
        card = Card("finish_batch.counts")
        self._fields = {field: CountButton(f"finish_batch.{field.value}") for field in Field}
        self._counter = Words("finish_batch.counter", 20, 500, "ink2")
        self._difference = Words("finish_batch.difference", 24, 680, wrap=True)
        self._checks = Words("finish_batch.checks", 18, 500, "warn", wrap=True)
        self._back = TouchButton("finish_batch.back", "outline", px=20, weight=680, height=88)
        self._back.clicked.connect(self._on_back)
        self._next = TouchButton("finish_batch.sign_now", "primary", "pencil", px=24, weight=680, height=88)
        self._next.clicked.connect(lambda: self.do(self._go_sign))
        inside = column(margins=(28, 26, 28, 24))
        for field, button in self._fields.items():
            button.clicked.connect(lambda _=False, f=field: self.station.edit(f))
            inside.addWidget(button)
            inside.addSpacing(12)
        inside.addSpacing(8)
        inside.addWidget(self._counter)
        inside.addWidget(self._difference)
        inside.addStretch(1)
        inside.addWidget(self._checks)
        inside.addSpacing(12)
        buttons = row(gap=16)
        buttons.addWidget(self._back, 160)
        buttons.addWidget(self._next, 320)
        inside.addLayout(buttons)
        card.setLayout(inside)
        return card

    def _keypad(self) -> QWidget:
        card = Card("finish_batch.keys")
        grid = QGridLayout()
        grid.setContentsMargins(24, 24, 24, 24)
        grid.setSpacing(12)
        for n, text in enumerate("123456789.0"):
            key = TouchButton(
                f"finish_batch.key.{'point' if text == '.' else text}", "outline", px=33, weight=650, height=92
            )
            key.say(text)
            key.clicked.connect(lambda _=False, t=text: self.station.digit(t))
            grid.addWidget(key, n // 3, n % 3)
            if text == ".":
                self._point = key
                key.set_kind("key")
        self._delete = TouchButton("finish_batch.key.backspace", "key", "backspace", height=92, icon_px=30)
        self._delete.clicked.connect(self.station.backspace)
        grid.addWidget(self._delete, 3, 2)
        self._clear = TouchButton("finish_batch.key.clear", "key", px=19, weight=650, height=72)
        self._clear.clicked.connect(self.station.clear)
        grid.addWidget(self._clear, 4, 0, 1, 3)
        grid.setRowStretch(5, 1)
        card.setLayout(grid)
        return card

    def enter(self, about: Any = None) -> None:
        """Start with what was counted so far."""
        self.station.open()
        self.refresh()

    def key(self, text: str) -> bool:
        """Digits are numbers, or the PIN while signing."""
        is_signing = self.station.screen().pad is not None
        if text.isdigit() or (text == "." and not is_signing):
            self._on_pin(text) if is_signing else self.station.digit(text)
        elif text == "back":
            self.station.pin_backspace() if is_signing else self.station.backspace()
        elif text == "enter":
            self._next.click()
        elif text == "escape":
            self._on_back()
        else:
            return False
        return True

    def _go_sign(self) -> None:
        self.station.go_sign()

    def _on_pin(self, digit: str) -> None:
        self.do(lambda: self.station.pin_digit(digit))

    def _on_back(self) -> None:
        if self.station.screen().pad is not None:
            self.station.edit(Field.good)
        else:
            self.go("home")

    def _on_finished(self) -> None:
        self.tell(tr("Batch completed. QA reviews it next."), "ok")
        self.go("home")

    def refresh(self) -> None:
        """Draw the end."""
        screen = self.station.screen()
        self._title.say(tr("Finish batch"))
        self._batch.say(screen.batch_no)
        mark = "," if i18n.current() == "es" else "."
        labels = {Field.good: tr("Good"), Field.scrap: tr("Scrap"), Field.left_over: tr("Left over")}
        values = {
            Field.good: screen.good,
            Field.scrap: screen.scrap,
            Field.left_over: screen.left_over.replace(".", mark),
        }
        units = {
            Field.good: screen.unit,
            Field.scrap: screen.unit,
            Field.left_over: kiosk_words.UOMS[screen.left_over_uom],
        }
        for field, button in self._fields.items():
            is_here = field is screen.editing and screen.pad is None
            button.show_value(labels[field], values[field], units[field], is_here=is_here)
        self._counter.say(tr("The counter saw {n} {unit}.", n=number(screen.counted), unit=screen.unit))
        self._difference.say(*_difference(screen))
        self._checks.setVisible(bool(screen.open_checks))
        self._checks.say(tr("Still to check: {names}", names=", ".join(screen.open_checks)))
        self._point.say(mark, tr("Decimal mark"))
        self._clear.say(tr("Clear"))
        self._delete.setAccessibleName(tr("Delete"))
        self._back.say(tr("Back"))
        self._next.say(tr("Sign and finish"))
        self._next.setEnabled(screen.may_sign and screen.pad is None)
        self._right.setCurrentIndex(1 if screen.pad else 0)
        if screen.pad is not None:
            self.sign.show_pad(
                screen.pad, tr("I sign as **performed**: these counts for {batch}.", batch=screen.batch_no)
            )


def _difference(screen: FinishScreen) -> tuple[str, str]:
    """How the typed numbers lie to the counter, and the colour of it."""
    if screen.difference is None:
        return tr("Enter good and scrap."), "ink2"
    if screen.difference == 0:
        return tr("Good and scrap match the counter."), "ok"
    off = f"{number(abs(screen.difference))} {screen.unit}"
    return (
        tr("{q} more than the counter", q=off) if screen.difference > 0 else tr("{q} less than the counter", q=off)
    ), "warn"
