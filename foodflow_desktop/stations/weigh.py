"""Weighing portions of the running batch: what the scale says, whether it may be recorded, a record.

The states are those of ``foodflow_kernel.rules.steady``; this station adds the check with its
samples, the reason for a weight out of tolerance, typed weights, the test weight and corrections.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from uuid import UUID

from foodflow_desktop.hardware.hub import ScaleKeys
from foodflow_desktop.hardware.readings import DeviceStatus, ScaleReading, ScaleState
from foodflow_desktop.stations import records, running, weigh_check
from foodflow_desktop.stations.context import Context, Job
from foodflow_desktop.stations.kept import Kept
from foodflow_desktop.stations.running import Running
from foodflow_desktop.stations.scale_watch import ScaleWatch
from foodflow_desktop.stations.signing import Signer
from foodflow_desktop.stations.weigh_check import Check, Sample
from foodflow_desktop.stations.weigh_screen import (
    Choice,
    Mode,
    RowState,
    SampleRow,
    SavedNote,
    ScaleCard,
    TestPart,
    WeighScreen,
)
from foodflow_desktop.store import Draft, Recorded
from foodflow_desktop.sync import status as sync_status
from foodflow_kernel import ids
from foodflow_kernel.errors import Refused
from foodflow_kernel.rules import steady, weight
from foodflow_kernel.rules.steady import Gate, ScaleChecks, WeighState
from foodflow_kernel.rules.weight import WeightSpec, WeightVerdict
from foodflow_kernel.units import Grams
from foodflow_kernel.wire import bodies, master

UNDO = timedelta(seconds=10)
UNDO_REASON = "undo_10s"
DIGITS_MAX = 7
PLAUSIBLE = Decimal(10)
"""A typed weight above this many targets is a slip of the finger."""
CORRECTIONS = ("wrong_portion", "scale_touched", "typed_wrong")
"""Why a sample is taken out; the words are the view's."""


@dataclass(frozen=True, slots=True)
class _Picture:
    """What the store knows, read once until something changes."""

    running: Running | None
    item: master.Item | None
    spec: master.WeightSpecRow | None
    check: Check
    tested_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Held:
    """A weight that waits for its reason: taken while the button was enabled."""

    net_g: Decimal
    tare_g: Decimal
    at: datetime
    source: bodies.Source


@dataclass(frozen=True, slots=True)
class _Saved:
    fact_id: UUID
    no: int
    net_g: Decimal
    until: datetime
    is_here: bool


