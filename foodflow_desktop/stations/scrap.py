"""Scrap: what was lost, why and how much. Three touches and digits; ten seconds to take it back.

Whole pieces for a product that is counted, a decimal amount for one that is weighed. The entry
taken back stays readable: a reversal is a second fact that names the first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from foodflow_desktop.stations import records, running
from foodflow_desktop.stations.context import Context, Job
from foodflow_desktop.store import Draft
from foodflow_kernel import units
from foodflow_kernel.errors import Refused
from foodflow_kernel.units import Uom
from foodflow_kernel.wire.bodies import Amount, ScrapRecorded, Source, Voided

UNDO = timedelta(seconds=10)
"""How long "Undo" is offered (ux.md, section 9; plant_ops.md, section 4)."""
UNDO_REASON = "undo_10s"
DIGITS_MAX = 7


@dataclass(frozen=True, slots=True)
class ScrapReason:
    """One reason that can be touched."""

    code: str
    name: str
    icon: str
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class ScrapSaved:
    """The entry just saved, while it can be taken back."""

    fact_id: UUID
    amount: Decimal
    reason: str
    saved_at: datetime
    undo_until: datetime


@dataclass(frozen=True, slots=True)
class ScrapScreen:
    """The picture of the Scrap view.

    Args:
        typed: the digits so far, with ``.`` as the decimal mark.
        amount: their value; None while nothing or zero is typed.
        unit: what one is called (cups), or the unit's symbol.
        so_far: scrap of this batch recorded here.
        problem: why Record is not offered: ``no_batch``, ``nobody_signed_in``, ``no_reason``, ``no_amount``.
    """

    product: str
    batch_no: str
    unit: str
    uom: Uom
    reasons: tuple[ScrapReason, ...]
    typed: str
    amount: Decimal | None
    is_decimal: bool
    so_far: Decimal
    saved: ScrapSaved | None
    problem: str | None


class ScrapStation:
    """One scrap entry being made."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._reason: str | None = None
        self._typed = ""
        self._saved: ScrapSaved | None = None
        self.on_changed: Callable[[], None] = lambda: None

    def choose(self, code: str) -> None:
        """Touch a reason."""
        self._reason = code
        self.on_changed()

    def key(self, key: str) -> None:
        """Touch a key of the pad: a digit, ``.``, ``back`` or ``clear``."""
        if key == "clear":
            self._typed = ""
        elif key == "back":
            self._typed = self._typed[:-1]
        elif key == ".":
            if self._uom() is not Uom.H87 and "." not in self._typed:
                self._typed = (self._typed or "0") + "."
        elif key.isdigit() and len(self._typed) < DIGITS_MAX:
            self._typed = (self._typed + key).lstrip("0") or "0"
            if self._typed.startswith("."):
                self._typed = "0" + self._typed
        self.on_changed()

    def screen(self) -> ScrapScreen:
        """The picture as of now."""
        context = self._context
        found = running.current_batch(context.store, context.line_id)
        item = context.store.master.items.get(found.batch.item_id) if found else None
        amount = self._amount()
        reasons = context.store.master.reasons_by_tree.get("scrap", ())
        saved = self._saved
        if saved is not None and context.clock.now() >= saved.undo_until:
            saved = self._saved = None
        return ScrapScreen(
            product=context.named(item.names) if item else "",
            batch_no=found.batch.batch_no if found else "",
            unit=context.named(item.unit_names, self._uom().value) if item else "",
            uom=self._uom(),
            reasons=tuple(ScrapReason(r.code, context.named(r.names), r.icon, r.code == self._reason) for r in reasons),
            typed=self._typed,
            amount=amount,
            is_decimal=self._uom() is not Uom.H87,
            so_far=self._so_far(found.batch.id) if found else Decimal(0),
            saved=saved,
            problem=self._problem(found is not None, amount),
        )

    def record(self) -> Job:
        """Save the entry and begin a new one.

        Raises (in the job):
            Refused: what ``screen().problem`` says.
            StoreError: nothing was saved.
        """
        return Job(self._record, lambda _: self.on_changed())

    def undo(self) -> Job:
        """Take the entry just saved back.

        Raises (in the job):
            Refused: `undo_over` after ten seconds, `nobody_signed_in`.
        """
        return Job(self._undo, lambda _: self.on_changed())

    def _record(self) -> None:
        context = self._context
        found = running.current_batch(context.store, context.line_id)
        amount, user = self._amount(), context.session.user
        problem = self._problem(found is not None, amount)
        if problem or found is None or amount is None or user is None or self._reason is None:
            raise Refused(problem or "no_batch")
        body = ScrapRecorded(
            batch_id=found.batch.id,
            lot_id=found.batch.output_lot_id,
            amount=Amount(value=units.kept(amount).normalize() + 0, uom=found.batch.uom),
            reason_code=self._reason,
            source=Source.manual,
        )
        recorded = context.store.record(Draft(body, user.id, context.line_id))
        now = context.clock.now()
        reasons = context.store.master.reasons_by_tree.get("scrap", ())
        names = next(reason.names for reason in reasons if reason.code == self._reason)
        self._saved = ScrapSaved(recorded.fact.id, amount, context.named(names), now, now + UNDO)
        self._reason, self._typed = None, ""

    def _undo(self) -> None:
        saved, user = self._saved, self._context.session.user
        if saved is None or self._context.clock.now() >= saved.undo_until:
            raise Refused("undo_over")
        if user is None:
            raise Refused("nobody_signed_in")
        body = Voided(target_kind="scrap_recorded", reason=UNDO_REASON)
        draft = Draft(body, user.id, self._context.line_id, corrects_id=saved.fact_id, correction_reason=UNDO_REASON)
        self._context.store.record(draft)
        self._saved = None

    def _uom(self) -> Uom:
        found = running.current_batch(self._context.store, self._context.line_id)
        return found.batch.uom if found else Uom.H87

    def _amount(self) -> Decimal | None:
        value = Decimal(self._typed) if self._typed.strip(".") else Decimal(0)
        return value if value > 0 else None

    def _problem(self, has_batch: bool, amount: Decimal | None) -> str | None:
        if not has_batch:
            return "no_batch"
        if self._context.session.user is None:
            return "nobody_signed_in"
        if self._reason is None:
            return "no_reason"
        return "no_amount" if amount is None else None

    def _so_far(self, batch_id: UUID) -> Decimal:
        store = self._context.store
        taken_back = {record.entry.corrects_id for record in records.taken(store, Voided)}
        found = records.taken(store, ScrapRecorded, batch_id=batch_id)
        return sum((one.body.amount.value for one in found if one.entry.id not in taken_back), Decimal(0))
