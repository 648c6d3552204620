"""Tables of plant operations."""

from __future__ import annotations

from server.plant_ops.models.batch import BatchMove, ProductionBatch
from server.plant_ops.models.downtime import Downtime, StopFact
from server.plant_ops.models.equipment import Equipment, Sensor
from server.plant_ops.models.line import LineProductRate, ProductionLine, ShiftPattern
from server.plant_ops.models.line_event import LineCount, LineEvent
from server.plant_ops.models.quality import QualityCheck, TestWeight, WeightSpec
from server.plant_ops.models.reason import ReasonCode
from server.plant_ops.models.scrap import ScrapEvent
from server.plant_ops.models.sensor_reading import SensorBlock, SensorLatest
from server.plant_ops.models.terminal import TerminalEvent

__all__ = [
    "BatchMove",
    "Downtime",
    "Equipment",
    "LineCount",
    "LineEvent",
    "LineProductRate",
    "ProductionBatch",
    "ProductionLine",
    "QualityCheck",
    "ReasonCode",
    "ScrapEvent",
    "Sensor",
    "SensorBlock",
    "SensorLatest",
    "ShiftPattern",
    "StopFact",
    "TerminalEvent",
    "TestWeight",
    "WeightSpec",
]
