"""Controls of the kiosk: large, acted on by release inside, deaf to water and double contacts.

Sizes are those of the 12.1" 1280x800 reference (ux.md, section 8); heights are minimums and
grow with the text scale.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from PySide6.QtCore import QElapsedTimer, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QGridLayout, QSizePolicy, QStackedLayout, QWidget

from foodflow_desktop.views import theme
from foodflow_desktop.views.widgets.controls import Icon, Words
from foodflow_desktop.views.widgets.parts import row

TOUCH_H, PRIMARY_H = 72, 88
SHORTEST_MS = 30
"""A contact shorter than this is a splash."""
AGAIN_MS = 250
"""A second contact on the same control within this is the same finger."""

KINDS: dict[str, tuple[str, str, str, float]] = {
    "primary": ("accent", "accent", "onAccent", 2),
    "danger": ("crit", "crit", "onState", 2),
    "outline": ("surface", "lineStrong", "ink", 2),
    "key": ("surface2", "lineStrong", "ink", 2),
    "quiet": ("surface2", "line", "ink", 2),
    "warn": ("surface", "crit", "crit", 2),
    "chosen": ("accentSoft", "accent", "accentInk", 2),
}
"""Kind of button: fill, border, ink, border width."""


class Pressable(QAbstractButton):
    """What every touch control has: release inside acts, splashes and double contacts do not."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._since_press, self._since_act = QElapsedTimer(), QElapsedTimer()

    def say(self, text: str, accessible: str = "") -> None:
        """Change the words."""
        if text != self.text():
            self.setText(text)
            self.updateGeometry()
        self.setAccessibleName(accessible or text)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Note when the contact began; too soon after the last act it is not one."""
        if self._since_act.isValid() and self._since_act.elapsed() < AGAIN_MS:
            event.accept()
            return
        self._since_press.start()
        super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Act if the contact was long enough and ends inside."""
        is_contact = self._since_press.isValid() and self._since_press.elapsed() >= SHORTEST_MS
        self._since_press.invalidate()
        if not is_contact:
            self.setDown(False)
            event.accept()
            return
        self._since_act.start()
        super().mouseReleaseEvent(event)

    def paint_focus(self, painter: QPainter, radius: float) -> None:
        """The focus ring: 3 px accent, in high contrast 4 px yellow."""
        if not self.hasFocus():
            return
        width = 4.0 if theme.is_high_contrast() else 3.0
        painter.setBrush(Qt.BrushStyle.NoBrush)
        area, half = QRectF(self.rect()), width / 2
        # A gap in the ground's colour first: the ring is seen on a blue or red button too.
        for token, inset, thick in (("surface", width + 1.5, 3.0), ("focus", half, width)):
            painter.setPen(QPen(theme.colour(token), thick))
            round_by = max(2.0, radius - inset)
            painter.drawRoundedRect(area.adjusted(inset, inset, -inset, -inset), round_by, round_by)


