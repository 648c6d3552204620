"""Portions weighed and scales checked, judged a second time by the kernel's own rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.rules import weight
from foodflow_kernel.units import Grams, kept
from foodflow_kernel.wire.bodies import TestWeight as TestWeightBody
from foodflow_kernel.wire.bodies import Weighing, WeightLimits
from server.core import stamp as stamps
from server.core.stamp import Stamp
from server.plant_ops.models import QualityCheck, TestWeight, WeightSpec


@dataclass(frozen=True, slots=True)
class _Judge:
    """Limits that travelled, as the rules and the row want them, and whether master data says otherwise."""

    spec: weight.WeightSpec
    limits: dict[str, Any]
    differs: bool


async def record(db: AsyncSession, facts: Sequence[tuple[Stamp, Weighing]]) -> None:
    """Keep weighings with both verdicts.

    ``flags``: RESULT_DIFFERS when terminal and server disagree, LIMITS_DIFFER when the limits
    that travelled are not those of the specification they name.
    """
    named = {body.limits.spec_id for _, body in facts}
    known = {spec.id: spec for spec in await db.scalars(select(WeightSpec).where(WeightSpec.id.in_(named)))}
    # Most portions of a batch travel with the very same limits: what follows from them is found once.
    judges: dict[str, _Judge] = {}
    rows = []
    for stamp, body in facts:
        as_sent = body.limits.model_dump_json()
        judge = judges.get(as_sent)
        if judge is None:
            judge = judges[as_sent] = _judge_by(body.limits, known.get(body.limits.spec_id))
        verdict = weight.judge(Grams(body.net_g), judge.spec)
        flags = list(stamp.flags)
        if verdict is not body.verdict:
            flags.append("RESULT_DIFFERS")
        if judge.differs:
            flags.append("LIMITS_DIFFER")
        rows.append(
            stamp.columns()
            | {
                "batch_id": body.batch_id,
                "lot_id": body.lot_id,
                "item_id": body.item_id,
                "equipment_id": body.equipment_id,
                "check_id": body.check_id,
                "sample_no": body.sample_no,
                "net_g": body.net_g,
                "tare_g": body.tare_g,
                "source": body.source.value,
                "limits": judge.limits,
                "result_kiosk": body.verdict,
                "result_server": verdict,
                "reason_code": body.reason_code,
                "flags": flags,
            }
        )
    await stamps.record(db, QualityCheck, rows)


def _judge_by(limits: WeightLimits, master: WeightSpec | None) -> _Judge:
    spec = weight.WeightSpec(Grams(limits.low_g), Grams(limits.target_g), Grams(limits.high_g))
    differs = master is None or (master.low_g, master.high_g) != (kept(limits.low_g), kept(limits.high_g))
    return _Judge(spec, limits.model_dump(mode="json"), differs)


async def record_test_weights(db: AsyncSession, facts: Sequence[tuple[Stamp, TestWeightBody]]) -> None:
    """Keep test weights of scales; the tolerance is checked again."""
    rows = []
    for stamp, body in facts:
        passed = abs(body.shown_g - body.nominal_g) <= body.tolerance_g
        flags = [*stamp.flags, *([] if passed == body.passed else ["RESULT_DIFFERS"])]
        rows.append(
            stamp.columns()
            | {
                "equipment_id": body.equipment_id,
                "nominal_g": body.nominal_g,
                "shown_g": body.shown_g,
                "tolerance_g": body.tolerance_g,
                "passed": body.passed,
                "passed_server": passed,
                "flags": flags,
            }
        )
    await stamps.record(db, TestWeight, rows)
