"""Sync as a terminal and a supervisor meet it: over HTTP, with tokens, limits and answers."""

from __future__ import annotations

import asyncio
import hashlib
import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import zstandard
from sqlalchemy import func, select, update

from foodflow_kernel.machines.identity import DeviceState
from foodflow_kernel.wire import bodies, signing
from foodflow_kernel.wire.bodies import LaneHead, max_versions
from foodflow_kernel.wire.exchange import FeedHeader, FeedRow, HelloAnswer, HelloRequest, SnapshotManifest
from foodflow_kernel.wire.protocol import MAX_BATCH_PACKED_BYTES, TOKEN_TTL_S
from foodflow_kernel.wire.push import PushAnswer, PushConflict
from foodflow_kernel.wire.reports import SyncHealth
from server import seed
from server.app import create_app
from server.core import feed
from server.core.actor import system
from server.core.models import Plant
from server.core.settings import Settings
from server.identity import people
from server.plant_ops import models as plant_ops
from server.sync import caretaker, quarantine
from server.sync.models import SyncDead, SyncHead, SyncLog, SyncNonce
from tests.server.races import behind, until_waiting
from tests.server.sync.conftest import approve
from tests.server.sync.terminal import Device, a_fact


async def hello(http, device: Device, clock, **over: Any):
    nonce = (await http.post("/sync/nonce")).json()["nonce"]
    heads = {lane: LaneHead(seq=len(log), hash=device.hashes(lane)[-1].hex()) for lane, log in device.logs.items()}
    values = {
        "device": device.device,
        "incarnation": device.incarnation,
        "nonce": nonce,
        "sig": signing.sign_nonce(device.key, device.device, bytes.fromhex(nonce)).hex(),
        "protocol": 1,
        "app": "0.1.0",
        "kinds": max_versions(),
        "heads": heads,
        "unsent": {0: 0, 1: 0},
        "now": clock.now(),
        "mono_ns": 1,
        "boot_id": "boot",
    }
    return await http.post("/sync/hello", json=HelloRequest(**(values | over)).model_dump(mode="json"))


async def signed_in(http, device: Device, clock) -> dict[str, str]:
    answer = HelloAnswer.model_validate_json((await hello(http, device, clock)).content)
    return {"Authorization": f"Bearer {answer.token}"}


async def push(http, headers: dict[str, str], raw: bytes, **more: str):
    packed = zstandard.ZstdCompressor().compress(raw)
    return await http.post("/sync/push", content=packed, headers={**headers, "Content-Encoding": "zstd", **more})


def page_of(response) -> tuple[FeedHeader, list[FeedRow]]:
    head, *rows = response.content.decode().splitlines()
    return FeedHeader.model_validate_json(head), [FeedRow.model_validate_json(row) for row in rows]


async def test_hello_answers_with_heads_feed_and_a_token(http, device, database):
    device.record(a_fact(), a_fact())
    await device.push(database)
    answer = HelloAnswer.model_validate_json((await hello(http, device, database.clock)).content)
    assert answer.heads == {0: LaneHead(seq=2, hash=device.hashes()[2].hex())}
    assert answer.token_ttl_s == TOKEN_TTL_S
    assert not answer.revoked


async def test_hello_takes_a_nonce_once_and_only_from_the_key(http, device, database):
    nonce = (await http.post("/sync/nonce")).json()["nonce"]
    sig = signing.sign_nonce(device.key, device.device, bytes.fromhex(nonce)).hex()
    first = await hello(http, device, database.clock, nonce=nonce, sig=sig)
    again = await hello(http, device, database.clock, nonce=nonce, sig=sig)
    assert (first.status_code, again.status_code, again.json()["code"]) == (200, 401, "nonce_bad")
    other = signing.generate_key()
    forged = signing.sign_nonce(other, device.device, bytes.fromhex(nonce)).hex()
    answer = await hello(http, device, database.clock, nonce=nonce, sig=forged)
    assert (answer.status_code, answer.json()["code"]) == (401, "signature_bad")
    answer = await hello(http, device, database.clock, nonce="00" * 40, sig=sig)
    assert answer.status_code == 401


