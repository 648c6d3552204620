"""A deviation at the line: what is held, what will be done, and the signature `performed`.

The lot is on hold before this screen opens. The actions contain; what becomes of the product
is the QA manager's decision on the server.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from foodflow_desktop.stations import due, limits, records
from foodflow_desktop.stations.context import Context, Job
from foodflow_desktop.stations.limits import Last, Limit
from foodflow_desktop.stations.records import Record
from foodflow_desktop.stations.signing import Signer, SignPad
from foodflow_desktop.store import Draft, Entry, Store
from foodflow_kernel.errors import NotFound, Refused
from foodflow_kernel.machines.fsq import DeviationState
from foodflow_kernel.rules.ccp import CcpVerdict
from foodflow_kernel.units import Uom
from foodflow_kernel.wire import bodies, master
from foodflow_kernel.wire.master import CcpAction

GENERAL_ACTIONS: tuple[CcpAction, ...] = (
    CcpAction(
        code="stop_and_isolate",
        names={"en": "Stop and isolate", "es": "Parar y aislar"},
        hints={"en": "Nothing leaves the line", "es": "Nada sale de la línea"},
        icon="lock",
    ),
    CcpAction(
        code="wait_for_qa",
        names={"en": "Wait for the QA manager", "es": "Esperar al jefe de calidad"},
        hints={"en": "Everything stays on hold", "es": "Todo sigue retenido"},
        icon="people",
    ),
    CcpAction(
        code="other",
        names={"en": "Other", "es": "Otra"},
        hints={"en": "Note needed", "es": "Nota obligatoria"},
        icon="other",
        needs_note=True,
    ),
)
"""Containment for a deviation that no CCP's plan covers (material that went in)."""


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One action a person may choose."""

    code: str
    name: str
    hint: str
    icon: str
    is_chosen: bool
    needs_note: bool
    recheck_at: datetime | None


@dataclass(frozen=True, slots=True)
class HeldCard:
    """What is on hold."""

    lot_code: str
    whole: Decimal | None
    marked: Decimal | None
    marked_from: datetime | None
    unit: str
    vessel: str
    vessel_qty: Decimal | None
    vessel_uom: Uom | None


@dataclass(frozen=True, slots=True)
class DeviationScreen:
    """The picture of the deviation view."""

    deviation_id: UUID
    number: str
    ccp_no: str
    verdict: CcpVerdict | None
    summary: str
    held: HeldCard | None
    measured: Last | None
    limit: Limit | None
    at: datetime
    by: str
    instrument: str
    last_good_at: datetime | None
    actions: tuple[ActionRow, ...]
    note: str
    needs_note: bool
    """A note is still missing for the chosen action."""
    pad: SignPad | None
    """None until an action may be signed."""
    is_signed: bool
    signed_as: str
    signed_at: datetime | None

    @property
    def step(self) -> int:
        """2 while choosing, 3 while signing, 4 when done."""
        if self.is_signed:
            return 4
        return 3 if any(row.is_chosen for row in self.actions) and not self.needs_note else 2


def counts_as_breach(reading: bodies.CcpReading) -> bool:
    """Whether a reading stands and is out of limits."""
    return reading.verdict.is_breach and not reading.is_attempt


def last_action(store: Store, deviation_id: UUID) -> Record[bodies.DeviationAction] | None:
    """The newest action signed on a deviation here."""
    found = records.taken(store, bodies.DeviationAction, ref_id=deviation_id)
    return found[-1] if found else None


def waits_for_action(store: Store, opened: bodies.DeviationOpened) -> bool:
    """Whether nobody has said yet what is done about a deviation, or its CCP broke again since."""
    known = store.master.deviations.get(opened.deviation_id)
    if known is not None and known.state is not DeviationState.open:
        return False
    action = last_action(store, opened.deviation_id)
    if action is None or opened.batch_id is None or opened.ccp_id is None:
        return action is None
    breaches = [one for one in due.readings(store, opened.batch_id, opened.ccp_id) if counts_as_breach(one.body)]
    return bool(breaches) and breaches[-1].at > action.at


class DeviationStation:
    """One deviation, opened from a breach, from Checks or from an interlock."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._opened: bodies.DeviationOpened | None = None
        self._entry: Entry | None = None
        self._chosen: str | None = None
        self._note = ""
        self._signer = Signer(context, "performed", self._changed)
        self.on_changed: Callable[[], None] = lambda: None
        self.on_signed: Callable[[], None] = lambda: None

    def open(self, deviation_id: UUID) -> None:
        """Show a deviation opened on this terminal.

        Raises:
            NotFound: `deviation_unknown`.
        """
        found = records.taken(self._context.store, bodies.DeviationOpened, ref_id=deviation_id)
        if not found:
            raise NotFound("deviation_unknown")
        self._entry, self._opened = found[0].entry, found[0].body
        self._chosen, self._note = None, ""
        self._signer.reset()
        self._changed()

    @property
    def is_open(self) -> bool:
        """Whether a deviation was chosen."""
        return self._opened is not None

    # --- gestures ------------------------------------------------------------------------

    def choose(self, code: str) -> None:
        """Choose one action; choosing another replaces it."""
        if code not in {action.code for action in self._actions()}:
            raise Refused("action_not_in_plan", action=code)
        self._chosen = code
        self._signer.clear()
        self._changed()

    def set_note(self, note: str) -> None:
        """What was seen or done, in the person's words."""
        self._note = note.strip()
        self._changed()

    def digit(self, digit: str) -> Job | None:
        """A PIN digit; the last one signs and records the action."""
        screen = self.screen()
        if screen.step != 3:  # noqa: PLR2004 - the steps are numbered on the screen
            return None
        job = self._signer.digit(digit, self._record)
        return job.then(self._after_sign) if job else None

    def backspace(self) -> None:
        """Take the last PIN digit away."""
        self._signer.backspace()

    def clear(self) -> None:
        """Take all PIN digits away."""
        self._signer.clear()

    # --- the picture ---------------------------------------------------------------------

    def screen(self) -> DeviationScreen:
        """The picture as of now."""
        opened, entry, context = self._shown(), self._entry, self._context
        if entry is None:
            raise NotFound("deviation_unknown")
        ccp, found = self._ccp(), self._breach()
        reading = found.body if found else None
        if found is not None:
            entry = found.entry
        signed = self._signed()
        number = context.store.master.deviations.get(opened.deviation_id)
        user = context.store.master.users.get(entry.performed_by) if entry.performed_by else None
        needs_note = any(one.code == self._chosen and one.needs_note for one in self._actions()) and not self._note
        return DeviationScreen(
            deviation_id=opened.deviation_id,
            number=number.number if number and number.number else opened.local_no,
            ccp_no=ccp.ccp_no if ccp else "",
            verdict=reading.verdict if reading else None,
            summary=opened.summary,
            held=self._held(),
            measured=limits.last_of(reading) if reading else None,
            limit=limits.limit_of(ccp) if ccp else None,
            at=entry.occurred_at,
            by=context.named(user.names, user.printed_name) if user else "",
            instrument=self._instrument(reading),
            last_good_at=opened.last_good_at,
            actions=tuple(self._row(one, signed) for one in self._actions()),
            note=signed.note if signed else self._note,
            needs_note=needs_note,
            pad=self._signer.pad() if self._chosen and signed is None else None,
            is_signed=signed is not None,
            signed_as=signed.signature.printed_name if signed else "",
            signed_at=signed.signature.signed_at if signed else None,
        )

    def _shown(self) -> bodies.DeviationOpened:
        if self._opened is None:
            raise NotFound("deviation_unknown")
        return self._opened

    def _ccp(self) -> master.Ccp | None:
        version_id = self._shown().ccp_version_id
        found = self._context.store.master.anything(version_id) if version_id else None
        return found if isinstance(found, master.Ccp) else None

    def _actions(self) -> tuple[CcpAction, ...]:
        ccp = self._ccp()
        return ccp.actions if ccp and ccp.actions else GENERAL_ACTIONS

    def _breach(self) -> Record[bodies.CcpReading] | None:
        """The reading this is about: the newest breach of its CCP and batch."""
        opened = self._shown()
        if opened.batch_id is None or opened.ccp_id is None:
            return None
        all_of_them = due.readings(self._context.store, opened.batch_id, opened.ccp_id)
        return next((one for one in reversed(all_of_them) if counts_as_breach(one.body)), None)

    def _signed(self) -> bodies.DeviationAction | None:
        """The action signed since the newest breach; a new breach asks for a new one."""
        action = last_action(self._context.store, self._shown().deviation_id)
        found = self._breach()
        if action is None or (found and found.at > action.at):
            return None
        return action.body

    def _held(self) -> HeldCard | None:
        opened, store = self._shown(), self._context.store
        for record in records.taken(store, bodies.HoldPlaced):
            if record.body.deviation_id != opened.deviation_id:
                continue
            placed, ccp = record.body, self._ccp()
            lot = store.master.lots.get(placed.lot_id)
            item = store.master.items.get(lot.item_id) if lot else None
            has_vessel = ccp is not None and ccp.vessel_id is not None
            return HeldCard(
                lot_code=lot.lot_code if lot else "",
                whole=records.counted(store, opened.batch_id) if opened.batch_id else None,
                marked=placed.marked_qty.value if placed.marked_qty else None,
                marked_from=placed.marked_from,
                unit=self._context.named(item.unit_names) if item else "",
                vessel=self._context.named(ccp.place) if ccp and has_vessel else "",
                vessel_qty=ccp.vessel_qty if ccp and has_vessel else None,
                vessel_uom=ccp.vessel_uom if ccp and has_vessel else None,
            )
        return None

    def _instrument(self, reading: bodies.CcpReading | None) -> str:
        if reading is None or reading.equipment_id is None or reading.source is not bodies.Source.sensor:
            return ""
        equipment = self._context.store.master.equipment.get(reading.equipment_id)
        return equipment.tag if equipment else ""

    def _row(self, action: CcpAction, signed: bodies.DeviationAction | None) -> ActionRow:
        chosen = signed.action_code if signed else self._chosen
        recheck = signed.recheck_due_at if signed and signed.action_code == action.code else self._recheck_at(action)
        return ActionRow(
            code=action.code,
            name=self._context.named(action.names),
            hint=self._context.named(action.hints),
            icon=action.icon,
            is_chosen=chosen == action.code,
            needs_note=action.needs_note,
            recheck_at=recheck,
        )

    def _recheck_at(self, action: CcpAction) -> datetime | None:
        if action.recheck_min is None:
            return None
        return self._context.clock.now() + timedelta(minutes=action.recheck_min)

    # --- what is stored ------------------------------------------------------------------

    def _record(self, signature: bodies.Signature) -> None:
        """Runs off the UI thread, right after the PIN was found right."""
        action = next(one for one in self._actions() if one.code == self._chosen)
        body = bodies.DeviationAction(
            deviation_id=self._shown().deviation_id,
            action_code=action.code,
            note=self._note,
            recheck_due_at=self._recheck_at(action),
            signature=signature,
        )
        self._context.store.record(Draft(body, performed_by=signature.signer_id, line_id=self._context.line_id))

    def _after_sign(self) -> None:
        if self._signed() is not None:
            self.on_signed()
        self._changed()

    def _changed(self) -> None:
        self.on_changed()
