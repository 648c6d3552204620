"""Issuing material to a batch: scan, four checks, one touch; a wrong lot stops everything.

No gesture issues a lot that the kernel's interlock blocks: it is judged at the scan and judged
again when the button is touched, because a hold may have arrived in between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from foodflow_desktop.stations import breach, labels, records, running
from foodflow_desktop.stations.breach import Breach
from foodflow_desktop.stations.context import Context, Job
from foodflow_desktop.stations.running import Running
from foodflow_desktop.stations.signing import Signer, SignPad
from foodflow_desktop.store import Draft
from foodflow_kernel import units
from foodflow_kernel.errors import Invalid, Refused
from foodflow_kernel.machines.fsq import LotState
from foodflow_kernel.rules import interlock as rules
from foodflow_kernel.rules.interlock import Cause, Interlock, LotFacts, Recipe
from foodflow_kernel.units import Quantity, Uom
from foodflow_kernel.wire import bodies, master
from foodflow_kernel.wire.bodies import Source

SAME_CODE = timedelta(seconds=3)
OVER_ISSUE = Decimal("1.02")
"""Above this share of the recipe's amount a reason is asked (ux.md section 5, Materials)."""
NEAR_EXPIRY_DAYS = 1
"""The last day of a lot's date needs QA."""
MIN_REASON, MAX_REASON = 5, 500
MAX_DIGITS = 8


class Answer(StrEnum):
    """A word about the last scan, when it did not change the picture."""

    none = "none"
    already_scanned = "already_scanned"
    no_batch = "no_batch"
    not_a_material = "not_a_material"
    issued = "issued"


@dataclass(frozen=True, slots=True)
class Need:
    """One line of the recipe: how much of it is in."""

    item_id: UUID
    name: str
    issued: Decimal
    required: Decimal
    uom: Uom
    unit_name: str
    is_complete: bool
    is_current: bool


@dataclass(frozen=True, slots=True)
class Scanned:
    """The lot on the screen, free to be issued."""

    item_name: str
    lot_code: str
    supplier_lot: str
    expiry_on: date | None
    expiry_kind: str
    days_left: int | None
    step: int
    allergens: tuple[str, ...]
    amount: Decimal | None
    uom: Uom
    source: Source
    at: datetime
    checks: tuple[rules.Check, ...]
    over_issue: Decimal | None
    """How much more than the recipe would be in; None within 2 %."""
    reasons: tuple[tuple[str, str], ...]
    reason: str | None

    @property
    def may_issue(self) -> bool:
        """Whether the primary button does anything."""
        return self.amount is not None and self.amount > 0 and (self.over_issue is None or self.reason is not None)


@dataclass(frozen=True, slots=True)
class InterlockScreen:
    """The full-screen stop."""

    cause: Cause
    foreign_allergens: tuple[str, ...]
    item_name: str
    lot_code: str
    expiry_on: date | None
    belongs_to: str
    """The line whose recipe has it, if it is not ours."""
    allergens: tuple[str, ...]
    needed_name: str
    needed_left: Decimal | None
    needed_uom: Uom | None
    needed_place: str
    needed_allergens: tuple[str, ...]
    is_alarm_on: bool
    may_override: bool
    """A QA person is signed in and the cause can be overruled."""
    override: OverrideForm | None


@dataclass(frozen=True, slots=True)
class OverrideForm:
    """QA's reason and signature."""

    reason: str
    may_sign: bool
    pad: SignPad


@dataclass(frozen=True, slots=True)
class MaterialScreen:
    """The picture of the materials view; ``stop`` covers everything else."""

    batch_no: str
    needs: tuple[Need, ...]
    complete: int
    scanned: Scanned | None
    typed: str | None
    """The amount being typed; None when the keypad is closed."""
    code: str | None
    """The code being typed; None when closed."""
    answer: Answer
    issued_text: tuple[Decimal, Uom, str] | None
    stop: InterlockScreen | None


@dataclass(frozen=True, slots=True)
class _Held:
    """A judged scan in hand."""

    raw: str
    lot: master.Lot
    amount: Quantity | None
    source: Source
    at: datetime
    override_cause: Cause | None = None
    override_reason: str = ""
    override_signature: bodies.Signature | None = None