async def test_a_nonce_is_used_in_every_process(http, device, database, cluster):
    """What was said to one process must not open another; it is forgotten once it is too old anyway."""
    nonce = (await http.post("/sync/nonce")).json()["nonce"]
    sig = signing.sign_nonce(device.key, device.device, bytes.fromhex(nonce)).hex()
    assert (await hello(http, device, database.clock, nonce=nonce, sig=sig)).status_code == 200
    settings = Settings(data_folder=Path("/nonexistent"), anonymous_per_minute=0, requests_per_minute=0)
    second = create_app(settings, database.clock, cluster)
    async with second.router.lifespan_context(second):
        transport = httpx.ASGITransport(second)
        async with httpx.AsyncClient(transport=transport, base_url="http://server/api/v1") as other:
            again = await hello(other, device, database.clock, nonce=nonce, sig=sig)
            fresh = (await other.post("/sync/nonce")).json()["nonce"]
            sig = signing.sign_nonce(device.key, device.device, bytes.fromhex(fresh)).hex()
            good = await hello(http, device, database.clock, nonce=fresh, sig=sig)
    assert (again.status_code, again.json()["code"], good.status_code) == (401, "nonce_bad", 200)
    tenant = await database.tenant(device.tenant.id)
    kept = []
    for seconds in (0, 121):
        database.clock.advance(seconds)
        tries = (await caretaker.look_after(database, tenant, {}) for _ in range(1000))
        assert await anext(each async for each in tries if each)  # the application has a caretaker of its own
        async with database.tenant_session(tenant.id) as db:
            kept.append(await db.scalar(select(func.count()).select_from(SyncNonce)))
    assert kept == [2, 0]


async def test_a_nonce_is_too_old_after_two_minutes(http, device, database):
    nonce = (await http.post("/sync/nonce")).json()["nonce"]
    database.clock.advance(121)
    sig = signing.sign_nonce(device.key, device.device, bytes.fromhex(nonce)).hex()
    answer = await hello(http, device, database.clock, nonce=nonce, sig=sig)
    assert answer.json()["code"] == "nonce_bad"


async def test_an_unknown_terminal_and_an_old_protocol_are_told_so(http, tenant, database, device):
    answer = await hello(http, Device(tenant), database.clock)
    assert (answer.status_code, answer.json()["code"]) == (401, "terminal_unknown")
    answer = await hello(http, device, database.clock, protocol=0)
    assert (answer.status_code, answer.json()["code"]) == (426, "protocol_too_old")


async def test_t14_an_expired_token_is_replaced_by_another_hello(http, device, database):
    device.record(a_fact())
    headers = await signed_in(http, device, database.clock)
    database.clock.advance(TOKEN_TTL_S + 1)
    answer = await push(http, headers, device.pack())
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")
    headers = await signed_in(http, device, database.clock)
    assert (await push(http, headers, device.pack())).status_code == 200


async def test_a_batch_goes_in_over_http(http, device, database):
    headers = await signed_in(http, device, database.clock)
    device.record(a_fact(), b"poison", a_fact({"x": 1}))
    answer = await push(http, headers, device.pack())
    expected = PushAnswer(acked=3, hash=device.hashes()[3].hex(), dead=(2,), parked=1)
    assert PushAnswer.model_validate_json(answer.content) == expected


async def test_conflicts_are_409_with_what_the_server_has(http, device, database):
    headers = await signed_in(http, device, database.clock)
    device.record(a_fact(), a_fact(), a_fact())
    await push(http, headers, device.pack(1, 1))
    answer = await push(http, headers, device.pack(3, 1))
    assert answer.status_code == 409
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert PushConflict.model_validate_json(answer.content) == PushConflict(
        reason="behind", have=1, hash=device.hashes()[1].hex()
    )


async def test_t21_bombs_and_giants_are_413_and_the_lane_goes_on(http, device, database):
    headers = await signed_in(http, device, database.clock)
    device.record(a_fact())
    bomb = await push(http, headers, bytes(300 << 20))
    assert (bomb.status_code, bomb.json()["code"]) == (413, "push_too_large")
    big = await http.post("/sync/push", content=bytes(MAX_BATCH_PACKED_BYTES + 1), headers=headers)
    assert (big.status_code, big.json()["code"]) == (413, "push_too_large")
    giant = Device(device.tenant, device=device.device, incarnation=device.incarnation, key=device.key)
    giant.record(b"x" * (70 << 10))
    answer = await push(http, headers, giant.pack())
    assert (answer.status_code, answer.json()["code"]) == (413, "push_line_too_long")
    assert (await push(http, headers, device.pack())).status_code == 200


