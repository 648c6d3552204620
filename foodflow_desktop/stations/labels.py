"""What a scanned material label says: a GS1 element string, or the plant's own lot code."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from foodflow_desktop.stations.context import Context
from foodflow_desktop.store import Master
from foodflow_kernel.errors import Invalid
from foodflow_kernel.gs1.element_string import ElementString
from foodflow_kernel.gs1.plant import PlantScan, ScanKind, classify
from foodflow_kernel.units import Quantity, Uom
from foodflow_kernel.wire import master


@dataclass(frozen=True, slots=True)
class Label:
    """A lot named by a label, with the amount if it carries one."""

    lot_code: str
    gtin14: str | None = None
    amount: Quantity | None = None


def routed(context: Context, raw: str, symbology: str | None = None) -> PlantScan:
    """What a code is, by what this terminal knows."""
    picture = context.store.master
    orders = {order.wo_no for order in picture.work_orders.values()}
    return classify(raw, today=context.today(), symbology=symbology, work_orders=orders, lots=picture.lots_by_code)


def read(context: Context, raw: str) -> Label:
    """The lot a material label names.

    Raises:
        Invalid: `not_a_material` for a badge, an order or a code that is none of ours.
    """
    scan = routed(context, raw)
    if scan.kind is ScanKind.lot:
        return Label(scan.code)
    if scan.kind is ScanKind.material and scan.label is not None and scan.label.lot is not None:
        return Label(scan.label.lot, scan.label.gtin, _amount(scan.label))
    raise scan.error or Invalid("not_a_material", code=raw)


def find(picture: Master, label: Label) -> master.Lot | None:
    """The lot, by its code and, where the label has one, its trade item number."""
    for lot in picture.lots_by_code.get(label.lot_code, ()):
        item = picture.items.get(lot.item_id)
        known = {lot.gtin14, item.gtin14 if item else None} - {None}
        if label.gtin14 is None or not known or label.gtin14 in known:
            return lot
    return None


def _amount(label: ElementString) -> Quantity | None:
    if label.net_weight is not None:
        return label.net_weight
    return Quantity(Decimal(label.count), Uom.H87) if label.count else None
