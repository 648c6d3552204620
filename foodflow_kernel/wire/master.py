"""Master data as a terminal receives it: the ``data`` of a feed or snapshot row, by entity.

The server renders these from its tables, the kiosk caches them as they are. The kiosk never
writes one. Names that a person reads are ``Names``: by language, falling back to the plant's.
Fields are only added, with defaults.
"""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from uuid import UUID

from foodflow_kernel.machines.fsq import DeviationState, HoldState, LotState
from foodflow_kernel.machines.identity import UserState
from foodflow_kernel.machines.plant_ops import BatchState, WorkOrderState
from foodflow_kernel.units import Uom
from foodflow_kernel.wire.facts import Instant, Wire

Names = dict[str, str]
"""Language code to text; every row has at least ``en``."""


class Entity(Wire):
    """Base of all master rows."""

    id: UUID


class Plant(Entity):
    """A site."""

    code: str
    name: str
    tz: str
    day_start: time = time(0, 0)
    auto_lock_s: int = 120
    microstop_s: int = 120


class Line(Entity):
    """A production line."""

    plant_id: UUID
    code: str
    name: str
    names: Names = {}
    area: str = ""
    kind: str = "fill"
    allergen_class: tuple[str, ...] = ()


class Item(Entity):
    """A product, ingredient or packaging material."""

    code: str
    names: Names
    kind: str
    base_uom: Uom
    gtin14: str | None = None
    allergens: tuple[str, ...] = ()
    unit_names: Names = {}
    """What one piece is called, plural: cups, vasos."""
    units_per_case: int | None = None
    place: str = ""
    """Where it is stored, as a worker would say it."""


class WeightSpecRow(Entity):
    """Weight limits of an item's portion, one version."""

    item_id: UUID
    version: int
    low_g: Decimal
    target_g: Decimal
    high_g: Decimal
    tare_g: Decimal
    sample_size: int = 5
    every_min: int | None = None


class BomLine(Wire):
    """One component of a recipe, per batch quantity."""

    item_id: UUID
    qty_per: Decimal
    uom: Uom
    step: int


class Bom(Entity):
    """An approved recipe revision."""

    item_id: UUID
    revision: str
    batch_qty: Decimal
    uom: Uom
    lines: tuple[BomLine, ...]


class WorkOrder(Entity):
    """A released order to produce, with the batch and output lot it will make."""

    wo_no: str
    item_id: UUID
    bom_id: UUID
    line_id: UUID
    qty_planned: Decimal
    uom: Uom
    status: WorkOrderState
    start_at: Instant
    end_at: Instant
    batch_id: UUID | None = None


class Batch(Entity):
    """A production batch; ``version`` of its row is the ``base_rev`` of a command."""

    batch_no: str
    line_id: UUID
    item_id: UUID
    work_order_id: UUID | None
    status: BatchState
    planned_qty: Decimal
    uom: Uom
    output_lot_id: UUID | None = None
    started_at: Instant | None = None
    ended_at: Instant | None = None
    pri_s: Decimal | None = None
    """Planned run time per item [s]: the target rate is 60 / pri_s per minute."""
    total: int = 0
    good: int = 0
    scrap: int = 0


class Lot(Entity):
    """A lot of material or product, with whether any hold is open on it."""

    lot_code: str
    item_id: UUID
    kind: str
    status: LotState
    is_held: bool
    qty: Decimal
    uom: Uom
    gtin14: str | None = None
    supplier_lot: str | None = None
    expiry_on: date | None = None
    expiry_kind: str = "best_before"
    allergens: tuple[str, ...] = ()
    line_id: UUID | None = None
    place: str = ""


class Hold(Entity):
    """A hold on a lot."""

    lot_id: UUID
    state: HoldState
    reason: str
    placed_at: Instant
    deviation_id: UUID | None = None


