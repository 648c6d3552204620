"""Words, icons, chips, buttons and fields of the laptop screens."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFocusEvent, QFont, QFontMetrics, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QSizePolicy, QWidget

from foodflow_desktop.views import theme
from foodflow_desktop.views.widgets.parts import row

BUTTON_H = 40


KEYBOARD = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)


class FocusRing(QObject):
    """Whether a control shows where the keyboard is: only once the keyboard brought the focus there."""

    def __init__(self, control: QWidget) -> None:
        super().__init__(control)
        self._control = control
        self._by_keyboard = False
        control.installEventFilter(self)

    @property
    def is_shown(self) -> bool:
        """Whether the ring is drawn."""
        return self._by_keyboard and self._control.hasFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Note why the focus came."""
        if isinstance(event, QFocusEvent) and event.gotFocus():
            self._by_keyboard = event.reason() in KEYBOARD
        return super().eventFilter(watched, event)


class Words(QLabel):
    """A text with a size, weight and colour token."""

    def __init__(
        self,
        name: str = "",
        px: float = 15,
        weight: int = 400,
        colour: str = "ink",
        *,
        mono: bool = False,
        wrap: bool = False,
        heading: bool = False,
        track: float = 0.0,
    ) -> None:
        super().__init__()
        self._track, self._heading = track, heading
        self._look = (px, weight, colour, mono)  # before anything that makes Qt call changeEvent
        self.setForegroundRole(QPalette.ColorRole.WindowText)  # also inside a button, whose role is another
        self.setObjectName(name)
        self.setWordWrap(wrap)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.retheme()

    def say(self, text: str, colour: str | None = None) -> None:
        """Change the text, and the colour if given."""
        if colour is not None and colour != self._look[2]:
            self._look = (*self._look[:2], colour, self._look[3])
            self.retheme()
        self.setText(text)

    def set_weight(self, weight: int) -> None:
        """Change the weight of the font."""
        if weight != self._look[1]:
            self._look = (self._look[0], weight, *self._look[2:])
            self.retheme()

    def changeEvent(self, event: QEvent) -> None:
        """Qt's style sheet style forgets palette and font when an ancestor moves: set them again."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            is_same = self.palette().color(self.foregroundRole()) == theme.colour(self._look[2])
            if not is_same or self.font() != self._font():
                self.retheme()

    def retheme(self) -> None:
        """Follow theme and text scale."""
        self.setFont(self._font())
        palette = self.palette()
        palette.setColor(self.foregroundRole(), theme.colour(self._look[2]))
        self.setPalette(palette)

    def _font(self) -> QFont:
        px, weight, _, mono = self._look
        found = theme.font(px, weight, mono, heading=self._heading)
        if self._track:
            found.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, self._track * theme.scale())
        return found


class Icon(QWidget):
    """One icon in a colour token."""

    def __init__(self, icon: str, px: int = 20, colour: str = "ink2", stroke: float = 2.0) -> None:
        super().__init__()
        self._icon, self._colour, self._stroke = icon, colour, stroke
        self.setFixedSize(px, px)

    def show_icon(self, icon: str, colour: str | None = None) -> None:
        """Another icon, another colour."""
        shown = (icon, colour or self._colour)
        if shown != (self._icon, self._colour):
            self._icon, self._colour = shown
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the icon."""
        painter = QPainter(self)
        ratio = self.devicePixelRatioF()
        painter.drawPixmap(0, 0, theme.pixmap(self._icon, self.width(), self._colour, ratio, self._stroke))


class Chip(QWidget):
    """A state as shape, word and colour in a rounded field."""

    def __init__(self, name: str, height: int = 28) -> None:
        super().__init__()
        self.setObjectName(name)
        self._height = height
        self.setFixedHeight(theme.px(height))
        self._fill, self._border, self._dot = "surface2", "line", ""
        box = row(gap=7, margins=(10, 0, 10, 0))
        self._icon = Icon("info", 16, "ink")
        self._space = QWidget()
        self._space.setFixedWidth(10)
        self.words = Words(f"{name}.text", 14, 650)
        for part in (self._icon, self._space, self.words):
            box.addWidget(part)
        self.setLayout(box)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def say(
        self,
        text: str,
        *,
        icon: str = "",
        dot: str = "",
        ink: str = "ink",
        fill: str = "surface2",
        border: str = "line",
    ) -> None:
        """Show a state; ``dot`` is a colour token for a filled circle instead of an icon."""
        self._fill, self._border, self._dot = fill, border, dot
        self._icon.setVisible(bool(icon))
        self._space.setVisible(bool(dot))
        if icon:
            self._icon.show_icon(icon, ink)
        self.words.say(text, ink)
        self.setAccessibleName(text)
        self.update()

    def retheme(self) -> None:
        """Follow the text scale."""
        self.setFixedHeight(theme.px(self._height))

    def text(self) -> str:
        """The words shown."""
        return self.words.text()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the field and the dot."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour(self._border), 1) if self._border else Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(self._fill))
        half = self.height() / 2
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), half - 0.5, half - 0.5)
        if self._dot:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour(self._dot))
            painter.drawEllipse(QRectF(11, half - 5, 10, 10))


