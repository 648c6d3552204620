"""Protocol version, lanes and limits of sync. Changing a number here is a protocol change."""

from __future__ import annotations

from enum import IntEnum

PROTOCOL = 1
"""Version of the exchange. 1 (2026-11): first."""


class Lane(IntEnum):
    """Priority lanes, each with its own dense sequence and chain."""

    urgent = 0
    """Alarms, holds, CCP readings, deviations, witness."""
    events = 1
    """Batch moves, weighing, materials, scrap, stops, counts, latest sensor values."""
    bulk = 2
    """Documents and photos."""
    telemetry = 3
    """Blocks of sensor samples."""


OPS_LANES = (Lane.urgent, Lane.events, Lane.bulk)
"""Lanes kept in ``ops.db`` and counted by the sync pill; telemetry has a file of its own."""

MAX_BATCH_PACKED_BYTES = 1 << 20
MAX_BATCH_RAW_BYTES = 8 << 20
MAX_LINE_BYTES = 64 << 10
MAX_BATCH_LINES = 5000
FEED_WAIT_MAX_S = 20.0
FEED_PAGE_MAX = 1000
FEED_RETENTION_DAYS = 35
TOKEN_TTL_S = 15 * 60
PAIRING_CODE_TTL_S = 10 * 60
HUB_HEARD_S = 30.0
"""The pill says "All sent" only if the server was heard within this time."""
CLOCK_SKEW_FLAG_S = 120.0
PARKED_TTL_S = 24 * 3600
USER_LIST_STALE_H = 72
"""A list of users older than this flags records ``STALE_USER``; work goes on."""
