"""Trace of a lot (mockup 21): search, the graph or the same as a table, and what it adds up to."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QScrollArea,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from foodflow_desktop.stations.trace import DIRECTIONS, TraceScreen
from foodflow_desktop.views import theme
from foodflow_desktop.views.i18n import clock, day, named, number, tr
from foodflow_desktop.views.laptop.notices import Notice
from foodflow_desktop.views.laptop.rows import PickRow, scrolled
from foodflow_desktop.views.laptop.trace_graph import TraceGraph
from foodflow_desktop.views.laptop.trace_side import TraceSide, unit
from foodflow_desktop.views.widgets.controls import Button, Field, Icon, Words
from foodflow_desktop.views.widgets.parts import Card, clear, column, row
from foodflow_kernel.wire.reports import Trace

SIDE_W = 320


class TraceView(QWidget):
    """Search above, graph or table in the middle, balance and actions on the right."""

    searched = Signal(str)
    opened = Signal(object)
    turned = Signal(str)
    table_asked = Signal(bool)
    csv_asked = Signal()
    packed = Signal(object)
    shipped = Signal(object, str, str, str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("trace")
        self.answer_notice = Notice("trace.answer_notice")
        self._head, self._middle = Card("trace.head"), Card("trace.card")
        self._build_head()
        self._build_middle()
        self.side = TraceSide()
        self.side.setFixedWidth(SIDE_W)
        left = column(gap=16)
        left.addWidget(self._head)
        left.addWidget(self.answer_notice)
        left.addWidget(self._middle, 1)
        whole = row(gap=16, margins=(24, 20, 24, 20))
        whole.addLayout(left, 1)
        whole.addWidget(self.side)
        self.setLayout(whole)
        self.side.acts.packed.connect(self.packed)
        self.side.acts.shipped.connect(self.shipped)
        self.side.csv.clicked.connect(self.csv_asked)
        self._drawn: tuple[object, ...] = ()
        self._is_table = False

    def _build_head(self) -> None:
        self._icon = Icon("box", 28, "accentInk")
        self._title = Words("trace.lot", 18, 700)
        self._code = Words("trace.code", 18, 500, mono=True)
        self._below = Words("trace.below", 14.5, 400, "ink2")
        self.field = Field("trace.search")
        self.find_button = Button("trace.find", "secondary", "search")
        self._turns = {name: Button(f"trace.{name}", "segment") for name in DIRECTIONS}
        words = column(gap=2)
        line = row(gap=9)
        line.addWidget(self._title)
        line.addWidget(self._code)
        line.addStretch(1)
        words.addLayout(line)
        words.addWidget(self._below)
        self._segments = QWidget()
        segments = row(gap=0)
        for place, (name, button) in enumerate(self._turns.items()):
            button.joined = (place > 0, place + 1 < len(self._turns))
            button.setCheckable(True)
            button.setAutoExclusive(True)
            button.clicked.connect(lambda _=False, name=name: self.turned.emit(name))
            segments.addWidget(button)
        self._segments.setLayout(segments)
        top = row(gap=16)
        top.addWidget(self._icon)
        top.addLayout(words, 1)
        top.addWidget(self._segments)
        search = row(gap=8)
        search.addWidget(self.field, 1)
        search.addWidget(self.find_button)
        box = column(gap=12, margins=(18, 14, 18, 14))
        box.addLayout(top)
        box.addLayout(search)
        self._head.setLayout(box)
        self.field.returnPressed.connect(self._search)
        self.find_button.clicked.connect(self._search)

    def _build_middle(self) -> None:
        self._missing = Notice("trace.not_heard")
        self.graph = TraceGraph()
        graph_area = QScrollArea()
        graph_area.setWidgetResizable(True)
        graph_area.setFrameShape(QScrollArea.Shape.NoFrame)
        graph_area.setWidget(self.graph)
        self.table = QTableWidget(0, 5)
        self.table.setObjectName("trace.table_rows")
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        self._hits = column(gap=6)
        self._none = Words("trace.none", 15, 400, "ink2", wrap=True)
        found = QWidget()
        inside = column(gap=8, margins=(12, 16, 12, 12))
        inside.addWidget(self._none)
        inside.addWidget(scrolled(self._hits), 1)
        found.setLayout(inside)
        self._stack = QStackedWidget()
        for page in (graph_area, self.table, found):
            self._stack.addWidget(page)
        self._graph_area, self._found = graph_area, found
        self._legend = [Words(f"trace.legend.{name}", 14.5) for name in ("affected", "held")]
        self._switch = Button("trace.table", "quiet")
        self._foot = QWidget()
        foot = row(gap=10, margins=(22, 8, 22, 16))
        line = QWidget()
        line.setFixedSize(28, 3)
        line.setObjectName("trace.legend.line")
        self._legend_line = line
        foot.addWidget(line)
        foot.addWidget(self._legend[0])
        foot.addSpacing(14)
        foot.addWidget(Icon("lock", 18, "hold"))
        foot.addWidget(self._legend[1])
        foot.addStretch(1)
        foot.addWidget(self._switch)
        self._foot.setLayout(foot)
        self._switch.clicked.connect(lambda: self.table_asked.emit(not self._is_table))
        box = column(margins=(1, 1, 1, 1))
        box.addWidget(self._missing)
        box.addWidget(self._stack, 1)
        box.addWidget(self._foot)
        self._middle.setLayout(box)
        self.retheme()

    def retheme(self) -> None:
        """Follow theme and text scale."""
        self._legend_line.setStyleSheet(f"background: {theme.colour('ink2').name()};")
        self.table.setFont(theme.font(14.5, 450))
        self.table.horizontalHeader().setFont(theme.font(14, 600))
        self.table.verticalHeader().setDefaultSectionSize(theme.px(38))

    def show_screen(self, screen: TraceScreen) -> None:
        """Draw search, graph or table, and the side; the graph is built anew only when it changed."""
        trace = screen.answer.value
        self._is_table = screen.is_table
        self._show_head(screen)
        self.answer_notice.show_answer(screen.answer, has_value=trace is not None)
        self.side.show_screen(screen)
        missing = " ".join(trace.not_heard) if trace else ""
        self._missing.say("off", missing)
        self._foot.setVisible(trace is not None)
        self._legend[0].say(tr("Affected"))
        self._legend[1].say(tr("On hold"))
        self._switch.say(tr("Show as graph") if screen.is_table else tr("Show as table"))
        if trace is None:
            self._stack.setCurrentWidget(self._found)
        else:
            self._stack.setCurrentWidget(self.table if screen.is_table else self._graph_area)
        key = (trace, screen.hits, screen.searched, tr("Show as table"), theme.current(), theme.scale())
        if key == self._drawn:
            return
        self._drawn = key
        self._show_hits(screen)
        if trace is not None:
            self.graph.show_trace(screen.placed, trace.edges)
            self._show_table(trace)

    def save_csv(self, text: str) -> str:
        """Write the CSV to the person's downloads folder; the file's name, never overwriting one."""
        where = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DownloadLocation)
        folder = Path(where or Path.home())
        folder.mkdir(parents=True, exist_ok=True)
        stem = f"trace-{self._code.text() or 'lot'}"
        taken = [folder / f"{stem}.csv", *(folder / f"{stem}-{n}.csv" for n in range(2, 1000))]
        path = next(path for path in taken if not path.exists())
        path.write_text(text, encoding="utf-8", newline="")
        self.side.notice.say("good", tr("Saved as {file}.", file=str(path)))
        return str(path)

    def _search(self) -> None:
        """Search, and leave the field ready for the next code."""
        text = self.field.text()
        self.field.clear()
        self.searched.emit(text)

    def _show_head(self, screen: TraceScreen) -> None:
        lot = screen.lot
        self._segments.setVisible(lot is not None)
        self._title.say(named(lot.item_names, lot.item) if lot else tr("Trace a lot"))
        self._code.say(lot.code if lot else "")
        self._icon.show_icon("lock" if lot and lot.is_held else "box", "hold" if lot and lot.is_held else "accentInk")
        below = tr("Type or scan a lot code, a supplier lot or a batch number.")
        if lot is not None:
            parts = [f"{number(lot.qty.normalize() + 0)} {unit(lot.uom)}"]
            if lot.supplier_lot:
                parts.append(tr("supplier lot {code}", code=lot.supplier_lot))
            if lot.batch_no:
                parts.append(tr("batch {code}", code=lot.batch_no))
            if lot.is_held:
                parts.append(tr("On hold"))
            below = " · ".join(parts)
        self._below.say(below)
        self.field.setPlaceholderText(tr("Lot, supplier lot or batch"))
        self.field.setAccessibleName(tr("Lot, supplier lot or batch"))
        self.find_button.say(tr("Find"))
        words = {"backward": tr("Where from"), "forward": tr("Where to"), "both": tr("Both")}
        for name, button in self._turns.items():
            button.say(words[name])
            button.setChecked(name == screen.direction)

    def _show_hits(self, screen: TraceScreen) -> None:
        clear(self._hits)
        for hit in screen.hits:
            held = f" · {tr('On hold')}" if hit.is_held else ""
            picked = PickRow(
                f"trace.hit.{hit.code}", "lock" if hit.is_held else "box", "hold" if hit.is_held else "ink2"
            )
            picked.say(
                hit.code,
                f"{named(hit.item_names, hit.item)}{held}",
                f"{number(hit.qty.normalize() + 0)} {unit(hit.uom)}",
            )
            picked.clicked.connect(lambda _=False, hit=hit: self.opened.emit(hit))
            self._hits.addWidget(picked)
        self._hits.addStretch(1)
        nothing = screen.searched and not screen.hits and screen.lot is None
        if nothing:
            self._none.say(tr("No lot or batch is called {code}. Check the code on the label.", code=screen.searched))
        else:
            self._none.say("" if screen.hits else tr("Search above to see where a lot came from and where it went."))
        self._none.setVisible(bool(self._none.text()))

    def _show_table(self, trace: Trace) -> None:
        nodes = {node.id: node for node in trace.nodes}
        self.table.setHorizontalHeaderLabels([tr("From"), tr("To"), tr("Quantity"), tr("When"), tr("State")])
        self.table.setRowCount(len(trace.edges))
        for place, edge in enumerate(trace.edges):
            source, target = nodes.get(edge.source), nodes.get(edge.target)
            cells = [f"{named(node.title_names, node.title)} {node.code}" if node else "?" for node in (source, target)]
            held = any(node is not None and node.is_held for node in (source, target))
            cells += [
                f"{number(edge.qty.normalize() + 0)} {unit(edge.uom)}",
                f"{day(edge.at)} {clock(edge.at)}",
                tr("On hold") if held else "",
            ]
            for across, text in enumerate(cells):
                self.table.setItem(place, across, QTableWidgetItem(text))
