"""History: every record taken here, newest first, with whether the hub has it.

A record is never changed. "Correct" adds a fact that names the first one, with a reason and a
signature; the list then shows both, and who corrected it and why. Readings of critical control
points, holds and signatures cannot be taken back here: their deviation is the way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from foodflow_desktop.stations import records
from foodflow_desktop.stations.context import Context, Job
from foodflow_desktop.stations.signing import Signer, SignPad
from foodflow_desktop.store import Draft, Entry, queries
from foodflow_kernel.errors import Refused
from foodflow_kernel.wire import master
from foodflow_kernel.wire.bodies import BY_NAME, Signature, Voided
from foodflow_kernel.wire.protocol import Lane

BY_PEOPLE = (
    "weighing",
    "material_issued",
    "interlock_stopped",
    "scrap_recorded",
    "ccp_reading",
    "deviation_opened",
    "hold_placed",
    "deviation_action",
    "test_weight",
    "batch_moved",
    "stop_opened",
    "stop_explained",
    "stop_closed",
    "voided",
)
"""Kinds shown when only people's entries are wanted; counts, states and sessions are left out."""
CORRECTABLE = frozenset({"weighing", "material_issued", "scrap_recorded", "stop_explained", "test_weight"})
REASONS = ("typed_wrong", "twice", "wrong_batch", "was_a_test")
"""Why an entry may be taken back; the signature says who."""
PAGE = 6


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One record.

    Args:
        parts: what it says, by name, for the view to put into words (``what`` names the thing).
        is_sent: the server has committed it.
        taken_back_by: who took it back; with ``taken_back_why``. None while it counts.
        corrects: kind of the record that this one takes back.
    """

    fact_id: UUID
    kind: str
    lane: int
    seq: int
    at: datetime
    by: str
    parts: Mapping[str, Any]
    is_sent: bool
    may_correct: bool
    taken_back_by: str | None = None
    taken_back_why: str | None = None


@dataclass(frozen=True, slots=True)
class HistoryScreen:
    """The picture of the History view.

    Args:
        total: records in the list, over all pages.
        chosen: the record about to be corrected.
    """

    rows: tuple[HistoryRow, ...]
    page: int
    pages: int
    total: int
    shows_all: bool
    chosen: HistoryRow | None
    reason: str | None
    has_user: bool
    pad: SignPad


class HistoryStation:
    """Pages through the records of today and corrects one."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._page = 0
        self._shows_all = False
        self._chosen: UUID | None = None
        self._reason: str | None = None
        self.on_changed: Callable[[], None] = lambda: None
        self.signer = Signer(context, "corrected", self._changed)

    def _changed(self) -> None:
        self.on_changed()

    def turn(self, pages: int) -> None:
        """Go to newer (negative) or older records."""
        self._page = max(0, self._page + pages)
        self.on_changed()

    def show_all(self, shows: bool) -> None:
        """Also show what devices and sessions recorded."""
        self._shows_all, self._page = shows, 0
        self.on_changed()

    def choose(self, fact_id: UUID | None) -> None:
        """Open or close the correction of one record."""
        self._chosen, self._reason = fact_id, None
        self.signer.reset()
        self.on_changed()

    def give_reason(self, code: str) -> None:
        """Touch a reason for the correction."""
        self._reason = code
        self.on_changed()

    def screen(self) -> HistoryScreen:
        """The picture as of now."""
        context = self._context
        kinds = tuple(k for k in BY_NAME if BY_NAME[k].lane is not Lane.telemetry) if self._shows_all else BY_PEOPLE
        since = context.day_start()
        with context.store.reading() as db:
            entries = queries.entries(db, kinds=kinds, since=since, limit=records.EVERYTHING)
            found = queries.entries(db, kinds=("voided",), since=since, limit=records.EVERYTHING)
        pages = max(1, -(-len(entries) // PAGE))
        self._page = min(self._page, pages - 1)
        voids = {entry.corrects_id: entry for entry in found if entry.corrects_id}
        shown = entries[self._page * PAGE : (self._page + 1) * PAGE]
        rows = tuple(self._row(entry, voids.get(entry.id)) for entry in shown)
        return HistoryScreen(
            rows=rows,
            page=self._page,
            pages=pages,
            total=len(entries),
            shows_all=self._shows_all,
            chosen=next((row for row in rows if row.fact_id == self._chosen and row.may_correct), None),
            reason=self._reason,
            has_user=context.session.user is not None,
            pad=self.signer.pad(),
        )

    def digit(self, digit: str) -> Job | None:
        """One digit of the PIN; the last one adds the reversal, signed.

        Raises (in the job):
            Refused: `nothing_chosen`, `no_reason`, `nobody_signed_in`.
        """
        if self._chosen is None or self._reason is None:
            return None
        return self.signer.digit(digit, self._take_back)

    def _take_back(self, signature: Signature) -> None:
        user = self._context.session.user
        if user is None:
            raise Refused("nobody_signed_in")
        row = self.screen().chosen
        if row is None:
            raise Refused("nothing_chosen")
        if self._reason is None:
            raise Refused("no_reason")
        body = Voided(target_kind=row.kind, reason=self._reason, signature=signature)
        self._context.store.record(
            Draft(body, user.id, self._context.line_id, corrects_id=row.fact_id, correction_reason=self._reason)
        )
        self._chosen = self._reason = None

    def _row(self, entry: Entry, void: Entry | None) -> HistoryRow:
        return HistoryRow(
            fact_id=entry.id,
            kind=entry.kind,
            lane=entry.lane,
            seq=entry.seq,
            at=entry.occurred_at,
            by=self._who(entry.performed_by),
            parts=self._parts(entry),
            is_sent=entry.is_sent,
            may_correct=entry.kind in CORRECTABLE and void is None,
            taken_back_by=self._who(void.performed_by) if void else None,
            taken_back_why=void.data["reason"] if void else None,
        )

    def _who(self, user_id: UUID | None) -> str:
        user = self._context.store.master.users.get(user_id) if user_id else None
        return self._context.named(user.names, user.printed_name) if user else ""

    def _parts(self, entry: Entry) -> dict[str, Any]:
        body, picture = dict(entry.data), self._context.store.master
        if entry.kind in ("scrap_recorded", "stop_explained", "weighing"):
            tree = {"scrap_recorded": "scrap", "stop_explained": "downtime", "weighing": "weight"}[entry.kind]
            body["what"] = self._reason_name(tree, body.get("reason_code"))
        elif body.get("item_id"):
            body["what"] = self._named(picture.items, body["item_id"])
        elif entry.kind == "ccp_reading":
            body["what"] = self._named(picture.ccps, body["ccp_version_id"])
        elif body.get("batch_id"):
            batch = picture.batches.get(UUID(body["batch_id"]))
            body["what"] = batch.batch_no if batch else ""
        if body.get("lot_id"):
            lot = picture.lots.get(UUID(body["lot_id"]))
            body["lot"] = lot.lot_code if lot else ""
        return body

    def _named(self, rows: Mapping[UUID, Any], row_id: str) -> str:
        row: master.Item | master.Ccp | None = rows.get(UUID(row_id))
        return self._context.named(row.names) if row else ""

    def _reason_name(self, tree: str, code: str | None) -> str:
        reasons = self._context.store.master.reasons_by_tree.get(tree, ())
        found = next((reason for reason in reasons if reason.code == code), None)
        return self._context.named(found.names) if found else ""
