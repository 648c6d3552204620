"""The payload of each kind of fact, its version and its lane. ``KINDS`` is the whole list.

Kinds are append-only: a body only gains fields with defaults; any other change is a new kind
or version. Golden samples in ``tests/golden/facts`` are never edited. To add a kind: write the
body, add a row to ``KINDS``, add a golden sample, name its verb in ``server/sync/verbs.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field, ValidationError

from foodflow_kernel.errors import Invalid
from foodflow_kernel.rules.ccp import CcpVerdict
from foodflow_kernel.rules.interlock import Cause
from foodflow_kernel.rules.weight import WeightVerdict
from foodflow_kernel.units import Uom
from foodflow_kernel.wire.facts import Fact, Instant, Wire
from foodflow_kernel.wire.protocol import Lane


class Source(StrEnum):
    """Where a value came from."""

    scale = "scale"
    sensor = "sensor"
    label = "label"
    signal = "signal"
    counter = "counter"
    typed = "typed"
    manual = "manual"


class Amount(Wire):
    """A quantity with its unit, as it travels."""

    value: Decimal
    uom: Uom


class Signature(Wire):
    """A signature given on the kiosk: PIN verified there, meaning as in 21 CFR 11.50."""

    signer_id: UUID
    printed_name: str
    meaning: str
    identified_by: str = Field(description="badge or tile")
    signed_at: Instant


# --- lane 0: urgent ------------------------------------------------------------------------


class DetectorPiece(Wire):
    """One test piece sent through a metal detector and whether it was rejected."""

    piece: str
    rejected: bool


class CcpReading(Wire):
    """A reading of a critical control point, judged on the kiosk with the version it names."""

    ccp_version_id: UUID
    ccp_id: UUID
    batch_id: UUID | None
    lot_id: UUID | None
    due_at: Instant | None = None
    value: Decimal | None = None
    unit: str | None = None
    pieces: tuple[DetectorPiece, ...] = ()
    equipment_id: UUID | None = None
    source: Source
    verdict: CcpVerdict
    margin: Decimal | None = Field(None, description="distance to the nearest critical limit; negative outside")
    is_attempt: bool = Field(False, description="discarded by 'Measure again'; kept as an attempt")


class DeviationOpened(Wire):
    """A breach became a deviation, at once and on the kiosk."""

    deviation_id: UUID
    local_no: str = Field(description="terminal and running number until the server gives its own")
    reading_id: UUID | None = None
    ccp_id: UUID | None = None
    ccp_version_id: UUID | None = None
    batch_id: UUID | None = None
    severity: str = "critical"
    source: str = "ccp"
    last_good_at: Instant | None = None
    lot_ids: tuple[UUID, ...] = ()
    summary: str = ""


class HoldPlaced(Wire):
    """A lot may not be used, labelled or shipped from now on."""

    hold_id: UUID
    lot_id: UUID
    qty: Amount | None = Field(None, description="None holds the whole lot")
    reason: str
    source: str = "deviation"
    deviation_id: UUID | None = None
    marked_from: Instant | None = Field(None, description="made since the last good check: marked")
    marked_qty: Amount | None = None
    vessel: str | None = None


class DeviationAction(Wire):
    """What was done about a deviation at the line, signed `performed`."""

    deviation_id: UUID
    action_code: str
    note: str = ""
    recheck_due_at: Instant | None = None
    signature: Signature


class InterlockStopped(Wire):
    """A material was refused by the interlock; nothing was issued."""

    batch_id: UUID | None
    cause: Cause
    raw_scan: str
    item_id: UUID | None = None
    lot_id: UUID | None = None
    lot_code: str | None = None
    needed_item_id: UUID | None = None
    allergens: tuple[str, ...] = ()


class ClockJumped(Wire):
    """The wall clock moved against the monotonic counter."""

    wall_before: Instant
    wall_after: Instant
    jump_ms: int


class LaneHead(Wire):
    """The last row of a lane: sequence and chain hash (hex)."""

    seq: int
    hash: str


class Witness(Wire):
    """Each minute: all lane heads, so that cutting one lane's tail contradicts another lane."""

    heads: dict[int, LaneHead]
    app: str
    sqlite: str = ""


# --- lane 1: events ------------------------------------------------------------------------


class SessionStarted(Wire):
    """A person signed in on this terminal."""

    user_id: UUID
    identified_by: str = Field(description="badge, or tile with PIN")


class SessionEnded(Wire):
    """A person signed out, was switched, or the terminal locked itself."""

    user_id: UUID
    cause: str = Field(description="locked, idle, switched")


class BatchMoved(Wire):
    """A command to move a batch, reduced by the server under a lock (conflict policy, sync.md)."""

    batch_id: UUID
    work_order_id: UUID | None = None
    move: str = Field(description="start, pause, resume, complete, abort")
    base_rev: int
    gates: dict[str, bool] = Field(default_factory=dict)
    good: int | None = None
    scrap: int | None = None
    counter_total: int | None = None
    left_over: Amount | None = None
    signature: Signature | None = None
    ccp_version_ids: tuple[UUID, ...] = Field((), description="on start: the versions this batch keeps to its end")


class WeightLimits(Wire):
    """The limits a weight was judged by, copied so that the record stands alone."""

    spec_id: UUID
    version: int
    low_g: Decimal
    target_g: Decimal
    high_g: Decimal


class Weighing(Wire):
    """One portion weighed."""

    batch_id: UUID
    lot_id: UUID | None = None
    item_id: UUID
    equipment_id: UUID | None
    check_id: UUID
    sample_no: int
    net_g: Decimal
    tare_g: Decimal
    source: Source
    limits: WeightLimits
    verdict: WeightVerdict
    reason_code: str | None = None


