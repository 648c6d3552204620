"""The hub as the laptop screens ask it, over the live session of one person.

The hub's certificate authority is pinned the first time a laptop signs in at an address and kept
beside the settings; from then on another one is refused (``Untrusted``), as at a terminal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from foodflow_desktop.stations.hub import DeviceRow, LineChoice, LotHit, PalletRow, Pending, Person
from foodflow_desktop.store.terminal import write_whole
from foodflow_desktop.sync.live import Live, fetch_ca
from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import FoodFlowError, NotFound, Unauthorised
from foodflow_kernel.units import Uom
from foodflow_kernel.wire.facts import Wire
from foodflow_kernel.wire.reports import Board, SyncHealth, Trace

FILE_NAME = "laptop.json"
HITS_MAX = 20


class KnownHub(Wire):
    """What a laptop remembers of the last hub: address, company and its pinned authority."""

    address: str = ""
    tenant: str = ""
    ca_by_address: dict[str, str] = {}


def load_known(folder: Path) -> KnownHub:
    """The last hub used here; empty before the first."""
    path = folder / FILE_NAME
    return KnownHub.model_validate_json(path.read_bytes()) if path.exists() else KnownHub()


class HubClient:
    """Answers ``hub.Hub`` from the server's API."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._known = load_known(folder)
        self._live: Live | None = None
        self._items: dict[str, Mapping[str, Any]] = {}
        self._plants: list[Mapping[str, Any]] = []

    @property
    def known(self) -> KnownHub:
        """The last hub used here."""
        return self._known

    def sign_in(self, address: str, tenant: str, login: str, password: str, totp: str = "") -> Person:
        """Sign a person in; remembers the address, the company and the pinned authority."""
        base = spelled(address)
        ca_pem = self._known.ca_by_address.get(base)
        if ca_pem is None:
            ca_pem = fetch_ca(base)
        live = Live(base, ca_pem, self._clock)
        try:
            me = live.sign_in(tenant, login, password, totp)
        except FoodFlowError:
            live.close()
            raise
        if self._live is not None:
            self._live.close()
        self._live = live
        authorities = {**self._known.ca_by_address, base: ca_pem}
        self._known = KnownHub(address=base, tenant=tenant, ca_by_address=authorities)
        self._folder.mkdir(parents=True, exist_ok=True)
        write_whole(self._folder / FILE_NAME, self._known.model_dump_json(indent=1).encode())
        self._items = {}
        self._plants = self._all("plants")
        mine = me.get("plant_ids")
        plants = [plant for plant in self._plants if mine is None or plant["id"] in mine]
        plant: Mapping[str, Any] = plants[0] if plants else {}
        return Person(
            name=str(me["printed_name"]),
            short_no=str(me["short_no"]),
            roles=tuple(me["roles"]),
            permissions=tuple(me["permissions"]),
            plant_name=str(plant.get("name", "")),
            zone=str(plant.get("tz", "UTC")),
        )

    def sign_out(self) -> None:
        """Forget the person and the token."""
        if self._live is not None:
            self._live.close()
            self._live = None

    def board(self) -> Board:
        """The line board."""
        return self._session.board()

    def sync_health(self) -> SyncHealth:
        """All terminals and what waits for a person."""
        return self._session.sync_health()

    def trace(self, lot_id: UUID, direction: str) -> Trace:
        """Where a lot came from, went to, or both."""
        return self._session.trace(lot_id, direction)

    def find_lots(self, text: str) -> tuple[LotHit, ...]:
        """Lots by code, supplier lot or the batch that made them."""
        if not text:
            return ()
        lots = self._session.get("fsq/lots", search=text, limit=HITS_MAX)["items"]
        batches = self._session.get("plant-ops/batches", search=text, limit=HITS_MAX)["items"]
        found = {str(lot["id"]): lot for lot in lots}
        made = {str(batch["output_lot_id"]): str(batch["batch_no"]) for batch in batches if batch.get("output_lot_id")}
        for lot_id in made:
            if lot_id not in found:
                found[lot_id] = self._session.get(f"fsq/lots/{lot_id}")
        held = self._held(list(found))
        return tuple(self._hit(lot, lot_id in held, made.get(lot_id, "")) for lot_id, lot in found.items())

    def pallets(self, lot_id: UUID) -> tuple[PalletRow, ...]:
        """The pallets of a lot that have not left yet, oldest first."""
        rows = self._all("fsq/pallets", sort="packed_at", **{"filter[lot_id]": str(lot_id)})
        return tuple(
            PalletRow(UUID(row["id"]), row["sscc"], Decimal(str(row["qty"])), Uom(row["uom"]))
            for row in rows
            if row["status"] != "shipped"
        )

    def pack(self, lot_id: UUID, qty: Decimal, uom: Uom) -> str:
        """Pack part of a lot to a new pallet; its SSCC."""
        pallet = self._session.post(f"fsq/lots/{lot_id}:pack", {"qty": str(qty), "uom": uom.value})
        return str(pallet["sscc"])

    def ship(self, pallet_id: UUID, partner_code: str, partner_name: str, document_no: str) -> None:
        """Ship a pallet."""
        body = {"partner_code": partner_code, "partner_name": partner_name, "document_no": document_no}
        self._session.post(f"fsq/pallets/{pallet_id}:ship", body)

    def devices(self) -> tuple[DeviceRow, ...]:
        """All terminals of the company this person sees."""
        lines = {str(line.line_id): line.name for line in self.lines()}
        return tuple(
            DeviceRow(
                device_id=UUID(row["id"]),
                name=row.get("name") or row.get("machine_name") or "",
                state=row["state"],
                line=lines.get(str(row.get("line_id")), ""),
                approved_at=_instant(row.get("approved_at")),
            )
            for row in self._session.get("devices")
        )

    def lines(self) -> tuple[LineChoice, ...]:
        """The lines of the plant, in their order."""
        rows = self._all("plant-ops/lines", sort="code")
        return tuple(LineChoice(UUID(row["id"]), row["name"], row.get("names") or {}) for row in rows)

    def pending(self, code: str) -> Pending:
        """The terminal that shows a code."""
        rows = self._session.get("devices", code=code)
        if not rows:
            raise NotFound("pairing_code_unknown", code=code)
        row = rows[0]
        return Pending(UUID(row["id"]), code, tuple(row["words"]), row.get("machine_name") or "")

    def approve(self, device_id: UUID, line_id: UUID, name: str) -> None:
        """Let a terminal in, for a line of a plant and under a name."""
        line = self._session.get(f"plant-ops/lines/{line_id}")
        plant = next((one for one in self._plants if one["id"] == line["plant_id"]), None)
        body = {
            "line_id": str(line_id),
            "plant_id": line["plant_id"],
            "plant_name": plant["name"] if plant else "",
            "name": name,
            "area": line.get("area") or "",
        }
        self._session.post(f"devices/{device_id}:approve", body)

    def revoke(self, device_id: UUID, reason: str) -> None:
        """Take a terminal's rights away."""
        self._session.post(f"devices/{device_id}:revoke", {"reason": reason})

    @property
    def _session(self) -> Live:
        live = self._live
        if live is None:
            raise Unauthorised("not_signed_in")
        return live

    def _all(self, path: str, **query: Any) -> list[Mapping[str, Any]]:
        """All rows of a short list, page by page."""
        found: list[Mapping[str, Any]] = []
        after: dict[str, str] = {}
        while True:
            page = self._session.get(path, limit=200, **query, **after)
            found += page["items"]
            if not page.get("next"):
                return found
            after = {"after": page["next"]}

    def _held(self, lot_ids: Sequence[str]) -> frozenset[str]:
        if not lot_ids:
            return frozenset()
        query = {"filter[state]": "open", "filter[lot_id][in]": ",".join(lot_ids), "limit": 200}
        return frozenset(str(hold["lot_id"]) for hold in self._session.get("fsq/holds", **query)["items"])

    def _hit(self, lot: Mapping[str, Any], is_held: bool, batch_no: str) -> LotHit:
        if str(lot["item_id"]) not in self._items:
            self._items = {str(item["id"]): item for item in self._all("planning/items")}
        item = self._items.get(str(lot["item_id"]), {})
        names = item.get("names") or {}
        return LotHit(
            lot_id=UUID(lot["id"]),
            code=lot["lot_code"],
            item=names.get("en") or str(item.get("code", "")),
            item_names=names,
            kind=lot["kind"],
            qty=Decimal(str(lot["qty_initial"])),
            uom=Uom(lot["uom"]),
            is_held=is_held,
            batch_no=batch_no,
            supplier_lot=lot.get("supplier_lot") or "",
        )


def spelled(address: str) -> str:
    """An address as the programs use it: https, no slash at the end.

    >>> spelled(" hub.plant1:8443/ ")
    'https://hub.plant1:8443'
    """
    plain = address.strip().rstrip("/")
    return plain if plain.startswith("https://") else f"https://{plain.removeprefix('http://')}"


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
