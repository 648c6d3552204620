"""The server's master data as an immutable picture in memory, replaced as a whole.

Rows the program cannot read stay in the file as they came and are left out here. Retired rows
are not usable any more but stay readable by id, so that an old record can still be named.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import UUID

from pydantic import ValidationError

from foodflow_kernel.wire import master as wire
from foodflow_kernel.wire.exchange import FeedCursor

E = TypeVar("E", bound=wire.Entity)


@dataclass(frozen=True, slots=True)
class MasterRow:
    """One cached row, as it lies in the file."""

    entity: str
    id: UUID
    version: int
    retired: bool
    data: Mapping[str, Any] | None


@dataclass(frozen=True)
class Master:
    """Everything the terminal knows from the server, typed. ``versions`` gives the ``base_rev`` of commands."""

    rows: Mapping[str, Mapping[UUID, wire.Entity]] = field(default_factory=dict)
    retired: Mapping[UUID, wire.Entity] = field(default_factory=dict)
    versions: Mapping[UUID, int] = field(default_factory=dict)
    unread: int = 0
    cursor: FeedCursor | None = None

    def _of(self, entity: str, kind: type[E]) -> Mapping[UUID, E]:
        found: Mapping[UUID, Any] = self.rows.get(entity, {})
        return MappingProxyType({key: row for key, row in found.items() if isinstance(row, kind)})

    @cached_property
    def plants(self) -> Mapping[UUID, wire.Plant]:
        """Sites, by id."""
        return self._of("plant", wire.Plant)

    @cached_property
    def lines(self) -> Mapping[UUID, wire.Line]:
        """Lines, by id."""
        return self._of("line", wire.Line)

    @cached_property
    def items(self) -> Mapping[UUID, wire.Item]:
        """Products, ingredients, packaging, by id."""
        return self._of("item", wire.Item)

    @cached_property
    def weight_specs(self) -> Mapping[UUID, wire.WeightSpecRow]:
        """Weight limits, by id."""
        return self._of("weight_spec", wire.WeightSpecRow)

    @cached_property
    def boms(self) -> Mapping[UUID, wire.Bom]:
        """Recipes, by id."""
        return self._of("bom", wire.Bom)

    @cached_property
    def work_orders(self) -> Mapping[UUID, wire.WorkOrder]:
        """Orders, by id."""
        return self._of("work_order", wire.WorkOrder)

    @cached_property
    def batches(self) -> Mapping[UUID, wire.Batch]:
        """Batches, by id."""
        return self._of("batch", wire.Batch)

    @cached_property
    def lots(self) -> Mapping[UUID, wire.Lot]:
        """Lots, by id."""
        return self._of("lot", wire.Lot)

    @cached_property
    def holds(self) -> Mapping[UUID, wire.Hold]:
        """Holds, by id."""
        return self._of("hold", wire.Hold)

    @cached_property
    def deviations(self) -> Mapping[UUID, wire.Deviation]:
        """Deviations, by id."""
        return self._of("deviation", wire.Deviation)

    @cached_property
    def users(self) -> Mapping[UUID, wire.User]:
        """People, by id."""
        return self._of("user", wire.User)

    @cached_property
    def equipment(self) -> Mapping[UUID, wire.Equipment]:
        """Scales, probes, kettles..., by id."""
        return self._of("equipment", wire.Equipment)

    @cached_property
    def sensors(self) -> Mapping[UUID, wire.Sensor]:
        """Measuring points, by id."""
        return self._of("sensor", wire.Sensor)

    @cached_property
    def ccps(self) -> Mapping[UUID, wire.Ccp]:
        """Effective CCP versions, by the version's id."""
        return self._of("ccp", wire.Ccp)

    @cached_property
    def reasons(self) -> Mapping[UUID, wire.Reason]:
        """Reasons, by id."""
        return self._of("reason", wire.Reason)

    @cached_property
    def terminals(self) -> Mapping[UUID, wire.Terminal]:
        """Terminals, by device id."""
        return self._of("terminal", wire.Terminal)

    @cached_property
    def lots_by_code(self) -> Mapping[str, tuple[wire.Lot, ...]]:
        """Lots by lot code; a code may exist for more than one item."""
        return _grouped((lot.lot_code, lot) for lot in self.lots.values())

    @cached_property
    def users_by_badge(self) -> Mapping[str, wire.User]:
        """People by badge (login code)."""
        return {user.login_code: user for user in self.users.values()}

    @cached_property
    def users_by_no(self) -> Mapping[str, wire.User]:
        """People by short number."""
        return {user.short_no: user for user in self.users.values()}

    @cached_property
    def items_by_gtin(self) -> Mapping[str, wire.Item]:
        """Items by GTIN-14."""
        return {item.gtin14: item for item in self.items.values() if item.gtin14}

    @cached_property
    def equipment_by_tag(self) -> Mapping[str, wire.Equipment]:
        """Equipment by its tag (``P-14``)."""
        return {piece.tag: piece for piece in self.equipment.values()}

    @cached_property
    def sensors_by_tag(self) -> Mapping[str, wire.Sensor]:
        """Sensors by tag."""
        return {sensor.tag: sensor for sensor in self.sensors.values()}

    @cached_property
    def reasons_by_tree(self) -> Mapping[str, tuple[wire.Reason, ...]]:
        """Reasons by tree (downtime, scrap, weight, over_issue), in their order."""
        ordered = sorted(self.reasons.values(), key=lambda reason: (reason.sort, reason.code))
        return _grouped((reason.tree, reason) for reason in ordered)

    def version(self, entity_id: UUID) -> int:
        """The version of a row, the ``base_rev`` of a command; 0 if it is not known."""
        return self.versions.get(entity_id, 0)

    def anything(self, entity_id: UUID) -> wire.Entity | None:
        """A row of any kind by id, retired ones included."""
        for rows in self.rows.values():
            if entity_id in rows:
                return rows[entity_id]
        return self.retired.get(entity_id)


