"""The bar above each laptop screen: its title, the search, what the hub says, the time."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QSizePolicy, QWidget

from foodflow_desktop.stations.supervisor import LaptopScreen
from foodflow_desktop.views import theme
from foodflow_desktop.views.i18n import clock, number, tr
from foodflow_desktop.views.widgets.controls import Words
from foodflow_desktop.views.widgets.parts import row

HEIGHT = 60
SEARCH_W = 262


class SearchField(QLineEdit):
    """Find a lot or a batch, from anywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("laptop.search")
        self.retheme()

    def retheme(self) -> None:
        """Follow theme and text scale."""
        self.setFont(theme.font(15, 400))
        self.setFixedHeight(theme.px(38))
        self.setMinimumWidth(theme.px(SEARCH_W))
        self.setTextMargins(26, 0, 62, 0)
        line, surface, focus = (theme.colour(name).name() for name in ("line", "surface", "focus"))
        self.setStyleSheet(
            f"QLineEdit {{ border: 1px solid {line}; border-radius: 10px; background: {surface}; padding: 0 10px;"
            f" placeholder-text-color: {theme.colour('ink3').name()}; }}"
            f"QLineEdit:focus {{ border: 2px solid {focus}; padding: 0 9px; }}"
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the field, its icon and its key."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = self.height() / 2
        painter.drawPixmap(14, int(middle - 9), theme.pixmap("search", 18, "ink2", self.devicePixelRatioF(), 2.2))
        painter.setFont(theme.font(13, 600))
        width = painter.fontMetrics().horizontalAdvance("Ctrl K") + 16
        key = QRectF(self.width() - 13 - width, middle - 10.5, width, 21)
        painter.setPen(QPen(theme.colour("line"), 1))
        painter.setBrush(theme.colour("surface"))
        painter.drawRoundedRect(key, 5, 5)
        painter.setPen(theme.colour("ink2"))
        painter.drawText(key, Qt.AlignmentFlag.AlignCenter, "Ctrl K")


class HubPill(QAbstractButton):
    """What stands between the terminals and the hub; a click opens Sync health."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("laptop.pill")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._icon, self._fill, self._ink, self._border = "cloud_ok", "surface2", "ink", "line"
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def say(self, text: str, icon: str, fill: str, ink: str, border: str) -> None:
        """Words, shape and colours."""
        self._icon, self._fill, self._ink, self._border = icon, fill, ink, border
        self.setText(text)
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Room for icon and words."""
        width = QFontMetrics(theme.font(14, 650)).horizontalAdvance(self.text())
        return QSize(width + 53, theme.px(38))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the pill."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        border = "focus" if self.hasFocus() else self._border
        painter.setPen(QPen(theme.colour(border), 3 if self.hasFocus() else 1) if border else Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(self._fill))
        painter.drawRoundedRect(area, 10, 10)
        middle = self.height() / 2
        painter.drawPixmap(11, int(middle - 9), theme.pixmap(self._icon, 18, self._ink, self.devicePixelRatioF()))
        painter.setFont(theme.font(14, 650))
        painter.setPen(theme.colour(self._ink))
        painter.drawText(area.adjusted(38, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self.text())


class Header(QWidget):
    """Title left; search, pill and clock right."""

    searched = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._title = Words("laptop.title", 23, 700)
        self.search = SearchField()
        self.pill = HubPill()
        self._clock = Words("laptop.clock", 16, 600)
        box = row(gap=16, margins=(24, 1, 24, 0))
        box.addWidget(self._title)
        box.addStretch(1)
        box.addWidget(self.search)
        box.addWidget(self.pill)
        box.addSpacing(1)
        box.addWidget(self._clock)
        self.setLayout(box)
        self.search.returnPressed.connect(self._search)
        self.retheme()

    def retheme(self) -> None:
        """Follow the text scale."""
        self.setFixedHeight(theme.px(HEIGHT))

    def _search(self) -> None:
        text = self.search.text()
        self.search.clear()
        self.searched.emit(text)

    def show_screen(self, screen: LaptopScreen, title: str) -> None:
        """Title, pill and time."""
        self._title.say(title)
        self._clock.say(clock(screen.now))
        self.search.setPlaceholderText(tr("Find a lot or batch…"))
        self.search.setAccessibleName(tr("Find a lot or batch…"))
        if not screen.is_heard:
            since = (
                tr("No answer since {time}", time=clock(screen.heard_at))
                if screen.heard_at
                else tr("No answer from the hub")
            )
            self.pill.say(since, "cloud_off", "offSoft", "off", "")
        elif screen.needs_decision:
            self.pill.say(
                tr("Needs help · {count}", count=number(screen.needs_decision)), "flag", "warnFill", "onWarn", ""
            )
        elif screen.offline:
            text = (
                tr("1 terminal offline")
                if screen.offline == 1
                else tr("{count} terminals offline", count=screen.offline)
            )
            self.pill.say(text, "cloud_off", "offSoft", "off", "")
        elif screen.waiting:
            self.pill.say(tr("Sending {count}", count=number(screen.waiting)), "cloud_up", "surface2", "ink", "line")
        else:
            self.pill.say(tr("All sent"), "cloud_ok", "surface2", "ink", "line")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ground and the line below."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour("surface"))
        painter.fillRect(0, self.height() - 1, self.width(), 1, theme.colour("line"))
