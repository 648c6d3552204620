"""The kiosk's dark top bar and its rail. Nothing covers the bar, stop screens included."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPainterPath, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from foodflow_desktop.sync.status import PillState
from foodflow_desktop.views import theme
from foodflow_desktop.views.i18n import tr
from foodflow_desktop.views.widgets.controls import Words
from foodflow_desktop.views.widgets.kiosk import Pressable
from foodflow_desktop.views.widgets.parts import column, row

BAR_H, RAIL_W, RAIL_ITEM_H = 72, 112, 94
WORD_PX, TAIL_GAP = 17.4, 9.0
MOST_SCALE, GAP = 1.15, 12


@dataclass(frozen=True, slots=True)
class BarScreen:
    """What the bar says."""

    line: str
    about: str
    pill: PillState
    count: int
    language: str
    user: str
    short: str
    clock: str


class BarButton(Pressable):
    """A field on the bar: 48 px to see, the bar's whole height to touch."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.sign, self.tail, self.circle, self.lock, self.is_tight = "", "", "", False, False
        self.fill, self.ink = "barSoft", "onBar"
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.retheme()

    def retheme(self) -> None:
        """Follow the text scale."""
        self.setFixedHeight(BAR_H)
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Room for all parts."""
        width = self._words_left() + QFontMetricsF(theme.font(_on_bar(WORD_PX), 650)).horizontalAdvance(self.text())
        width += (
            (QFontMetricsF(theme.font(_on_bar(15), 450)).horizontalAdvance(self.tail) + TAIL_GAP) if self.tail else 0
        )
        border = 4 if theme.is_high_contrast() else 0
        return QSize(round(width + border + (58 if self.lock else 14 if self.is_tight else 17)), BAR_H)

    def _words_left(self) -> float:
        if self.circle:
            return 58.0
        return (46.0 if self.is_tight else 49.0) if self.sign else 16.0

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the field."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(0, 10, self.width(), BAR_H - 20) if self.circle else QRectF(0, 12, self.width(), BAR_H - 24)
        if theme.is_high_contrast():
            area.adjust(1, 1, -1, -1)  # the whole of the border lies inside
            painter.setPen(QPen(theme.colour("onBar"), 2))
        else:
            painter.setPen(Qt.PenStyle.NoPen)
        fill = theme.colour(self.fill)
        painter.setBrush(fill.lighter(130) if self.isDown() else fill)
        painter.drawRoundedRect(area, 12, 12)
        if self.hasFocus():
            painter.setPen(QPen(theme.colour("accentBar"), 3))
            painter.drawRoundedRect(area.adjusted(1.5, 1.5, -1.5, -1.5), 12, 12)
        if self.sign:
            painter.drawPixmap(QPointF(15, 24), theme.pixmap(self.sign, 24, self.ink, self.devicePixelRatioF()))
        if self.circle:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("barCircle"))
            painter.drawEllipse(QRectF(8, 17, 38, 38))
            painter.setFont(theme.font(15 / theme.scale(), 700))
            painter.setPen(theme.colour("bar"))
            painter.drawText(QRectF(8, 17, 38, 38), Qt.AlignmentFlag.AlignCenter, self.circle)
        left = self._word(painter, self._words_left(), self.text(), _on_bar(WORD_PX), 650, self.ink)
        if self.tail:
            quiet = {"barSoft": "onBar2", "barPale": "onPale2"}.get(self.fill, self.ink)
            self._word(painter, left + TAIL_GAP, self.tail, _on_bar(15), 450, quiet)
        if self.lock:
            pixmap = theme.pixmap("padlock", 26, "onBar2", self.devicePixelRatioF(), 1.8)
            painter.drawPixmap(QPointF(self.width() - 42, 23), pixmap)

    @staticmethod
    def _word(painter: QPainter, left: float, text: str, px: float, weight: int, ink: str) -> float:
        painter.setFont(theme.font(px, weight))
        painter.setPen(theme.colour(ink))
        width = QFontMetricsF(painter.font()).horizontalAdvance(text)
        painter.drawText(QRectF(left, -1, width + 4, BAR_H), Qt.AlignmentFlag.AlignVCenter, text)
        return left + width


class BarWords(Words):
    """Words on the bar, whose height is fixed: they follow the text scale up to 115 %."""

    def _font(self) -> QFont:
        px, weight, _, mono = self._look
        return theme.font(_on_bar(px), weight, mono, heading=self._heading)


def _on_bar(px: float) -> float:
    """A size on the bar before text scale, so that it ends at 115 %."""
    return px * min(1.0, MOST_SCALE / theme.scale())


class Logo(QWidget):
    """The product's mark."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(RAIL_W, BAR_H)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the mark."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(36, 16)
        paint_mark(painter)


