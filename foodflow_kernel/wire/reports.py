"""Reports that a supervisor's laptop asks for live: line board, sync health, trace.

``GET /api/v1/plant-ops/board``, ``GET /api/v1/sync/health``, ``GET /api/v1/fsq/lots/{id}/trace``.
Ratios are 0..1, None where they do not exist; every figure says as of when.
"""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from foodflow_kernel.units import Uom
from foodflow_kernel.wire.facts import Instant, Wire
from foodflow_kernel.wire.master import Names


class StripPart(Wire):
    """A stretch of the shift strip. state: running, stopped, planned, setup, not_heard."""

    from_at: Instant
    to_at: Instant
    state: str


class LineCard(Wire):
    """One line on the board."""

    line_id: UUID
    name: str
    names: Names = {}
    product: str | None = None
    product_names: Names = {}
    batch_no: str | None = None
    unit_names: Names = {}
    state: str
    """running, stopped, changeover, planned, idle, not_heard."""
    state_since: Instant | None = None
    stop_reason: str | None = None
    stop_reason_names: Names = {}
    stop_detail: str | None = None
    as_of: Instant | None = None
    """Set when the line's terminal was not heard: figures are as of then."""
    availability: float | None = None
    effectiveness: float | None = None
    quality: float | None = None
    oee: float | None = None
    oee_target: float = 0.8
    flags: tuple[str, ...] = ()
    made: int = 0
    planned: int | None = None
    plan_now: int | None = None
    strip: tuple[StripPart, ...] = ()
    held_since: Instant | None = None
    held_deviation: str | None = None
    next_check_at: Instant | None = None
    next_check_names: Names = {}
    is_check_late: bool = False
    terminal_name: str | None = None
    offline_since: Instant | None = None
    waiting: int = 0
    needs_help: int = 0


class DeviationLine(Wire):
    """An open deviation in the board's list."""

    deviation_id: UUID
    number: str
    title: str
    title_names: Names = {}
    detail: str = ""
    detail_names: Names = {}
    line_name: str | None = None
    severity: str
    state: str
    is_held: bool
    lot_codes: tuple[str, ...] = ()
    detected_at: Instant
    actions: tuple[str, ...] = ()


class TerminalLine(Wire):
    """A terminal in sync health. state: all_sent, sending, offline, needs_help, revoked."""

    device_id: UUID
    name: str
    line_id: UUID | None = None
    line_name: str | None = None
    area: str = ""
    state: str
    waiting: int | None = None
    """None when not known: the terminal is not heard."""
    heard_at: Instant | None = None
    clock_offset_s: float | None = None
    needs_help: int = 0
    parked: int = 0


class QuarantineLine(Wire):
    """A fact that was stored but could not be applied."""

    device_id: UUID
    device_name: str
    lane: int
    seq: int
    kind: str | None
    reason: str
    sentence: str
    received_at: Instant
    raw: str


class SyncHealth(Wire):
    """All terminals and what waits for a person."""

    at: Instant
    terminals: tuple[TerminalLine, ...]
    received_today: int
    quarantine: tuple[QuarantineLine, ...]


class Board(Wire):
    """The whole line board."""

    at: Instant
    plant_name: str
    tz: str = "UTC"
    """The plant's IANA zone: clocks on a laptop show the plant's time."""
    shift_name: str
    shift_from: Instant
    shift_to: Instant
    lines: tuple[LineCard, ...]
    deviations: tuple[DeviationLine, ...]
    terminals_online: int
    terminals: int
    waiting: int
    needs_decision: int


class TraceNode(Wire):
    """kind: supplier_lot, lot, batch, pallet, customer; column 0..4 from supplier to customer."""

    id: str
    kind: str
    column: int
    title: str
    title_names: Names = {}
    code: str
    detail: str = ""
    detail_names: Names = {}
    qty: Decimal | None = None
    uom: Uom | None = None
    is_held: bool = False
    is_seed: bool = False


class TraceEdge(Wire):
    """Material went from one node to another."""

    source: str
    target: str
    cte: str
    qty: Decimal
    uom: Uom
    at: Instant
    share: float | None = None


class MassBalance(Wire):
    """received = used + in store + waste + not found, all in the lot's unit."""

    received: Decimal
    used: Decimal
    in_store: Decimal
    waste: Decimal
    not_found: Decimal
    uom: Uom
    counted_at: Instant | None = None
    """Of the last stock count; None: never counted, the books stand and nothing can be missing."""


class Trace(Wire):
    """A lot traced. direction: backward, forward, both."""

    lot_id: UUID
    direction: str
    as_of: Instant
    nodes: tuple[TraceNode, ...]
    edges: tuple[TraceEdge, ...]
    balance: MassBalance | None = None
    is_truncated: bool = False
    not_heard: tuple[str, ...] = ()
    """One sentence per terminal of this plant that was not heard: what may be missing."""
