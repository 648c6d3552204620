"""What the API may do with the tables of food safety; lots and pallets need flows and stand there."""

from __future__ import annotations

from server.core.actions import Action
from server.core.resource import Resource
from server.fsq import hold
from server.fsq.models import (
    Ccp,
    CcpMonitoring,
    CcpVersion,
    Deviation,
    DeviationStep,
    InterlockStop,
    LotHold,
    TraceLink,
)

_WHEN = "gte lt"

HOLD = Resource(
    model=LotHold,
    owner="V",
    path="fsq/holds",
    code="fsq.hold",
    filters={"lot_id": "eq in", "state": "eq in", "deviation_id": "eq in", "placed_at": _WHEN},
    sorts=("placed_at",),
    actions=(Action("release", hold.release, hold.Release, signature=True, risk="approve"),),
)
CCP = Resource(
    model=Ccp,
    owner="V",
    path="fsq/ccps",
    code="fsq.ccp",
    filters={"line_id": "eq in", "ccp_no": "eq in"},
    sorts=("ccp_no",),
)
CCP_VERSION = Resource(
    model=CcpVersion,
    owner="V",
    path="fsq/ccp-versions",
    code="fsq.ccp",
    filters={"ccp_id": "eq in", "status": "eq in"},
    sorts=("ccp_version",),
)
CCP_MONITORING = Resource(
    model=CcpMonitoring,
    owner="F",
    path="fsq/ccp-monitoring",
    code="fsq.ccp_monitoring",
    filters={"ccp_id": "eq in", "batch_id": "eq in", "occurred_at": _WHEN, "result_server": "eq in"},
    sorts=("occurred_at",),
)
DEVIATION = Resource(
    model=Deviation,
    owner="V",
    path="fsq/deviations",
    code="fsq.deviation",
    filters={
        "state": "eq in",
        "severity": "eq in",
        "batch_id": "eq in",
        "line_id": "eq in",
        "detected_at": _WHEN,
        "number": "eq",
    },
    sorts=("detected_at", "number"),
    search=("number", "summary"),
)
DEVIATION_STEP = Resource(
    model=DeviationStep,
    owner="F",
    path="fsq/deviation-steps",
    code="fsq.deviation",
    filters={"deviation_id": "eq in"},
    sorts=("occurred_at",),
)
INTERLOCK_STOP = Resource(
    model=InterlockStop,
    owner="F",
    path="fsq/interlock-stops",
    code="fsq.lot",
    filters={"batch_id": "eq in", "cause": "eq in", "occurred_at": _WHEN},
    sorts=("occurred_at",),
)
TRACE_LINK = Resource(
    model=TraceLink,
    owner="F",
    path="fsq/trace-links",
    code="fsq.trace",
    filters={
        "from_lot_id": "eq in",
        "to_lot_id": "eq in",
        "batch_id": "eq in",
        "pallet_id": "eq in",
        "cte": "eq in",
    },
    sorts=("occurred_at",),
)

RESOURCES = (HOLD, CCP, CCP_VERSION, CCP_MONITORING, DEVIATION, DEVIATION_STEP, INTERLOCK_STOP, TRACE_LINK)
