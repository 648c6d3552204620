"""Lots and pallets: tables of food safety whose verbs reach into plant operations."""

from __future__ import annotations

from server.core.actions import Action
from server.core.resource import ANY, Resource
from server.flows import pallets
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

RESOURCES = (LOT, PALLET)
