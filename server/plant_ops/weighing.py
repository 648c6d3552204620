"""Portions weighed and scales checked, judged a second time by the kernel's own rules."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.rules import weight
from foodflow_kernel.units import Grams, kept
from foodflow_kernel.wire.bodies import TestWeight as TestWeightBody
from foodflow_kernel.wire.bodies import Weighing
from server.core import stamp as stamps
from server.core.stamp import Stamp
from server.plant_ops.models import QualityCheck, TestWeight, WeightSpec


async def record(db: AsyncSession, facts: Sequence[tuple[Stamp, Weighing]]) -> None:
    """Keep weighings with both verdicts.

    ``flags``: RESULT_DIFFERS when terminal and server disagree, LIMITS_DIFFER when the limits
    that travelled are not those of the specification they name.
    """
    named = {body.limits.spec_id for _, body in facts}
    known = {spec.id: spec for spec in await db.scalars(select(WeightSpec).where(WeightSpec.id.in_(named)))}
    rows = []
    for stamp, body in facts:
        limits = body.limits
        spec = weight.WeightSpec(Grams(limits.low_g), Grams(limits.target_g), Grams(limits.high_g))
        verdict = weight.judge(Grams(body.net_g), spec)
        flags = list(stamp.flags)
        if verdict is not body.verdict:
            flags.append("RESULT_DIFFERS")
        master = known.get(limits.spec_id)
        if master is None or (master.low_g, master.high_g) != (kept(limits.low_g), kept(limits.high_g)):
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
                "limits": limits.model_dump(mode="json"),
                "result_kiosk": body.verdict,
                "result_server": verdict,
                "reason_code": body.reason_code,
                "flags": flags,
            }
        )
    await stamps.record(db, QualityCheck, rows)


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
