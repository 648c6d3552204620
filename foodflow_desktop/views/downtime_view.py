"""Downtime (mockup 06): how long the line stands, and twelve reasons to touch."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from foodflow_desktop.stations.context import Context
from foodflow_desktop.stations.downtime import TILES, DowntimeScreen, DowntimeStation, ReasonTile
from foodflow_desktop.views import jobs, theme
from foodflow_desktop.views.i18n import clock, tr
from foodflow_desktop.views.station_view import StationView
from foodflow_desktop.views.widgets.controls import Words
from foodflow_desktop.views.widgets.kiosk import Pressable, TouchButton
from foodflow_desktop.views.widgets.parts import Card, column, row
from foodflow_kernel.wire.bodies import Source

ACROSS = 4


class ReasonButton(Pressable):
    """One reason: its icon, how often today, and its name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.tile: ReasonTile | None = None
        self._corner = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(96)

    def show_tile(self, tile: ReasonTile) -> None:
        """Draw a reason."""
        if tile.is_planned:
            self._corner = tr("Planned")
        elif tile.is_other:
            self._corner = tr("Say why later")
        else:
            self._corner = tr("{n} today", n=tile.used_today) if tile.used_today else ""
        self.tile = tile
        self.say(tile.name, f"{tile.name}, {self._corner}" if self._corner else tile.name)
        self.setAccessibleDescription(tr("chosen") if tile.is_chosen else "")
        self.update()

    def sizeHint(self) -> QSize:
        """As the grid gives."""
        return QSize(180, theme.px(150))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the tile."""
        tile = self.tile
        if tile is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        is_on = tile.is_chosen or self.isDown()
        painter.setPen(QPen(theme.colour("accent" if is_on else "lineStrong"), 3 if tile.is_chosen else 2))
        painter.setBrush(theme.colour("accentSoft" if is_on else "surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 13, 13)
        self.paint_focus(painter, 13)
        ink = "accentInk" if is_on and self.isEnabled() else "ink" if self.isEnabled() else "ink3"
        painter.drawPixmap(QPointF(22, 20), theme.pixmap(tile.icon, 40, ink, self.devicePixelRatioF()))
        painter.setFont(theme.font(16, 600))
        painter.setPen(theme.colour("ink3"))
        corner = QRectF(66, 22, self.width() - 88, 38)
        painter.drawText(corner, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._corner)
        painter.setPen(theme.colour(ink))
        self._paint_name(painter)

    def _paint_name(self, painter: QPainter) -> None:
        """The name at the foot, in two lines where one is too narrow."""
        room = self.width() - 36
        px = 21.0
        lines = [self.text()]
        while px > 15:  # noqa: PLR2004 - the smallest size of the kiosk
            metrics = QFontMetrics(theme.font(px, 680))
            lines = _wrapped(metrics, self.text(), room)
            if len(lines) <= 2 and all(metrics.horizontalAdvance(line) <= room for line in lines):  # noqa: PLR2004
                break
            px -= 1
        painter.setFont(theme.font(px, 680))
        height = painter.fontMetrics().lineSpacing()
        bottom = self.height() - 22
        for place, line in enumerate(reversed(lines)):
            area = QRectF(22, bottom - (place + 1) * height, room, height)
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, line)


def _wrapped(metrics: QFontMetrics, text: str, room: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and metrics.horizontalAdvance(f"{lines[-1]} {word}") <= room:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    return lines


class StopIcon(QWidget):
    """The state of the line as a shape in a field."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(76, 76)
        self._icon, self._ink, self._fill = "pause", "warn", "warnSoft"

    def show_state(self, icon: str, ink: str, fill: str) -> None:
        """Another state."""
        self._icon, self._ink, self._fill = icon, ink, fill
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw field and shape."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(self._fill))
        painter.drawRoundedRect(QRectF(self.rect()), 14, 14)
        painter.drawPixmap(QPointF(16, 16), theme.pixmap(self._icon, 44, self._ink, self.devicePixelRatioF()))


