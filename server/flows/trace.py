"""Tracing a lot: where it came from, where it went, and whether its mass adds up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.units import Quantity, Uom
from foodflow_kernel.wire.master import Names
from foodflow_kernel.wire.reports import Trace, TraceEdge, TraceNode
from server.analytics import trace as analytics
from server.flows import mass
from server.fsq import graph, hold, nodes
from server.fsq.models import Lot, Pallet, TraceLink
from server.planning.models import Item
from server.plant_ops import batch as batches
from server.plant_ops.models import ProductionBatch

SHIPPED: Names = {"en": "Shipped", "es": "Enviado"}
IN_WAREHOUSE: Names = {"en": "In warehouse", "es": "En almacén"}
ON_THE_LINE: Names = {"en": "On the line", "es": "En la línea"}
SUPPLIER_LOT: Names = {"en": "Supplier lot", "es": "Lote del proveedor"}


@dataclass(slots=True)
class Known:
    """The records behind the keys of a trace."""

    lots: dict[UUID, Lot] = field(default_factory=dict)
    batches: dict[UUID, ProductionBatch] = field(default_factory=dict)
    pallets: dict[UUID, Pallet] = field(default_factory=dict)
    items: dict[UUID, Item] = field(default_factory=dict)
    held: set[UUID] = field(default_factory=set)
    made: dict[UUID, Decimal] = field(default_factory=dict)
    """Lot to how much of it exists by now."""


async def report(
    db: AsyncSession,
    lot: Lot,
    direction: str,
    now: datetime,
    *,
    as_of: datetime | None = None,
    not_heard: Sequence[str] = (),
) -> Trace:
    """Trace a lot, as it is known now or as it was at an instant.

    Args:
        direction: backward, forward or both.
        not_heard: one sentence per terminal that may still hold facts of this trace.
    """
    seed = nodes.lot(lot.id)
    keys, is_truncated = await graph.nodes_around(db, [seed], direction, as_of)
    if direction == "forward":
        keys = [*await graph.suppliers_of(db, seed), *keys]
    links = await graph.links_between(db, keys, as_of)
    known = await _known(db, keys)
    drawing = _Drawing(known, seed, links)
    return Trace(
        lot_id=lot.id,
        direction=direction,
        as_of=as_of or now,
        nodes=drawing.nodes(keys),
        edges=drawing.edges(),
        balance=await mass.lot_balance_of(db, lot),
        is_truncated=is_truncated,
        not_heard=tuple(not_heard),
    )


async def _known(db: AsyncSession, keys: Iterable[str]) -> Known:
    ids: dict[str, list[UUID]] = defaultdict(list)
    for key in keys:
        if nodes.kind_of(key) in ("lot", "batch", "pallet"):
            ids[nodes.kind_of(key)].append(nodes.id_of(key))
    known = Known()
    known.lots = {row.id: row for row in await db.scalars(select(Lot).where(Lot.id.in_(ids["lot"])))}
    made_by = select(ProductionBatch).where(
        ProductionBatch.id.in_(ids["batch"]) | ProductionBatch.output_lot_id.in_(ids["lot"])
    )
    known.batches = {row.id: row for row in await db.scalars(made_by)}
    known.pallets = {row.id: row for row in await db.scalars(select(Pallet).where(Pallet.id.in_(ids["pallet"])))}
    item_ids = {row.item_id for row in known.lots.values()} | {row.item_id for row in known.batches.values()}
    known.items = {row.id: row for row in await db.scalars(select(Item).where(Item.id.in_(item_ids)))}
    known.held = set(await hold.open_on(db, ids["lot"]))
    counted = await batches.counts(db, list(known.batches))
    for batch in known.batches.values():
        if batch.output_lot_id is not None:
            good = counted.get(batch.id, batches.Counts()).good if batch.good is None else batch.good
            known.made[batch.output_lot_id] = Decimal(good)
    return known


class _Drawing:
    """Turns keys and links into what a person reads.

    Pallets that have left are one node per lot; each one still here is a node of its own, because
    it can be acted on. A finished lot that is all on pallets is not drawn beside them.
    """

    def __init__(self, known: Known, seed: str, links: Sequence[TraceLink]) -> None:
        self.known = known
        self.seed = seed
        self.links = links
        self.maker = {batch.output_lot_id: batch for batch in known.batches.values() if batch.output_lot_id}
        self.packed: dict[UUID, Decimal] = defaultdict(Decimal)
        for pallet in known.pallets.values():
            self.packed[pallet.lot_id] += pallet.qty

    def id_of(self, key: str) -> str | None:
        """The node that stands for a key; None if it is not drawn."""
        kind = nodes.kind_of(key)
        if kind == "pallet":
            pallet = self.known.pallets.get(nodes.id_of(key))
            is_gone = pallet is not None and pallet.status == "shipped"
            return f"pallets:{pallet.lot_id}" if pallet is not None and is_gone else key
        if kind == "lot" and self._is_all_packed(nodes.id_of(key)):
            return None
        return key

    def _is_all_packed(self, lot_id: UUID) -> bool:
        lot = self.known.lots.get(lot_id)
        if lot is None or lot.kind != "finished" or nodes.lot(lot_id) == self.seed or lot_id in self.known.held:
            return False
        return self.packed[lot_id] > 0 and self.packed[lot_id] >= self.known.made.get(lot_id, lot.qty_initial)

    def nodes(self, keys: Iterable[str]) -> tuple[TraceNode, ...]:
        """Each node once, in the order in which the trace found them."""
        drawn: dict[str, TraceNode] = {}
        for key in keys:
            node_id = self.id_of(key)
            if node_id is not None and node_id not in drawn:
                node = self._node(key, node_id)
                if node is not None:
                    drawn[node_id] = node
        return tuple(sorted(drawn.values(), key=lambda node: node.column))

    def _node(self, key: str, node_id: str) -> TraceNode | None:
        kind = nodes.kind_of(key)
        if kind == "supplier":
            return self._supplier(key, node_id)
        if kind == "lot":
            return self._lot(nodes.id_of(key), node_id)
        if kind == "batch":
            return self._batch(key, node_id)
        if kind == "pallet":
            return self._pallets(nodes.id_of(key), node_id)
        return self._customer(key, node_id)

    def _supplier(self, key: str, node_id: str) -> TraceNode:
        name, _, code = key.partition(":")[2].partition("|")
        sent = next((link for link in self.links if link.source == key), None)
        qty = None if sent is None else sent.qty
        return TraceNode(
            id=node_id,
            kind="supplier_lot",
            column=0,
            title=SUPPLIER_LOT["en"],
            title_names=SUPPLIER_LOT,
            code=code,
            detail=_shown(qty, sent.uom) if sent else name,
            qty=qty,
            uom=None if sent is None else sent.uom,
        )

    def _lot(self, lot_id: UUID, node_id: str) -> TraceNode | None:
        lot = self.known.lots.get(lot_id)
        if lot is None:
            return TraceNode(id=node_id, kind="lot", column=1, title="?", code=str(lot_id)[:8])
        names = self._item_names(lot.item_id)
        is_ours = lot.kind in ("finished", "wip")
        batch = self.maker.get(lot.id)
        is_on_line = batch is not None and batch.good is None
        qty = self.known.made.get(lot.id, lot.qty_initial) if is_ours else lot.qty_initial
        rest = qty - self.packed[lot.id]
        return TraceNode(
            id=node_id,
            kind="lot",
            column=3 if is_ours else 1,
            title=ON_THE_LINE["en"] if is_ours and is_on_line else names.get("en", ""),
            title_names=ON_THE_LINE if is_ours and is_on_line else names,
            code=lot.lot_code,
            detail="" if lot.id in self.known.held else _shown(rest, lot.uom),
            qty=rest,
            uom=lot.uom,
            is_held=lot.id in self.known.held,
            is_seed=nodes.lot(lot.id) == self.seed,
        )

    def _batch(self, key: str, node_id: str) -> TraceNode:
        batch = self.known.batches.get(nodes.id_of(key))
        if batch is None:
            return TraceNode(id=node_id, kind="batch", column=2, title="?", code=str(nodes.id_of(key))[:8])
        names = self._item_names(batch.item_id)
        used = self._used_in(key)
        return TraceNode(
            id=node_id,
            kind="batch",
            column=2,
            title=names.get("en", ""),
            title_names=names,
            code=batch.batch_no,
            detail=f"{_shown(used.value, used.uom)} used" if used else "",
            detail_names={} if used is None else _used_names(_shown(used.value, used.uom)),
            qty=used.value if used else None,
            uom=used.uom if used else None,
        )

    def _used_in(self, key: str) -> Quantity | None:
        """How much of the seed went into a batch."""
        parts = [link for link in self.links if link.source == self.seed and link.target == key and link.qty]
        return Quantity(sum((p.qty for p in parts if p.qty), Decimal(0)), parts[0].uom) if parts else None

    def _pallets(self, pallet_id: UUID, node_id: str) -> TraceNode | None:
        first = self.known.pallets.get(pallet_id)
        if first is None:
            return None
        same = [first]
        if node_id.startswith("pallets:"):
            here = [p for p in self.known.pallets.values() if p.lot_id == first.lot_id and p.status == "shipped"]
            same = sorted(here, key=lambda pallet: pallet.sscc)
        count = len(same)
        state = SHIPPED if first.status == "shipped" else IN_WAREHOUSE
        numbers = [pallet.sscc[-5:-1] for pallet in same]
        return TraceNode(
            id=node_id,
            kind="pallet",
            column=3,
            title="1 pallet" if count == 1 else f"{count} pallets",
            title_names={
                "en": "1 pallet" if count == 1 else f"{count} pallets",
                "es": "1 palé" if count == 1 else f"{count} palés",
            },
            code=f"PAL-{numbers[0]}" + ("" if count == 1 else f"…{numbers[-1][-2:]}"),
            detail=state["en"],
            detail_names=state,
            qty=sum((pallet.qty for pallet in same), Decimal(0)),
            uom=first.uom,
            is_held=first.lot_id in self.known.held,
        )

    def _customer(self, key: str, node_id: str) -> TraceNode:
        arrived = [link for link in self.links if link.target == key]
        qty = sum((link.qty for link in arrived if link.qty), Decimal(0))
        uom = arrived[0].uom if arrived else None
        code = key.partition(":")[2].partition("|")[0]
        cases = self._cases(arrived, qty)
        return TraceNode(
            id=node_id,
            kind="customer",
            column=4,
            title=(arrived[0].partner_name if arrived else None) or code,
            code=code,
            detail=cases["en"] if cases else _shown(qty, uom),
            detail_names=cases,
            qty=qty,
            uom=uom,
        )

    def _cases(self, arrived: Sequence[TraceLink], qty: Decimal) -> Names:
        item = self.known.items.get(arrived[0].item_id) if arrived and arrived[0].item_id else None
        if item is None or not item.units_per_case:
            return {}
        count = f"{qty / item.units_per_case:,.0f}"
        return {"en": f"{count} cases", "es": f"{count} cajas"}

    def edges(self) -> tuple[TraceEdge, ...]:
        """Each way once, with what went along it in all."""
        sums: dict[tuple[str, str, str, Uom], tuple[Decimal, datetime]] = {}
        for link in self.links:
            ends = self._ends(link)
            if ends is None:
                continue
            key = (*ends, link.cte, link.uom)
            qty = self._qty(link)
            before, at = sums.get(key, (Decimal(0), link.occurred_at))
            sums[key] = (before + qty, max(at, link.occurred_at))
        share = self._shares()
        return tuple(
            TraceEdge(source=source, target=target, cte=cte, qty=qty, uom=uom, at=at, share=share.get(target))
            for (source, target, cte, uom), (qty, at) in sums.items()
        )

    def _ends(self, link: TraceLink) -> tuple[str, str] | None:
        source, target = self.id_of(link.source), self.id_of(link.target)
        if link.cte == "pack" and link.from_lot_id in self.maker:
            # The columns run from the batch to what it became: the lot itself, or pallets of it.
            key = nodes.batch(self.maker[link.from_lot_id].id)
            if any(key in (other.source, other.target) for other in self.links):
                source = key
        if source is None or target is None or source == target:
            return None
        return source, target

    def _qty(self, link: TraceLink) -> Decimal:
        if link.qty is not None:
            return link.qty
        lot_id = link.to_lot_id
        if lot_id is None:
            return Decimal(0)
        return max(self.known.made.get(lot_id, Decimal(0)) - self.packed[lot_id], Decimal(0))

    def _shares(self) -> dict[str, float | None]:
        found = analytics.forward(
            [
                analytics.Edge(link.source, link.target, Quantity(link.qty or Decimal(1), link.uom))
                for link in self.links
            ],
            [self.seed],
        )
        return {drawn: share for key, share in found.share.items() if (drawn := self.id_of(key)) is not None}

    def _item_names(self, item_id: UUID) -> Names:
        item = self.known.items.get(item_id)
        return {} if item is None else item.names


def _used_names(amount: str) -> Names:
    return {"en": f"{amount} used", "es": f"{amount} usados"}


_UNIT = {Uom.KGM: " kg", Uom.GRM: " g", Uom.LTR: " l", Uom.H87: ""}


def _shown(qty: Decimal | None, uom: Uom | None) -> str:
    """A quantity as a person reads it.

    >>> _shown(Decimal("480.0000"), Uom.KGM)
    '480 kg'
    """
    if qty is None:
        return ""
    plain = format(qty.normalize(), ",f")
    return f"{plain}{_UNIT.get(uom, f' {uom}') if uom else ''}"
