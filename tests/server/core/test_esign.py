"""A signature is a person's own, for the record they saw, with a meaning, used once."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.errors import NotAllowed
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines import HOLD
from foodflow_kernel.machines.content import ConfigState
from server.core.actor import Actor, ActorKind, system
from server.core.audit import AuditRow
from server.core.config.keys import PART11
from server.core.config.model import SystemConfig
from server.core.db.sessions import Database, TenantRef
from server.core.esign import Credentials, ESignature, ESignatureUse, Meaning
from server.core.models import Plant
from server.fsq.models import LotHold
from server.identity import people
from server.identity.models import User, UserRole
from server.identity.signing import QA_MEANINGS, Signatory
from tests.server.conftest import PASSWORD, SignIn, a_plant

PIN = "5836"
WHY = "retested, in order"


async def a_hold(database: Database, tenant: TenantRef, plant_id: uuid.UUID | None = None) -> str:
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        now = database.clock.now()
        hold = LotHold(id=new_id(now), plant_id=plant_id, lot_id=uuid.uuid4(), state=HOLD.start,
                       reason="metal found", source="test", placed_at=now)  # fmt: skip
        db.add(hold)
    return str(hold.id)


async def sign(client: httpx.AsyncClient, hold: str, version: int = 1, **over: Any) -> httpx.Response:
    body = {"record_type": "fsq.hold", "id": hold, "version": version, "meaning": "released", "reason": WHY,
            "credentials": {"password": PASSWORD}}  # fmt: skip
    return await client.post("/esign", json=body | over)


async def release(client: httpx.AsyncClient, hold: str, **how: Any) -> httpx.Response:
    return await client.post(f"/fsq/holds/{hold}:release", json={"reason": WHY} | how)


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def signed(client: httpx.AsyncClient, hold: str) -> str:
    answer = await sign(client, hold)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["esign_id"])


async def shown(client: httpx.AsyncClient, hold: str) -> list[dict[str, Any]]:
    answer = await client.get("/esign", params={"record_type": "fsq.hold", "id": hold})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_signed_first_then_done(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    client, hold = await sign_in(tenant, "QM"), await a_hold(database, tenant)
    given = await signed(client, hold)
    (before,) = await shown(client, hold)
    assert (before["action"], before["is_valid"]) == (None, True)
    assert (await release(client, hold, esign_id=given)).status_code == 200
    (after,) = await shown(client, hold)
    assert (after["action"], after["is_valid"], after["note"]) == ("fsq.hold.release", True, None)
    assert (after["meaning"], after["reason"], after["record_version"]) == ("released", WHY, 1)
    async with database.tenant_session(tenant.id) as db:
        rows = (await db.scalars(select(AuditRow).where(AuditRow.esign_id == uuid.UUID(given)))).all()
    assert {row.action for row in rows} == {"esign.signed", "fsq.hold.release"}


async def test_a_signature_is_used_once(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    client, hold = await sign_in(tenant, "QM"), await a_hold(database, tenant)
    given = await signed(client, hold)
    async with database.tenant_session(tenant.id) as db:
        db.add(ESignatureUse(esignature_id=uuid.UUID(given), action="x", used_at=database.clock.now(), version_after=1,
                             sha256_after=bytes(32)))  # fmt: skip
    assert told(await release(client, hold, esign_id=given)) == (409, "signature_used")
    with pytest.raises(DBAPIError, match="pk_core_esignature_use"):
        async with database.tenant_session(tenant.id) as db:
            db.add(ESignatureUse(esignature_id=uuid.UUID(given), action="y", used_at=database.clock.now(),
                                 version_after=1, sha256_after=bytes(32)))  # fmt: skip


async def test_of_two_actions_at_once_with_one_signature_one_is_done(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    client, hold = await sign_in(tenant, "QM"), await a_hold(database, tenant)
    given = await signed(client, hold)
    answers = await asyncio.gather(*(release(client, hold, esign_id=given) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]


async def test_a_signature_lives_five_minutes(
    database: Database, tenant: TenantRef, sign_in: SignIn, frozen: FakeClock
) -> None:
    client, hold = await sign_in(tenant, "QM"), await a_hold(database, tenant)
    given = await signed(client, hold)
    frozen.at += timedelta(minutes=5, seconds=1)
    assert told(await release(client, hold, esign_id=given)) == (403, "signature_expired")
    given = await signed(client, hold)
    frozen.at += timedelta(minutes=5)
    assert (await release(client, hold, esign_id=given)).status_code == 200


async def test_a_signature_is_for_the_version_that_was_seen(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    client, hold = await sign_in(tenant, "QM"), await a_hold(database, tenant)
    stale = await sign(client, hold, version=7)
    assert told(stale) == (409, "signature_stale")
    inline = {"password": PASSWORD, "version": 7}
    assert told(await release(client, hold, signature=inline)) == (409, "signature_stale")
    given = await signed(client, hold)
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        (await db.get_one(LotHold, uuid.UUID(hold))).reason = "something else"
    assert told(await release(client, hold, esign_id=given)) == (409, "signature_stale")
    (one,) = await shown(client, hold)
    assert (one["is_valid"], one["note"]) == (False, "not valid for this version")


async def test_a_change_past_the_version_shows_too(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    """Bound to the content, not to a number that a statement leaves as it was (11.70)."""
    client, hold = await sign_in(tenant, "QM"), await a_hold(database, tenant)
    given = await signed(client, hold)
    async with database.tenant_session(tenant.id) as db:
        quiet = LotHold.__table__.update().where(LotHold.id == uuid.UUID(hold)).values(reason="nothing at all")
        await db.execute(quiet)
    assert told(await release(client, hold, esign_id=given)) == (409, "signature_stale")
    assert [one["is_valid"] for one in await shown(client, hold)] == [False]


async def test_a_signature_is_nobody_elses_and_for_no_other_record(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    mine, theirs = await sign_in(tenant, "QM"), await sign_in(tenant, "QM")
    hold, other = await a_hold(database, tenant), await a_hold(database, tenant)
    given = await signed(mine, hold)
    assert told(await release(theirs, hold, esign_id=given)) == (404, "signature_unknown")
    assert told(await release(mine, other, esign_id=given)) == (404, "signature_unknown")
    assert told(await release(mine, hold, esign_id=str(uuid.uuid4()))) == (404, "signature_unknown")
    both = await release(mine, hold, esign_id=given, signature={"password": PASSWORD})
    assert told(both) == (422, "signature_twice")
    assert told(await release(mine, hold)) == (403, "signature_needed")


async def test_password_at_first_then_the_pin_while_the_series_goes_on(
    database: Database, tenant: TenantRef, sign_in: SignIn, frozen: FakeClock
) -> None:
    client = await sign_in(tenant, "QM")
    holds = [await a_hold(database, tenant) for _ in range(3)]
    assert told(await release(client, holds[0], signature={"pin": PIN})) == (403, "signature_password_needed")
    wrong = {"pin": PIN, "password": "not the password"}
    assert told(await release(client, holds[0], signature=wrong)) == (401, "signature_failed")
    assert (await release(client, holds[0], signature={"password": PASSWORD})).status_code == 200
    frozen.at += timedelta(minutes=5)
    assert (await release(client, holds[1], signature={"pin": PIN})).status_code == 200
    frozen.at += timedelta(minutes=5, seconds=1)
    assert told(await release(client, holds[2], signature={"pin": PIN})) == (403, "signature_password_needed")


async def test_a_series_does_not_go_on_in_another_session(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    client, hold = await sign_in(tenant, "QM"), await a_hold(database, tenant)
    await signed(client, hold)
    me = (await client.get("/me")).json()
    async with database.tenant_session(tenant.id) as db:
        badge = (await db.get_one(User, uuid.UUID(me["id"]))).login_code
    again = {"tenant": tenant.slug, "login": badge, "password": PASSWORD}
    client.headers["Authorization"] = "Bearer " + (await client.post("/auth/login", json=again)).json()["access_token"]
    assert told(await sign(client, hold, credentials={"pin": PIN})) == (403, "signature_password_needed")


async def test_a_release_is_signed_as_released(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    client, hold = await sign_in(tenant, "QM"), await a_hold(database, tenant)
    inline = {"password": PASSWORD, "meaning": "acknowledged"}
    assert told(await release(client, hold, signature=inline)) == (422, "signature_meaning_wrong")
    other = (await sign(client, hold, meaning="acknowledged")).json()["esign_id"]
    assert told(await release(client, hold, esign_id=other)) == (422, "signature_meaning_wrong")


async def test_a_rejection_says_why(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    client, hold = await sign_in(tenant, "QM"), await a_hold(database, tenant)
    assert told(await sign(client, hold, meaning="rejected", reason=None)) == (422, "signature_reason_missing")
    assert told(await sign(client, hold, reason="no")) == (422, "request_invalid")
    assert told(await sign(client, hold, reason="n" * 501)) == (422, "request_invalid")
    assert (await sign(client, hold, meaning="rejected", reason="metal found twice")).status_code == 201


@pytest.mark.parametrize("meaning", Meaning)
async def test_an_administrator_signs_for_quality_only_as_a_qa_manager_too(
    database: Database, tenant: TenantRef, sign_in: SignIn, meaning: Meaning
) -> None:
    client, hold = await sign_in(tenant, "TA"), await a_hold(database, tenant)
    answer = await sign(client, hold, meaning=meaning)
    assert (told(answer)[1] == "signature_not_qa") == (meaning in QA_MEANINGS), answer.text
    user_id = uuid.UUID((await client.get("/me")).json()["id"])
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        roles, now = await people.ensure_roles(db), database.clock.now()
        db.add(UserRole(id=new_id(now), user_id=user_id, role_id=roles["QM"].id, valid_from=now))
    assert (await sign(client, hold, meaning=meaning)).status_code == 201


@pytest.mark.parametrize("kind", [kind for kind in ActorKind if kind is not ActorKind.user])
async def test_only_a_person_signs(database: Database, tenant: TenantRef, kind: ActorKind) -> None:
    async with database.tenant_session(tenant.id) as db:
        nobody = Actor(kind, tenant.id, uuid.uuid4())
        given = Credentials(password=PASSWORD)
        with pytest.raises(NotAllowed, match="signature_needs_person"):
            await Signatory(b"").check(db, nobody, given, Meaning.performed, None, all_components=True)


async def test_a_terminal_does_not_sign_for_the_person_at_it(database: Database, tenant: TenantRef) -> None:
    async with database.tenant_session(tenant.id) as db:
        at_terminal = Actor(ActorKind.user, tenant.id, uuid.uuid4(), device_id=uuid.uuid4())
        with pytest.raises(NotAllowed, match="signature_needs_person"):
            await Signatory(b"").check(
                db, at_terminal, Credentials(password=PASSWORD), Meaning.performed, None, all_components=True
            )


async def test_wrong_components_are_on_record_and_counted(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    client, hold = await sign_in(tenant, "QM"), await a_hold(database, tenant)
    for _ in range(5):
        assert told(await sign(client, hold, credentials={"password": "wrong"})) == (401, "signature_failed")
    assert told(await sign(client, hold)) == (429, "sign_in_locked")
    async with database.tenant_session(tenant.id) as db:
        failed = await db.scalar(select(func.count()).where(AuditRow.action == "esign.failed"))
        assert await db.scalar(select(func.count()).select_from(ESignature)) == 0
    assert failed == 5


async def test_the_time_is_shown_in_utc_and_the_plants_own(
    database: Database, tenant: TenantRef, sign_in: SignIn, frozen: FakeClock
) -> None:
    plant_id = await a_plant(database, tenant)
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        (await db.get_one(Plant, plant_id)).tz = "America/Chicago"
    client, hold = await sign_in(tenant, "QM", plant_id), await a_hold(database, tenant, plant_id)
    await signed(client, hold)
    (one,) = await shown(client, hold)
    assert one["signed_at"] == frozen.at.isoformat().replace("+00:00", "Z")
    assert one["signed_at_local"].endswith("-06:00")
    assert one["printed_name"].startswith("QM ")


async def test_records_of_another_plant_or_kind_are_not_signed_and_not_shown(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    here, there = await a_plant(database, tenant), await a_plant(database, tenant, "P2")
    client, hold = await sign_in(tenant, "QM", here), await a_hold(database, tenant, there)
    assert told(await sign(client, hold)) == (404, "record_unknown")
    assert told(await client.get("/esign", params={"record_type": "fsq.hold", "id": hold})) == (404, "record_unknown")
    assert told(await sign(client, hold, record_type="core.audit")) == (422, "record_type_unknown")


async def switched_off(database: Database, tenant: TenantRef) -> None:
    """A setting in force, as if it had been proposed and signed a while ago."""
    now = database.clock.now()
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        db.add(
            SystemConfig(
                id=new_id(now), key=PART11, scope="tenant", value=False, valid_from=now, state=ConfigState.effective,
                reason="no rule asks for it", signed_by=uuid.uuid4(), signed_at=now,
            )
        )  # fmt: skip


async def test_without_part_11_the_pin_is_enough_from_the_first_signature_on(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    client, hold = await sign_in(tenant, "QM"), await a_hold(database, tenant)
    alone = {"credentials": {"pin": "5836"}}
    assert told(await sign(client, hold, **alone)) == (403, "signature_password_needed")
    await switched_off(database, tenant)
    assert told(await sign(client, hold, credentials={"pin": "0000"})) == (401, "signature_failed")
    assert (await sign(client, hold, **alone)).status_code == 201


async def test_where_a_rule_asks_for_part_11_it_is_never_off(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    plant_id = await a_plant(database, tenant)
    admin = await sign_in(tenant, "TA")
    wish = {"key": PART11, "scope": "tenant", "value": False, "reason": "too many passwords"}
    assert (await admin.post("/config", json=wish)).json()["state"] == "proposed", "a QA manager signs it"
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        (await db.get_one(Plant, plant_id)).regimes = ["fsma204", "juice_120"]
    refused = await admin.post("/config", json=wish)
    assert (refused.status_code, refused.json()["code"]) == (422, "part11_asked_for")
    assert "120.12(g)" in refused.json()["detail"]
    await switched_off(database, tenant)
    client, hold = await sign_in(tenant, "QM", plant_id), await a_hold(database, tenant, plant_id)
    assert told(await sign(client, hold, credentials={"pin": "5836"})) == (403, "signature_password_needed")


@pytest.mark.parametrize("over", [{"meaning": "blessed"}, {"reason": "no"}, {"reason": "n" * 501}])
async def test_the_database_refuses_a_signature_without_sense(
    database: Database, tenant: TenantRef, over: dict[str, str]
) -> None:
    now = database.clock.now()
    row = {"id": new_id(now), "record_type": "x", "record_id": uuid.uuid4(), "record_version": 1, "signed_at": now,
           "record_sha256": bytes(32), "signer_id": uuid.uuid4(), "printed_name": "A", "meaning": "approved"}  # fmt: skip
    with pytest.raises(DBAPIError, match="ck_core_esignature"):
        async with database.tenant_session(tenant.id) as db:
            db.add(ESignature(**row | over))
