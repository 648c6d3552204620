"""Trace: find a lot, see where it came from and where it went, and act on a finished lot.

Packing and shipping are asked from the server, which refuses a held lot; its sentence is shown
as it comes. The table and the CSV hold the same rows as the graph.
"""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from foodflow_desktop.stations.hub import Hub, LotHit, PalletRow
from foodflow_desktop.stations.live_report import Answer, LiveReport
from foodflow_desktop.stations.trace_layout import Placed, place
from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import FoodFlowError
from foodflow_kernel.wire.reports import Trace

DIRECTIONS = ("backward", "forward", "both")
FINISHED = "finished"
"""The kind of lot that is packed and shipped."""


@dataclass(frozen=True, slots=True)
class TraceScreen:
    """The picture of the Trace view.

    Args:
        pallets: of the lot, not shipped yet.
        hits: lots found by the last search; empty with ``searched`` set means none.
        lot: the lot traced.
        notice: sentence about the last action, good or bad.
    """

    searched: str
    hits: tuple[LotHit, ...]
    lot: LotHit | None
    direction: str
    is_table: bool
    answer: Answer[Trace]
    placed: tuple[Placed, ...]
    notice: str | None
    notice_error: FoodFlowError | None
    notice_data: dict[str, str]
    pallets: tuple[PalletRow, ...]


class TraceStation:
    """One search and one traced lot at a time."""

    def __init__(self, hub: Hub, clock: Clock) -> None:
        self._hub = hub
        self._report: LiveReport[Trace] = LiveReport(self._ask, clock)
        self._searched = ""
        self._hits: tuple[LotHit, ...] = ()
        self._lot: LotHit | None = None
        self._direction = "both"
        self._is_table = False
        self._pallets: tuple[PalletRow, ...] = ()
        self._notice: str | None = None
        self._notice_error: FoodFlowError | None = None
        self._notice_data: dict[str, str] = {}
        self.on_changed: Callable[[], None] = lambda: None

    def screen(self) -> TraceScreen:
        """The picture as of now."""
        answer = self._report.answer()
        trace = answer.value
        return TraceScreen(
            searched=self._searched,
            hits=self._hits,
            lot=self._lot,
            direction=self._direction,
            is_table=self._is_table,
            answer=answer,
            placed=place(trace.nodes, trace.edges) if trace else (),
            notice=self._notice,
            notice_error=self._notice_error,
            notice_data=self._notice_data,
            pallets=self._pallets,
        )

    def forget(self) -> None:
        """Drop what was shown to the person before."""
        self._report.forget()
        self._searched, self._hits, self._lot = "", (), None
        self._tell(None)

    def search(self, text: str) -> None:
        """Find lots and batches by code; a single exact hit is traced at once. Blocks."""
        self._searched = text.strip()
        self._tell(None)
        try:
            self._hits = self._hub.find_lots(self._searched)
        except FoodFlowError as error:
            self._hits = ()
            self._tell(None, error)
            return
        exact = [
            hit for hit in self._hits if self._searched.casefold() in (hit.code.casefold(), hit.batch_no.casefold())
        ]
        if len(exact) == 1 or len(self._hits) == 1:
            self.open((exact or list(self._hits))[0])

    def open(self, hit: LotHit) -> None:
        """Trace a lot. Blocks."""
        self._lot, self._hits, self._pallets = hit, (), ()
        self._report.forget()
        self._tell(None)
        self.refresh()

    def turn(self, direction: str) -> None:
        """Where from, where to or both. Blocks."""
        self._direction = direction
        self.refresh()

    def show_table(self, shows: bool) -> None:
        """Graph or table, with the same data."""
        self._is_table = shows
        self.on_changed()

    def refresh(self) -> None:
        """Ask again for the lot shown. Blocks."""
        if self._lot is None:
            return
        self._report.refresh()
        if self._lot.kind == FINISHED and self._report.answer().error is None:
            with contextlib.suppress(FoodFlowError):  # the report just said what is wrong, or will
                self._pallets = self._hub.pallets(self._lot.lot_id)

    def pack(self, qty: Decimal) -> None:
        """Pack part of the lot to a pallet with a new SSCC. Blocks."""
        lot = self._lot
        if lot is None:
            return
        try:
            sscc = self._hub.pack(lot.lot_id, qty, lot.uom)
        except FoodFlowError as error:
            self._tell(None, error)
        else:
            self._tell("packed", sscc=sscc)
            self.refresh()

    def ship(self, pallet_id: UUID, partner_code: str, partner_name: str, document_no: str) -> None:
        """Ship a pallet to a customer. Blocks."""
        try:
            self._hub.ship(pallet_id, partner_code, partner_name, document_no)
        except FoodFlowError as error:
            self._tell(None, error)
        else:
            self._tell("shipped", customer=partner_name)
            self.refresh()

    def csv(self) -> str:
        """Nodes and movements of the trace as CSV, UTC instants, units in columns of their own."""
        trace = self._report.answer().value
        return to_csv(trace) if trace else ""

    def _ask(self) -> Trace:
        if self._lot is None:
            raise AssertionError("no lot chosen")
        return self._hub.trace(self._lot.lot_id, self._direction)

    def _tell(self, notice: str | None, error: FoodFlowError | None = None, **filled: str) -> None:
        self._notice, self._notice_error, self._notice_data = notice, error, filled


def to_csv(trace: Trace) -> str:
    """One row per movement; a node without movements has a row of its own.

    Codes that a spreadsheet would run as a formula are quoted with an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ["event", "at_utc", "from_kind", "from_code", "to_kind", "to_code", "quantity", "unit", "share", "on_hold"]
    )
    nodes = {node.id: node for node in trace.nodes}
    moved: set[str] = set()
    for edge in trace.edges:
        source, target = nodes.get(edge.source), nodes.get(edge.target)
        if source is None or target is None:
            continue
        moved |= {source.id, target.id}
        held = "yes" if source.is_held or target.is_held else "no"
        cells = [edge.cte, edge.at.isoformat(), source.kind, source.code, target.kind, target.code]
        share = "" if edge.share is None else f"{edge.share:.6f}"
        writer.writerow([_plain(cell) for cell in [*cells, str(edge.qty), edge.uom.value, share, held]])
    for node in trace.nodes:
        if node.id not in moved:
            qty, uom = ("", "") if node.qty is None else (str(node.qty), node.uom.value if node.uom else "")
            held = "yes" if node.is_held else "no"
            writer.writerow([_plain(cell) for cell in ["", "", node.kind, node.code, "", "", qty, uom, "", held]])
    return out.getvalue()


def _plain(cell: str) -> str:
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
