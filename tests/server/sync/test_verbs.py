from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import ProgrammingError

from foodflow_kernel.errors import Invalid, Refused
from foodflow_kernel.machines.fsq import DeviationState, HoldState, LotState
from foodflow_kernel.machines.plant_ops import BatchState, DowntimeState
from foodflow_kernel.rules.ccp import CcpVerdict
from foodflow_kernel.rules.interlock import Cause
from foodflow_kernel.rules.weight import WeightVerdict
from foodflow_kernel.units import Uom
from foodflow_kernel.wire import bodies
from foodflow_kernel.wire.bodies import Source
from server.core.corrections import VoidedFact
from server.core.db.sessions import Database, TenantRef
from server.fsq.models import CcpMonitoring, Deviation, DeviationStep, InterlockStop, Lot, LotHold, TraceLink
from server.plant_ops import batch as batches
from server.plant_ops import models
from server.plant_ops.models import Downtime, ProductionBatch
from server.sync import verbs
from tests.server.factories import NOW, OPERATOR, Scene, a_lot, a_scene

D = Decimal


@pytest.fixture
async def scene(database: Database, tenant: TenantRef) -> Scene:
    return await a_scene(database, tenant)


async def rows(scene: Scene, model: Any) -> Sequence[Any]:
    async with scene.database.tenant_session(scene.tenant.id) as db:
        return (await db.scalars(select(model))).all()


async def one(scene: Scene, model: Any, row_id: UUID) -> Any:
    async with scene.database.tenant_session(scene.tenant.id) as db:
        return await db.get_one(model, row_id)


def signature() -> bodies.Signature:
    return bodies.Signature(
        signer_id=OPERATOR, printed_name="QA 2003", meaning="performed", identified_by="badge", signed_at=NOW
    )


def weighed(scene: Scene, net: str, verdict: WeightVerdict = WeightVerdict.in_tolerance) -> bodies.Weighing:
    limits = bodies.WeightLimits(spec_id=uuid4(), version=1, low_g=D(591), target_g=D(600), high_g=D(615))
    return bodies.Weighing(
        batch_id=scene.batch.id, item_id=scene.item.id, equipment_id=None, check_id=uuid4(), sample_no=1,
        net_g=D(net), tare_g=D(12), source=Source.scale, limits=limits, verdict=verdict,
    )  # fmt: skip


def every_kind(scene: Scene) -> dict[str, tuple[Any, Any]]:
    """A body of every kind, and the table it must end in."""
    stop, deviation = uuid4(), uuid4()
    return {
        "ccp_reading": (scene.cooked("78.4"), CcpMonitoring),
        "deviation_opened": (
            bodies.DeviationOpened(deviation_id=deviation, local_no="T-07·1", ccp_id=scene.cook.ccp_id,
                                   batch_id=scene.batch.id), Deviation),
        "hold_placed": (bodies.HoldPlaced(hold_id=uuid4(), lot_id=scene.lot.id, reason="CCP-1"), LotHold),
        "deviation_action": (
            bodies.DeviationAction(deviation_id=deviation, action_code="cook_longer", signature=signature()),
            DeviationStep),
        "interlock_stopped": (
            bodies.InterlockStopped(batch_id=scene.batch.id, cause=Cause.allergen, raw_scan="x"), InterlockStop),
        "clock_jumped": (bodies.ClockJumped(wall_before=NOW, wall_after=NOW, jump_ms=1), models.TerminalEvent),
        "witness": (bodies.Witness(heads={}, app="1"), models.TerminalEvent),
        "session_started": (bodies.SessionStarted(user_id=OPERATOR, identified_by="badge"), models.TerminalEvent),
        "session_ended": (bodies.SessionEnded(user_id=OPERATOR, cause="locked"), models.TerminalEvent),
        "batch_moved": (scene.moved("start", 1), models.BatchMove),
        "weighing": (weighed(scene, "603.4"), models.QualityCheck),
        "test_weight": (
            bodies.TestWeight(equipment_id=uuid4(), nominal_g=D(500), shown_g=D("500.1"), tolerance_g=D("0.5"),
                              passed=True), models.TestWeight),
        "material_issued": (scene.issued(scene.basil), TraceLink),
        "scrap_recorded": (
            bodies.ScrapRecorded(batch_id=scene.batch.id, amount=bodies.Amount(value=D(3), uom="H87"),
                                 reason_code="bad_seal"), models.ScrapEvent),
        "line_state": (bodies.LineState(line_id=scene.line.id, state="running"), models.LineEvent),
        "line_count": (
            bodies.LineCount(line_id=scene.line.id, batch_id=scene.batch.id, delta=90, total=90, raw=5, from_at=NOW),
            models.LineCount),
        "stop_opened": (
            bodies.StopOpened(stop_id=stop, line_id=scene.line.id, started_at=NOW, source=Source.signal),
            models.StopFact),
        "stop_explained": (bodies.StopExplained(stop_id=stop, reason_code="jam"), models.StopFact),
        "stop_closed": (bodies.StopClosed(stop_id=stop, ended_at=NOW, source=Source.signal), models.StopFact),
        "voided": (bodies.Voided(target_kind="weighing", reason="undo_10s"), VoidedFact),
        "sensor_latest": (bodies.SensorLatest(sensor_id=uuid4(), value=71.2), models.SensorLatest),
        "telemetry": (
            bodies.Telemetry(sensor_id=uuid4(), from_at=NOW, period_ms=100, step=D("0.1"), first=784,
                             deltas=(0, 1, None, -1)), models.SensorBlock),
    }  # fmt: skip