def paint_mark(painter: QPainter) -> None:
    """The product's mark on its tile of 40 x 40."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour("barTile"))
    painter.drawRoundedRect(QRectF(0, 0, 40, 40), 9, 9)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for lift, token in ((0.0, "markHigh"), (7.0, "markLow")):
        wave = QPainterPath(QPointF(8.6, 19.0 + lift))
        wave.cubicTo(12.5, 18.4 + lift, 15.5, 13.0 + lift, 20, 13.0 + lift)
        wave.cubicTo(24.5, 13.0 + lift, 27.5, 18.4 + lift, 31.4, 19.0 + lift)
        painter.setPen(QPen(theme.colour(token), 3.2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawPath(wave)


class TopBar(QWidget):
    """Line, product and batch; sync; language; user with lock; clock."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("bar")
        self.setFixedHeight(BAR_H)
        self.line = BarWords("bar.line", 22, 680, "onBar")
        self.about = BarWords("bar.about", 16, 450, "onBar2")
        self.pill, self.language, self.user = BarButton("bar.sync"), BarButton("bar.language"), BarButton("bar.user")
        self.clock = BarWords("bar.clock", 25, 690, "onBar")
        words = column(gap=4)
        words.addStretch(1)
        words.addWidget(self.line)
        words.addWidget(self.about)
        words.addSpacing(2)
        words.addStretch(1)
        box = row(gap=12, margins=(0, 0, 24, 0))
        box.addWidget(Logo())
        box.addSpacing(12)
        box.addLayout(words, 1)
        for part in (self.pill, self.language, self.user):
            box.addWidget(part)
        box.addSpacing(8)
        box.addWidget(self.clock)
        self.setLayout(box)
        self._screen: BarScreen | None = None
        self.language.sign, self.language.is_tight = "globe", True
        self.user.lock = True

    def show_screen(self, screen: BarScreen) -> None:
        """Draw the bar."""
        self._screen = screen
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width may need less, or allow more."""
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """The bar never makes the window wider: it says less instead."""
        return QSize(600, BAR_H)

    def _fit(self) -> None:
        """Say all, or leave out what can be missed most easily until it fits."""
        for level in range(4):
            self._show_level(level)
            if self._needed() <= self.width():
                return

    def _needed(self) -> int:
        """The width of all parts; asked of them, because a nested layout answers what it knew before."""
        words = max(part.sizeHint().width() for part in (self.line, self.about))
        parts = [part for part in (self.pill, self.language, self.user) if not part.isHidden()]
        fields = sum(part.sizeHint().width() + GAP for part in parts)
        return RAIL_W + 2 * GAP + words + GAP + fields + 8 + GAP + self.clock.sizeHint().width() + 24

    def _show_level(self, level: int) -> None:
        """Level 1 leaves out when it was sent, 2 the product, 3 the person's name (the number stays)."""
        screen = self._screen
        if screen is None:
            return
        self.line.say(screen.line)
        self.about.say(screen.about.split(" · ")[-1] if level >= 2 else screen.about)  # noqa: PLR2004 - levels as above
        self.clock.say(screen.clock)
        self.language.say(screen.language.upper(), tr("Language"))
        self.user.setVisible(bool(screen.user))
        self.user.circle = screen.short
        name = "" if level >= 3 else screen.user  # noqa: PLR2004 - levels as above
        self.user.say(name, tr("{name}, touch to lock", name=screen.user))
        self._show_pill(screen, with_tail=level == 0 or screen.count > 0)
        for part in (self.pill, self.language, self.user):
            part.updateGeometry()
            part.update()

    def _show_pill(self, screen: BarScreen, *, with_tail: bool) -> None:
        words, tail, icon, fill, ink = _pill(screen)
        tail = tail if with_tail else ""
        self.pill.sign, self.pill.tail, self.pill.fill, self.pill.ink = icon, tail, fill, ink
        self.pill.say(words, f"{words} {tail}".strip())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ground."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour("bar"))
        if theme.is_high_contrast():
            painter.fillRect(0, BAR_H - 2, self.width(), 2, theme.colour("line"))