PLAIN = {
    "push_torn": "The batch is incomplete. Nothing of it was stored",
    "push_header_bad": "The first line of the batch is not a header this server knows",
    "push_chain_broken": "Lane 0 from record",
    "push_signature_bad": "Record 2 of lane 0 is not signed by this terminal",
}


def another_digit(raw: bytes, at: int) -> bytes:
    """Never the one that is there: a signature begins with any digit."""
    return raw[:at] + (b"1" if raw[at : at + 1] == b"0" else b"0") + raw[at + 1 :]


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda raw: raw[:-1], "push_torn"),
        (lambda raw: b"{}\n" + raw, "push_header_bad"),
        (lambda raw: raw.replace(b'"jump_ms":0', b'"jump_ms":1', 1), "push_chain_broken"),
        (lambda raw: another_digit(raw, raw.index(b'"sig":"') + 7), "push_signature_bad"),
    ],
)
async def test_bad_input_a_malformed_push_is_422_with_a_sentence_and_stores_nothing(
    http, device, database, spoil, code
):
    headers = await signed_in(http, device, database.clock)
    device.record(a_fact(), a_fact())
    answer = await push(http, headers, spoil(device.pack()))
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["detail"].startswith(PLAIN[code])
    async with database.tenant_session(device.tenant.id) as db:
        assert list(await db.scalars(select(SyncLog.seq).where(SyncLog.device_id == device.device))) == []
    again = PushAnswer.model_validate_json((await push(http, headers, device.pack())).content)
    assert again.acked == 2


async def test_a_terminal_cannot_push_for_another(http, device, tenant, database):
    headers = await signed_in(http, device, database.clock)
    other = await approve(database, Device(tenant))
    other.record(a_fact())
    answer = await push(http, headers, other.pack())
    assert (answer.status_code, answer.json()["code"]) == (401, "terminal_unknown")


async def test_t13_a_revoked_terminal_deposits_evidence_gets_nothing_and_is_told(http, device, database, supervisor):
    headers = await signed_in(http, device, database.clock)
    device.record(a_fact(), a_fact())
    await push(http, headers, device.pack(1, 1))
    await approve(database, device, state=DeviceState.revoked)
    answer = await push(http, headers, device.pack(2, 1))
    assert PushAnswer.model_validate_json(answer.content).dead == (2,)
    told = HelloAnswer.model_validate_json((await hello(http, device, database.clock)).content)
    assert told.revoked
    headers = {"Authorization": f"Bearer {told.token}"}
    for method, path in (
        ("GET", f"/sync/feed?epoch={told.feed.epoch}&after=0"),
        ("POST", "/sync/snapshot"),
        ("GET", f"/sync/snapshot/{uuid4()}"),
    ):
        answer = await http.request(method, path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "device_revoked")
    dead = (await supervisor("GET", "/sync/inbox/dead")).json()
    assert [(line["seq"], line["reason"], line["device_name"]) for line in dead] == [(2, "device_revoked", "T-07")]


async def test_a_snapshot_and_the_feed_after_it_make_the_whole_picture(http, database, tenant):
    device = Device(tenant)
    await seed.plant(database, tenant)
    async with database.tenant_session(tenant.id) as db:
        device.plant = (await db.scalars(select(Plant.id))).first()
    await approve(database, device)
    headers = await signed_in(http, device, database.clock)
    manifest = SnapshotManifest.model_validate_json((await http.post("/sync/snapshot", headers=headers)).content)
    again = await http.get(f"/sync/snapshot/{manifest.id}", headers=headers)
    assert SnapshotManifest.model_validate_json(again.content) == manifest
    seen: dict[str, int] = {}
    for part in manifest.parts:
        url = f"/sync/snapshot/{manifest.id}/parts/{part.sha256}"
        half = await http.get(url, headers={**headers, "Range": f"bytes=0-{part.bytes // 2}"})
        rest = await http.get(url, headers={**headers, "Range": f"bytes={part.bytes // 2 + 1}-"})
        assert (half.status_code, rest.status_code) == (206, 206)
        packed = half.content + rest.content
        assert hashlib.sha256(packed).hexdigest() == part.sha256
        rows = zstandard.ZstdDecompressor().decompress(packed).decode().splitlines()
        assert len(rows) == part.rows
        for row in rows:
            known = FeedRow.model_validate_json(row)
            assert known.seq == manifest.seq
            assert known.data is not None
            seen[known.entity] = seen.get(known.entity, 0) + 1
    assert {"plant", "line", "item", "lot", "batch", "ccp", "reason", "terminal"} <= set(seen)
    async with database.tenant_session(tenant.id) as db:
        (await db.get_one(Plant, device.plant)).name = "Renamed"
    answer = await http.get(
        "/sync/feed",
        params={"epoch": manifest.epoch, "after": manifest.seq},
        headers={**headers, "Accept-Encoding": "zstd"},
    )
    header, rows = page_of(answer)
    assert (header.first, header.last, header.more) == (manifest.seq + 1, manifest.seq + 1, False)
    assert rows[0].data is not None
    assert rows[0].data["name"] == "Renamed"