@dataclass(frozen=True, slots=True)
class _Stop:
    raw: str
    cause: Cause
    foreign: frozenset[str]
    lot: master.Lot | None
    lot_code: str
    is_alarm_on: bool = True
    is_overriding: bool = False
    reason: str = ""


class MaterialStation:
    """Materials of the running batch."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._held: _Held | None = None
        self._stop: _Stop | None = None
        self._typed: str | None = None
        self._code: str | None = None
        self._reason: str | None = None
        self._answer = Answer.none
        self._issued: tuple[Decimal, Uom, str] | None = None
        self._last_scan: tuple[str, datetime] | None = None
        self._is_saving = False
        self._signer = Signer(context, "acknowledged", self._changed)
        self.on_changed: Callable[[], None] = lambda: None
        self.on_deviation: Callable[[UUID], None] = lambda _: None

    # --- scanning ------------------------------------------------------------------------

    def on_scan(self, raw: str) -> Job | None:
        """A material label was scanned or typed.

        Returns:
            The job that stores a stopped attempt, if the interlock refused the lot.
        """
        now = self._context.clock.now()
        if self._last_scan and self._last_scan[0] == raw and now - self._last_scan[1] < SAME_CODE:
            self._answer = Answer.already_scanned
            self._changed()
            return None
        self._last_scan, self._code, self._answer = (raw, now), None, Answer.none
        batch = self._running()
        if batch is None:
            self._say(Answer.no_batch)
            return None
        try:
            label = labels.read(self._context, raw)
        except Invalid:
            self._say(Answer.not_a_material)
            return None
        lot = labels.find(self._context.store.master, label)
        self._held, self._typed, self._reason = None, None, None
        if lot is None:
            return self._stopped(_Stop(raw, Cause.unknown_lot, frozenset(), None, label.lot_code))
        judged = self._judge(lot, batch)
        if judged.cause is not None:
            return self._stopped(_Stop(raw, judged.cause, judged.foreign_allergens, lot, lot.lot_code))
        self._take(_Held(raw, lot, label.amount, Source.label, now))
        return None

    def type_code(self) -> None:
        """Open the field for a code that does not scan."""
        self._code, self._answer = "", Answer.none
        self._changed()

    def set_code(self, code: str) -> None:
        """The code as typed so far."""
        self._code = code
        self._changed()

    def submit_code(self) -> Job | None:
        """Use the typed code as if it had been scanned."""
        code, self._code = (self._code or "").strip(), None
        if not code:
            self._changed()
            return None
        return self.on_scan(code)

    # --- the lot in hand -----------------------------------------------------------------

    def cancel(self) -> None:
        """Put the scan away; nothing is stored."""
        self._held, self._typed, self._reason, self._code = None, None, None, None
        self._answer = Answer.none
        self._changed()

    def seen(self) -> None:
        """The message that something was issued is on the screen."""
        self._answer, self._issued = Answer.none, None

    def edit_amount(self) -> None:
        """Open the keypad for the amount."""
        self._typed = ""
        self._changed()

    def digit(self, digit: str) -> None:
        """A digit of the amount, or its decimal mark."""
        if self._typed is None or len(self._typed) >= MAX_DIGITS or (digit == "." and "." in self._typed):
            return
        self._typed = "0." if digit == "." and not self._typed else self._typed + digit
        self._changed()

    def backspace(self) -> None:
        """Take the last digit away."""
        self._typed = self._typed[:-1] if self._typed else self._typed
        self._changed()

    def accept_amount(self) -> None:
        """Use the typed amount; it is marked as typed."""
        held = self._held
        if held is not None and self._typed and Decimal(self._typed) > 0:
            uom = held.amount.uom if held.amount else self._uom(held.lot.item_id)
            self._held = replace(held, amount=Quantity(Decimal(self._typed), uom), source=Source.typed)
        self._typed, self._reason = None, None
        self._changed()

    def choose_reason(self, code: str) -> None:
        """Why more goes in than the recipe says."""
        self._reason = code
        self._changed()

    def issue(self) -> Job | None:
        """Issue the lot in hand; a lot blocked in the meantime stops instead.

        Raises:
            Refused: `nothing_to_issue` without a lot, an amount or a reason that is needed.
        """
        held, batch = self._held, self._running()
        shown = self.screen().scanned
        if (
            held is None
            or batch is None
            or held.amount is None
            or shown is None
            or not shown.may_issue
            or self._is_saving
        ):
            raise Refused("nothing_to_issue")
        lot = self._context.store.master.lots.get(held.lot.id, held.lot)
        judged = self._judge(lot, batch)
        if judged.cause is not None and judged.cause is not held.override_cause:
            self._held = None
            return self._stopped(_Stop(held.raw, judged.cause, judged.foreign_allergens, lot, lot.lot_code))
        amount, name = held.amount, shown.item_name
        draft = self._draft(self._issued_body(held, lot, batch, amount))
        self._is_saving = True
        store = self._context.store

        def saved(_: object) -> None:
            self._is_saving, self._held, self._typed, self._reason = False, None, None, None
            self._answer, self._issued = Answer.issued, (amount.value, amount.uom, name)
            self._changed()

        return Job(lambda: store.record(draft), saved, self._failed)

    # --- the interlock -------------------------------------------------------------------

    def silence(self) -> None:
        """Acknowledge the alarm; the stop stays until it is resolved."""
        if self._stop:
            self._stop = replace(self._stop, is_alarm_on=False)
            self._changed()

    def put_back(self) -> None:
        """Close the stop; the right scan comes next."""
        self._stop, self._last_scan = None, None
        self._signer.reset()
        self._changed()

    def some_went_in(self) -> Job | None:
        """Open a deviation and hold the batch's lot."""
        stop, batch = self._stop, self._running()
        if stop is None or batch is None or self._is_saving:
            return None
        what = self._item_name(stop.lot.item_id) if stop.lot else stop.lot_code
        cause = Breach(source="check", reason=f"{what} {stop.lot_code} went into {batch.batch.batch_no} ({stop.cause})")
        deviation_id, drafts = breach.drafts(self._context, batch, cause)
        self._is_saving = True
        store = self._context.store

        def saved(_: object) -> None:
            self._is_saving = False
            self.put_back()
            self.on_deviation(deviation_id)

        return Job(lambda: store.record_all(drafts), saved, self._failed)

    def start_override(self) -> None:
        """QA overrules a wrong line or a near expiry: reason, then PIN.

        Raises:
            Refused: `no_override` for every other cause, and for everyone but QA.
        """
        if self._stop is None or not self._may_override(self._stop.cause):
            raise Refused("no_override")
        self._stop = replace(self._stop, is_overriding=True)
        self._signer.reset()
        self._changed()

    def set_override_reason(self, reason: str) -> None:
        """Why QA overrules."""
        if self._stop:
            self._stop = replace(self._stop, reason=reason.strip()[:MAX_REASON])
            self._changed()

    def override_digit(self, digit: str) -> Job | None:
        """A PIN digit of the override; the last one signs it and puts the lot in hand."""
        stop = self._stop
        is_ready = stop is not None and stop.is_overriding and len(stop.reason) >= MIN_REASON
        if stop is None or stop.lot is None or not is_ready or not self._may_override(stop.cause):
            return None
        lot, signed = stop.lot, list[bodies.Signature]()
        job = self._signer.digit(digit, signed.append)

        def overruled() -> None:
            if signed:
                label = labels.read(self._context, stop.raw)
                self._stop = None
                self._take(
                    _Held(
                        stop.raw,
                        lot,
                        label.amount,
                        Source.label,
                        self._context.clock.now(),
                        override_cause=stop.cause,
                        override_reason=stop.reason,
                        override_signature=signed[0],
                    )
                )
            self._changed()

        return job.then(overruled) if job else None

    def override_backspace(self) -> None:
        """Take the last PIN digit away."""
        self._signer.backspace()

    def override_clear(self) -> None:
        """Take all PIN digits away."""
        self._signer.clear()

    # --- the picture ---------------------------------------------------------------------

    def screen(self) -> MaterialScreen:
        """The picture as of now."""
        batch = self._running()
        needs = self._needs(batch) if batch else ()
        return MaterialScreen(
            batch_no=batch.batch.batch_no if batch else "",
            needs=needs,
            complete=sum(need.is_complete for need in needs),
            scanned=self._scanned(batch, needs) if batch else None,
            typed=self._typed,
            code=self._code,
            answer=Answer.no_batch if batch is None else self._answer,
            issued_text=self._issued if self._answer is Answer.issued else None,
            stop=self._stop_screen(needs),
        )

    def _needs(self, batch: Running) -> tuple[Need, ...]:
        bom, per_batch = self._bom(batch)
        if bom is None:
            return ()
        issued = self._issued_by_item(batch, {line.item_id: line.uom for line in bom.lines})
        rows = []
        current = self._held.lot.item_id if self._held else None
        for line in sorted(bom.lines, key=lambda one: one.step):
            required = units.kept(line.qty_per * per_batch).normalize() + 0
            done = issued.get(line.item_id, Decimal(0))
            item = self._context.store.master.items.get(line.item_id)
            is_complete = done >= required
            if current is None and not is_complete:
                current = line.item_id
            rows.append(
                Need(
                    line.item_id,
                    self._item_name(line.item_id),
                    done,
                    required,
                    line.uom,
                    self._context.named(item.unit_names) if item else "",
                    is_complete,
                    is_current=line.item_id == current,
                )
            )
        return tuple(rows)

    def _bom(self, batch: Running) -> tuple[master.Bom | None, Decimal]:
        picture = self._context.store.master
        order = picture.work_orders.get(batch.batch.work_order_id) if batch.batch.work_order_id else None
        bom = picture.boms.get(order.bom_id) if order else None
        return bom, (batch.batch.planned_qty / bom.batch_qty if bom else Decimal(1))

    def _issued_by_item(self, batch: Running, uoms: dict[UUID, Uom]) -> dict[UUID, Decimal]:
        totals: dict[UUID, Decimal] = {}
        for record in records.taken(self._context.store, bodies.MaterialIssued, batch_id=batch.batch.id):
            body = record.body
            uom = uoms.get(body.item_id, body.amount.uom)
            amount = units.convert(Quantity(body.amount.value, body.amount.uom), uom).value
            totals[body.item_id] = totals.get(body.item_id, Decimal(0)) + amount
        return totals

    def _scanned(self, batch: Running, needs: tuple[Need, ...]) -> Scanned | None:
        held = self._held
        if held is None:
            return None
        lot, need = held.lot, next((one for one in needs if one.item_id == held.lot.item_id), None)
        bom, _ = self._bom(batch)
        step = next((line.step for line in bom.lines if line.item_id == lot.item_id), 0) if bom else 0
        over = self._over(held, need)
        reasons = self._context.store.master.reasons_by_tree.get("over_issue", ())
        return Scanned(
            item_name=self._item_name(lot.item_id),
            lot_code=lot.lot_code,
            supplier_lot=lot.supplier_lot or "",
            expiry_on=lot.expiry_on,
            expiry_kind=lot.expiry_kind,
            days_left=(lot.expiry_on - self._context.today()).days if lot.expiry_on else None,
            step=step,
            allergens=lot.allergens,
            amount=held.amount.value if held.amount else None,
            uom=held.amount.uom if held.amount else self._uom(lot.item_id),
            source=held.source,
            at=held.at,
            checks=self._judge(lot, batch).checks,
            over_issue=over,
            reasons=tuple((one.code, self._context.named(one.names)) for one in reasons),
            reason=self._reason,
        )

    def _over(self, held: _Held, need: Need | None) -> Decimal | None:
        if need is None or held.amount is None:
            return None
        after = need.issued + units.convert(held.amount, need.uom).value
        return after - need.required if after > need.required * OVER_ISSUE else None

    def _stop_screen(self, needs: tuple[Need, ...]) -> InterlockScreen | None:
        stop = self._stop
        if stop is None:
            return None
        picture = self._context.store.master
        need = next((one for one in needs if one.is_current), None)
        needed = picture.items.get(need.item_id) if need else None
        lot = stop.lot
        form = None
        if stop.is_overriding:
            form = OverrideForm(stop.reason, len(stop.reason) >= MIN_REASON, self._signer.pad())
        return InterlockScreen(
            cause=stop.cause,
            foreign_allergens=tuple(sorted(stop.foreign)),
            item_name=self._item_name(lot.item_id) if lot else "",
            lot_code=stop.lot_code,
            expiry_on=lot.expiry_on if lot else None,
            belongs_to=self._belongs_to(lot),
            allergens=lot.allergens if lot else (),
            needed_name=need.name if need else "",
            needed_left=need.required - need.issued if need else None,
            needed_uom=need.uom if need else None,
            needed_place=needed.place if needed else "",
            needed_allergens=needed.allergens if needed else (),
            is_alarm_on=stop.is_alarm_on,
            may_override=self._may_override(stop.cause),
            override=form,
        )

    # --- judging and storing -------------------------------------------------------------

    def _judge(self, lot: master.Lot, batch: Running) -> Interlock:
        picture = self._context.store.master
        bom, _ = self._bom(batch)
        product = picture.items.get(batch.batch.item_id)
        material = picture.items.get(lot.item_id)
        facts = LotFacts(
            item_id=lot.item_id,
            allergens=frozenset(lot.allergens) | frozenset(material.allergens if material else ()),
            is_held=self._context.store.is_held(lot.id),
            is_released=lot.status is LotState.released,
            expiry_on=lot.expiry_on,
            line_id=lot.line_id,
        )
        recipe = Recipe(
            item_ids=frozenset(line.item_id for line in bom.lines) if bom else frozenset(),
            allergens=frozenset(product.allergens if product else ()),
            line_id=batch.batch.line_id,
        )
        return rules.judge(facts, recipe, self._context.today(), near_expiry_days=NEAR_EXPIRY_DAYS)

    def _issued_body(self, held: _Held, lot: master.Lot, batch: Running, amount: Quantity) -> bodies.MaterialIssued:
        return bodies.MaterialIssued(
            batch_id=batch.batch.id,
            work_order_id=batch.batch.work_order_id,
            item_id=lot.item_id,
            lot_id=lot.id,
            lot_code=lot.lot_code,
            amount=bodies.Amount(value=amount.value, uom=amount.uom),
            source=held.source,
            raw_scan=held.raw,
            over_issue_reason=self._reason,
            override_cause=held.override_cause,
            override_reason=held.override_reason,
            override_signature=held.override_signature,
        )

    def _stopped(self, stop: _Stop) -> Job:
        batch, store = self._running(), self._context.store
        needs = self._needs(batch) if batch else ()
        self._stop = stop
        body = bodies.InterlockStopped(
            batch_id=batch.batch.id if batch else None,
            cause=stop.cause,
            raw_scan=stop.raw,
            item_id=stop.lot.item_id if stop.lot else None,
            lot_id=stop.lot.id if stop.lot else None,
            lot_code=stop.lot_code,
            needed_item_id=next((one.item_id for one in needs if one.is_current), None),
            allergens=tuple(sorted(stop.foreign)),
        )
        draft = self._draft(body)
        self._changed()
        return Job(lambda: store.record(draft), lambda _: self._changed(), self._failed)

    def _take(self, held: _Held) -> None:
        self._stop, self._held = None, held
        self._changed()

    def _say(self, answer: Answer) -> None:
        self._answer = answer
        self._changed()

    def _draft(self, body: bodies.MaterialIssued | bodies.InterlockStopped) -> Draft:
        user = self._context.session.user
        return Draft(body, performed_by=user.id if user else None, line_id=self._context.line_id)

    def _running(self) -> Running | None:
        return running.current_batch(self._context.store, self._context.line_id)

    def _may_override(self, cause: Cause) -> bool:
        user = self._context.session.user
        return cause.may_override and user is not None and bool({"QT", "QM"} & set(user.roles))

    def _item_name(self, item_id: UUID) -> str:
        item = self._context.store.master.items.get(item_id)
        return self._context.named(item.names) if item else ""

    def _uom(self, item_id: UUID) -> Uom:
        item = self._context.store.master.items.get(item_id)
        return item.base_uom if item else Uom.KGM

    def _belongs_to(self, lot: master.Lot | None) -> str:
        line = self._context.store.master.lines.get(lot.line_id) if lot and lot.line_id else None
        is_ours = line is None or line.id == self._context.line_id
        return "" if is_ours or line is None else self._context.named(line.names, line.name)

    def _failed(self, _: BaseException) -> None:
        self._is_saving = False
        self._changed()

    def _changed(self) -> None:
        self.on_changed()