class DowntimeView(StationView):
    """Draws the stop and its reasons."""

    name = "downtime"
    rail = "downtime"

    def __init__(self, context: Context, station: DowntimeStation) -> None:
        super().__init__(context)
        self.station = station
        station.on_changed = lambda: jobs.on_ui(self.refresh)
        self._icon = StopIcon()
        self._head = Words("downtime.head", 19, 600, "ink2", wrap=True, track=0.2)
        self._time = Words("downtime.time", 58, 740)
        self._unit = Words("downtime.unit", 24, 600, "ink2", wrap=True, track=0.3)
        self.again = TouchButton("downtime.again", "outline", "play", px=21, weight=680, height=88, icon_px=30, side=25)
        self._question = Words("downtime.question", 26, 720, track=-0.5)
        self._hint = Words("downtime.hint", 17, 600, "ink3", wrap=True)
        self.tiles = [ReasonButton(f"downtime.reason.{place}") for place in range(1, TILES + 1)]
        self._build()
        self.retheme()

    def retheme(self) -> None:
        """The time as high as its digits, so that the words beside it share its baseline."""
        self._time.setFixedHeight(theme.px(52))

    def _build(self) -> None:
        figure = row(gap=9)
        figure.addWidget(self._time, 0, Qt.AlignmentFlag.AlignBottom)
        figure.addWidget(self._unit, 1, Qt.AlignmentFlag.AlignBottom)
        words = column(gap=0)
        words.addStretch(1)
        words.addWidget(self._head)
        words.addSpacing(4)
        words.addLayout(figure)
        words.addStretch(1)
        stop = Card("downtime.stop")
        inside = row(gap=28, margins=(29, 8, 25, 8))
        inside.addWidget(self._icon)
        inside.addLayout(words, 1)
        inside.addWidget(self.again)
        stop.setLayout(inside)
        stop.setMinimumHeight(136)
        ask = row(gap=16, margins=(4, 0, 4, 0))
        self._hint.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        ask.addWidget(self._question)
        ask.addWidget(self._hint, 1)
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(16)
        for place, tile in enumerate(self.tiles):
            grid.addWidget(tile, place // ACROSS, place % ACROSS)
            tile.clicked.connect(lambda _=False, tile=tile: self._touched(tile))
        for across in range(ACROSS):
            grid.setColumnStretch(across, 1)
        whole = column(margins=(24, 20, 24, 25))
        whole.addWidget(stop)
        whole.addSpacing(18)
        whole.addLayout(ask)
        whole.addSpacing(15)
        whole.addLayout(grid, 1)
        self.setLayout(whole)
        self.again.clicked.connect(lambda: self.do(self.station.running_again))

    def refresh(self) -> None:
        """Draw the station's picture again."""
        self.show_screen(self.station.screen())

    def show_screen(self, screen: DowntimeScreen) -> None:
        """Draw one picture."""
        self._show_stop(screen)
        self.again.say(tr("Running again"))
        self.again.setVisible(screen.stop is not None and screen.stop.is_open)
        self.again.setEnabled(screen.has_user)
        for tile, shown in zip(self.tiles, screen.reasons, strict=False):
            tile.show_tile(shown)
            tile.setEnabled(screen.has_user)
        for place, tile in enumerate(self.tiles):
            tile.setVisible(place < len(screen.reasons))

    def _show_stop(self, screen: DowntimeScreen) -> None:
        stop, line = screen.stop, screen.line_name
        hint = tr("One touch saves it. You can add detail later.")
        if stop is not None:
            minutes, seconds = divmod(screen.elapsed_s, 60)
            self._time.say(f"{minutes}:{seconds:02d}")
            found = tr("found by the line signal") if stop.source is Source.signal else tr("recorded by hand")
            tail = screen.reason or found
            self._unit.say(f"{tr('min')} · {tail}")
            started = clock(stop.started_at, seconds=True)
            if stop.ended_at is None:
                self._head.say(tr("{line} stopped at {time}", line=line, time=started))
                self._icon.show_state("pause", "warn", "warnSoft")
            else:
                ended = clock(stop.ended_at, seconds=True)
                self._head.say(tr("{line} stood from {start} to {end}", line=line, start=started, end=ended))
                self._icon.show_state("clock", "warn", "warnSoft")
            self._question.say(tr("Why did it stop?"))
            if screen.reason is not None:
                hint = tr("Saved. Touch another reason to change it.")
        else:
            self._icon.show_state("play", "ok", "okSoft")
            stands = screen.standing_since
            self._head.say(line)
            self._time.say("")
            self._unit.say(_state(screen))
            if stands is not None:
                self._head.say(tr("{line} stands since {time}", line=line, time=clock(stands, seconds=True)))
                self._icon.show_state("pause", "ink2", "surface2")
            self._question.say(tr("Record a stop"))
        self._time.setVisible(stop is not None)
        self._hint.say(hint)

    def _touched(self, button: ReasonButton) -> None:
        tile: Any = button.tile
        if tile is not None:
            self.do(lambda: self.station.explain(tile.code).then(lambda: self.tell(tr("Saved"), "ok")))


def _state(screen: DowntimeScreen) -> str:
    if screen.standing_since is not None:
        return tr("A short stop. It is asked about after 2 minutes.")
    if screen.is_signal_heard:
        return tr("Running. A stop comes up here by itself.")
    return tr("No line signal. Touch a reason when the line stops.")
