"""What the laptop screens ask of the hub, as they want to be answered.

``foodflow_desktop/sync/live.py`` answers; every method blocks and raises the error tree, so it
is called off the UI thread only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from foodflow_kernel.units import Uom
from foodflow_kernel.wire.master import Names
from foodflow_kernel.wire.reports import Board, SyncHealth, Trace


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in at the laptop."""

    name: str
    short_no: str
    roles: tuple[str, ...]
    permissions: tuple[str, ...]
    plant_name: str = ""
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class LotHit:
    """A lot found by a search."""

    lot_id: UUID
    code: str
    item: str
    item_names: Names
    kind: str
    qty: Decimal
    uom: Uom
    is_held: bool = False
    batch_no: str = ""
    supplier_lot: str = ""


@dataclass(frozen=True, slots=True)
class PalletRow:
    """A pallet that has not left yet."""

    pallet_id: UUID
    sscc: str
    qty: Decimal
    uom: Uom


@dataclass(frozen=True, slots=True)
class Pending:
    """A terminal that waits to be approved, with the four words it shows."""

    device_id: UUID
    code: str
    words: tuple[str, ...]
    machine: str = ""


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A terminal of this plant."""

    device_id: UUID
    name: str
    state: str
    line: str = ""
    approved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LineChoice:
    """A line that a terminal can be given to."""

    line_id: UUID
    name: str
    names: Names


class Hub(Protocol):
    """The questions and commands of the laptop."""

    def sign_in(self, address: str, tenant: str, login: str, password: str, totp: str = "") -> Person:
        """Sign a person in.

        Raises:
            Unreachable, Untrusted, Unauthorised: why nobody is signed in.
        """
        ...

    def sign_out(self) -> None:
        """Forget the person and the token."""
        ...

    def board(self) -> Board:
        """The line board."""
        ...

    def sync_health(self) -> SyncHealth:
        """All terminals and what waits for a person."""
        ...

    def find_lots(self, text: str) -> tuple[LotHit, ...]:
        """Lots whose code, supplier lot or batch number contains a text."""
        ...

    def trace(self, lot_id: UUID, direction: str) -> Trace:
        """Where a lot came from, went to, or both."""
        ...

    def pallets(self, lot_id: UUID) -> tuple[PalletRow, ...]:
        """The pallets of a lot that have not left yet."""
        ...

    def pack(self, lot_id: UUID, qty: Decimal, uom: Uom) -> str:
        """Pack part of a lot to a new pallet; its SSCC.

        Raises:
            Refused: `lot_held` and the rest.
        """
        ...

    def ship(self, pallet_id: UUID, partner_code: str, partner_name: str, document_no: str) -> None:
        """Ship a pallet.

        Raises:
            Refused: `lot_held` and the rest.
        """
        ...

    def devices(self) -> tuple[DeviceRow, ...]:
        """All terminals of the plant."""
        ...

    def lines(self) -> tuple[LineChoice, ...]:
        """The plant's lines."""
        ...

    def pending(self, code: str) -> Pending:
        """The terminal that shows a pairing code."""
        ...

    def approve(self, device_id: UUID, line_id: UUID, name: str) -> None:
        """Let a terminal in, for a line and under a name."""
        ...

    def revoke(self, device_id: UUID, reason: str) -> None:
        """Take a terminal's rights away; what it still deposits is kept and flagged."""
        ...