class Button(QAbstractButton):
    """A button of the laptop screens. kind: primary, secondary, quiet, danger, segment, link."""

    def __init__(self, name: str, kind: str = "secondary", icon: str = "", px: float = 15) -> None:
        super().__init__()
        self.setObjectName(name)
        self._kind, self._icon, self._px = kind, icon, px
        self.joined = (False, False)
        """Whether a segment has a neighbour at its left and right that it touches."""
        self._ring = FocusRing(self)
        self.retheme()
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)

    def say(self, text: str, accessible: str = "") -> None:
        """Change the words."""
        self.setText(text)
        self.setAccessibleName(accessible or text)
        self.updateGeometry()

    def retheme(self) -> None:
        """Follow the text scale."""
        self.setMinimumHeight(theme.px(28 if self._kind == "link" else BUTTON_H))
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Room for icon, words and padding."""
        width = QFontMetrics(theme.font(self._px, 650)).horizontalAdvance(self.text())
        width += self._icon_room() + (4 if self._kind == "link" else 32)
        return QSize(width, self.minimumHeight())

    def minimumSizeHint(self) -> QSize:
        """Words are never cut."""
        return self.sizeHint()

    def _icon_room(self) -> int:
        """What the icon takes of the width; a link's chevron stands close."""
        return (20 if self._kind == "link" else 26) if self._icon else 0

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the button in its state."""
        fill, border, ink = {
            "primary": ("accent", "accent", "onAccent"),
            "secondary": ("surface", "lineStrong", "ink"),
            "quiet": ("surface2", "line", "ink"),
            "danger": ("surface", "crit", "crit"),
            "segment": ("surface", "accent", "ink"),
            "link": ("", "", "accentInk"),
        }[self._kind]
        if self.isChecked():
            fill, border, ink = "accent", "accent", "onAccent"
        if not self.isEnabled():
            fill, border, ink = ("surface2" if fill else ""), ("line" if border else ""), "ink3"
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        if fill:
            painter.setPen(QPen(theme.colour(border), 1.4))
            painter.setBrush(theme.colour("accentSoft") if self.isDown() and fill != "accent" else theme.colour(fill))
            self._paint_field(painter, area)
        if self._ring.is_shown:
            painter.setPen(QPen(theme.colour("focus"), 3))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), 10, 10)
        painter.setFont(theme.font(self._px, 650))
        metrics = painter.fontMetrics()
        total = metrics.horizontalAdvance(self.text()) + self._icon_room()
        left = (self.width() - total) / 2
        painter.setPen(theme.colour(ink))
        if self._icon:
            pixmap = theme.pixmap(self._icon, 18, ink, self.devicePixelRatioF())
            is_link = self._kind == "link"
            at = left + total - 18 if is_link else left
            painter.drawPixmap(int(at), int((self.height() - 18) / 2), pixmap)
            left += 0 if is_link else 26
        painter.drawText(QRectF(left, 0, self.width(), self.height()), Qt.AlignmentFlag.AlignVCenter, self.text())

    def _paint_field(self, painter: QPainter, area: QRectF) -> None:
        """The field; towards a neighbour it touches it is square, with one line between the two."""
        left, right = self.joined
        painter.save()
        painter.setClipRect(self.rect())
        painter.drawRoundedRect(area.adjusted(-14 if left else 0, 0, 14 if right else 0, 0), 10, 10)
        if left:
            painter.drawLine(QPointF(0.7, area.top()), QPointF(0.7, area.bottom()))
        painter.restore()


class Field(QLineEdit):
    """A line to type in."""

    def __init__(self, name: str, *, mono: bool = False) -> None:
        super().__init__()
        self.setObjectName(name)
        self._mono = mono
        self.retheme()

    def retheme(self) -> None:
        """Follow theme and text scale."""
        self.setFixedHeight(theme.px(BUTTON_H + 4))
        self.setFont(theme.font(15, 500, self._mono))
