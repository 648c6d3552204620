"""Plants, lots and pallets: tables whose verbs reach into other contexts."""

from __future__ import annotations

from server.core import places
from server.core.actions import Action
from server.core.models import Plant
from server.core.resource import ANY, Resource
from server.flows import close_plant, pallets
from server.fsq import lot
from server.fsq.models import Lot, Pallet

LOT = Resource(
    model=Lot,
    owner="V",
    path="fsq/lots",
    code="fsq.lot",
    filters={"item_id": ANY, "status": ANY, "kind": ANY, "lot_code": ANY, "supplier_lot": ANY},
    sorts=("lot_code", "expiry_on", "received_at", "made_at"),
    search=("lot_code", "supplier_lot"),
    actions=(
        Action("release", lot.release, lot.Release, signature=True, risk="approve"),
        Action("pack", pallets.pack, lot.Pack),
    ),
)
PALLET = Resource(
    model=Pallet,
    owner="V",
    path="fsq/pallets",
    code="fsq.pallet",
    filters={"lot_id": ANY, "status": ANY, "sscc": ANY},
    sorts=("packed_at", "sscc"),
    search=("sscc",),
    actions=(Action("ship", pallets.ship, lot.Ship),),
)

PLANT = Resource(
    model=Plant,
    owner="M",
    path="plants",
    code="core.plant",
    writable=places.PLANT_FIELDS,
    fixed={"code"},
    filters={"code": ANY, "state": ANY},
    sorts=("code", "name"),
    search=("code", "name"),
    actions=(
        Action("activate", places.activate, places.Unreasoned),
        Action("suspend", places.suspend, places.Reason),
        Action("close_down", close_plant.close, places.Reason, risk="approve"),
    ),
    before_save=places.check_plant,
)

RESOURCES = (PLANT, LOT, PALLET)