class Deviation(Entity):
    """A deviation, with its number once the server has given one."""

    number: str | None
    state: DeviationState
    severity: str
    ccp_id: UUID | None
    batch_id: UUID | None
    line_id: UUID | None
    summary: str
    detected_at: Instant


class User(Entity):
    """A person who may sign in at this terminal.

    Args:
        login_code: the badge.
        pin_hash: verifier made for this device, see ``wire.pin``.
        permissions: effective codes at this plant.
    """

    login_code: str
    short_no: str
    printed_name: str
    names: Names = {}
    roles: tuple[str, ...]
    permissions: tuple[str, ...]
    pin_hash: str
    status: UserState
    locale: str = "en"


class Equipment(Entity):
    """A scale, probe, kettle, printer; instruments carry range, calibration and test weight."""

    tag: str
    names: Names
    line_id: UUID | None
    equipment_class: str
    """scale, probe, detector, kettle, counter, printer, scanner."""
    unit: str | None = None
    range_min: Decimal | None = None
    range_max: Decimal | None = None
    resolution: Decimal | None = None
    calib_due_on: date | None = None
    test_weight_g: Decimal | None = None
    test_tolerance_g: Decimal | None = None
    test_every_min: int | None = None


class Sensor(Entity):
    """A measuring point that is sampled all the time."""

    tag: str
    names: Names
    kind: str
    unit: str
    line_id: UUID
    equipment_id: UUID | None = None
    range_min: Decimal
    range_max: Decimal
    period_ms: int
    step: Decimal
    ccp_id: UUID | None = None


class CcpAction(Wire):
    """A containing action the HACCP plan allows for a breach."""

    code: str
    names: Names
    hints: Names = {}
    icon: str = ""
    recheck_min: int | None = None
    needs_note: bool = False


class Ccp(Entity):
    """The effective version of a critical control point (``id`` is the version's id)."""

    ccp_id: UUID
    ccp_no: str
    version: int
    line_id: UUID
    item_ids: tuple[UUID, ...] = ()
    """Products it applies to; empty means all on the line."""
    names: Names
    place: Names = {}
    """Where, as on the chip: Kettle 2."""
    vessel_id: UUID | None = None
    vessel_qty: Decimal | None = None
    vessel_uom: Uom | None = None
    parameter: str
    """temperature, metal, ph, time, force."""
    unit: str | None = None
    crit_min: Decimal | None = None
    crit_max: Decimal | None = None
    op_min: Decimal | None = None
    op_max: Decimal | None = None
    jump: Decimal | None = None
    pieces: tuple[str, ...] = ()
    frequency_min: int | None = None
    grace_min: int = 5
    instrument_id: UUID | None = None
    for_operators: bool = False
    icon: str = ""
    actions: tuple[CcpAction, ...] = ()


class Reason(Entity):
    """A reason a person can touch: tree is downtime, scrap, weight or over_issue."""

    tree: str
    code: str
    names: Names
    category: str | None = None
    is_failure: bool = False
    is_planned: bool = False
    icon: str = ""
    sort: int = 0


class Terminal(Entity):
    """This terminal itself: its name, line and the devices attached."""

    name: str
    plant_id: UUID
    line_id: UUID | None
    area: str = ""
    scale_id: UUID | None = None
    probe_ids: tuple[UUID, ...] = ()
    sensor_ids: tuple[UUID, ...] = ()


ENTITIES: dict[str, type[Entity]] = {
    "plant": Plant,
    "line": Line,
    "item": Item,
    "weight_spec": WeightSpecRow,
    "bom": Bom,
    "work_order": WorkOrder,
    "batch": Batch,
    "lot": Lot,
    "hold": Hold,
    "deviation": Deviation,
    "user": User,
    "equipment": Equipment,
    "sensor": Sensor,
    "ccp": Ccp,
    "reason": Reason,
    "terminal": Terminal,
}
"""Every entity of the feed. An entity unknown to the reader is kept raw and skipped."""