def build(rows: Iterable[MasterRow], cursor: FeedCursor | None) -> Master:
    """The picture of all cached rows."""
    return changed(Master(), rows, cursor)


def changed(before: Master, rows: Iterable[MasterRow], cursor: FeedCursor | None) -> Master:
    """The picture after some rows changed; the one before stays as it is."""
    live: dict[str, dict[UUID, wire.Entity]] = {name: dict(found) for name, found in before.rows.items()}
    retired, versions, unread = dict(before.retired), dict(before.versions), before.unread
    for row in rows:
        kind = wire.ENTITIES.get(row.entity)
        if kind is None:
            unread += 1
            continue
        versions[row.id] = row.version
        table = live.setdefault(row.entity, {})
        old = table.pop(row.id, None) or retired.get(row.id)
        try:
            new = kind.model_validate(row.data) if row.data is not None else old
        except ValidationError:
            unread += 1
            continue
        if new is None:
            continue
        if row.retired or row.data is None:
            retired[row.id] = new
        else:
            retired.pop(row.id, None)
            table[row.id] = new
    return Master(live, retired, versions, unread, cursor)


def to_table(row: MasterRow) -> dict[str, Any]:
    """A row for the ``master`` table."""
    data = json.dumps(row.data, separators=(",", ":")) if row.data is not None else None
    return {
        "entity": row.entity,
        "id": str(row.id),
        "version": row.version,
        "retired": int(row.retired),
        "data": data,
    }


def from_table(row: Any) -> MasterRow:
    """A row of the ``master`` table."""
    data = json.loads(row.data) if row.data is not None else None
    return MasterRow(row.entity, UUID(row.id), row.version, bool(row.retired), data)


K = TypeVar("K")
V = TypeVar("V")


def _grouped(pairs: Iterable[tuple[K, V]]) -> Mapping[K, tuple[V, ...]]:
    groups: defaultdict[K, list[V]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return {key: tuple(values) for key, values in groups.items()}