class WeighStation:
    """The weigh view's logic. Gestures on the UI thread; readings on any."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._scales = [name for name in context.hardware.devices() if name.startswith("scale")] or ["scale"]
        self._watch = ScaleWatch(context.hardware, self._scales[0])
        self._signer = Signer(context, "corrected", self._changed)
        self._mode = Mode.weigh
        self._held: _Held | None = None
        self._typed = ""
        self._passed: bool | None = None
        self._chosen: int | None = None
        self._why: str | None = None
        self._saved: _Saved | None = None
        self._is_saving = False
        self._is_silenced = False
        self._picture: Kept[_Picture] = Kept()
        self._check_id: UUID | None = None
        self.on_changed: Callable[[], None] = lambda: None
        context.store.subscribe(self._on_recorded)
        context.store.on_master(lambda _: self.forget())

    # --- from devices and the store, on their threads --------------------------------------

    def on_reading(self, reading: ScaleReading) -> None:
        """A weight came."""
        if reading.device == self._watch.device:
            self._watch.on_reading(reading)

    def on_status(self, status: DeviceStatus) -> None:
        """The link to a device changed; nothing is kept, the picture asks for it."""

    def forget(self) -> None:
        """What the store knows may have changed: read it anew."""
        self._picture.forget()

    def _on_recorded(self, recorded: Recorded) -> None:
        if recorded.fact.kind in ("weighing", "voided", "test_weight", "batch_moved"):
            self.forget()

    # --- gestures on the scale ---------------------------------------------------------------

    def record(self) -> Job | None:
        """Record the weight shown; out of tolerance it first asks for one reason.

        Raises:
            Refused: `reading_not_ready` when the button should not have been enabled.
        """
        screen, reading = self.screen(), self._watch.reading
        if not screen.may_record or screen.net_g is None or reading is None:
            raise Refused("reading_not_ready")
        held = _Held(screen.net_g, reading.tare_g, reading.at, bodies.Source.scale)
        if screen.verdict is not WeightVerdict.in_tolerance:
            self._ask_reason(held)
            return None
        return self._save(held, None)

    def reason(self, code: str) -> Job | None:
        """The one reason touch: saves the weight held."""
        if self._held is None or self._is_saving:
            return None
        return self._save(self._held, code)

    def zero(self) -> Job:
        """Set zero."""
        return Job(lambda: self._keys.zero().result(), lambda _: self._changed())

    def tare(self) -> Job:
        """With an empty pan preset the package's tare; with the package on it, take its weight."""
        preset, reading = self.screen().preset_tare_g, self._watch.reading
        gross = (reading.net_g or 0) + reading.tare_g if reading else Decimal(0)
        if preset and gross < steady.EMPTY_G:
            return Job(lambda: self._keys.set_tare(Grams(preset)).result(), lambda _: self._changed())
        return Job(lambda: self._keys.tare().result(), lambda _: self._changed())

    def try_again(self) -> Job:
        """Ask the scale whether it is there."""
        return Job(lambda: self._keys.identity().result(), lambda _: self._changed())

    def silence(self) -> None:
        """Silence the alarm; it stays to see until the load is off."""
        self._is_silenced = True
        self._changed()

    def use_other_scale(self) -> None:
        """Go on with the next scale of this terminal."""
        place = self._scales.index(self._watch.device)
        self._watch = ScaleWatch(self._context.hardware, self._scales[(place + 1) % len(self._scales)])
        self.forget()
        self._changed()

    # --- typed weights, the test weight, corrections ------------------------------------------

    def type_weight(self) -> None:
        """Type a weight by hand; offered only while the scale is not heard."""
        if self.screen().gate.state is WeighState.silent:
            self._mode, self._typed = Mode.typing, ""
            self._changed()

    def key(self, key: str) -> None:
        """A key of the pad: a digit, ``.``, ``back``, ``clear``."""
        typed = self._typed
        if key == "clear":
            typed = ""
        elif key == "back":
            typed = typed[:-1]
        elif key == "." and "." not in typed:
            typed = (typed or "0") + "."
        elif key.isdigit() and len(typed) < DIGITS_MAX and not ("." in typed and len(typed.split(".")[1]) >= 1):
            typed = (typed + key).lstrip("0") or "0"
            typed = "0" + typed if typed.startswith(".") else typed
        self._typed = typed
        self._changed()

    def save_typed(self) -> Job | None:
        """Record the typed weight, marked as typed by hand.

        Raises:
            Refused: `reading_not_ready` while it is no plausible weight.
        """
        net_g, picture = self._typed_g(), self._read()
        if net_g is None or picture.spec is None:
            raise Refused("reading_not_ready")
        held = _Held(net_g, picture.spec.tare_g, self._context.clock.now(), bodies.Source.typed)
        if self._verdict(net_g) is not WeightVerdict.in_tolerance:
            self._ask_reason(held)
            return None
        return self._save(held, None)

    def do_test(self) -> None:
        """Begin the test with the test weight."""
        self._mode, self._passed = Mode.testing, None
        self._changed()

    def save_test(self) -> Job | None:
        """Record what the scale shows for its test weight.

        Raises:
            Refused: `reading_not_ready` while it is not steady.
        """
        part, scale = self._test_part(), self._equipment()
        user = self._context.session.user
        if part is None or scale is None or user is None or part.shown_g is None or not part.is_steady:
            raise Refused("reading_not_ready")
        passed = abs(part.shown_g - part.nominal_g) <= part.tolerance_g
        body = bodies.TestWeight(
            equipment_id=scale.id,
            nominal_g=part.nominal_g,
            shown_g=part.shown_g,
            tolerance_g=part.tolerance_g,
            passed=passed,
        )

        def done(_: Recorded) -> None:
            self._is_saving, self._passed = False, passed
            if passed:
                self._mode = Mode.weigh
            self._changed()

        return self._job(Draft(body, user.id, self._context.line_id), done)

    def correct(self) -> None:
        """Choose a sample to take out."""
        if self._read().check.samples:
            self._mode, self._chosen, self._why = Mode.correcting, None, None
            self._signer.reset()
            self._changed()

    def choose_sample(self, no: int) -> None:
        """The sample to take out."""
        self._chosen = no
        self._changed()

    def choose_why(self, code: str) -> None:
        """Why it is taken out."""
        self._why = code
        self._changed()

    def pin_digit(self, digit: str) -> Job | None:
        """One digit of the signature; the last one takes the sample out. Its place is weighed again."""
        sample, why = self._chosen_sample(), self._why
        if sample is None or why is None:
            return None

        def then(signature: bodies.Signature) -> None:
            self._void(sample.fact_id, why, signature)

        job = self._signer.digit(digit, then)
        return job.then(self._corrected) if job else None

    def pin_back(self) -> None:
        """Take the last digit away."""
        self._signer.backspace()

    def pin_clear(self) -> None:
        """Take all digits away."""
        self._signer.clear()

    def undo(self) -> Job | None:
        """Take back the sample just saved, within ten seconds of it."""
        saved = self._open_note()
        if saved is None:
            return None
        self._saved = None

        def done(_: object) -> None:
            self._watch.release()
            self._changed()

        return Job(lambda: self._void(saved.fact_id, UNDO_REASON, None), done)

    def back(self) -> None:
        """Leave what was begun; nothing is recorded."""
        self._mode, self._held, self._chosen, self._why = Mode.weigh, None, None, None
        self._typed = ""
        self._signer.reset()
        self._changed()

    # --- the picture -------------------------------------------------------------------------

    def badge(self) -> int:
        """For the rail: -1 (a mark) while the scale needs somebody, 0 otherwise."""
        if self._read().running is None or not self._watch.is_there:
            return 0
        needs = (WeighState.silent, WeighState.over, WeighState.test_weight_due, WeighState.calibration_expired)
        return -1 if self._gate().state in needs else 0

    def screen(self) -> WeighScreen:
        """The picture as of now."""
        picture, watch, reading = self._read(), self._watch, self._watch.reading
        gate = self._gate()
        if gate.state is not WeighState.over:
            self._is_silenced = False
        spec, check, is_taken = picture.spec, picture.check, watch.is_taken
        net_g = reading.net_g if reading and watch.is_heard else None
        verdict = self._verdict(net_g) if net_g is not None and gate.state is WeighState.ready else None
        is_waiting = is_taken or gate.state is WeighState.empty
        shows_complete = check.is_complete and is_waiting
        shown = check if shows_complete or not check.is_complete else Check(None, check.size)
        no = shown.size if shows_complete else shown.next_no
        can = picture.running is not None and spec is not None and self._context.session.user is not None
        return WeighScreen(
            mode=self._mode,
            has_batch=picture.running is not None,
            gate=gate,
            product=self._context.named(picture.item.names) if picture.item else "",
            net_g=net_g,
            tare_g=reading.tare_g if reading else Decimal(0),
            is_tared=bool(reading and reading.is_tared),
            verdict=verdict,
            low_g=spec.low_g if spec else None,
            target_g=spec.target_g if spec else None,
            high_g=spec.high_g if spec else None,
            size=shown.size,
            no=no,
            is_complete=shows_complete,
            samples=self._rows(shown, None if shows_complete else no),
            average_g=shown.average_g,
            scale=self._scale_card(),
            may_record=can and gate.may_record and not is_taken and not self._is_saving and self._mode is Mode.weigh,
            is_taken=is_taken,
            is_saving=self._is_saving,
            held_g=self._held.net_g if self._held else None,
            held_verdict=self._verdict(self._held.net_g) if self._held else None,
            reasons=self._reasons(),
            typed=self._typed,
            typed_verdict=self._verdict(self._typed_g()),
            test=self._test_part(),
            pad=self._signer.pad() if self._mode is Mode.correcting else None,
            saved=self._note(),
            is_silenced=self._is_silenced,
            preset_tare_g=spec.tare_g if spec and spec.tare_g > 0 else None,
        )

    def _gate(self) -> Gate:
        reading, watch = self._watch.reading, self._watch
        return steady.judge(
            reading.load if reading else None,
            self._checks(),
            now=self._context.clock.now(),
            today=self._context.today(),
            is_heard=watch.is_heard,
            must_tare=self._must_tare(),
        )

    def _must_tare(self) -> bool:
        spec = self._read().spec
        return spec is None or spec.tare_g > 0

    def _checks(self) -> ScaleChecks:
        scale = self._equipment()
        if scale is None:
            return ScaleChecks()
        every = timedelta(minutes=scale.test_every_min) if scale.test_every_min else None
        return ScaleChecks(scale.calib_due_on, self._read().tested_at, every)

    def _scale_card(self) -> ScaleCard:
        scale, watch, checks, now = self._equipment(), self._watch, self._checks(), self._context.clock.now()
        due_at = checks.tested_at + checks.test_every if checks.tested_at and checks.test_every else None
        until = checks.calibrated_until
        return ScaleCard(
            tag=scale.tag if scale else "",
            is_connected=watch.is_heard,
            per_s=watch.per_s,
            silent_since=watch.silent_since,
            tested_at=checks.tested_at,
            test_due_at=due_at,
            is_test_due=checks.test_every is not None and (due_at is None or now >= due_at),
            calibrated_until=until,
            is_expired=until is not None and self._context.today() > until,
            capacity_g=scale.range_max if scale else None,
            has_other=len(self._scales) > 1,
        )

    def _rows(self, check: Check, now_no: int | None) -> tuple[SampleRow, ...]:
        by_no = {sample.no: sample for sample in check.samples}
        rows = []
        for no in range(1, check.size + 1):
            sample = by_no.get(no)
            if sample is None:
                rows.append(SampleRow(no, RowState.now if no == now_no else RowState.todo))
            else:
                rows.append(
                    SampleRow(no, RowState.done, sample.net_g, sample.verdict, sample.is_typed, no == self._chosen)
                )
        return tuple(rows)

    def _reasons(self) -> tuple[Choice, ...]:
        if self._mode is Mode.correcting:
            return tuple(Choice(code, "", is_chosen=code == self._why) for code in CORRECTIONS)
        found = self._context.store.master.reasons_by_tree.get("weight", ())
        return tuple(Choice(one.code, self._context.named(one.names), one.icon) for one in found)

    def _test_part(self) -> TestPart | None:
        scale, reading = self._equipment(), self._watch.reading
        if self._mode is not Mode.testing or scale is None or scale.test_weight_g is None:
            return None
        shown = reading.net_g + reading.tare_g if reading and reading.net_g is not None else None
        is_steady = reading is not None and reading.state is ScaleState.steady and self._watch.is_heard
        is_on = shown is not None and shown >= steady.EMPTY_G
        tolerance = scale.test_tolerance_g or scale.resolution or Decimal("0.1")
        return TestPart(
            scale.test_weight_g, tolerance, shown, is_steady and is_on and not self._is_saving, self._passed
        )

    def _note(self) -> SavedNote | None:
        saved = self._open_note()
        return SavedNote(saved.no, saved.net_g, saved.is_here) if saved else None

    def _open_note(self) -> _Saved | None:
        if self._saved is not None and self._context.clock.now() >= self._saved.until:
            self._saved = None
        return self._saved

    # --- inside ------------------------------------------------------------------------------

    def _changed(self) -> None:
        self.on_changed()

    @property
    def _keys(self) -> ScaleKeys:
        return self._context.hardware.scale(self._watch.device)

    def _read(self) -> _Picture:
        return self._picture.get(self._read_anew)

    def _read_anew(self) -> _Picture:
        context, store = self._context, self._context.store
        seen = running.current_batch(store, context.line_id)
        item = store.master.items.get(seen.batch.item_id) if seen else None
        spec = weigh_check.spec_of(dict(store.master.weight_specs), item.id) if item else None
        size = spec.sample_size if spec else 5
        check = weigh_check.newest(store, seen.batch.id, size) if seen else Check(None, size)
        scale = self._equipment()
        tests = records.taken(store, bodies.TestWeight, ref_id=scale.id) if scale else []
        passed = [one.at for one in tests if one.body.passed]
        return _Picture(seen, item, spec, check, max(passed, default=None))

    def _equipment(self) -> master.Equipment | None:
        picture, terminal = self._context.store.master, self._context.terminal
        reading = self._watch.reading
        if reading is not None and reading.tag in picture.equipment_by_tag:
            return picture.equipment_by_tag[reading.tag]
        return picture.equipment.get(terminal.scale_id) if terminal and terminal.scale_id else None

    def _verdict(self, net_g: Decimal | None) -> WeightVerdict | None:
        spec = self._read().spec
        if net_g is None or spec is None:
            return None
        return weight.judge(Grams(net_g), WeightSpec(Grams(spec.low_g), Grams(spec.target_g), Grams(spec.high_g)))

    def _typed_g(self) -> Decimal | None:
        spec = self._read().spec
        try:
            value = Decimal(self._typed)
        except InvalidOperation:
            return None
        return value if spec and 0 < value <= spec.target_g * PLAUSIBLE else None

    def _chosen_sample(self) -> Sample | None:
        return next((one for one in self._read().check.samples if one.no == self._chosen), None)

    def _ask_reason(self, held: _Held) -> None:
        self._held, self._mode = held, Mode.reason
        self._changed()

    def _save(self, held: _Held, reason_code: str | None) -> Job | None:
        picture, user = self._read(), self._context.session.user
        if picture.running is None or picture.spec is None or user is None or self._is_saving:
            return None
        check, spec = picture.check, picture.spec
        is_new = check.check_id is None or check.is_complete
        check_id = ids.new_id(self._context.clock.now()) if is_new or check.check_id is None else check.check_id
        no = 1 if is_new else check.next_no
        scale = self._equipment() if held.source is bodies.Source.scale else None
        limits = WeightSpec(Grams(spec.low_g), Grams(spec.target_g), Grams(spec.high_g))
        body = bodies.Weighing(
            batch_id=picture.running.batch.id,
            lot_id=picture.running.batch.output_lot_id,
            item_id=spec.item_id,
            equipment_id=scale.id if scale else None,
            check_id=check_id,
            sample_no=no,
            net_g=held.net_g,
            tare_g=held.tare_g,
            source=held.source,
            limits=bodies.WeightLimits(
                spec_id=spec.id, version=spec.version, low_g=spec.low_g, target_g=spec.target_g, high_g=spec.high_g
            ),
            verdict=weight.judge(Grams(held.net_g), limits),
            reason_code=reason_code,
        )
        if held.source is bodies.Source.scale:
            self._watch.take(held.net_g)

        def done(recorded: Recorded) -> None:
            self._is_saving = False
            self._mode, self._held, self._typed = Mode.weigh, None, ""
            is_here = not sync_status.is_hub_heard(self._context.store.status(), self._context.clock.now())
            self._saved = _Saved(recorded.fact.id, no, held.net_g, self._context.clock.now() + UNDO, is_here)
            self.forget()
            self._changed()

        return self._job(Draft(body, user.id, self._context.line_id, occurred_at=held.at), done)

    def _job(self, draft: Draft, done: Callable[[Recorded], None]) -> Job:
        self._is_saving = True
        self._changed()
        store = self._context.store

        def failed(_: BaseException) -> None:
            self._is_saving = False
            self._watch.release()
            self._changed()

        return Job(lambda: store.record(draft), done, failed)

    def _void(self, fact_id: UUID, why: str, signature: bodies.Signature | None) -> Recorded:
        user = self._context.session.user
        if user is None:
            raise Refused("not_signed_in")
        body = bodies.Voided(target_kind="weighing", reason=why, signature=signature)
        draft = Draft(body, user.id, self._context.line_id, corrects_id=fact_id, correction_reason=why)
        return self._context.store.record(draft)

    def _corrected(self) -> None:
        if self._signer.pad().tries_left is None and not self._signer.pad().wait_s:
            self.back()
