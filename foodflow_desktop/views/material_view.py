"""Materials (mockup 04): what the batch needs, the lot in hand, one touch to issue."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLineEdit, QScrollArea, QWidget

from foodflow_desktop.hardware.readings import Scan
from foodflow_desktop.stations import labels
from foodflow_desktop.stations.context import Context
from foodflow_desktop.stations.material import Answer, MaterialScreen, MaterialStation, Need
from foodflow_desktop.views import kiosk_words, theme
from foodflow_desktop.views.i18n import tr
from foodflow_desktop.views.interlock_view import InterlockPage
from foodflow_desktop.views.issue_card import IssueCard
from foodflow_desktop.views.station_view import StationView
from foodflow_desktop.views.widgets.controls import Icon, Words
from foodflow_desktop.views.widgets.kiosk import Pages, TouchButton
from foodflow_desktop.views.widgets.parts import Bar, Card, column, row
from foodflow_kernel.gs1.plant import ScanKind

NEED_H = 73


class NeedRow(QWidget):
    """One line of the recipe with its bar."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setMinimumHeight(NEED_H)
        self._is_current = False
        self._icon = Icon("box", 26, "ink2")
        self._name, self._done = Words(f"{name}.name", 19, 680), Words(f"{name}.issued", 19, 680)
        self._of, self._bar = Words(f"{name}.of", 19, 450, "ink2"), Bar(f"{name}.bar", 8)
        head = row(gap=5)
        head.addWidget(self._name)
        head.addStretch(1)
        head.addWidget(self._done)
        head.addWidget(self._of)
        words = column(gap=14)
        words.addStretch(1)
        words.addLayout(head)
        words.addWidget(self._bar)
        words.addStretch(1)
        box = row(gap=13, margins=(17, 4, 16, 4))
        icon = column(margins=(0, 9, 0, 0))
        icon.addWidget(self._icon)
        icon.addStretch(1)
        box.addLayout(icon)
        box.addLayout(words, 1)
        self.setLayout(box)

    def show_need(self, need: Need) -> None:
        """Draw a line of the recipe."""
        self._is_current = need.is_current
        if need.is_complete:
            self._icon.show_icon("check", "ok")
        else:
            self._icon.show_icon("box", "accentInk" if need.is_current else "ink2")
        self._name.say(need.name)
        self._done.say(kiosk_words.plain(need.issued))
        self._of.say(tr("of {q}", q=kiosk_words.amount(need.required, need.uom, need.unit_name)))
        share = float(need.issued / need.required) if need.required else 0.0
        self._bar.show_share(share, "ok" if need.is_complete else "accent")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Mark the line in hand."""
        if self._is_current:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("accentSoft"))
            painter.drawRoundedRect(QRectF(self.rect()), 12, 12)


_ROOM_FOR_ICON = 170


class Place(QWidget):
    """One station of the way: supplier lot, lot, batch."""

    def __init__(self, name: str, icon: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._icon, self._is_here = icon, False
        self._title, self._code = (
            Words(f"{name}.title", 16, 680, wrap=True),
            Words(f"{name}.code", 15, 450, "ink2", mono=True),
        )
        self.setMinimumHeight(90)
        box = row(gap=12, margins=(16, 10, 8, 10))
        self._mark = Icon(icon, 30, "ink2")
        words = column(gap=2)
        words.addStretch(1)
        words.addWidget(self._title)
        words.addWidget(self._code)
        words.addStretch(1)
        box.addWidget(self._mark)
        box.addLayout(words, 1)
        self.setLayout(box)

    def show_place(self, title: str, code: str, *, is_here: bool) -> None:
        """Draw a station."""
        self._is_here = is_here
        self._title.say(title)
        self._code.say(code or "–")
        self._mark.show_icon(self._icon, "accentInk" if is_here else "ink2")
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """On a narrow screen the words need the room of the picture."""
        super().resizeEvent(event)
        self._mark.setVisible(self.width() >= _ROOM_FOR_ICON)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw its frame."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme_pen("accent" if self._is_here else "line", 2))
        painter.setBrush(theme.colour("surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 12, 12)


def theme_pen(token: str, width: float) -> Any:
    """A pen of a token's colour."""
    from PySide6.QtGui import QPen  # noqa: PLC0415 - one use

    return QPen(theme.colour(token), width)


