"""The theme in use: tokens become colours, fonts and icons; a change repaints every widget.

A widget that keeps something made from the theme (a palette, a font, a style sheet) has a
method ``retheme``; one that paints needs nothing.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import fontpkg_jetbrains_mono
from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPainter, QPainterPath, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from foodflow_desktop.views.theme import icons
from foodflow_desktop.views.theme.tokens import TOKENS, Theme, hex_of

INTER = Path(__file__).parent / "fonts" / "inter-figures.ttf"


class _Now:
    theme = Theme.light
    scale = 1.0


def use(theme: Theme | str = Theme.light, scale: float = 1.0) -> None:
    """Switch the theme and the text scale (1.0, 1.15, 1.3) of the running program."""
    _Now.theme, _Now.scale = Theme(theme), scale
    app = QApplication.instance()
    if isinstance(app, QApplication):
        app.setFont(font(15))
        app.setPalette(_palette())
        app.setStyleSheet(sheet())
        for widget in app.allWidgets():
            retheme = getattr(widget, "retheme", None)
            if callable(retheme):
                retheme()
            widget.update()


def current() -> Theme:
    """The theme in use."""
    return _Now.theme


def scale() -> float:
    """The text scale in use."""
    return _Now.scale


def is_high_contrast() -> bool:
    """Whether the high contrast theme is in use."""
    return _Now.theme is Theme.high_contrast


def px(size: float) -> int:
    """A size that follows the text scale."""
    return round(size * _Now.scale)


def colour(name: str) -> QColor:
    """The colour of a token."""
    return QColor(hex_of(name, _Now.theme))


def font(size: float, weight: int = 400, mono: bool = False, *, heading: bool = False) -> QFont:
    """Inter with tabular figures, so that numbers that change do not jump, or JetBrains Mono for codes.

    The size [px] is before text scale. A heading's letters are a little tighter.
    """
    return QFont(_font(size, weight, mono, heading, _Now.scale))


@lru_cache(maxsize=512)
def _font(size: float, weight: int, mono: bool, heading: bool, scaled: float) -> QFont:
    found = QFont(_family(mono))
    found.setPixelSize(max(1, round(size * scaled)))
    if heading:
        found.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, -0.01 * size * scaled)
    found.setFeature(QFont.Tag("zero" if mono else "tnum"), 1)
    if not mono:
        # Contextual forms would lift the hyphen of a code; I and l must not look like 1.
        for feature, value in (("calt", 0), ("cv05", 1), ("cv08", 1)):
            found.setFeature(QFont.Tag(feature), value)
    # Only the axis: setWeight as well makes Qt embolden what is bold already.
    found.setVariableAxis(QFont.Tag("wght"), weight)
    if not mono:  # what a browser does by itself: optical size follows the size shown
        found.setVariableAxis(QFont.Tag("opsz"), min(32.0, max(14.0, size * scaled)))
    return found


@lru_cache(maxsize=2)
def _family(mono: bool) -> str:
    file = INTER
    if mono:
        folder = Path(str(fontpkg_jetbrains_mono.__file__)).parent / "files"
        file = min(path for path in folder.glob("*.ttf") if "Italic" not in path.name)
    number = QFontDatabase.addApplicationFont(str(file))
    return QFontDatabase.applicationFontFamilies(number)[0]


def pixmap(name: str, size: float, token: str, ratio: float = 1.0, stroke: float = 2.0) -> QPixmap:
    """An icon in a token's colour, ``size`` [px] before the device's pixel ratio."""
    return _pixmap(name, size, hex_of(token, _Now.theme), hex_of(_inside(token), _Now.theme), ratio, stroke=stroke)


def _inside(token: str) -> str:
    """What is drawn on a filled shape of this colour."""
    return {"warnFill": "onWarn", "warn": "surface", "onWarn": "warnFill", "onState": "crit"}.get(token, "onState")


@lru_cache(maxsize=512)
def _pixmap(name: str, size: float, ink: str, inside: str, ratio: float, *, stroke: float) -> QPixmap:
    shapes = icons.ICONS.get(name, icons.ICONS["info"]).replace("INK", ink).replace("INSIDE", inside)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="{ink}" '
        f'stroke-width="{stroke}" stroke-linecap="round" stroke-linejoin="round">{shapes}</svg>'
    )
    renderer = QSvgRenderer(QByteArray(svg.encode()))
    found = QPixmap(round(size * ratio), round(size * ratio))
    found.fill(Qt.GlobalColor.transparent)
    painter = QPainter(found)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    renderer.render(painter, QRectF(0, 0, found.width(), found.height()))
    painter.end()
    found.setDevicePixelRatio(ratio)
    return found


def rounded(area: QRectF, radius: float) -> QPainterPath:
    """A rounded rectangle to clip by."""
    path = QPainterPath()
    path.addRoundedRect(area, radius, radius)
    return path


def _palette() -> QPalette:
    """What Qt draws by itself when nobody says otherwise."""
    found = QPalette()
    for role, token in (
        (QPalette.ColorRole.Window, "bg"),
        (QPalette.ColorRole.WindowText, "ink"),
        (QPalette.ColorRole.Base, "surface"),
        (QPalette.ColorRole.Text, "ink"),
        (QPalette.ColorRole.PlaceholderText, "ink3"),
        (QPalette.ColorRole.Button, "surface"),
        (QPalette.ColorRole.ButtonText, "ink"),
        (QPalette.ColorRole.Highlight, "accent"),
        (QPalette.ColorRole.HighlightedText, "onAccent"),
    ):
        found.setColor(role, colour(token))
    return found


def sheet() -> str:
    """The style sheet of what Qt draws itself: fields, scroll bars, tooltips, tables."""
    colours = {name: hex_of(name, _Now.theme) for name in TOKENS}
    return _SHEET.format(**colours)


_SHEET = """
QMainWindow, QDialog, QWidget#window {{ background: {bg}; }}
QLineEdit, QPlainTextEdit, QComboBox {{
  background: {surface}; color: {ink}; border: 2px solid {lineStrong}; border-radius: 10px; padding: 0 12px;
  selection-background-color: {accent}; selection-color: {onAccent}; }}
QLineEdit:focus, QPlainTextEdit:focus, QComboBox:focus {{ border: 3px solid {focus}; padding: 0 11px; }}
QLineEdit {{ placeholder-text-color: {ink3}; }}
QLineEdit:disabled {{ background: {surface2}; color: {ink3}; }}
QComboBox QAbstractItemView {{ background: {surface}; color: {ink}; selection-background-color: {accentSoft};
  selection-color: {accentInk}; border: 1px solid {line}; }}
QComboBox::drop-down {{ border: 0; width: 28px; }}
QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: 0; }}
QScrollBar:vertical {{ background: transparent; width: 12px; margin: 2px; }}
QScrollBar::handle:vertical {{ background: {lineStrong}; border-radius: 4px; min-height: 40px; }}
QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 2px; }}
QScrollBar::handle:horizontal {{ background: {lineStrong}; border-radius: 4px; min-width: 40px; }}
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{
  width: 0; height: 0; background: none; }}
QTableWidget {{ background: {surface}; color: {ink}; border: 0; gridline-color: {line};
  selection-background-color: {accentSoft}; selection-color: {ink}; }}
QHeaderView::section {{
  background: {surface}; color: {ink2}; border: 0; border-bottom: 1px solid {line}; padding: 8px; }}
"""