async def test_every_kind_has_a_verb_and_is_applied_once_however_often_it_comes(scene: Scene) -> None:
    cases = every_kind(scene)
    assert set(cases) == set(verbs.VERBS) == set(bodies.BY_NAME)
    facts = {
        kind: scene.fact(body, **({"corrects_id": uuid4()} if kind == "voided" else {}))
        for kind, (body, _) in cases.items()
    }
    first = await scene.push(*facts.values())
    counts = {kind: len(await rows(scene, table)) for kind, (_, table) in cases.items()}
    assert 0 not in counts.values()
    second = await scene.push(*facts.values())
    assert second == first
    assert {kind: len(await rows(scene, table)) for kind, (_, table) in cases.items()} == counts
    for kind, verb in verbs.BULK.items():
        async with scene.database.tenant_session(scene.tenant.id) as db:
            await verb(db, scene.actor, [facts[kind], facts[kind]])
    assert {kind: len(await rows(scene, table)) for kind, (_, table) in cases.items()} == counts


async def test_a_fact_keeps_its_place_in_the_device_log(scene: Scene) -> None:
    fact = scene.fact(weighed(scene, "603.4"))
    await scene.push(fact)
    (row,) = await rows(scene, models.QualityCheck)
    assert (row.device_id, row.incarnation, row.lane, row.seq) == (scene.device, scene.incarnation, 1, 1)
    assert row.performed_by == OPERATOR


@pytest.mark.parametrize("statement", ["UPDATE plant_ops_quality_check SET net_g = 600", "DELETE FROM fsq_trace_link"])
async def test_a_fact_is_never_changed(scene: Scene, statement: str) -> None:
    await scene.push(scene.fact(weighed(scene, "603.4")))
    with pytest.raises(ProgrammingError):
        async with scene.database.tenant_session(scene.tenant.id) as db:
            await db.execute(text(statement))


async def test_starting_a_batch_brings_its_lot_into_being(scene: Scene) -> None:
    (answer,) = await scene.push(scene.fact(scene.moved("start", 1, ccp_version_ids=(scene.cook.id,))))
    assert answer is not None
    assert (answer.outcome, answer.reason) == ("applied", None)
    batch = await one(scene, ProductionBatch, scene.batch.id)
    assert (batch.status, batch.started_at, batch.version) == (BatchState.running, NOW, 2)
    assert batch.pri_s == D("3.333333")
    assert batch.ccp_version_ids == [scene.cook.id]
    assert (await one(scene, Lot, scene.lot.id)).status is LotState.quarantine
    (edge,) = await rows(scene, TraceLink)
    assert (edge.source, edge.target, edge.qty) == (f"batch:{batch.id}", f"lot:{scene.lot.id}", None)


async def test_an_illegal_move_changes_nothing_and_is_kept(scene: Scene) -> None:
    (answer,) = await scene.push(scene.fact(scene.moved("complete", 1)))
    assert answer is not None
    assert (answer.outcome, answer.reason) == ("rejected", "illegal_move")
    batch = await one(scene, ProductionBatch, scene.batch.id)
    assert (batch.status, batch.version) == (BatchState.released, 1)
    (kept,) = await rows(scene, models.BatchMove)
    assert (kept.outcome, kept.found_status, kept.found_rev) == ("rejected", BatchState.released, 1)


@pytest.mark.parametrize("move", ["release", "explode"])
async def test_a_line_moves_a_batch_only_as_lines_do(scene: Scene, move: str) -> None:
    (answer,) = await scene.push(scene.fact(scene.moved(move, 1)))
    assert answer is not None
    assert (answer.outcome, answer.reason) == ("rejected", "unknown_move")