async def test_a_snapshot_is_of_one_terminal_and_has_its_own_parts(http, database, tenant):
    await seed.plant(database, tenant)
    async with database.tenant_session(tenant.id) as db:
        plant = (await db.scalars(select(Plant.id))).first()
    one, other = [await approve(database, Device(tenant, plant=plant)) for _ in range(2)]
    mine, theirs = [await signed_in(http, each, database.clock) for each in (one, other)]
    manifest = SnapshotManifest.model_validate_json((await http.post("/sync/snapshot", headers=mine)).content)
    of_it, part = f"/sync/snapshot/{manifest.id}", f"/parts/{manifest.parts[0].sha256}"
    assert (await http.get(of_it + part, headers=mine)).status_code == 200
    for path, headers in (
        (of_it, theirs),
        (of_it + part, theirs),
        (f"{of_it}/parts/{'0' * 64}", mine),
        (f"/sync/snapshot/{uuid4()}", mine),
        (f"/sync/snapshot/{uuid4()}{part}", mine),
    ):
        answer = await http.get(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "snapshot_unknown"), path


@pytest.mark.parametrize(("lane", "at_once"), [(1, 2), (2, 1), (3, 1)])
async def test_a_slower_lane_has_few_pushes_at_once_and_an_alarm_goes_in_meanwhile(
    http, device, database, lane, at_once
):
    headers = await signed_in(http, device, database.clock)
    device.record(a_fact(), a_fact(), lane=lane)
    device.record(a_fact())
    await push(http, headers, device.pack(1, 1, lane))
    async with database.tenant_session(device.tenant.id) as db:
        await db.execute(select(SyncHead).where(SyncHead.lane == lane).with_for_update())
        held_up = [asyncio.create_task(push(http, headers, device.pack(2, 1, lane))) for _ in range(at_once)]
        await until_waiting(db, at_once)
        one_more = asyncio.create_task(push(http, headers, device.pack(2, 1, lane)))
        await until_waiting(db, at_once + 1, one_more)
        assert (await push(http, headers, device.pack())).status_code == 200
    over = await one_more
    assert (over.status_code, over.json()["code"], over.json()["lane"]) == (429, "lane_over_budget", lane)
    assert float(over.headers["Retry-After"]) == over.json()["retry_after"] > 0
    assert [(await each).json()["acked"] for each in held_up] == [2] * at_once
    assert (await push(http, headers, device.pack(2, 1, lane))).status_code == 200


async def test_a_long_poll_wakes_when_something_changes(http, device, database):
    headers = await signed_in(http, device, database.clock)
    epoch = HelloAnswer.model_validate_json((await hello(http, device, database.clock)).content).feed.epoch
    params = {"epoch": epoch, "after": 0, "wait": 20}
    poll = asyncio.create_task(http.get("/sync/feed", params=params, headers=headers))
    while not poll.done():
        async with database.tenant_session(device.tenant.id) as db:
            feed.touch(db, "lot", uuid4())
        await asyncio.sleep(0.05)
    header, rows = page_of(await poll)
    assert header.first == 1
    assert len(rows) == header.last >= 1


