"""Entering a reading of a critical control point: judged while it is typed, held when it is out.

The limits are those of the CCP version the batch started with. A value outside the instrument's
range cannot be saved, a jump is typed twice, an instrument past its calibration cannot be used.
"Measure again" is given once; the discarded reading stays as an attempt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from foodflow_desktop.hardware.readings import ProbeReading, Quality
from foodflow_desktop.stations import breach, due, limits, running
from foodflow_desktop.stations.context import Context, Job
from foodflow_desktop.stations.limits import Limit
from foodflow_desktop.stations.records import Record
from foodflow_desktop.stations.running import Running
from foodflow_desktop.store import Draft, Recorded, Store
from foodflow_kernel import ids
from foodflow_kernel.errors import NotFound, Refused
from foodflow_kernel.rules import ccp as rules
from foodflow_kernel.rules.ccp import CcpVerdict, Plausibility
from foodflow_kernel.wire import bodies, master
from foodflow_kernel.wire.bodies import Source

HISTORY = 3
MAX_DIGITS = 6
PROBE_SILENT_S = 3.0
"""A probe not heard for three seconds is not in use; real seconds, whatever the plant's clock does."""
_ANY = Decimal("Infinity")


_BREACHES = frozenset(verdict.value for verdict in CcpVerdict if verdict.is_breach)


class Judged(StrEnum):
    """What the screen says about the value shown."""

    empty = "empty"
    moving = "moving"
    ok = "ok"
    op_limit = "op_limit"
    too_low = "too_low"
    too_high = "too_high"
    not_rejected = "not_rejected"
    outside_range = "outside_range"
    retype = "retype"
    """In range but a jump: type it a second time."""
    differs = "differs"
    """The second typing was another value."""

    @property
    def is_breach(self) -> bool:
        """Whether saving opens a deviation."""
        return self.value in _BREACHES

    @property
    def may_save(self) -> bool:
        """Whether the value can be saved as it stands."""
        return self.is_breach or self in (Judged.ok, Judged.op_limit)


class Blocked(StrEnum):
    """Why nothing can be entered at all."""

    no_batch = "no_batch"
    calibration = "calibration"


class ProbeState(StrEnum):
    """What the probe says."""

    steady = "steady"
    moving = "moving"
    silent = "silent"
    bad = "bad"


@dataclass(frozen=True, slots=True)
class ProbeKey:
    """The probe beside the keypad."""

    tag: str
    value: Decimal | None
    state: ProbeState
    is_used: bool


@dataclass(frozen=True, slots=True)
class PieceRow:
    """A metal detector test piece, and what was seen."""

    name: str
    rejected: bool | None


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """An earlier reading of this batch."""

    value: Decimal
    at: datetime
    is_breach: bool


@dataclass(frozen=True, slots=True)
class CcpScreen:
    """The picture of the CCP entry."""

    name: str
    ccp_no: str
    place: str
    icon: str
    limit: Limit
    text: str
    """As typed or read, with a point; empty if nothing is there."""
    value: Decimal | None
    judged: Judged
    margin: Decimal | None
    source: Source
    probe: ProbeKey | None
    pieces: tuple[PieceRow, ...]
    history: tuple[HistoryPoint, ...]
    range: tuple[Decimal, Decimal] | None
    blocked: Blocked | None
    instrument: str
    calib_due: str
    may_measure_again: bool
    is_second: bool
    """A reading was already discarded: this one counts."""
    hold_lot: str
    hold_vessel: str
    is_held: bool
    """The lot is on hold already for this CCP."""

    @property
    def may_save(self) -> bool:
        """Whether the primary button does anything."""
        return self.blocked is None and self.judged.may_save