@pytest.mark.parametrize("pause", [False, True])
async def test_a_line_makes_one_batch_at_a_time(scene: Scene, pause: bool) -> None:
    async with scene.database.tenant_session(scene.tenant.id) as db:
        second = ProductionBatch(
            id=uuid4(), plant_id=scene.plant.id, batch_no="B-2611-0419", line_id=scene.line.id, item_id=scene.item.id,
            status=BatchState.released, planned_qty=D(4800), uom=Uom.H87, planned_start=NOW,
            planned_end=NOW + timedelta(hours=4),
        )  # fmt: skip
        db.add(second)
    starts = bodies.BatchMoved(batch_id=second.id, move="start", base_rev=1)
    await scene.push(scene.fact(scene.moved("start", 1)), *([scene.fact(scene.moved("pause", 2))] if pause else []))
    (answer,) = await scene.push(scene.fact(starts))
    assert answer is not None
    assert (answer.outcome, answer.reason) == ("conflict", "line_busy")
    assert (await one(scene, ProductionBatch, second.id)).status is BatchState.released
    await scene.push(scene.fact(scene.moved("complete", 2 + pause)))
    (answer,) = await scene.push(scene.fact(starts))
    assert answer is not None
    assert (answer.outcome, answer.reason) == ("applied", None)


async def test_two_kiosks_that_pause_one_batch_agree_in_the_end(scene: Scene) -> None:
    await scene.push(scene.fact(scene.moved("start", 1)))
    answers = await scene.push(scene.fact(scene.moved("pause", 2)), scene.fact(scene.moved("pause", 2)))
    assert [answer.outcome for answer in answers if answer] == ["applied", "conflict"]
    late = await scene.push(scene.fact(scene.moved("resume", 2)))
    assert [answer.outcome for answer in late if answer] == ["merged"]
    assert (await one(scene, ProductionBatch, scene.batch.id)).status is BatchState.running


async def test_completing_copies_what_was_counted(scene: Scene) -> None:
    cases = every_kind(scene)
    facts = [scene.fact(cases[kind][0]) for kind in ("batch_moved", "line_count", "scrap_recorded")]
    await scene.push(*facts)
    assert (await one(scene, ProductionBatch, scene.batch.id)).version == 2
    await scene.push(scene.fact(scene.moved("complete", 2)))
    batch = await one(scene, ProductionBatch, scene.batch.id)
    assert (batch.status, batch.total, batch.good, batch.scrap) == (BatchState.completed, 90, 87, 3)


async def test_a_rejected_lot_beats_every_move_but_the_abort(scene: Scene) -> None:
    await scene.push(scene.fact(scene.moved("start", 1)))
    async with scene.database.tenant_session(scene.tenant.id) as db:
        (await db.get_one(Lot, scene.lot.id)).status = LotState.rejected
    answers = await scene.push(scene.fact(scene.moved("pause", 2)), scene.fact(scene.moved("abort", 2)))
    assert [(a.outcome, a.reason) for a in answers if a] == [("rejected", "lot_rejected"), ("applied", None)]


async def test_a_command_for_an_unknown_record_waits_for_it(scene: Scene) -> None:
    unknown = uuid4()
    with pytest.raises(verbs.Unresolved) as waiting:
        await scene.push(scene.fact(bodies.BatchMoved(batch_id=unknown, move="start", base_rev=1)))
    assert (waiting.value.entity, waiting.value.id) == ("batch", unknown)
    with pytest.raises(verbs.Unresolved):
        await scene.push(
            scene.fact(bodies.DeviationAction(deviation_id=unknown, action_code="x", signature=signature()))
        )


async def test_a_hold_is_placed_at_once_even_on_a_lot_nobody_knows(scene: Scene) -> None:
    lot_id = uuid4()
    await scene.push(scene.fact(bodies.HoldPlaced(hold_id=uuid4(), lot_id=lot_id, reason="Glass")))
    async with scene.database.tenant_session(scene.tenant.id) as db:
        lot = await a_lot(db, scene.plant, scene.item, id=lot_id)
        with pytest.raises(Refused) as refusal:
            await verbs.hold.refuse_if_held(db, lot)
    assert refusal.value.code == "lot_held"


