"""Sign in: the badge first and largest, six recent people, the PIN beside them (mockup 01)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from foodflow_desktop.stations.context import Context
from foodflow_desktop.stations.sign_in import PersonTile, SignInScreen, SignInStation
from foodflow_desktop.views import i18n, theme
from foodflow_desktop.views.i18n import clock, tr
from foodflow_desktop.views.station_view import StationView
from foodflow_desktop.views.widgets.controls import Icon, Words
from foodflow_desktop.views.widgets.kiosk import Dots, PinKeys, Pressable, TouchButton
from foodflow_desktop.views.widgets.parts import Card, column, row

TILE_H, PAD_W = 104, 458


class PersonButton(Pressable):
    """A tile: number in a circle, name, when last here."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.short, self.note, self.is_chosen, self.user_id = "", "", False, UUID(int=0)
        self.setMinimumHeight(TILE_H)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def show_person(self, person: PersonTile) -> None:
        """Draw a person."""
        self.short, self.is_chosen, self.user_id = person.short, person.is_chosen, person.user_id
        self.note = tr("Selected") if person.is_chosen else ""
        if person.last_at and not person.is_chosen:
            self.note = tr("Last here {at}", at=clock(person.last_at))
            if person.is_yesterday:
                self.note = tr("Last here yesterday")
            elif not person.is_today:
                self.note = tr("Last here {at}", at=i18n.day(person.last_at))
        self.say(person.name, f"{person.name}. {self.note}")
        self.update()

    def sizeHint(self) -> QSize:
        """A third of the list's height."""
        return QSize(342, TILE_H)

    def minimumSizeHint(self) -> QSize:
        """Room for the circle and a short name."""
        return QSize(190, TILE_H)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the tile."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = 3 if self.is_chosen else 2
        half = width / 2
        painter.setPen(QPen(theme.colour("accent" if self.is_chosen else "lineStrong"), width))
        painter.setBrush(theme.colour("accentSoft" if self.is_chosen or self.isDown() else "surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(half, half, -half, -half), 14, 14)
        self.paint_focus(painter, 14)
        circle = QRectF(20, (self.height() - 56) / 2, 56, 56)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("accent" if self.is_chosen else "track"))
        painter.drawEllipse(circle)
        painter.setFont(theme.font(20, 680))
        painter.setPen(theme.colour("onAccent" if self.is_chosen else "ink"))
        painter.drawText(circle, Qt.AlignmentFlag.AlignCenter, self.short)
        room = self.width() - 100
        painter.setFont(theme.font(21, 680))
        if painter.fontMetrics().horizontalAdvance(self.text()) > room:
            painter.setFont(theme.font(16, 680))
        painter.setPen(theme.colour("ink"))
        middle = self.height() / 2
        lift = theme.px(13) if self.note else 0
        area = QRectF(92, middle - lift - 17, self.width() - 100, 36)
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, self.text())
        painter.setFont(theme.font(16, 450))
        painter.setPen(theme.colour("ink2"))
        area = QRectF(92, middle + theme.px(15) - 17, self.width() - 100, 34)
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, self.note)


