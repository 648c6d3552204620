"""Tables of food safety and quality."""

from __future__ import annotations

from server.fsq.models.ccp import Ccp, CcpVersion
from server.fsq.models.deviation import Deviation, DeviationStep
from server.fsq.models.hold import LotHold
from server.fsq.models.interlock import InterlockStop
from server.fsq.models.lot import Lot
from server.fsq.models.monitoring import CcpMonitoring
from server.fsq.models.pallet import Pallet
from server.fsq.models.series import NumberSeries
from server.fsq.models.trace_link import TraceLink

__all__ = [
    "Ccp",
    "CcpMonitoring",
    "CcpVersion",
    "Deviation",
    "DeviationStep",
    "InterlockStop",
    "Lot",
    "LotHold",
    "NumberSeries",
    "Pallet",
    "TraceLink",
]
