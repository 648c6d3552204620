"""The dark sidebar of the laptop: where one can go, and who is signed in."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from foodflow_desktop.stations.supervisor import LaptopScreen
from foodflow_desktop.views import i18n, theme
from foodflow_desktop.views.bar import paint_mark
from foodflow_desktop.views.i18n import tr
from foodflow_desktop.views.widgets.controls import FocusRing
from foodflow_desktop.views.widgets.parts import column

WIDTH = 216
ENTRIES: tuple[tuple[str, str, Callable[[], str]], ...] = (
    ("board", "grid", lambda: tr("Line board")),
    ("deviations", "octagon", lambda: tr("Deviations")),
    ("trace", "share", lambda: tr("Trace")),
    ("sync_health", "sync", lambda: tr("Sync health")),
    ("terminals", "monitor", lambda: tr("Terminals")),
)
"""Name, icon and words of each screen, in their fixed order."""


SHORT_NAME = 2
"""A shift called by a letter or two is shown with the word before it."""


def shift_words(name: str) -> str:
    """A shift's name as people say it: Shift A."""
    return tr("Shift {name}", name=name) if 0 < len(name) <= SHORT_NAME else name


class NavEntry(QAbstractButton):
    """One entry of the sidebar, with a number when something waits there."""

    def __init__(self, name: str, icon: str) -> None:
        super().__init__()
        self.setObjectName(f"nav.{name}")
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._ring = FocusRing(self)
        self._icon, self._count, self._fill = icon, 0, "warnFill"
        self.retheme()

    def retheme(self) -> None:
        """Follow the text scale."""
        self.setFixedHeight(theme.px(44))

    def say(self, text: str, count: int, fill: str) -> None:
        """Words and badge; a badge of 0 is not shown."""
        self._count, self._fill = count, fill
        self.setText(text)
        self.setAccessibleName(f"{text}, {count}" if count else text)
        self.update()

    def sizeHint(self) -> QSize:
        """As wide as the sidebar."""
        return QSize(theme.px(192), self.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw field, icon, words and badge."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        if self.isChecked() or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            if self.isChecked():
                painter.setBrush(theme.colour("accentBar"))
                painter.setClipRect(QRectF(0, 0, 20, area.height()))
                painter.drawRoundedRect(area, 10, 10)
                painter.setClipping(False)
            painter.setBrush(theme.colour("barSoft"))
            painter.drawRoundedRect(area.adjusted(3 if self.isChecked() else 0, 0, 0, 0), 10, 10)
        if self._ring.is_shown:
            painter.setPen(QPen(theme.colour("accentBar"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 10, 10)
        ink = "onSideHere" if self.isChecked() else "onSide"
        middle = area.height() / 2
        painter.drawPixmap(12, int(middle - 10), theme.pixmap(self._icon, 20, ink, self.devicePixelRatioF()))
        painter.setFont(theme.font(15, 500))
        if self._count and 44 + painter.fontMetrics().horizontalAdvance(self.text()) > area.width() - 44:
            painter.setFont(theme.font(13.5, 500))
        painter.setPen(theme.colour(ink))
        painter.drawText(area.adjusted(44, 0, -4, 0), Qt.AlignmentFlag.AlignVCenter, self.text())
        if self._count:
            self._badge(painter, area, middle)

    def _badge(self, painter: QPainter, area: QRectF, middle: float) -> None:
        painter.setFont(theme.font(13.5, 700))
        text = str(self._count)
        width = max(24, painter.fontMetrics().horizontalAdvance(text) + 14)
        field = QRectF(area.right() - 12 - width, middle - 11, width, 22)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(self._fill))
        painter.drawRoundedRect(field, 11, 11)
        painter.setPen(theme.colour("onWarn"))
        painter.drawText(field, Qt.AlignmentFlag.AlignCenter, text)


class UserEntry(QAbstractButton):
    """Who is signed in; a click opens language and signing out."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("nav.user")
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._below, self._no = "", ""
        self.retheme()

    def retheme(self) -> None:
        """Follow the text scale."""
        self.setFixedHeight(theme.px(61))

    def say(self, name: str, below: str, no: str) -> None:
        """Name, where, and the two digits in the circle."""
        self._below, self._no = below, no
        self.setText(name)
        self.setAccessibleName(f"{name}, {below}")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw line, circle and words."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(QRectF(0, 0, self.width(), 1), theme.colour("barLine"))
        middle = self.height() / 2
        circle = QRectF(12, middle - 16, 32, 32)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("barCircle"))
        painter.drawEllipse(circle)
        painter.setFont(theme.font(13.5, 700))
        painter.setPen(theme.colour("bar"))
        painter.drawText(circle, Qt.AlignmentFlag.AlignCenter, self._no)
        painter.setFont(theme.font(13, 650))
        painter.setPen(theme.colour("onBar"))
        half = theme.px(20)
        painter.drawText(QRectF(54, middle - half, self.width() - 58, half), Qt.AlignmentFlag.AlignVCenter, self.text())
        painter.setFont(theme.font(14, 400))
        painter.setPen(theme.colour("onBar2"))
        painter.drawText(QRectF(54, middle, self.width() - 58, half - 1), Qt.AlignmentFlag.AlignVCenter, self._below)


class BarButton(QAbstractButton):
    """A quiet button on the dark bar."""

    def __init__(self, name: str, icon: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._icon = icon
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.retheme()

    def retheme(self) -> None:
        """Follow the text scale."""
        self.setFixedHeight(theme.px(40))

    def say(self, text: str) -> None:
        """Change the words."""
        self.setText(text)
        self.setAccessibleName(text)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw icon and words."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        painter.setPen(QPen(theme.colour("accentBar"), 2) if self.hasFocus() else Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("barSoft"))
        painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 10, 10)
        painter.drawPixmap(
            12, int(area.height() / 2 - 9), theme.pixmap(self._icon, 18, "onBar2", self.devicePixelRatioF())
        )
        painter.setFont(theme.font(14.5, 500))
        painter.setPen(theme.colour("onBar"))
        painter.drawText(area.adjusted(42, 0, -4, 0), Qt.AlignmentFlag.AlignVCenter, self.text())


class Mark(QWidget):
    """The product's mark and name."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(60)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw mark and name."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.save()
        painter.translate(20, 15)
        painter.scale(30 / 40, 30 / 40)
        paint_mark(painter)
        painter.restore()
        painter.setFont(theme.font(17, 700))
        painter.setPen(theme.colour("onBar"))
        painter.drawText(QRectF(60, 0, self.width() - 60, 56), Qt.AlignmentFlag.AlignVCenter, "FoodFlow OS")


class Sidebar(QWidget):
    """All entries, and the person below."""

    chosen = Signal(str)
    language_asked = Signal(str)
    signed_out = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("nav")
        self.entries = {name: NavEntry(name, icon) for name, icon, _ in ENTRIES}
        self.user = UserEntry()
        self._language = BarButton("nav.language", "globe")
        self._sign_out = BarButton("nav.sign_out", "logout")
        self._panel = QWidget()
        panel = column(gap=8, margins=(12, 0, 12, 10))
        panel.addWidget(self._language)
        panel.addWidget(self._sign_out)
        self._panel.setLayout(panel)
        self._panel.hide()
        whole = column()
        whole.addWidget(Mark())
        items = column(gap=2, margins=(12, 8, 12, 0))
        for name, entry in self.entries.items():
            entry.clicked.connect(lambda _=False, name=name: self.chosen.emit(name))
            items.addWidget(entry)
        whole.addLayout(items)
        whole.addStretch(1)
        whole.addWidget(self._panel)
        whole.addWidget(self.user)
        self.setLayout(whole)
        self.user.toggled.connect(self._panel.setVisible)
        self._sign_out.clicked.connect(self._on_sign_out)
        self._language.clicked.connect(lambda: self.language_asked.emit("en" if i18n.current() == "es" else "es"))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.retheme()

    def retheme(self) -> None:
        """Follow the text scale."""
        self.setFixedWidth(round(WIDTH * (1 + (theme.scale() - 1) * 0.8)))

    def show_screen(self, screen: LaptopScreen, current: str) -> None:
        """Badges, the entry of the open screen, and the person."""
        counts = {
            "deviations": (screen.open_deviations, "critBar"),
            "sync_health": (screen.needs_decision, "warnFill"),
        }
        for name, _, words in ENTRIES:
            count, fill = counts.get(name, (0, "warnFill"))
            self.entries[name].say(words(), count, fill)
            self.entries[name].setChecked(name == current)
        if screen.person is not None:
            where = " · ".join(part for part in (screen.person.plant_name, shift_words(screen.shift_name)) if part)
            self.user.say(screen.person.name, where, screen.person.short_no[-2:])
        self._language.say("English" if i18n.current() == "es" else "Español")
        self._sign_out.say(tr("Sign out"))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the dark ground."""
        QPainter(self).fillRect(self.rect(), theme.colour("bar"))

    def _on_sign_out(self) -> None:
        self.user.setChecked(False)
        self.signed_out.emit()
