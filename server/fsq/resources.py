"""What the API may do with the tables of food safety; lots and pallets need flows and stand there."""

from __future__ import annotations

from server.core.actions import Action
from server.core.resource import ANY, Resource
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

HOLD = Resource(
    model=LotHold,
    owner="V",
    path="fsq/holds",
    code="fsq.hold",
    filters={"lot_id": ANY, "state": ANY, "deviation_id": ANY, "placed_at": ANY},
    sorts=("placed_at",),
    actions=(Action("release", hold.release, hold.Release, signature=True, risk="approve"),),
)
CCP = Resource(
    model=Ccp,
    owner="V",
    path="fsq/ccps",
    code="fsq.ccp",
    filters={"line_id": ANY, "ccp_no": ANY},
    sorts=("ccp_no",),
)
CCP_VERSION = Resource(
    model=CcpVersion,
    owner="V",
    path="fsq/ccp-versions",
    code="fsq.ccp",
    filters={"ccp_id": ANY, "status": ANY},
    sorts=("ccp_version",),
)
CCP_MONITORING = Resource(
    model=CcpMonitoring,
    owner="F",
    path="fsq/ccp-monitoring",
    code="fsq.ccp_monitoring",
    filters={"ccp_id": ANY, "batch_id": ANY, "occurred_at": ANY, "result_server": ANY},
    sorts=("occurred_at",),
)
DEVIATION = Resource(
    model=Deviation,
    owner="V",
    path="fsq/deviations",
    code="fsq.deviation",
    filters={
        "state": ANY,
        "severity": ANY,
        "batch_id": ANY,
        "line_id": ANY,
        "detected_at": ANY,
        "number": ANY,
    },
    sorts=("detected_at", "number"),
    search=("number", "summary"),
)
DEVIATION_STEP = Resource(
    model=DeviationStep,
    owner="F",
    path="fsq/deviation-steps",
    code="fsq.deviation",
    filters={"deviation_id": ANY},
    sorts=("occurred_at",),
)
INTERLOCK_STOP = Resource(
    model=InterlockStop,
    owner="F",
    path="fsq/interlock-stops",
    code="fsq.lot",
    filters={"batch_id": ANY, "cause": ANY, "occurred_at": ANY},
    sorts=("occurred_at",),
)
TRACE_LINK = Resource(
    model=TraceLink,
    owner="F",
    path="fsq/trace-links",
    code="fsq.trace",
    filters={
        "from_lot_id": ANY,
        "to_lot_id": ANY,
        "batch_id": ANY,
        "pallet_id": ANY,
        "cte": ANY,
    },
    sorts=("occurred_at",),
)

RESOURCES = (HOLD, CCP, CCP_VERSION, CCP_MONITORING, DEVIATION, DEVIATION_STEP, INTERLOCK_STOP, TRACE_LINK)