async def test_a_breach_with_its_deviation_opens_only_that_one(scene: Scene) -> None:
    reading = scene.fact(scene.cooked("71.2"))
    opened = bodies.DeviationOpened(
        deviation_id=uuid4(), local_no="T-07·1", reading_id=reading[1].id, ccp_id=scene.cook.ccp_id,
        batch_id=scene.batch.id, lot_ids=(scene.lot.id,), summary="CCP-1 cook too low",
    )  # fmt: skip
    held = bodies.HoldPlaced(hold_id=uuid4(), lot_id=scene.lot.id, reason="CCP-1", deviation_id=opened.deviation_id)
    await scene.push(reading, scene.fact(opened), scene.fact(held))
    (deviation,) = await rows(scene, Deviation)
    assert (deviation.id, deviation.number, deviation.flags) == (opened.deviation_id, "DV-0001", [])
    assert len(await rows(scene, LotHold)) == 1


async def test_a_breach_that_comes_alone_is_completed_by_the_server(scene: Scene) -> None:
    await scene.push(scene.fact(scene.cooked("78.4"), at=NOW - timedelta(minutes=30)))
    reading = scene.fact(scene.cooked("71.2"))
    await scene.push(reading)
    (deviation,) = await rows(scene, Deviation)
    assert deviation.reading_id == reading[1].id
    assert deviation.flags == ["OPENED_BY_SERVER"]
    assert deviation.last_good_at == NOW - timedelta(minutes=30)
    assert (deviation.summary, deviation.detail) == ("CCP-1 cook temperature outside its limits", "71.2 °C")
    (held,) = await rows(scene, LotHold)
    assert (held.lot_id, held.state, held.deviation_id) == (scene.lot.id, HoldState.open, deviation.id)
    await scene.push(scene.fact(scene.cooked("70.0"), at=NOW + timedelta(minutes=1)))
    assert len(await rows(scene, Deviation)) == 1


async def test_a_discarded_attempt_opens_nothing(scene: Scene) -> None:
    await scene.push(scene.fact(scene.cooked("71.2", is_attempt=True)))
    assert await rows(scene, Deviation) == []


async def test_a_reading_the_kiosk_judged_otherwise_is_flagged_and_still_a_breach(scene: Scene) -> None:
    await scene.push(scene.fact(scene.cooked("71.2", verdict=CcpVerdict.ok)))
    (row,) = await rows(scene, CcpMonitoring)
    assert (row.result_kiosk, row.result_server, row.flags) == (CcpVerdict.ok, CcpVerdict.too_low, ["RESULT_DIFFERS"])
    assert len(await rows(scene, Deviation)) == 1


async def test_a_weight_the_kiosk_judged_otherwise_is_flagged(scene: Scene) -> None:
    await scene.push(scene.fact(weighed(scene, "628.2")))
    (row,) = await rows(scene, models.QualityCheck)
    assert row.result_server is WeightVerdict.too_heavy
    assert row.flags == ["RESULT_DIFFERS", "LIMITS_DIFFER"]


async def test_a_late_entry_and_an_unknown_version_are_kept_and_flagged(scene: Scene) -> None:
    stored, fact, body = scene.fact(scene.cooked("78.4", ccp_version_id=uuid4()))
    await scene.push((stored, fact.model_copy(update={"at": NOW + timedelta(minutes=16)}), body))
    (row,) = await rows(scene, CcpMonitoring)
    assert row.flags == ["UNKNOWN_VERSION", "LATE"]
    assert row.result_server is None


async def test_a_second_terminal_that_could_not_know_adds_a_duplicate(scene: Scene) -> None:
    def opened() -> bodies.DeviationOpened:
        return bodies.DeviationOpened(
            deviation_id=uuid4(), local_no="x", ccp_id=scene.cook.ccp_id, batch_id=scene.batch.id
        )

    first, second = opened(), opened()
    await scene.push(scene.fact(first), scene.fact(second))
    by_id = {row.id: row for row in await rows(scene, Deviation)}
    assert by_id[first.deviation_id].number == "DV-0001"
    assert by_id[second.deviation_id].number is None
    assert by_id[second.deviation_id].duplicate_of_id == first.deviation_id
    third = bodies.DeviationOpened(deviation_id=uuid4(), local_no="x", batch_id=scene.batch.id)
    await scene.push(scene.fact(third))
    assert (await one(scene, Deviation, third.deviation_id)).number == "DV-0002"


async def test_an_action_contains_a_deviation_and_a_second_one_adds_to_it(scene: Scene) -> None:
    cases = every_kind(scene)
    action = cases["deviation_action"][0]
    await scene.push(scene.fact(cases["deviation_opened"][0]))
    answers = await scene.push(scene.fact(action), scene.fact(action))
    assert [answer.outcome for answer in answers if answer] == ["applied", "merged"]
    assert (await one(scene, Deviation, action.deviation_id)).state is DeviationState.contained