async def test_a_long_poll_without_news_ends_empty(http, device, database):
    headers = await signed_in(http, device, database.clock)
    epoch = HelloAnswer.model_validate_json((await hello(http, device, database.clock)).content).feed.epoch
    answer = await http.get("/sync/feed", params={"epoch": epoch, "after": 0, "wait": 0.3}, headers=headers)
    header, rows = page_of(answer)
    assert (header.first, header.last, rows) == (1, 0, [])


async def test_t20_a_reader_of_another_epoch_is_sent_to_the_snapshot(http, device, database):
    headers = await signed_in(http, device, database.clock)
    answer = await http.get("/sync/feed", params={"epoch": "restored", "after": 3}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (410, "feed_gone")
    assert answer.json()["snapshot"] == "/api/v1/sync/snapshot"


async def test_a_person_replays_or_waives_with_name_and_reason(http, device, database, supervisor):
    headers = await signed_in(http, device, database.clock)
    device.record(b"garbage", a_fact())
    await push(http, headers, device.pack(1, 1))
    await approve(database, device, state=DeviceState.revoked)
    await push(http, headers, device.pack(2, 1))
    place = {"device": str(device.device), "incarnation": str(device.incarnation), "lane": 0}
    still = (
        await supervisor("POST", "/sync/inbox/dead:replay", json={**place, "seq": 1, "reason": "try again"})
    ).json()
    assert (still["state"], still["reason"], still["raw"]) == ("open", "fact_unreadable", "garbage")
    applied = (
        await supervisor("POST", "/sync/inbox/dead:replay", json={**place, "seq": 2, "reason": "stolen, but genuine"})
    ).json()
    assert (applied["state"], applied["decided_name"], applied["decided_reason"]) == (
        "applied",
        "Mara Voss",
        "stolen, but genuine",
    )
    waived = (
        await supervisor("POST", "/sync/inbox/dead:waive", json={**place, "seq": 1, "reason": "noise on the line"})
    ).json()
    assert waived["state"] == "waived"
    again = await supervisor("POST", "/sync/inbox/dead:waive", json={**place, "seq": 1, "reason": "twice"})
    assert (again.status_code, again.json()["code"]) == (409, "dead_row_decided")
    assert (await supervisor("GET", "/sync/inbox/dead")).json() == []
    for body in ({**place, "seq": 1}, {**place, "seq": 1, "reason": ""}):
        assert (await supervisor("POST", "/sync/inbox/dead:waive", json=body)).status_code == 422


@pytest.mark.parametrize("verb", ["replay", "waive"])
async def test_only_a_row_in_quarantine_is_decided(http, device, database, supervisor, verb):
    headers = await signed_in(http, device, database.clock)
    device.record(a_fact())
    await push(http, headers, device.pack())
    place = {"device": str(device.device), "incarnation": str(device.incarnation), "lane": 0, "seq": 1}
    answer = await supervisor("POST", f"/sync/inbox/dead:{verb}", json=place | {"reason": "looks odd"})
    assert (answer.status_code, answer.json()["code"]) == (404, "dead_row_unknown")


@pytest.mark.parametrize("verb", ["replay", "waive"])
async def test_what_somebody_is_just_deciding_is_decided_once(http, device, database, supervisor, verb):
    headers = await signed_in(http, device, database.clock)
    device.record(b"garbage")
    await push(http, headers, device.pack(1, 1))
    place = {"device": str(device.device), "incarnation": str(device.incarnation), "lane": 0, "seq": 1}
    first = {
        "decided_by": uuid4(),
        "decided_name": "Ada",
        "decided_reason": "first",
        "decided_at": database.clock.now(),
    }
    waived = update(SyncDead).values({"state": quarantine.WAIVED} | first)
    post = supervisor("POST", f"/sync/inbox/dead:{verb}", json=place | {"reason": "second"})
    said = await behind(database.tenant_session(device.tenant.id, system(device.tenant.id)), waived, post)
    assert (said.status_code, said.json()["code"], said.json()["by"]) == (409, "dead_row_decided", "Ada")


async def test_health_shows_terminals_and_quarantine(http, device, database, supervisor):
    headers = await signed_in(http, device, database.clock)
    device.record(a_fact(), b"poison")
    await push(http, headers, device.pack(), **{"X-Unsent": "0=4,1=7,3=900"})
    shown = SyncHealth.model_validate_json((await supervisor("GET", "/sync/health")).content)
    (terminal,) = shown.terminals
    assert (terminal.name, terminal.state, terminal.waiting, terminal.needs_help) == ("T-07", "needs_help", 11, 1)
    assert (shown.received_today, [line.raw for line in shown.quarantine]) == (2, ["poison"])
    database.clock.advance(31)
    later = SyncHealth.model_validate_json((await supervisor("GET", "/sync/health")).content)
    assert later.terminals[0].waiting is None


async def flags(database, device: Device) -> list[list[str]]:
    """The flags of its test weights, in the order of the log."""
    async with database.tenant_session(device.tenant.id) as db:
        return list(await db.scalars(select(plant_ops.TestWeight.flags).order_by(plant_ops.TestWeight.seq)))


def a_test_weight(**over: Any) -> bytes:
    body = bodies.TestWeight(
        equipment_id=uuid4(), nominal_g=Decimal(500), shown_g=Decimal("500.1"), tolerance_g=Decimal("0.5"), passed=True
    )
    return a_fact(body, **over)


async def test_a_clock_far_off_is_noted_and_flags_facts(http, device, database, supervisor):
    behind = database.clock.now() - timedelta(hours=26)
    assert (await hello(http, device, database.clock, now=behind)).status_code == 200
    shown = SyncHealth.model_validate_json((await supervisor("GET", "/sync/health")).content)
    assert shown.terminals[0].clock_offset_s == pytest.approx(-26 * 3600)


async def an_operator(database, tenant) -> UUID:
    new = people.NewUser(login_code="FFB-1041", short_no="1041", printed_name="Operator 1041", roles=("OP",))
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        return (await people.add(db, new)).id


async def test_facts_of_a_clock_far_off_are_stored_and_flagged(http, device, database):
    operator = await an_operator(database, device.tenant)
    behind = database.clock.now() - timedelta(hours=26)
    answer = HelloAnswer.model_validate_json((await hello(http, device, database.clock, now=behind)).content)
    headers = {"Authorization": f"Bearer {answer.token}"}
    device.record(a_test_weight(performed_by=operator))
    assert (await push(http, headers, device.pack())).json()["acked"] == 1
    await hello(http, device, database.clock)
    device.record(a_test_weight(performed_by=operator))
    assert (await push(http, headers, device.pack(2))).json()["acked"] == 2
    assert await flags(database, device) == [["CLOCK_SKEW"], []]


async def test_a_fact_of_somebody_who_is_no_user_here_is_applied_and_flagged(http, device, database):
    headers = await signed_in(http, device, database.clock)
    device.record(
        a_test_weight(performed_by=uuid4()), a_test_weight(performed_by=await an_operator(database, device.tenant))
    )
    assert (await push(http, headers, device.pack())).json() == {
        "acked": 2, "hash": device.hashes()[2].hex(), "dead": [], "parked": 0
    }  # fmt: skip
    assert await flags(database, device) == [["STALE_USER"], []]


async def test_verify_over_http(http, device, database, supervisor):
    headers = await signed_in(http, device, database.clock)
    device.record(a_fact(), a_fact())
    await push(http, headers, device.pack())
    found = (await supervisor("GET", f"/sync/verify/{device.device}")).json()
    assert (found["rows"], found["lanes"], found["findings"]) == (2, 1, [])


async def test_another_tenants_supervisor_sees_and_decides_nothing(database, two_tenants, supervisor):
    other = await approve(database, Device(two_tenants[1]))
    other.record(b"poison")
    await other.push(database)
    assert (await supervisor("GET", "/sync/inbox/dead")).json() == []
    assert (await supervisor("GET", f"/sync/verify/{other.device}")).status_code == 404
    body = {"device": str(other.device), "incarnation": str(other.incarnation), "lane": 0, "seq": 1, "reason": "mine"}
    assert (await supervisor("POST", "/sync/inbox/dead:waive", json=body)).status_code == 404
    assert json.loads((await supervisor("GET", "/sync/health")).content)["terminals"] == []


async def test_nobody_without_a_token_reads_anything(http):
    for method, path in (
        ("POST", "/sync/push"),
        ("GET", "/sync/feed?epoch=x&after=0"),
        ("POST", "/sync/snapshot"),
        ("GET", "/sync/health"),
        ("GET", "/sync/inbox/dead"),
    ):
        assert (await http.request(method, path)).status_code == 401
