"""Samples packed to blocks and back, gaps and jitter, the newest value on lane 1."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from foodflow_desktop.hardware.readings import Quality, SensorSample
from foodflow_desktop.stations.telemetry import BLOCK_SAMPLES, JITTER, BlockPacker, TelemetryStation, unpack
from foodflow_desktop.store import Draft
from foodflow_kernel.wire.bodies import SensorLatest, Telemetry
from tests.foodflow_desktop.stations.plant import AT, entities

SENSOR = entities()["sensor"][0]
PERIOD = timedelta(milliseconds=100)


def values(blocks: list[Telemetry]) -> list[tuple[datetime, Decimal | None]]:
    return [pair for block in blocks for pair in unpack(block)]


@given(st.lists(st.one_of(st.none(), st.decimals(-40, 125, places=1)), min_size=1, max_size=500))
def test_packed_samples_come_back_as_they_were(samples: list[Decimal | None]):
    packer, blocks = BlockPacker(SENSOR), []
    for place, value in enumerate(samples):
        blocks += packer.add(AT + place * PERIOD, value)
    blocks += packer.flush()
    found = {at: value for at, value in values(blocks) if value is not None}
    assert found == {AT + place * PERIOD: value for place, value in enumerate(samples) if value is not None}


def test_a_block_closes_after_twenty_seconds_or_six_hundred_samples():
    packer, blocks = BlockPacker(SENSOR), []
    for place in range(1000):
        blocks += packer.add(AT + place * PERIOD, Decimal("78.4"))
    assert [len(block.deltas) + 1 for block in blocks] == [200] * 5
    fast = BlockPacker(SENSOR.model_copy(update={"period_ms": 10}))
    blocks = []
    for place in range(1200):
        blocks += fast.add(AT + place * PERIOD / 10, Decimal("78.4"))
    assert [len(block.deltas) + 1 for block in blocks] == [BLOCK_SAMPLES] * 2


def test_no_sample_is_lost_to_jitter_and_none_stands_far_from_its_place():
    dice = random.Random(7)  # noqa: S311 - a fixed shake, no secret
    packer, blocks = BlockPacker(SENSOR), []
    for place in range(3000):
        shake = timedelta(milliseconds=dice.uniform(-60, 60))
        blocks += packer.add(AT + place * PERIOD + shake, Decimal(place) / 10)
    found = [(at, value) for at, value in values(blocks + packer.flush()) if value is not None]
    assert [int(value * 10) for _, value in found] == list(range(3000))
    worst = max(abs(at - (AT + place * PERIOD)) for place, (at, _) in enumerate(found))
    assert worst <= (JITTER + 1) * PERIOD


def test_a_gap_is_a_gap_and_a_long_one_starts_a_new_block():
    packer = BlockPacker(SENSOR)
    for place in (0, 1, 2, 10):
        assert not packer.add(AT + place * PERIOD, Decimal("78.0"))
    blocks = packer.add(AT + timedelta(seconds=60), Decimal("79.0"))
    assert [value for _, value in unpack(blocks[0])] == [Decimal("78.0")] * 3 + [None] * 7 + [Decimal("78.0")]
    assert packer.flush()[0].from_at == AT + timedelta(seconds=60)


def test_the_newest_value_goes_out_each_ten_seconds_and_a_bad_one_says_so():
    drafts: list[Draft] = []
    station = TelemetryStation(lambda: {"TT-2": SENSOR}, drafts.extend)
    for place in range(301):
        station.on_sample(SensorSample(AT + place * PERIOD, "TT-2", Decimal("78.4"), Quality.good))
    station.on_sample(SensorSample(AT + 402 * PERIOD, "TT-2", Decimal(300), Quality.good))
    station.on_sample(SensorSample(AT + 503 * PERIOD, "TT-2", None, Quality.bad))
    station.on_sample(SensorSample(AT, "unknown", Decimal(1), Quality.good))
    station.flush()
    latest = [draft.body for draft in drafts if isinstance(draft.body, SensorLatest)]
    assert [(one.value, one.quality) for one in latest] == [(78.4, "good")] * 4 + [(300.0, "bad"), (None, "bad")]
    assert all(math.isfinite(one.value) for one in latest if one.value is not None)
    blocks = [draft.body for draft in drafts if isinstance(draft.body, Telemetry)]
    assert sum(value is not None for _, value in values(blocks)) == 302