class CcpStation:
    """One reading, from the first digit to the saved fact."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._ccp: master.Ccp | None = None
        self._running: Running | None = None
        self._due_at: datetime | None = None
        self._history: list[Record[bodies.CcpReading]] = []
        self._deviation_id: UUID | None = None
        """The open deviation of this CCP and batch: a second breach joins it."""
        self._typed = ""
        self._first_typed: Decimal | None = None
        self._differs = False
        self._wants_probe = True
        self._probe: ProbeReading | None = None
        self._pieces: list[bool | None] = []
        self._is_saving = False
        self.on_changed: Callable[[], None] = lambda: None
        self.on_saved: Callable[[UUID | None], None] = lambda _: None
        """Called once the reading is durable, with the deviation it opened, if any."""

    def open(self, version_id: UUID) -> None:
        """Start a new reading of a CCP."""
        store = self._context.store
        self._ccp = _version(store, version_id)
        self._running = running.current_batch(store, self._ccp.line_id)
        self._read_history()
        self._is_saving = False
        self._reset()

    @property
    def is_open(self) -> bool:
        """Whether a CCP was chosen."""
        return self._ccp is not None

    # --- gestures ------------------------------------------------------------------------

    def digit(self, digit: str) -> None:
        """One digit more."""
        whole, point, part = self._typed.partition(".")
        if len(whole) + len(part) < MAX_DIGITS and not (point and len(part) >= self._decimals()):
            self._typed = digit if self._typed == "0" else self._typed + digit
            self._edited()

    def point(self) -> None:
        """The decimal mark, once."""
        if "." not in self._typed and self._decimals() > 0:
            self._typed = (self._typed or "0") + "."
            self._edited()

    def sign(self) -> None:
        """Minus, for a CCP whose instrument reads below zero."""
        self._typed = self._typed.removeprefix("-") if self._typed.startswith("-") else "-" + self._typed
        self._edited()

    def backspace(self) -> None:
        """Take the last digit away."""
        self._typed = self._typed[:-1]
        self._edited()

    def clear(self) -> None:
        """Take everything away and let the probe speak again."""
        self._reset()

    def use_probe(self) -> None:
        """Use the probe's value instead of the typed one."""
        self._reset()

    def piece(self, index: int, rejected: bool) -> None:
        """Say whether a test piece was rejected."""
        self._pieces[index] = rejected
        self.on_changed()

    def all_rejected(self) -> None:
        """Say that every test piece was rejected."""
        self._pieces = [True] * len(self._pieces)
        self.on_changed()

    def on_probe(self, reading: ProbeReading) -> None:
        """A frame of the CCP's own probe; others are not for this check."""
        instrument = self._instrument()
        if instrument is not None and reading.tag == instrument.tag:
            self._probe = reading
            self.on_changed()

    def type_again(self) -> None:
        """Keep a jump as first typing and ask for the second."""
        value = self._value()
        if value is not None:
            self._first_typed, self._typed, self._differs = value, "", False
            self.on_changed()

    def measure_again(self) -> Job:
        """Discard an out-of-limit reading, once; it is kept as an attempt.

        Raises:
            Refused: `no_second_attempt`.
        """
        if not self.screen().may_measure_again:
            raise Refused("no_second_attempt")
        draft = self._reading_draft(is_attempt=True)
        store = self._context.store

        def discarded(_: Recorded) -> None:
            self._read_history()
            self._reset()

        return Job(lambda: store.record(draft), discarded)

    def save(self) -> Job:
        """Store the reading; out of limits, the deviation and the hold with it, all or nothing.

        Raises:
            Refused: `reading_not_ready` unless the value may be saved as it stands.
        """
        screen = self.screen()
        if not screen.may_save or self._is_saving:
            raise Refused("reading_not_ready")
        self._is_saving = True
        draft = self._reading_draft(is_attempt=False)
        drafts, deviation_id = [draft], None
        if screen.judged.is_breach:
            deviation_id, more = self._breach(draft, screen)
            drafts += more
        store = self._context.store

        def saved(_: list[Recorded]) -> None:
            self._is_saving = False
            self._read_history()
            self._reset()
            self.on_saved(deviation_id)

        def failed(_: BaseException) -> None:
            self._is_saving = False
            self.on_changed()

        return Job(lambda: store.record_all(drafts), saved, failed)

    # --- the picture ---------------------------------------------------------------------

    def screen(self) -> CcpScreen:
        """The picture as of now."""
        ccp = self._chosen()
        instrument, value = self._instrument(), self._value()
        judged, margin = self._judge(value)
        lot = self._lot()
        attempts = self._attempts()
        return CcpScreen(
            name=self._context.named(ccp.names),
            ccp_no=ccp.ccp_no,
            place=self._context.named(ccp.place),
            icon=ccp.icon,
            limit=limits.limit_of(ccp),
            text=self._text(value),
            value=value,
            judged=judged,
            margin=margin,
            source=Source.sensor if self._uses_probe() else (Source.manual if ccp.pieces else Source.typed),
            probe=self._probe_key(),
            pieces=tuple(PieceRow(name, seen) for name, seen in zip(ccp.pieces, self._pieces, strict=True)),
            history=self._points(),
            range=_range(instrument),
            blocked=self._blocked(),
            instrument=instrument.tag if instrument else "",
            calib_due=instrument.calib_due_on.isoformat() if instrument and instrument.calib_due_on else "",
            may_measure_again=judged.is_breach and attempts == 0 and not self._is_saving,
            is_second=attempts > 0,
            hold_lot=lot.lot_code if lot else "",
            hold_vessel=self._context.named(ccp.place) if ccp.vessel_id else "",
            is_held=self._deviation_id is not None,
        )

    def _chosen(self) -> master.Ccp:
        if self._ccp is None:
            raise Refused("no_check_open")
        return self._ccp

    def _instrument(self) -> master.Equipment | None:
        ccp = self._ccp
        if ccp is None or ccp.instrument_id is None:
            return None
        return self._context.store.master.equipment.get(ccp.instrument_id)

    def _lot(self) -> master.Lot | None:
        lot_id = self._running.batch.output_lot_id if self._running else None
        return self._context.store.master.lots.get(lot_id) if lot_id else None

    def _decimals(self) -> int:
        instrument = self._instrument()
        if instrument is None or instrument.resolution is None:
            return 2
        exponent = instrument.resolution.normalize().as_tuple().exponent
        return max(0, -int(exponent))

    def _uses_probe(self) -> bool:
        return self._wants_probe and self._probe_state() in (ProbeState.steady, ProbeState.moving)

    def _probe_state(self) -> ProbeState:
        if self._probe is None or self._is_stale(self._probe):
            return ProbeState.silent
        if self._probe.quality is not Quality.good or self._probe.value_c is None:
            return ProbeState.bad
        return ProbeState.steady if self._probe.is_steady else ProbeState.moving

    def _is_stale(self, probe: ProbeReading) -> bool:
        age_s = (self._context.clock.now() - probe.at).total_seconds()
        return age_s > PROBE_SILENT_S * max(1.0, self._context.clock.rate)

    def _probe_key(self) -> ProbeKey | None:
        instrument = self._instrument()
        if instrument is None or instrument.equipment_class != "probe":
            return None
        state = self._probe_state()
        value = self._probe_value() if state is not ProbeState.silent else None
        return ProbeKey(instrument.tag, value, state, self._uses_probe() and state is ProbeState.steady)

    def _probe_value(self) -> Decimal | None:
        if self._probe is None or self._probe.value_c is None:
            return None
        return self._probe.value_c.quantize(Decimal(1).scaleb(-self._decimals()))

    def _value(self) -> Decimal | None:
        if self._uses_probe():
            return self._probe_value()
        return Decimal(self._typed) if self._typed.strip("-.") else None

    def _text(self, value: Decimal | None) -> str:
        if self._uses_probe():
            return "" if value is None else str(value)
        return self._typed

    def _judge(self, value: Decimal | None) -> tuple[Judged, Decimal | None]:
        ccp = self._chosen()
        if ccp.pieces:
            return self._judge_pieces(), None
        if value is None:
            return (Judged.differs if self._differs else Judged.empty), None
        if self._uses_probe() and self._probe_state() is not ProbeState.steady:
            return Judged.moving, None
        doubt = self._doubt(ccp, value)
        if doubt is not None:
            return doubt, None
        judgement = rules.judge(value, rules.CcpLimits(ccp.crit_min, ccp.crit_max, ccp.op_min, ccp.op_max))
        return Judged(judgement.verdict), judgement.margin

    def _judge_pieces(self) -> Judged:
        seen = [one for one in self._pieces if one is not None]
        if False in seen or (seen and len(seen) == len(self._pieces)):
            return Judged(rules.judge_detector(seen).verdict)
        return Judged.empty

    def _doubt(self, ccp: master.Ccp, value: Decimal) -> Judged | None:
        """Why a value is not believed as it stands, if so."""
        low, high = _range(self._instrument()) or (-_ANY, _ANY)
        last = self._points()[-1].value if self._points() else None
        plausible = rules.plausibility(value, range_min=low, range_max=high, last=last, jump=ccp.jump or _ANY)
        if plausible is Plausibility.outside_range:
            return Judged.outside_range
        if plausible is Plausibility.jump and not self._uses_probe() and self._first_typed != value:
            return Judged.retype if self._first_typed is None else Judged.differs
        return None

    def _blocked(self) -> Blocked | None:
        instrument = self._instrument()
        if self._running is None:
            return Blocked.no_batch
        if instrument and instrument.calib_due_on and instrument.calib_due_on < self._context.today():
            return Blocked.calibration
        return None

    def _points(self) -> tuple[HistoryPoint, ...]:
        real = [
            HistoryPoint(one.body.value, one.at, one.body.verdict.is_breach)
            for one in self._history
            if one.body.value is not None and not one.body.is_attempt
        ]
        return tuple(real[-HISTORY:])

    def _attempts(self) -> int:
        """Readings discarded since the last one that counted."""
        since_real = 0
        for one in self._history:
            since_real = since_real + 1 if one.body.is_attempt else 0
        return since_real

    # --- what is stored ------------------------------------------------------------------

    def _read_history(self) -> None:
        ccp, store = self._chosen(), self._context.store
        if self._running is None:
            return
        self._history = due.readings(store, self._running.batch.id, ccp.ccp_id)
        self._deviation_id = due.open_deviation(store, self._running.batch.id, ccp.ccp_id)
        self._due_at = due.due(store, ccp, self._running, self._context.clock.now()).due_at

    def _reset(self) -> None:
        self._typed, self._first_typed, self._differs, self._wants_probe = "", None, False, True
        self._pieces = [None] * len(self._chosen().pieces)
        self.on_changed()

    def _edited(self) -> None:
        self._wants_probe = not self._typed
        self.on_changed()

    def _reading_draft(self, *, is_attempt: bool) -> Draft:
        ccp, screen, batch = self._chosen(), self.screen(), self._running
        user = self._context.session.user
        pieces = tuple(
            bodies.DetectorPiece(piece=row.name, rejected=row.rejected)
            for row in screen.pieces
            if row.rejected is not None
        )
        body = bodies.CcpReading(
            ccp_version_id=ccp.id,
            ccp_id=ccp.ccp_id,
            batch_id=batch.batch.id if batch else None,
            lot_id=batch.batch.output_lot_id if batch else None,
            due_at=self._due_at,
            value=screen.value,
            unit=ccp.unit,
            pieces=pieces,
            equipment_id=ccp.instrument_id,
            source=screen.source,
            verdict=CcpVerdict(screen.judged),
            margin=screen.margin,
            is_attempt=is_attempt,
        )
        fact_id = ids.new_id(self._context.clock.now())
        return Draft(body, performed_by=user.id if user else None, line_id=ccp.line_id, id=fact_id)

    def _breach(self, draft: Draft, screen: CcpScreen) -> tuple[UUID, list[Draft]]:
        if self._deviation_id is not None:
            return self._deviation_id, []
        if self._running is None:
            raise Refused("reading_not_ready")
        good = [one.at for one in self._history if _is_good(one.body)]
        cause = breach.Breach(
            source="ccp",
            reason=_reason(self._chosen(), screen),
            ccp=self._chosen(),
            reading_id=draft.id,
            last_good_at=good[-1] if good else None,
        )
        return breach.drafts(self._context, self._running, cause)


def _version(store: Store, version_id: UUID) -> master.Ccp:
    found = store.master.anything(version_id)
    if not isinstance(found, master.Ccp):
        raise NotFound("check_unknown")
    return found


def _is_good(reading: bodies.CcpReading) -> bool:
    return not reading.is_attempt and not reading.verdict.is_breach


def _range(instrument: master.Equipment | None) -> tuple[Decimal, Decimal] | None:
    if instrument is None or instrument.range_min is None or instrument.range_max is None:
        return None
    return instrument.range_min, instrument.range_max


def _reason(ccp: master.Ccp, screen: CcpScreen) -> str:
    """The record's own sentence, in the plant's language of records."""
    name = f"{ccp.ccp_no} {ccp.names['en']}"
    if screen.pieces:
        missed = ", ".join(row.name for row in screen.pieces if row.rejected is False)
        return f"{name}: {missed} not rejected"
    limit = f"at least {ccp.crit_min}" if screen.judged is Judged.too_low else f"at most {ccp.crit_max}"
    return f"{name}: {screen.value} {ccp.unit or ''}, limit {limit} {ccp.unit or ''}".strip()
