"""What the API may do with the tables of plant operations."""

from __future__ import annotations

from server.core.actions import Action
from server.core.resource import ANY, Resource
from server.plant_ops import downtime
from server.plant_ops.models import (
    BatchMove,
    Downtime,
    Equipment,
    LineCount,
    LineEvent,
    ProductionBatch,
    ProductionLine,
    QualityCheck,
    ReasonCode,
    ScrapEvent,
    Sensor,
    TestWeight,
    WeightSpec,
)

LINE = Resource(
    model=ProductionLine,
    owner="M",
    path="plant-ops/lines",
    code="plant_ops.line",
    writable=("plant_id", "code", "name", "names", "area", "kind", "allergen_class", "oee_target"),
    fixed={"plant_id", "code"},
    filters={"plant_id": ANY, "code": ANY},
    sorts=("code",),
)
EQUIPMENT = Resource(
    model=Equipment,
    owner="M",
    path="plant-ops/equipment",
    code="plant_ops.equipment",
    writable=(
        "plant_id", "tag", "names", "line_id", "equipment_class", "criticality", "unit", "range_min", "range_max",
        "resolution", "calib_interval_d", "calib_due_on", "test_weight_g", "test_tolerance_g", "test_every_min",
    ),
    fixed={"plant_id", "tag"},
    filters={"line_id": ANY, "equipment_class": ANY, "tag": ANY, "calib_due_on": ANY},
    sorts=("tag", "calib_due_on"),
    search=("tag",),
)  # fmt: skip
SENSOR = Resource(
    model=Sensor,
    owner="V",
    path="plant-ops/sensors",
    code="plant_ops.sensor",
    filters={"line_id": ANY, "tag": ANY},
    sorts=("tag",),
)
REASON = Resource(
    model=ReasonCode,
    owner="M",
    path="plant-ops/reasons",
    code="plant_ops.reason",
    writable=("tree", "code", "names", "category", "is_failure", "is_planned", "icon", "sort"),
    fixed={"tree", "code"},
    filters={"tree": ANY, "code": ANY},
    sorts=("sort",),
)
WEIGHT_SPEC = Resource(
    model=WeightSpec,
    owner="M",
    path="plant-ops/weight-specs",
    code="planning.weight_spec",
    writable=("item_id", "spec_version", "low_g", "target_g", "high_g", "tare_g", "sample_size", "every_min"),
    fixed={"item_id", "spec_version", "low_g", "target_g", "high_g"},
    filters={"item_id": ANY},
    sorts=("spec_version",),
)
BATCH = Resource(
    model=ProductionBatch,
    owner="V",
    path="plant-ops/batches",
    code="plant_ops.batch",
    filters={"line_id": ANY, "status": ANY, "batch_no": ANY, "item_id": ANY, "started_at": ANY},
    sorts=("started_at", "batch_no"),
    search=("batch_no",),
)
BATCH_MOVE = Resource(
    model=BatchMove,
    owner="F",
    path="plant-ops/batch-moves",
    code="plant_ops.batch",
    filters={"batch_id": ANY, "outcome": ANY},
    sorts=("occurred_at",),
)
LINE_EVENT = Resource(
    model=LineEvent,
    owner="F",
    path="plant-ops/line-events",
    code="plant_ops.line_event",
    filters={"line_id": ANY, "state": ANY, "occurred_at": ANY},
    sorts=("occurred_at",),
)
LINE_COUNT = Resource(
    model=LineCount,
    owner="F",
    path="plant-ops/line-counts",
    code="plant_ops.line_event",
    filters={"line_id": ANY, "batch_id": ANY, "occurred_at": ANY},
    sorts=("occurred_at",),
)
WEIGHING = Resource(
    model=QualityCheck,
    owner="F",
    path="plant-ops/weighings",
    code="plant_ops.weighing",
    filters={"batch_id": ANY, "lot_id": ANY, "result_server": ANY, "occurred_at": ANY},
    sorts=("occurred_at",),
)
TEST_WEIGHT = Resource(
    model=TestWeight,
    owner="F",
    path="plant-ops/test-weights",
    code="plant_ops.weighing",
    filters={"equipment_id": ANY, "occurred_at": ANY},
    sorts=("occurred_at",),
)
SCRAP = Resource(
    model=ScrapEvent,
    owner="F",
    path="plant-ops/scrap",
    code="plant_ops.scrap",
    filters={"batch_id": ANY, "line_id": ANY, "reason_code": ANY, "occurred_at": ANY},
    sorts=("occurred_at",),
)
DOWNTIME = Resource(
    model=Downtime,
    owner="V",
    path="plant-ops/downtime",
    code="plant_ops.downtime",
    filters={"line_id": ANY, "state": ANY, "started_at": ANY, "reason_code": ANY},
    sorts=("started_at",),
    actions=(
        Action("close", downtime.close, downtime.Close),
        Action("categorise", downtime.categorise, downtime.Categorise),
        Action("approve", downtime.approve, downtime.Approve, risk="approve"),
    ),
)

RESOURCES = (
    LINE,
    EQUIPMENT,
    SENSOR,
    REASON,
    WEIGHT_SPEC,
    BATCH,
    BATCH_MOVE,
    LINE_EVENT,
    LINE_COUNT,
    WEIGHING,
    TEST_WEIGHT,
    SCRAP,
    DOWNTIME,
)