def _pill(screen: BarScreen) -> tuple[str, str, str, str, str]:
    """Words, quieter words, icon, fill and ink of the sync pill (ux.md, section 6)."""
    count = screen.count
    match screen.pill:
        case PillState.all_sent:
            return tr("All sent"), tr("· just now"), "cloud_ok", "barSoft", "onBar"
        case PillState.sending:
            return tr("Sending {n}", n=count), "", "cloud_up", "barSoft", "onBar"
        case PillState.offline:
            tail = tr("· {n} saved here", n=count) if count else ""
            return tr("Offline"), tail, "cloud_off", "barPale", "onPale"
        case PillState.needs_help:
            return tr("Needs help · {n}", n=count), "", "flag", "warnFill", "onWarn"
        case PillState.not_paired:
            return tr("Not paired"), "", "cloud_off", "barSoft", "onBar"
        case PillState.cannot_save:
            return tr("Cannot save"), "", "crit", "crit", "onState"


class RailButton(Pressable):
    """One entry of the rail; a badge counts what is due."""

    def __init__(self, name: str, icon: str) -> None:
        super().__init__(name)
        self.sign, self.badge, self.is_here = icon, 0, False
        self.setFixedSize(RAIL_W, RAIL_ITEM_H)

    def show_state(self, is_here: bool, badge: int) -> None:
        """Mark it as the present view, and count; a negative badge is an exclamation mark."""
        if (is_here, badge) != (self.is_here, self.badge):
            self.is_here, self.badge = is_here, badge
            self.update()
        self.setAccessibleDescription(tr("needs you now") if badge < 0 else tr("{n} due", n=badge) if badge else "")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw icon, word, mark and badge."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(8, 0, RAIL_W - 17, RAIL_ITEM_H)
        ink = "accentInk" if self.is_here else "ink2"
        if self.is_here or self.isDown():
            painter.setPen(QPen(theme.colour("accent"), 2) if theme.is_high_contrast() else Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("accentSoft"))
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1) if theme.is_high_contrast() else area, 12, 12)
        if self.is_here:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("accent"))
            painter.drawRoundedRect(QRectF(-4, 22, 9, 50), 3, 3)
        self.paint_focus(painter, 12)
        painter.drawPixmap(QPointF(40, 18), theme.pixmap(self.sign, 32, ink, self.devicePixelRatioF(), 1.9))
        painter.setFont(theme.font(15.1, 600))
        if painter.fontMetrics().horizontalAdvance(self.text()) > RAIL_W - 6:
            painter.setFont(theme.font(13, 600))
        painter.setPen(theme.colour(ink))
        painter.drawText(QRectF(0, 55, RAIL_W, 24), Qt.AlignmentFlag.AlignCenter, self.text())
        if self.badge:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("warnFill"))
            painter.drawEllipse(QRectF(63, 8, 26, 26))
            painter.setFont(theme.font(14.5, 720))
            painter.setPen(theme.colour("onWarn"))
            painter.drawText(
                QRectF(63, 8, 26, 26), Qt.AlignmentFlag.AlignCenter, "!" if self.badge < 0 else f"{self.badge}"
            )


class Rail(QWidget):
    """The fixed entries at the left; never scrolls or reorders."""

    def __init__(self, entries: list[tuple[str, str]]) -> None:
        super().__init__()
        self.setObjectName("rail")
        self.setFixedWidth(RAIL_W)
        self.buttons = {name: RailButton(f"rail.{name}", icon) for name, icon in entries}
        box = column(gap=6, margins=(0, 10, 0, 0))
        for button in self.buttons.values():
            box.addWidget(button)
        box.addStretch(1)
        self.setLayout(box)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ground and the edge."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour("surface"))
        edge = 2 if theme.is_high_contrast() else 1
        painter.fillRect(self.width() - edge, 0, edge, self.height(), theme.colour("line"))
