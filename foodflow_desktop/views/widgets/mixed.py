"""A wrapping text with some words stronger: what a rich-text label would only embolden by smearing."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from foodflow_desktop.views import theme


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    is_strong: bool
    is_glued: bool
    """Follows the word before without a space."""


class MixedWords(QWidget):
    """Words with ``**strong**`` parts, wrapped, with a line height of its own.

    Args:
        px: size before text scale.
        strong: weight and colour token of the strong parts.
        leading: line height as a multiple of the size.
    """

    def __init__(
        self,
        name: str,
        px: float = 18,
        weight: int = 450,
        colour: str = "ink2",
        *,
        strong: tuple[int, str] = (700, "ink"),
        leading: float = 1.36,
    ) -> None:
        super().__init__()
        self.setObjectName(name)
        self._look, self._strong, self._leading = (px, weight, colour), strong, leading
        self._words: list[_Word] = []
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def say(self, text: str) -> None:
        """Change the text."""
        plain = text.replace("**", "")
        if plain == self.accessibleName() and self._words:
            return
        self.setAccessibleName(plain)
        self._words = []
        for number, part in enumerate(text.split("**")):
            is_after = bool(part) and not part[0].isspace()
            for place, word in enumerate(part.split()):
                is_glued = place == 0 and is_after and bool(self._words) and not _ends_open(text, number)
                self._words.append(_Word(word, number % 2 == 1, is_glued))
        self.updateGeometry()
        self.update()

    def text(self) -> str:
        """The words without marks."""
        return self.accessibleName()

    def retheme(self) -> None:
        """Follow theme and text scale."""
        self.updateGeometry()

    def hasHeightForWidth(self) -> bool:
        """It wraps."""
        return True

    def heightForWidth(self, width: int) -> int:
        """The height of the wrapped lines."""
        return int(len(self._lines(width)) * self._line_height() + 2)

    def sizeHint(self) -> QSize:
        """Three lines are common."""
        return QSize(240, self.heightForWidth(240))

    def minimumSizeHint(self) -> QSize:
        """At least the widest word."""
        widest = max((self._width(word) for word in self._words), default=0.0)
        return QSize(int(widest) + 2, int(self._line_height()))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the lines."""
        painter = QPainter(self)
        height = self._line_height()
        for number, line in enumerate(self._lines(self.width())):
            left = 0.0
            for place, word in enumerate(line):
                painter.setFont(self._font(word))
                painter.setPen(theme.colour(self._strong[1] if word.is_strong else self._look[2]))
                if place and not word.is_glued:
                    left += self._space()
                area = QRectF(left, number * height, self._width(word) + 2, height)
                painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, word.text)
                left += self._width(word)

    def _font(self, word: _Word) -> QFont:
        return theme.font(self._look[0], self._strong[0] if word.is_strong else self._look[1])

    def _width(self, word: _Word) -> float:
        return QFontMetricsF(self._font(word)).horizontalAdvance(word.text)

    def _space(self) -> float:
        return QFontMetricsF(theme.font(self._look[0], self._look[1])).horizontalAdvance(" ")

    def _line_height(self) -> float:
        return self._look[0] * theme.scale() * self._leading

    def _lines(self, width: int) -> list[list[_Word]]:
        lines: list[list[_Word]] = [[]]
        left = 0.0
        for word in self._words:
            step = self._width(word)
            space = 0.0 if word.is_glued or not lines[-1] else self._space()
            if lines[-1] and left + space + step > width and not word.is_glued:
                lines.append([])
                left, space = 0.0, 0.0
            lines[-1].append(word)
            left += space + step
        return lines


def _ends_open(text: str, number: int) -> bool:
    """Whether the part before ends with a space, so that the next word does not stick to it."""
    before = text.split("**")[number - 1] if number else ""
    return not before or before[-1].isspace()