class BadgeMark(QWidget):
    """The badge on its soft ground."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(84, 84)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("accentSoft"))
        painter.drawRoundedRect(QRectF(self.rect()), 16, 16)
        painter.drawPixmap(QPointF(18, 18), theme.pixmap("badge", 48, "accentInk", self.devicePixelRatioF()))


class SignInView(StationView):
    """Badge, tiles, PIN."""

    name = "sign_in"

    def __init__(self, context: Context, station: SignInStation) -> None:
        super().__init__(context)
        self.station = station
        station.on_changed = self.refresh
        whole = row(gap=44, margins=(40, 28, 40, 28))
        whole.addLayout(self._left(), 1)
        whole.addWidget(self._right())
        self.setLayout(whole)

    def _left(self) -> Any:
        card = Card("sign_in.badge_card")
        self._title = Words("sign_in.title", 30.6, 720, wrap=True)
        self._other = Words("sign_in.other_language", 19, 450, "ink2", wrap=True)
        words = column(gap=4)
        words.addStretch(1)
        words.addWidget(self._title)
        words.addWidget(self._other)
        words.addStretch(1)
        inside = row(gap=20, margins=(27, 22, 26, 22))
        inside.addWidget(BadgeMark())
        inside.addLayout(words, 1)
        inside.addWidget(Icon("barcode", 54, "accent"))
        card.setLayout(inside)
        self._choose = Words("sign_in.choose", 21, 680, wrap=True)
        self._recent = Words("sign_in.recent", 16, 600, "ink3", wrap=True)
        head = row(gap=12, margins=(2, 0, 2, 0))
        self._recent.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        head.addWidget(self._choose, 1)
        head.addWidget(self._recent, 1)
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(14)
        self._tiles = [PersonButton(f"sign_in.tile.{n}") for n in range(6)]
        for n, tile in enumerate(self._tiles):
            tile.clicked.connect(lambda _=False, t=tile: self.station.choose(t.user_id))
            grid.addWidget(tile, n // 2, n % 2)
        self._find = TouchButton("sign_in.find", "quiet", "search", px=21, weight=650, side=26)
        self._find.clicked.connect(self._on_find)
        self._languages = {
            code: TouchButton(f"sign_in.language.{code}", px=21, weight=650, side=26) for code in ("en", "es")
        }
        foot = row(gap=12)
        foot.addWidget(self._find)
        foot.addStretch(1)
        for code, button in self._languages.items():
            button.say({"en": "English", "es": "Español"}[code])
            button.clicked.connect(lambda _=False, c=code: self.go("language", c))
            foot.addWidget(button)
        box = column()
        box.addWidget(card)
        box.addSpacing(24)
        box.addLayout(head)
        box.addSpacing(15)
        box.addLayout(grid)
        box.addStretch(1)
        box.addLayout(foot)
        return box

    def _right(self) -> Card:
        card = Card("sign_in.pad_card")
        card.setFixedWidth(PAD_W)
        self._pin_title = Words("sign_in.pin_title", 24, 680)
        self._who = Words("sign_in.who", 18, 450, "ink2", wrap=True)
        self._dots = Dots("sign_in.dots", size=24, pitch=44)
        self._keys = PinKeys("sign_in.pin", self._on_digit, self.station.backspace, self.station.clear, key_h=92, px=34)
        self._locks = Words("sign_in.locks", 16, 450, "ink2", wrap=True)
        box = column(margins=(30, 26, 30, 28))
        for words in (self._pin_title, self._who):
            words.setAlignment(Qt.AlignmentFlag.AlignCenter)
            box.addWidget(words)
            box.addSpacing(6)
        box.addSpacing(18)
        box.addWidget(self._dots)
        box.addSpacing(24)
        box.addWidget(self._keys)
        box.addStretch(1)
        foot = row(gap=8, margins=(4, 0, 0, 0))
        foot.addWidget(Icon("padlock", 18, "ink2"))
        foot.addWidget(self._locks, 1)
        box.addLayout(foot)
        card.setLayout(box)
        return card

    def _on_find(self) -> None:
        self.station.show_tiles() if self.station.screen().number is not None else self.station.find()

    def _on_digit(self, digit: str) -> None:
        self.do(lambda: self.station.digit(digit))

    def key(self, text: str) -> bool:
        """Digits are the PIN."""
        if text.isdigit():
            self._on_digit(text)
        elif text == "back":
            self.station.backspace()
        else:
            return False
        return True

    def refresh(self) -> None:
        """Draw the station's picture."""
        self.show_screen(self.station.screen())

    def show_screen(self, screen: SignInScreen) -> None:
        """Draw a picture; nothing else decides what is seen."""
        here = i18n.current()
        self._title.say(tr("Scan your badge to start"))
        self._other.say("Scan your badge to start" if here == "es" else "Escanea tu credencial para empezar")
        self._choose.say(tr("Or choose who you are"))
        self._recent.say(tr("Signed in on this line recently"))
        for tile, person in zip(self._tiles, screen.people, strict=False):
            tile.show_person(person)
        for n, tile in enumerate(self._tiles):
            tile.setVisible(n < len(screen.people))
        self._find.say(tr("Find another person") if screen.number is None else tr("Back"))
        for code, button in self._languages.items():
            button.set_kind("chosen" if code == here else "outline")
        self._pin_title.say(tr("Enter your PIN") if screen.number is None else tr("Enter your number"))
        self._who.say(*_who(screen))
        self._dots.setVisible(screen.number is None)
        self._dots.show_dots(screen.filled, screen.digits)
        self._keys.clear.say(tr("Clear"))
        self._keys.back.setAccessibleName(tr("Delete"))
        self._locks.say(tr("Locks after {n} min without touch, scan or reading", n=screen.lock_s // 60))


def _who(screen: SignInScreen) -> tuple[str, str]:
    """The line under the title, and its colour."""
    if screen.wait_s:
        return tr("Too many tries. Wait {n} s.", n=screen.wait_s), "crit"
    if screen.tries_left is not None:
        one, more = tr("Not the right PIN. 1 try left."), tr("Not the right PIN. {n} tries left.", n=screen.tries_left)
        return one if screen.tries_left == 1 else more, "crit"
    if screen.unknown_badge:
        return tr("This badge is not known here."), "crit"
    if screen.number is not None:
        return screen.number or tr("The number on your badge"), "ink2"
    return screen.chosen or tr("Choose who you are first"), "ink2"
