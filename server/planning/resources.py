"""What the API may do with planning's tables in this step: read them."""

from __future__ import annotations

from server.core.resource import ANY, Resource
from server.planning.models import Bom, BomLine, Item, WorkOrder

ITEM = Resource(
    model=Item,
    owner="V",
    path="planning/items",
    code="planning.item",
    filters={"kind": ANY, "code": ANY},
    sorts=("code",),
    search=("code",),
)
BOM = Resource(
    model=Bom,
    owner="V",
    path="planning/boms",
    code="planning.bom",
    filters={"item_id": ANY, "status": ANY},
)
BOM_LINE = Resource(
    model=BomLine,
    owner="V",
    path="planning/bom-lines",
    code="planning.bom",
    filters={"bom_id": ANY, "item_id": ANY},
    sorts=("step",),
)
WORK_ORDER = Resource(
    model=WorkOrder,
    owner="V",
    path="planning/work-orders",
    code="planning.work_order",
    filters={"status": ANY, "line_id": ANY, "wo_no": ANY},
    sorts=("start_at", "wo_no"),
    search=("wo_no",),
)

RESOURCES = (ITEM, BOM, BOM_LINE, WORK_ORDER)
