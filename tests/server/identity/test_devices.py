"""Pairing: commitment, four words, approval; and what a terminal may not do before."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from uuid import UUID, uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from sqlalchemy import insert, select, update

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.machines import DEVICE
from foodflow_kernel.machines.identity import DeviceState
from foodflow_kernel.wire import signing
from server.core.db.sessions import Database, TenantRef
from server.identity.devices import MAX_PENDING
from server.identity.platform import DeviceRow
from tests.server.conftest import SignIn, a_plant
from tests.server.core.test_config import a_line
from tests.server.races import behind

A_COMMITMENT = {"commitment": "00" * 32, "app": "0.1.0"}


@dataclass
class ATerminal:
    key: Ed25519PrivateKey
    secret: bytes
    id: UUID
    code: str
    nonce: bytes

    @property
    def public(self) -> bytes:
        return signing.public_bytes(self.key)

    def proof(self) -> dict[str, str]:
        nonce = secrets.token_bytes(16)
        return {"X-Device-Signature": f"{nonce.hex()}.{signing.sign_nonce(self.key, self.id, nonce).hex()}"}


async def enrolled(client: httpx.AsyncClient) -> ATerminal:
    key, secret = signing.generate_key(), secrets.token_bytes(32)
    commitment = signing.commitment(signing.public_bytes(key), secret)
    answer = (await client.post("/devices:enroll", json={"commitment": commitment.hex(), "app": "0.1.0"})).json()
    return ATerminal(key, secret, UUID(answer["device"]), answer["code"], bytes.fromhex(answer["server_nonce"]))


async def revealed(client: httpx.AsyncClient) -> ATerminal:
    terminal = await enrolled(client)
    body = {"public_key": terminal.public.hex(), "secret": terminal.secret.hex()}
    assert (await client.post(f"/devices/{terminal.id}:reveal", json=body)).status_code == 204
    return terminal


async def test_both_sides_see_the_same_words_and_approval_hands_over_the_pepper(
    tenant: TenantRef, sign_in: SignIn, anonymous: httpx.AsyncClient, app: FastAPI, database: Database
) -> None:
    plant_id = await a_plant(database, tenant)
    terminal = await revealed(anonymous)
    assert (await anonymous.get(f"/devices/{terminal.id}/status", headers=terminal.proof())).json()[
        "state"
    ] == "pending"
    supervisor = await sign_in(tenant, "SV", plant_id)
    found = (await supervisor.get("/devices", params={"code": terminal.code})).json()[0]
    words = signing.pairing_words(terminal.public, app.state.ca_der, terminal.secret, terminal.nonce)
    assert found["words"] == list(words)
    body = {"plant_id": str(plant_id), "plant_name": "Plant 1", "name": "T-07", "area": "Cook & Fill hall"}
    approved = await supervisor.post(f"/devices/{terminal.id}:approve", json=body)
    assert approved.status_code == 200, approved.text
    status = (await anonymous.get(f"/devices/{terminal.id}/status", headers=terminal.proof())).json()
    assert (status["state"], status["terminal_name"], len(status["pepper"])) == ("approved", "T-07", 64)


async def test_a_terminal_cannot_reveal_another_key_than_it_promised(anonymous: httpx.AsyncClient) -> None:
    terminal = await enrolled(anonymous)
    other = signing.public_bytes(signing.generate_key())
    body = {"public_key": other.hex(), "secret": terminal.secret.hex()}
    answer = await anonymous.post(f"/devices/{terminal.id}:reveal", json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "pairing_key_differs")


async def test_status_is_told_only_to_the_holder_of_the_key(anonymous: httpx.AsyncClient) -> None:
    terminal = await revealed(anonymous)
    thief = ATerminal(signing.generate_key(), terminal.secret, terminal.id, terminal.code, terminal.nonce)
    for headers in ({}, {"X-Device-Signature": "zz"}, thief.proof()):
        assert (await anonymous.get(f"/devices/{terminal.id}/status", headers=headers)).status_code == 401


async def test_an_operator_may_not_approve(
    tenant: TenantRef, sign_in: SignIn, anonymous: httpx.AsyncClient, database: Database
) -> None:
    plant_id = await a_plant(database, tenant)
    terminal = await revealed(anonymous)
    operator = await sign_in(tenant, "OP", plant_id)
    body = {"plant_id": str(plant_id), "name": "T-66"}
    answer = await operator.post(f"/devices/{terminal.id}:approve", json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_missing")


async def test_a_terminal_is_approved_for_a_place_that_there_is(
    tenant: TenantRef, sign_in: SignIn, anonymous: httpx.AsyncClient, database: Database
) -> None:
    here, there = await a_plant(database, tenant), await a_plant(database, tenant, "P2")
    terminal, admin = await revealed(anonymous), await sign_in(tenant, "TA")
    line = str(await a_line(database, tenant, here))
    for place, answer in (
        ({}, (422, "terminal_place_missing")),
        ({"plant_id": str(uuid4())}, (404, "record_unknown")),
        ({"line_id": str(uuid4())}, (404, "record_unknown")),
        ({"line_id": line, "plant_id": str(there)}, (404, "record_unknown")),
    ):
        said = await admin.post(f"/devices/{terminal.id}:approve", json={"name": "T-07"} | place)
        assert (said.status_code, said.json()["code"]) == answer
    approved = await admin.post(f"/devices/{terminal.id}:approve", json={"name": "T-07", "line_id": line})
    assert approved.json()["plant_id"] == str(here), "the line says which"


async def test_a_terminal_that_has_not_shown_its_key_is_not_approved(
    tenant: TenantRef, sign_in: SignIn, anonymous: httpx.AsyncClient, database: Database
) -> None:
    terminal, admin = await enrolled(anonymous), await sign_in(tenant, "TA")
    place = {"plant_id": str(await a_plant(database, tenant)), "name": "T-07"}
    said = await admin.post(f"/devices/{terminal.id}:approve", json=place)
    assert (said.status_code, said.json()["code"]) == (409, "pairing_not_revealed")


async def test_a_supervisor_of_one_plant_cannot_approve_for_another(
    tenant: TenantRef, sign_in: SignIn, anonymous: httpx.AsyncClient, database: Database
) -> None:
    here, there = await a_plant(database, tenant), await a_plant(database, tenant, "P2")
    terminal = await revealed(anonymous)
    supervisor = await sign_in(tenant, "SV", here)
    answer = await supervisor.post(f"/devices/{terminal.id}:approve", json={"plant_id": str(there), "name": "T-66"})
    assert answer.status_code == 404


async def test_a_code_dies_after_ten_minutes(
    tenant: TenantRef, sign_in: SignIn, anonymous: httpx.AsyncClient, frozen: FakeClock, database: Database
) -> None:
    plant_id = await a_plant(database, tenant)
    terminal = await revealed(anonymous)
    frozen.advance(601)
    supervisor = await sign_in(tenant, "SV")
    answer = await supervisor.get("/devices", params={"code": terminal.code})
    assert (answer.status_code, answer.json()["code"]) == (404, "pairing_code_unknown")
    body = {"plant_id": str(plant_id), "plant_name": "Plant 1", "name": "T-07", "area": "Hall"}
    late = await supervisor.post(f"/devices/{terminal.id}:approve", json=body)
    assert (late.status_code, late.json()["code"]) == (409, "pairing_code_expired"), "words seen in time do not help"


async def test_a_key_that_is_shown_after_ten_minutes_is_too_late(
    anonymous: httpx.AsyncClient, frozen: FakeClock
) -> None:
    terminal = await enrolled(anonymous)
    frozen.advance(601)
    body = {"public_key": terminal.public.hex(), "secret": terminal.secret.hex()}
    answer = await anonymous.post(f"/devices/{terminal.id}:reveal", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "pairing_code_expired")


async def test_a_flood_of_terminals_that_nobody_approves_is_stopped(
    anonymous: httpx.AsyncClient, database: Database, frozen: FakeClock
) -> None:
    frozen.advance(601)  # whatever other tests left waiting is over
    await enrolled(anonymous)
    async with database.platform_session() as db:
        (row,) = (await db.scalars(select(DeviceRow).where(DeviceRow.state == DeviceState.pending))).all()
        one = {column.key: getattr(row, column.key) for column in DeviceRow.__table__.columns}
        await db.execute(insert(DeviceRow), [one | {"id": uuid4()} for _ in range(MAX_PENDING - 2)])
    assert (await anonymous.post("/devices:enroll", json=A_COMMITMENT)).status_code == 201, "the last that fits"
    full = await anonymous.post("/devices:enroll", json=A_COMMITMENT)
    assert (full.status_code, full.json()["code"]) == (429, "too_many_requests")
    assert full.headers["retry-after"] == "60"
    frozen.advance(601)
    assert (await anonymous.post("/devices:enroll", json=A_COMMITMENT)).status_code == 201, (
        "codes that ran out are gone"
    )


async def test_another_company_neither_sees_nor_revokes_a_terminal(
    two_tenants: tuple[TenantRef, TenantRef], sign_in: SignIn, anonymous: httpx.AsyncClient, database: Database
) -> None:
    mine, other = two_tenants
    plant_id = await a_plant(database, mine)
    terminal = await revealed(anonymous)
    supervisor = await sign_in(mine, "SV", plant_id)
    await supervisor.post(f"/devices/{terminal.id}:approve", json={"plant_id": str(plant_id), "name": "T-07"})
    stranger = await sign_in(other, "TA")
    assert (await stranger.get("/devices")).json() == []
    answer = await stranger.post(f"/devices/{terminal.id}:revoke", json={"reason": "not mine at all"})
    assert answer.status_code == 404
    assert [each["name"] for each in (await supervisor.get("/devices")).json()] == ["T-07"]


@pytest.mark.parametrize("body", [{}, {"commitment": "zz"}, {"commitment": "00"}])
async def test_a_malformed_enrolment_says_what_is_wrong(anonymous: httpx.AsyncClient, body: dict[str, str]) -> None:
    answer = await anonymous.post("/devices:enroll", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")
    assert answer.json()["errors"][0]["where"] == "body.commitment"


async def test_a_terminal_is_revoked_once_also_before_it_is_approved(
    tenant: TenantRef, sign_in: SignIn, anonymous: httpx.AsyncClient, database: Database
) -> None:
    admin = await sign_in(tenant, "TA")
    terminal = await revealed(anonymous)
    place = {"plant_id": str(await a_plant(database, tenant)), "name": "T-07"}
    assert (await admin.post(f"/devices/{terminal.id}:approve", json=place)).status_code == 200
    why = {"reason": "it was sold"}
    assert (await admin.post(f"/devices/{terminal.id}:revoke", json=why)).json()["state"] == "revoked"
    again = await admin.post(f"/devices/{terminal.id}:revoke", json=why)
    assert (again.status_code, again.json()["code"]) == (409, "illegal_move")
    assert DEVICE.move(DEVICE.start, "revoke") is DeviceState.revoked


async def test_a_terminal_that_is_just_being_revoked_is_neither_approved_nor_revoked_again(
    tenant: TenantRef, sign_in: SignIn, anonymous: httpx.AsyncClient, database: Database
) -> None:
    admin, place = await sign_in(tenant, "TA"), str(await a_plant(database, tenant))
    for verb, approved, body, answer in (
        ("approve", False, {"plant_id": place, "name": "T-07"}, (404, "record_unknown")),
        ("revoke", True, {"reason": "it was sold"}, (409, "illegal_move")),
    ):
        terminal = await revealed(anonymous)
        if approved:
            named = {"plant_id": place, "name": "T-08"}
            assert (await admin.post(f"/devices/{terminal.id}:approve", json=named)).status_code == 200
        revoked = update(DeviceRow).where(DeviceRow.id == terminal.id).values(state=DeviceState.revoked)
        post = admin.post(f"/devices/{terminal.id}:{verb}", json=body)
        said = await behind(database.platform_session(), revoked, post)
        assert (said.status_code, said.json()["code"]) == answer