async def test_a_held_lot_that_was_used_all_the_same_opens_a_critical_deviation(scene: Scene) -> None:
    before = NOW - timedelta(minutes=5)
    held = bodies.HoldPlaced(hold_id=uuid4(), lot_id=scene.basil.id, reason="Supplier")
    await scene.push(scene.fact(held, at=before), scene.fact(scene.issued(scene.basil)))
    (link,) = await rows(scene, TraceLink)
    assert link.flags == ["HELD_LOT_USED"]
    (deviation,) = await rows(scene, Deviation)
    assert (deviation.severity, deviation.source, deviation.summary) == (
        "critical", "check", "A held lot was used: BP-261117-A",
    )  # fmt: skip
    assert {row.lot_id for row in await rows(scene, LotHold)} == {scene.basil.id, scene.lot.id}


async def test_more_than_the_lot_had_is_kept_and_flagged(scene: Scene) -> None:
    await scene.push(scene.fact(scene.issued(scene.basil, "400")), scene.fact(scene.issued(scene.basil, "81")))
    assert sorted(row.flags for row in await rows(scene, TraceLink)) == [[], ["OVER_LOT_QUANTITY"]]


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_a_stop_is_the_same_in_whatever_order_its_facts_come(scene: Scene, order: tuple[int, ...]) -> None:
    stop = uuid4()
    facts = [
        scene.fact(bodies.StopOpened(stop_id=stop, line_id=scene.line.id, started_at=NOW, source=Source.signal)),
        scene.fact(bodies.StopExplained(stop_id=stop, reason_code="jam", note="lid"), at=NOW + timedelta(minutes=1)),
        scene.fact(bodies.StopClosed(stop_id=stop, ended_at=NOW + timedelta(minutes=3), source=Source.signal)),
    ]
    for place in order:
        await scene.push(facts[place])
    row = await one(scene, Downtime, stop)
    assert (row.state, row.started_at, row.ended_at) == (DowntimeState.categorised, NOW, NOW + timedelta(minutes=3))
    assert (row.reason_code, row.category, row.note) == ("jam", "breakdown", "lid")


async def test_taking_a_reason_back_leaves_the_stop_unexplained(scene: Scene) -> None:
    cases = every_kind(scene)
    explained = scene.fact(cases["stop_explained"][0])
    await scene.push(scene.fact(cases["stop_opened"][0]), explained, scene.fact(cases["stop_closed"][0]))
    undo = bodies.Voided(target_kind="stop_explained", reason="undo_10s")
    await scene.push(scene.fact(undo, corrects_id=explained[1].id))
    (row,) = await rows(scene, Downtime)
    assert (row.state, row.reason_code) == (DowntimeState.closed, None)


async def test_scrap_that_was_taken_back_no_longer_counts(scene: Scene) -> None:
    cases = every_kind(scene)
    scrap = scene.fact(cases["scrap_recorded"][0])
    undo = scene.fact(bodies.Voided(target_kind="scrap_recorded", reason="undo_10s"), corrects_id=scrap[1].id)
    await scene.push(undo, scene.fact(cases["line_count"][0]), scrap)
    async with scene.database.tenant_session(scene.tenant.id) as db:
        assert (await batches.counts(db, [scene.batch.id]))[scene.batch.id] == batches.Counts(90, 0)
        assert await db.scalar(select(func.count()).select_from(models.ScrapEvent)) == 1


async def test_a_ccp_reading_cannot_be_taken_back(scene: Scene) -> None:
    undo = bodies.Voided(target_kind="ccp_reading", reason="undo_10s")
    with pytest.raises(Refused) as refusal:
        await scene.push(scene.fact(undo, corrects_id=uuid4()))
    assert refusal.value.code == "cannot_be_taken_back"


async def test_what_is_taken_back_is_named(scene: Scene) -> None:
    with pytest.raises(Invalid) as refusal:
        await scene.push(scene.fact(bodies.Voided(target_kind="weighing", reason="undo_10s")))
    assert refusal.value.code == "void_without_target"
    assert await rows(scene, VoidedFact) == []


async def test_an_older_sensor_value_that_comes_late_changes_nothing(scene: Scene) -> None:
    sensor = uuid4()
    newer = scene.fact(bodies.SensorLatest(sensor_id=sensor, value=78.4))
    older = scene.fact(bodies.SensorLatest(sensor_id=sensor, value=70.0), at=NOW - timedelta(seconds=1))
    await scene.push(newer, older)
    (row,) = await rows(scene, models.SensorLatest)
    assert row.value == 78.4
