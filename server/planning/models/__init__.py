"""Tables of planning."""

from __future__ import annotations

from server.planning.models.bom import Bom, BomLine
from server.planning.models.item import Item
from server.planning.models.work_order import WorkOrder

__all__ = ["Bom", "BomLine", "Item", "WorkOrder"]