class TouchButton(Pressable):
    """A button with words, an icon or both."""

    def __init__(
        self,
        name: str,
        kind: str = "outline",
        icon: str = "",
        *,
        px: float = 19,
        weight: int = 650,
        height: int = TOUCH_H,
        icon_px: int = 26,
        side: int = 20,
    ) -> None:
        super().__init__(name)
        self._kind, self._icon, self._px, self._weight = kind, icon, px, weight
        self._height, self._icon_px, self._side = height, icon_px, side
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.retheme()

    def set_kind(self, kind: str) -> None:
        """Change how it looks."""
        if kind != self._kind:
            self._kind = kind
            self.update()

    def set_px(self, px: float) -> None:
        """Change the size of the words."""
        if px != self._px:
            self._px = px
            self.updateGeometry()
            self.update()

    def set_icon(self, icon: str) -> None:
        """Change the icon."""
        self._icon = icon
        self.updateGeometry()
        self.update()

    def retheme(self) -> None:
        """Follow the text scale."""
        self.setMinimumHeight(max(self._height, theme.px(self._px) + 34))
        self.updateGeometry()

    def words_font(self) -> QFont:
        """The font of its words."""
        return theme.font(self._px, self._weight)

    def icon_room(self) -> int:
        """What the icon takes of the width."""
        return (self._icon_px + (14 if self.text() else 0)) if self._icon else 0

    def lines_shown(self) -> list[str]:
        """Its words as they are broken into lines at its width."""
        return self._lines(self.width() - self.icon_room() - 16)

    def _lines(self, width: int) -> list[str]:
        """The words in one line, or in two where one is too narrow."""
        metrics = QFontMetrics(theme.font(self._px, self._weight))
        words = re.split(r"(?<!\d) ", self.text())  # a number stays with its unit
        if metrics.horizontalAdvance(self.text()) <= width or len(words) == 1:
            return [self.text()]
        splits = [(" ".join(words[:n]), " ".join(words[n:])) for n in range(1, len(words))]
        best = min(splits, key=lambda pair: max(map(metrics.horizontalAdvance, pair)))
        if (
            width <= 0
            or max(map(metrics.horizontalAdvance, best)) <= width
            or self.height() < 3 * metrics.lineSpacing()
        ):
            return list(best)
        lines = [words[0]]
        for word in words[1:]:
            longer = f"{lines[-1]} {word}"
            lines = [*lines[:-1], longer] if metrics.horizontalAdvance(longer) <= width else [*lines, word]
        return lines

    def sizeHint(self) -> QSize:
        """Room for icon, words and padding."""
        metrics = QFontMetrics(theme.font(self._px, self._weight))
        width = metrics.horizontalAdvance(self.text()) + 2 * self._side
        width += (self._icon_px + (12 if self.text() else 0)) if self._icon else 0
        return QSize(max(width, self._height), self.minimumHeight())

    def minimumSizeHint(self) -> QSize:
        """Words wrap before they are cut."""
        metrics = QFontMetrics(theme.font(self._px, self._weight))
        lines = self._lines(0)
        width = max((metrics.horizontalAdvance(line) for line in lines), default=0) + 2 * min(self._side, 12)
        width += (self._icon_px + (12 if self.text() else 0)) if self._icon else 0
        return QSize(max(width, min(self._height, TOUCH_H)), self.minimumHeight())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the button in its state."""
        fill, border, ink, width = KINDS[self._kind]
        if not self.isEnabled():
            fill, border, ink = "surface2", "line", "ink3"
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        half = width / 2
        painter.setPen(QPen(theme.colour(border), width))
        body = theme.colour(fill)
        if self.isDown():
            body = body.darker(112) if theme.current() == "light" else body.lighter(125)
        painter.setBrush(body)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(half, half, -half, -half), 13, 13)
        self.paint_focus(painter, 13)
        self._paint_words(painter, ink)

    def _paint_words(self, painter: QPainter, ink: str) -> None:
        painter.setFont(theme.font(self._px, self._weight))
        metrics = painter.fontMetrics()
        space, lines = self.icon_room(), self.lines_shown()
        widest = max(metrics.horizontalAdvance(line) for line in lines)
        left = (self.width() - widest - space) / 2
        if self._icon:
            pixmap = theme.pixmap(self._icon, self._icon_px, ink, self.devicePixelRatioF())
            painter.drawPixmap(QPointF(left, (self.height() - self._icon_px) / 2), pixmap)
        painter.setPen(theme.colour(ink))
        height = metrics.lineSpacing()
        top = (self.height() - height * len(lines)) / 2
        for number, line in enumerate(lines):
            area = QRectF(left + space, top + number * height, widest, height)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, line)


class Pill(QWidget):
    """A kiosk chip: shape, word and colour in a rounded field."""

    def __init__(
        self,
        name: str,
        *,
        height: int = 36,
        px: float = 17,
        weight: int = 650,
        side: int = 14,
        icon_px: int = 22,
        gap: int = 9,
        right: int | None = None,
    ) -> None:
        super().__init__()
        self.setObjectName(name)
        self._height, self._fill, self._border = height, "surface2", "line"
        self._shown: tuple[str, ...] = ()
        box = row(gap=gap, margins=(side, 0, side if right is None else right, 0))
        self._icon = Icon("info", icon_px, "ink")
        self.words = Words(f"{name}.text", px, weight)
        box.addWidget(self._icon)
        box.addWidget(self.words)
        self.setLayout(box)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.retheme()

    def say(
        self, text: str, *, icon: str = "", ink: str = "ink2", fill: str = "surface2", border: str = "line"
    ) -> None:
        """Show a state."""
        shown = (text, icon, ink, fill, border)
        if shown == self._shown:
            return
        self._shown = shown
        self._fill, self._border = fill, border
        self._icon.setVisible(bool(icon))
        if icon:
            self._icon.show_icon(icon, ink)
        self.words.say(text, ink)
        self.setAccessibleName(text)
        self.update()

    def text(self) -> str:
        """The words shown."""
        return self.words.text()

    def retheme(self) -> None:
        """Follow the text scale."""
        self.setFixedHeight(theme.px(self._height))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the field."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edge = QPen(theme.colour(self._border), 1) if self._border else QPen(Qt.PenStyle.NoPen)
        if theme.is_high_contrast() and self._border in ("line", "okSoft"):
            edge = QPen(theme.colour("ok" if self._border == "okSoft" else "line"), 2)
        painter.setPen(edge)
        painter.setBrush(theme.colour(self._fill))
        half = self.height() / 2
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), half - 0.5, half - 0.5)


class Pages(QStackedLayout):
    """Pages of which one is shown; only the one shown decides how much room is needed."""

    def minimumSize(self) -> QSize:
        """The page shown needs this."""
        page = self.currentWidget()
        return page.minimumSizeHint() if page is not None else QSize(0, 0)

    def sizeHint(self) -> QSize:
        """The page shown would like this."""
        page = self.currentWidget()
        return page.sizeHint() if page is not None else QSize(0, 0)

    def hasHeightForWidth(self) -> bool:
        """Pages are as high as they are given."""
        return False


class Dots(QWidget):
    """PIN digits as dots: filled for typed, open for to come."""

    def __init__(self, name: str, *, size: int = 20, pitch: int = 36) -> None:
        super().__init__()
        self.setObjectName(name)
        self._filled, self._total, self._size, self._pitch = 0, 4, size, pitch
        self.setFixedHeight(size + 2)

    def show_dots(self, filled: int, total: int) -> None:
        """How many are typed, of how many."""
        self._filled, self._total = filled, total
        self.setAccessibleName(f"{filled}/{total}")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the dots."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left = (self.width() - self._pitch * (self._total - 1) - self._size) / 2
        for number in range(self._total):
            area = QRectF(left + number * self._pitch + 1, 2, self._size - 2, self._size - 2)
            is_filled = number < self._filled
            painter.setPen(QPen(theme.colour("accent" if is_filled else "lineStrong"), 2))
            painter.setBrush(theme.colour("accent") if is_filled else Qt.BrushStyle.NoBrush)
            painter.drawEllipse(area)


class PinKeys(QWidget):
    """The side sign pad: 1-2-3 on top, 0 centred, Clear and delete apart. Keys are 88x76."""

    def __init__(
        self,
        name: str,
        on_digit: Callable[[str], object],
        on_backspace: Callable[[], object],
        on_clear: Callable[[], object],
        *,
        key_h: int = 76,
        px: float = 29,
    ) -> None:
        super().__init__()
        self._key_h, self._px = key_h, px
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(12)
        for number in range(1, 10):
            key = self._key(f"{name}.{number}", "outline", f"{number}")
            key.clicked.connect(lambda _=False, n=number: on_digit(f"{n}"))
            grid.addWidget(key, (number - 1) // 3, (number - 1) % 3)
        self.clear = TouchButton(f"{name}.clear", "key", px=19, weight=620, height=key_h, side=4)
        self.clear.clicked.connect(lambda _=False: on_clear())
        zero = self._key(f"{name}.0", "outline", "0")
        zero.clicked.connect(lambda: on_digit("0"))
        self.back = TouchButton(f"{name}.backspace", "key", "backspace", height=key_h, icon_px=27)
        self.back.clicked.connect(lambda _=False: on_backspace())
        for place, key in enumerate((self.clear, zero, self.back)):
            grid.addWidget(key, 3, place)
        self.setLayout(grid)

    def _key(self, name: str, kind: str, text: str) -> TouchButton:
        key = TouchButton(name, kind, px=self._px, weight=650, height=self._key_h, side=4)
        key.say(text)
        return key