class Arrow(QWidget):
    """From one station to the next."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(26, 26)

    def sizeHint(self) -> QSize:
        """Its fixed size."""
        return QSize(26, 26)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.drawPixmap(QPointF(2, 2), theme.pixmap("arrow", 22, "ink2", self.devicePixelRatioF()))


class MaterialView(StationView):
    """Materials of the running batch; the interlock takes its whole place."""

    name, rail = "materials", "materials"

    def __init__(self, context: Context, station: MaterialStation) -> None:
        super().__init__(context)
        self.station = station
        station.on_changed = self.refresh
        station.on_deviation = lambda deviation_id: self.go("deviation", deviation_id)
        self.issue = IssueCard(station, self.do)
        self._pages = Pages()
        page = QWidget()
        whole = row(gap=20, margins=(24, 20, 24, 22))
        whole.addWidget(self._needs_card(), 410)
        whole.addLayout(self._right(), 690)
        page.setLayout(whole)
        self.stop = InterlockPage(station, self.do)
        self._pages.addWidget(page)
        self._pages.addWidget(self.stop)
        self.setLayout(self._pages)

    def _needs_card(self) -> Card:
        card = Card("materials.needs")
        self._title, self._count = Words("materials.title", 21, 680), Words("materials.count", 16, 600, "ink3")
        head = row(margins=(13, 0, 13, 0))
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(self._count)
        self._rows: list[NeedRow] = []
        self._list = column()
        rows = QWidget()
        rows.setLayout(self._list)
        self._list.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(rows)
        self._code = QLineEdit()
        self._code.setObjectName("materials.code")
        self._code.textChanged.connect(self.station.set_code)
        self._code.returnPressed.connect(lambda: self.do(self.station.submit_code))
        self._type = TouchButton("materials.type_code", "quiet", "keyboard", px=20, weight=680)
        self._type.clicked.connect(self._on_type)
        inside = column(margins=(12, 18, 12, 20))
        inside.addLayout(head)
        inside.addSpacing(8)
        inside.addWidget(scroll, 1)
        inside.addSpacing(8)
        inside.addWidget(self._code)
        inside.addSpacing(8)
        foot = row(margins=(8, 0, 8, 0))
        foot.addWidget(self._type)
        inside.addLayout(foot)
        card.setLayout(inside)
        return card

    def _right(self) -> Any:
        way = Card("materials.way")
        self._way_title, self._way_note = (
            Words("materials.way_title", 21, 680),
            Words("materials.way_note", 16, 600, "ink3"),
        )
        head = row()
        head.addWidget(self._way_title)
        head.addStretch(1)
        head.addWidget(self._way_note)
        self._places = [
            Place("materials.way.supplier", "sprout"),
            Place("materials.way.lot", "box"),
            Place("materials.way.batch", "pot"),
        ]
        line = row(gap=0)
        for n, place in enumerate(self._places):
            if n:
                line.addWidget(Arrow())
            line.addWidget(place, 1)
        inside = column(margins=(24, 16, 24, 20))
        inside.addLayout(head)
        inside.addSpacing(10)
        inside.addLayout(line, 1)
        way.setLayout(inside)
        box = column(gap=20)
        box.addWidget(self.issue, 496)
        box.addWidget(way, 170)
        return box

    # --- gestures ------------------------------------------------------------------------

    def on_scan(self, scan: Scan) -> bool:
        """Materials and lots are for here."""
        kind = labels.routed(self.context, scan.raw, scan.symbology).kind
        if kind not in (ScanKind.material, ScanKind.lot, ScanKind.unknown):
            return False
        self.do(lambda: self.station.on_scan(scan.raw))
        return True

    def key(self, text: str) -> bool:
        """Digits type an amount or a PIN; Enter issues."""
        screen = self.station.screen()
        if screen.stop is not None:
            return self.stop.key(text)
        if screen.typed is not None and (text.isdigit() or text == "."):
            self.station.digit(text)
        elif screen.typed is not None and text == "back":
            self.station.backspace()
        elif text == "enter":
            self.issue.primary.click()
        elif text == "escape":
            self.station.cancel()
        else:
            return False
        return True

    def _on_type(self) -> None:
        if self.station.screen().code is None:
            self.station.type_code()
            self._code.clear()
            self._code.setFocus()
        else:
            self.do(self.station.submit_code)

    # --- drawing -------------------------------------------------------------------------

    def refresh(self) -> None:
        """Draw the materials, or the stop."""
        screen = self.station.screen()
        self._pages.setCurrentIndex(1 if screen.stop else 0)
        if screen.stop is not None:
            self.stop.show_stop(screen.stop)
            return
        self._show_needs(screen)
        self.issue.show_screen(screen)
        self._code.setVisible(screen.code is not None)
        self._code.setFixedHeight(theme.px(64))
        self._code.setFont(theme.font(21, 500, mono=True))
        self._code.setPlaceholderText(tr("Code or lot"))
        self._type.say(tr("Type a code") if screen.code is None else tr("Use this code"))
        self._type.set_kind("quiet" if screen.code is None else "primary")
        self._show_way(screen)
        if screen.answer is Answer.issued and screen.issued_text is not None:
            value, uom, name = screen.issued_text
            self.tell(tr("Saved: {q} {name}", q=kiosk_words.amount(value, uom), name=name), "ok")
            self.station.seen()

    def _show_needs(self, screen: MaterialScreen) -> None:
        self._title.say(tr("This batch needs"))
        self._count.say(tr("{n} of {all} complete", n=screen.complete, all=len(screen.needs)) if screen.needs else "")
        while len(self._rows) < len(screen.needs):
            one = NeedRow(f"materials.need.{len(self._rows)}")
            self._rows.append(one)
            self._list.insertWidget(self._list.count() - 1, one)
        for n, one in enumerate(self._rows):
            one.setVisible(n < len(screen.needs))
            if n < len(screen.needs):
                one.show_need(screen.needs[n])

    def _show_way(self, screen: MaterialScreen) -> None:
        self._way_title.say(tr("Where it goes"))
        self._way_note.say(tr("Saved with every scan"))
        lot = screen.scanned
        self._places[0].show_place(tr("Supplier lot"), lot.supplier_lot if lot else "", is_here=False)
        name = lot.item_name if lot else tr("Material")
        self._places[1].show_place(name, lot.lot_code if lot else "", is_here=lot is not None)
        self._places[2].show_place(tr("This batch"), screen.batch_no, is_here=False)
