"""Starting a batch through its gates, and finishing it with counts and a signature.

A start is allowed from the last pulled release while that is no older than 24 h; the line must
be free, cleared and, where the last product's allergens ask for it, cleaned and checked; the
product must have its CCPs (plant_ops.md, sections 1 and 4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from foodflow_desktop.stations import due, records, running
from foodflow_desktop.stations.context import Context, Job
from foodflow_desktop.stations.running import Running
from foodflow_desktop.stations.signing import Signer, SignPad
from foodflow_desktop.store import Draft
from foodflow_kernel.errors import Refused
from foodflow_kernel.machines.plant_ops import BatchState, WorkOrderState
from foodflow_kernel.units import Uom
from foodflow_kernel.wire import bodies, master

RELEASE_AGE = timedelta(hours=24)
MAX_DIGITS = 6
LABEL_PREFIX = "FFW-"


class Gate(StrEnum):
    """What must be true before a batch starts, in the order it is shown."""

    order_released = "order_released"
    line_available = "line_available"
    release_fresh = "release_fresh"
    ccp_plan = "ccp_plan"
    line_clearance = "line_clearance"
    allergen_changeover = "allergen_changeover"


CONFIRMED = (Gate.line_clearance, Gate.allergen_changeover)
"""Gates a person confirms; the others the terminal knows."""


@dataclass(frozen=True, slots=True)
class GateRow:
    """One gate and whether it is open."""

    gate: Gate
    is_open: bool
    is_confirmed_by_person: bool
    detail: str


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A work order that could be started here."""

    work_order_id: UUID
    wo_no: str
    product: str
    qty: Decimal
    unit: str
    start_at: datetime


@dataclass(frozen=True, slots=True)
class StartScreen:
    """The picture of the start of a batch; without an order, the list of planned ones."""

    planned: tuple[PlannedRow, ...]
    wo_no: str
    product: str
    batch_no: str
    lot_code: str
    qty: Decimal | None
    unit: str
    line_name: str
    gates: tuple[GateRow, ...]
    unknown_code: str
    may_start: bool