class TestWeight(Wire):
    """A scale was checked with its test weight."""

    equipment_id: UUID
    nominal_g: Decimal
    shown_g: Decimal
    tolerance_g: Decimal
    passed: bool


class MaterialIssued(Wire):
    """Material of one lot went into a batch."""

    batch_id: UUID
    work_order_id: UUID | None = None
    item_id: UUID
    lot_id: UUID
    lot_code: str
    amount: Amount
    source: Source
    raw_scan: str
    over_issue_reason: str | None = None
    override_cause: Cause | None = Field(None, description="what QA overruled: wrong_line or near_expiry, nothing else")
    override_reason: str = ""
    override_signature: Signature | None = None


class ScrapRecorded(Wire):
    """Quantity lost, with its cause."""

    batch_id: UUID
    lot_id: UUID | None = None
    amount: Amount
    reason_code: str
    stage: str = "in_process"
    disposition: str = "destroy"
    source: Source = Source.manual


class LineState(Wire):
    """The line changed state."""

    line_id: UUID
    state: str = Field(description="running, setup, down, planned_down, starved, blocked, idle, cleaning, trial")
    batch_id: UUID | None = None
    source: Source = Source.signal


class LineCount(Wire):
    """Pieces counted since the previous count; roll-over and reset already taken out."""

    line_id: UUID
    batch_id: UUID | None
    delta: int
    total: int = Field(description="pieces of this batch so far, by this terminal")
    raw: int = Field(description="the counter register as read")
    from_at: Instant
    was_reset: bool = False


class StopOpened(Wire):
    """The line stopped for longer than a micro-stop, or a person said so."""

    stop_id: UUID
    line_id: UUID
    batch_id: UUID | None = None
    started_at: Instant
    source: Source


class StopExplained(Wire):
    """A reason was given for a stop."""

    stop_id: UUID
    reason_code: str
    category: str | None = None
    equipment_id: UUID | None = None
    note: str = ""


class StopClosed(Wire):
    """The line runs again."""

    stop_id: UUID
    ended_at: Instant
    source: Source


class Voided(Wire):
    """An earlier entry is taken back; it stays readable (`corrects_id` names it)."""

    target_kind: str
    reason: str
    signature: Signature | None = Field(
        None, description="asked from ten seconds after the entry on, meaning corrected"
    )


class SensorLatest(Wire):
    """The newest value of a sensor, so that screens are live while telemetry drains."""

    sensor_id: UUID
    value: float | None
    quality: str = "good"


# --- lane 3: telemetry ---------------------------------------------------------------------


class Telemetry(Wire):
    """A block of samples at a fixed period: value_i = (first + sum of deltas up to i) * step.

    Args:
        deltas: one per sample after the first; None where a sample is missing.
    """

    sensor_id: UUID
    from_at: Instant
    period_ms: int
    step: Decimal
    first: int
    deltas: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table of fact kinds."""

    name: str
    ver: int
    lane: Lane
    body: type[Wire]
    needs_user: bool = True


def _row(name: str, lane: Lane, body: type[Wire], *, needs_user: bool = True, ver: int = 1) -> Kind:
    return Kind(name, ver, lane, body, needs_user)


KINDS: tuple[Kind, ...] = (
    _row("ccp_reading", Lane.urgent, CcpReading),
    _row("deviation_opened", Lane.urgent, DeviationOpened),
    _row("hold_placed", Lane.urgent, HoldPlaced),
    _row("deviation_action", Lane.urgent, DeviationAction),
    _row("interlock_stopped", Lane.urgent, InterlockStopped),
    _row("clock_jumped", Lane.urgent, ClockJumped, needs_user=False),
    _row("witness", Lane.urgent, Witness, needs_user=False),
    _row("session_started", Lane.events, SessionStarted),
    _row("session_ended", Lane.events, SessionEnded),
    _row("batch_moved", Lane.events, BatchMoved),
    _row("weighing", Lane.events, Weighing),
    _row("test_weight", Lane.events, TestWeight),
    _row("material_issued", Lane.events, MaterialIssued),
    _row("scrap_recorded", Lane.events, ScrapRecorded),
    _row("line_state", Lane.events, LineState, needs_user=False),
    _row("line_count", Lane.events, LineCount, needs_user=False),
    _row("stop_opened", Lane.events, StopOpened, needs_user=False),
    _row("stop_explained", Lane.events, StopExplained),
    _row("stop_closed", Lane.events, StopClosed, needs_user=False),
    _row("voided", Lane.events, Voided),
    _row("sensor_latest", Lane.events, SensorLatest, needs_user=False),
    _row("telemetry", Lane.telemetry, Telemetry, needs_user=False),
)
"""Every kind of fact ever released, newest version last."""

BY_NAME: dict[str, Kind] = {kind.name: kind for kind in KINDS}
BY_VERSION: dict[tuple[str, int], Kind] = {(kind.name, kind.ver): kind for kind in KINDS}
KIND_OF: dict[type[Wire], Kind] = {kind.body: kind for kind in KINDS}


def max_versions() -> dict[str, int]:
    """What this program can read: kind to newest version. Part of ``hello``."""
    return {name: max(kind.ver for kind in KINDS if kind.name == name) for name in BY_NAME}


def is_known(fact: Fact) -> bool:
    """Whether this program has the kind and version; if not, the fact is parked."""
    return (fact.kind, fact.ver) in BY_VERSION


def parse(fact: Fact) -> Any:
    """The typed body of a known fact.

    Raises:
        Invalid: `body_unreadable`; the row goes to quarantine with this reason.
    """
    kind = BY_VERSION[(fact.kind, fact.ver)]
    try:
        return kind.body.model_validate(fact.body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Invalid("body_unreadable", kind=fact.kind, where=where, why=first["msg"]) from error