class StartStation:
    """Work order scanned, line cleared, Start."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._order: master.WorkOrder | None = None
        self._is_cleared = False
        self._unknown = ""
        self._is_saving = False
        self.on_changed: Callable[[], None] = lambda: None
        self.on_started: Callable[[], None] = lambda: None

    def on_scan(self, raw: str) -> bool:
        """A work order label was scanned; False if it is none."""
        order = order_of(self._context, raw)
        self._unknown = "" if order else raw
        if order is not None:
            self._choose(order)
        self.on_changed()
        return order is not None

    def choose(self, work_order_id: UUID) -> None:
        """Touch one of the planned orders instead of scanning."""
        self._unknown = ""
        self._choose(self._context.store.master.work_orders[work_order_id])
        self.on_changed()

    def back(self) -> None:
        """Leave the order; nothing is stored."""
        self._order, self._is_cleared, self._unknown = None, False, ""
        self.on_changed()

    def confirm_clear(self) -> None:
        """Say that the line is cleared and, where needed, the allergen clean was checked."""
        self._is_cleared = not self._is_cleared
        self.on_changed()

    def start(self) -> Job:
        """Record the start of the batch with its gates.

        Raises:
            Refused: `gate_closed`.
        """
        order, batch = self._order, self._batch()
        if order is None or batch is None or not self.screen().may_start:
            raise Refused("gate_closed")
        self._is_saving = True
        user, seen = self._context.session.user, running.of(self._context.store, batch)
        bound = due.applicable(self._context.store, seen)
        body = bodies.BatchMoved(
            batch_id=batch.id,
            work_order_id=order.id,
            move="start",
            base_rev=seen.base_rev,
            gates={row.gate.value: row.is_open for row in self._gates(order)},
            ccp_version_ids=tuple(ccp.id for ccp in bound),
        )
        draft = Draft(body, performed_by=user.id if user else None, line_id=order.line_id)
        store = self._context.store

        def saved(_: object) -> None:
            self._is_saving = False
            self.back()
            self.on_started()

        def failed(_: BaseException) -> None:
            self._is_saving = False
            self.on_changed()

        return Job(lambda: store.record(draft), saved, failed)

    def screen(self) -> StartScreen:
        """The picture as of now."""
        context, order, batch = self._context, self._order, self._batch()
        item = context.store.master.items.get(order.item_id) if order else None
        line = context.store.master.lines.get(context.line_id) if context.line_id else None
        lot = context.store.master.lots.get(batch.output_lot_id) if batch and batch.output_lot_id else None
        gates = self._gates(order) if order else ()
        return StartScreen(
            planned=self._planned(),
            wo_no=order.wo_no if order else "",
            product=context.named(item.names) if item else "",
            batch_no=batch.batch_no if batch else "",
            lot_code=lot.lot_code if lot else "",
            qty=order.qty_planned if order else None,
            unit=context.named(item.unit_names) if item else "",
            line_name=context.named(line.names, line.name) if line else "",
            gates=gates,
            unknown_code=self._unknown,
            may_start=bool(gates) and all(row.is_open for row in gates) and not self._is_saving,
        )

    def _choose(self, order: master.WorkOrder) -> None:
        self._order, self._is_cleared = order, False

    def _batch(self) -> master.Batch | None:
        order = self._order
        if order is None or order.batch_id is None:
            return None
        return self._context.store.master.batches.get(order.batch_id)

    def _planned(self) -> tuple[PlannedRow, ...]:
        context = self._context
        rows = []
        for order in context.store.master.work_orders.values():
            batch = context.store.master.batches.get(order.batch_id) if order.batch_id else None
            is_here = order.line_id == context.line_id and order.status is WorkOrderState.released
            if not is_here or batch is None or running.of(context.store, batch).state is not BatchState.released:
                continue
            item = context.store.master.items.get(order.item_id)
            rows.append(
                PlannedRow(
                    order.id,
                    order.wo_no,
                    context.named(item.names) if item else "",
                    order.qty_planned,
                    context.named(item.unit_names) if item else "",
                    order.start_at,
                )
            )
        return tuple(sorted(rows, key=lambda row: row.start_at)[:3])

    def _gates(self, order: master.WorkOrder) -> tuple[GateRow, ...]:
        context, store, batch = self._context, self._context.store, self._batch()
        seen = running.of(store, batch) if batch else None
        is_released = order.line_id == context.line_id and seen is not None and seen.state is BatchState.released
        busy = running.current_batch(store, order.line_id)
        pulled = store.status().heard_at
        is_fresh = pulled is not None and context.clock.now() - pulled <= RELEASE_AGE
        has_plan = seen is not None and bool(due.applicable(store, seen))
        rows = [
            GateRow(Gate.order_released, is_released, False, order.wo_no),
            GateRow(Gate.line_available, busy is None, False, busy.batch.batch_no if busy else ""),
            GateRow(Gate.release_fresh, is_fresh, False, ""),
            GateRow(Gate.ccp_plan, has_plan, False, ""),
            GateRow(Gate.line_clearance, self._is_cleared, True, ""),
        ]
        foreign = self._left_over_allergens(order)
        if foreign:
            rows.append(GateRow(Gate.allergen_changeover, self._is_cleared, True, ", ".join(sorted(foreign))))
        return tuple(rows)

    def _left_over_allergens(self, order: master.WorkOrder) -> frozenset[str]:
        """Allergens of the last product on this line that the next one must not contain."""
        picture = self._context.store.master
        last = max(
            (one for one in picture.batches.values() if one.line_id == order.line_id and one.ended_at is not None),
            key=lambda one: one.ended_at or order.start_at,
            default=None,
        )
        if last is None:
            return frozenset()
        was, becomes = picture.items.get(last.item_id), picture.items.get(order.item_id)
        return frozenset(was.allergens if was else ()) - frozenset(becomes.allergens if becomes else ())


def order_of(context: Context, raw: str) -> master.WorkOrder | None:
    """The work order a label names, with or without the label's prefix."""
    wo_no = raw.strip().removeprefix(LABEL_PREFIX)
    return next((one for one in context.store.master.work_orders.values() if one.wo_no == wo_no), None)


class Field(StrEnum):
    """What is typed at the end of a batch."""

    good = "good"
    scrap = "scrap"
    left_over = "left_over"


@dataclass(frozen=True, slots=True)
class FinishScreen:
    """The picture of the end of a batch."""

    batch_no: str
    product: str
    unit: str
    good: str
    scrap: str
    left_over: str
    left_over_uom: Uom
    editing: Field
    counted: Decimal
    difference: Decimal | None
    """Good and scrap against the counter; None until both are there."""
    may_sign: bool
    pad: SignPad | None
    open_checks: tuple[str, ...]
    """Checks that are due before the batch ends."""


class FinishStation:
    """Good, scrap, left over, signature: the batch is then completed."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._running: Running | None = None
        self._values: dict[Field, str] = {}
        self._editing = Field.good
        self._is_fresh = True
        self._is_signing = False
        self._signer = Signer(context, "performed", self._changed)
        self.on_changed: Callable[[], None] = lambda: None
        self.on_finished: Callable[[], None] = lambda: None

    def open(self) -> None:
        """Start with what was counted and scrapped so far."""
        self._running = running.current_batch(self._context.store, self._context.line_id)
        scrap = self._scrapped()
        good = max(Decimal(0), self._counted() - scrap)
        self._values = {Field.good: str(int(good)), Field.scrap: str(int(scrap)), Field.left_over: ""}
        self._editing, self._is_fresh, self._is_signing = Field.good, True, False
        self._signer.reset()
        self._changed()

    def edit(self, field: Field) -> None:
        """Choose what the keypad types; the first digit replaces the proposal."""
        self._editing, self._is_fresh, self._is_signing = field, True, False
        self._changed()

    def digit(self, digit: str) -> None:
        """A digit, or the decimal mark of the left-over."""
        old = "" if self._is_fresh else self._values[self._editing]
        if digit == "." and (self._editing is not Field.left_over or "." in old):
            return
        if len(old) < MAX_DIGITS:
            self._values[self._editing] = ("0" if digit == "." and not old else old) + digit
        self._is_fresh = False
        self._changed()

    def backspace(self) -> None:
        """Take the last digit away."""
        self._values[self._editing] = self._values[self._editing][:-1]
        self._is_fresh = False
        self._changed()

    def clear(self) -> None:
        """Empty the field."""
        self._values[self._editing], self._is_fresh = "", False
        self._changed()

    def go_sign(self) -> None:
        """The numbers stand: ask for the PIN.

        Raises:
            Refused: `counts_missing`.
        """
        if not self.screen().may_sign:
            raise Refused("counts_missing")
        self._is_signing = True
        self._signer.reset()
        self._changed()

    def pin_digit(self, digit: str) -> Job | None:
        """A PIN digit; the last one signs and records the end of the batch."""
        if not self._is_signing or not self.screen().may_sign:
            return None
        done: list[bodies.Signature] = []

        def record(signature: bodies.Signature) -> None:
            self._record(signature)
            done.append(signature)

        def after() -> None:
            if done:
                self._is_signing = False
                self.on_finished()
            self._changed()

        job = self._signer.digit(digit, record)
        return job.then(after) if job else None

    def pin_backspace(self) -> None:
        """Take the last PIN digit away."""
        self._signer.backspace()

    def pin_clear(self) -> None:
        """Take all PIN digits away."""
        self._signer.clear()

    def screen(self) -> FinishScreen:
        """The picture as of now."""
        context, seen = self._context, self._running
        item = context.store.master.items.get(seen.batch.item_id) if seen else None
        good, scrap, counted = self._number(Field.good), self._number(Field.scrap), self._counted()
        difference = good + scrap - counted if good is not None and scrap is not None else None
        may_sign = seen is not None and difference is not None
        return FinishScreen(
            batch_no=seen.batch.batch_no if seen else "",
            product=context.named(item.names) if item else "",
            unit=context.named(item.unit_names) if item else "",
            good=self._values.get(Field.good, ""),
            scrap=self._values.get(Field.scrap, ""),
            left_over=self._values.get(Field.left_over, ""),
            left_over_uom=Uom.KGM,
            editing=self._editing,
            counted=counted,
            difference=difference,
            may_sign=may_sign,
            pad=self._signer.pad() if self._is_signing else None,
            open_checks=self._open_checks(),
        )

    def _open_checks(self) -> tuple[str, ...]:
        seen, now = self._running, self._context.clock.now()
        if seen is None:
            return ()
        dues = [due.due(self._context.store, ccp, seen, now) for ccp in due.applicable(self._context.store, seen)]
        waiting = [one for one in dues if one.state is due.Due.late or (one.due_at is None and one.last is None)]
        return tuple(self._context.named(one.ccp.names) for one in waiting)

    def _number(self, field: Field) -> Decimal | None:
        text = self._values.get(field, "").rstrip(".")
        return Decimal(text) if text else None

    def _counted(self) -> Decimal:
        return records.counted(self._context.store, self._running.batch.id) if self._running else Decimal(0)

    def _scrapped(self) -> Decimal:
        if self._running is None:
            return Decimal(0)
        found = records.taken(self._context.store, bodies.ScrapRecorded, batch_id=self._running.batch.id)
        amounts = [one.body.amount for one in found]
        return sum((one.value for one in amounts if one.uom is Uom.H87), Decimal(0))

    def _record(self, signature: bodies.Signature) -> None:
        """Runs off the UI thread, right after the PIN was found right."""
        seen = self._running
        if seen is None:
            raise Refused("counts_missing")
        good, scrap, left = (self._number(field) for field in Field)
        body = bodies.BatchMoved(
            batch_id=seen.batch.id,
            work_order_id=seen.batch.work_order_id,
            move="complete",
            base_rev=running.of(self._context.store, seen.batch).base_rev,
            good=int(good or 0),
            scrap=int(scrap or 0),
            counter_total=int(self._counted()),
            left_over=bodies.Amount(value=left, uom=Uom.KGM) if left is not None else None,
            signature=signature,
        )
        self._context.store.record(Draft(body, performed_by=signature.signer_id, line_id=seen.batch.line_id))

    def _changed(self) -> None:
        self.on_changed()
