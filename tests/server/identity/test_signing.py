"""At the first signing of a series whoever has a second factor gives its code too; the PIN goes on from there."""

from __future__ import annotations

import asyncio

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import func, select, text

from foodflow_kernel.clock import FakeClock
from server.core.audit import AuditRow
from server.core.db.sessions import Database, TenantRef
from server.core.esign import ESignature
from tests.server.conftest import PASSWORD, SignIn
from tests.server.core.test_esign import PIN, a_hold, release, sign, switched_off, told
from tests.server.identity.people import a_guest
from tests.server.identity.test_second_factor import STEP, App

BOTH = {"password": PASSWORD}


@pytest_asyncio.fixture(loop_scope="session")
async def phone(database: Database, tenant: TenantRef, anonymous: httpx.AsyncClient, frozen: FakeClock) -> App:
    """A QA manager, signed in, whose second factor is on."""
    made = App(await a_guest(database, tenant, anonymous, "QM"), frozen)
    await made.enroll()
    assert (await made.verify()).status_code == 200
    anonymous.headers["Authorization"] = f"Bearer {made.guest.access}"
    frozen.advance(3 * STEP)
    return made


async def failed(database: Database, tenant: TenantRef) -> int:
    async with database.tenant_session(tenant.id) as db:
        return await db.scalar(select(func.count()).where(AuditRow.action == "esign.failed")) or 0


async def signatures(database: Database, tenant: TenantRef) -> int:
    async with database.tenant_session(tenant.id) as db:
        return await db.scalar(select(func.count()).select_from(ESignature)) or 0


async def test_the_code_is_asked_for_at_the_first_signing_and_not_at_later_ones(
    phone: App, database: Database, tenant: TenantRef
) -> None:
    client, holds = phone.guest.client, [await a_hold(database, tenant) for _ in range(4)]
    assert told(await sign(client, holds[0])) == (401, "totp_needed")
    assert told(await release(client, holds[0], signature=BOTH)) == (401, "totp_needed")
    assert told(await sign(client, holds[0], credentials={"totp": phone.code()})) == (403, "signature_password_needed")
    assert await signatures(database, tenant) == 0
    assert (await sign(client, holds[0], credentials=BOTH | {"totp": phone.code()})).status_code == 201
    for alone in ({"pin": PIN}, BOTH):
        assert (await release(client, holds.pop(), signature=alone)).status_code == 200, "the series goes on"
    phone.clock.advance(5 * 60 + 1)
    assert told(await release(client, holds[0], signature={"pin": PIN})) == (403, "signature_password_needed")
    assert told(await release(client, holds[0], signature=BOTH)) == (401, "totp_needed")
    assert (await release(client, holds[0], signature=BOTH | {"totp": phone.code()})).status_code == 200
    assert await failed(database, tenant) == 0, "to be asked is no failed signature"


async def test_who_has_no_second_factor_is_asked_for_none(
    phone: App, database: Database, tenant: TenantRef, anonymous: httpx.AsyncClient
) -> None:
    other = await a_guest(database, tenant, anonymous, "QM")
    anonymous.headers["Authorization"] = f"Bearer {other.access}"
    assert (await sign(anonymous, await a_hold(database, tenant))).status_code == 201
    enrolled = App(other, phone.clock)
    assert (await enrolled.enroll()).status_code == 200
    phone.clock.advance(5 * 60 + 1)
    assert (await sign(anonymous, await a_hold(database, tenant))).status_code == 201, "not before a code was shown"


async def test_a_wrong_code_is_a_failed_signature_and_counts(phone: App, database: Database, tenant: TenantRef) -> None:
    client, hold = phone.guest.client, await a_hold(database, tenant)
    wrong = BOTH | {"password": "not the password", "totp": phone.code()}
    assert told(await sign(client, hold, credentials=wrong)) == (401, "signature_failed")
    for how in (sign, release):
        given = BOTH | {"totp": "000000"}
        named = {"credentials": given} if how is sign else {"signature": given}
        for _ in range(2):
            assert told(await how(client, hold, **named)) == (401, "totp_wrong")
    assert (await failed(database, tenant), await signatures(database, tenant)) == (5, 0)
    assert told(await sign(client, hold, credentials=BOTH | {"totp": phone.code()})) == (429, "sign_in_locked")


async def test_a_code_that_signed_or_signed_in_signs_no_more(phone: App, database: Database, tenant: TenantRef) -> None:
    client, hold = phone.guest.client, await a_hold(database, tenant)
    code = phone.code()
    assert await phone.enter(code) == "in"
    client.headers["Authorization"] = f"Bearer {phone.guest.access}"
    assert told(await sign(client, hold, credentials=BOTH | {"totp": code})) == (401, "totp_wrong")
    phone.clock.advance(STEP)
    code = phone.code()
    assert (await sign(client, hold, credentials=BOTH | {"totp": code})).status_code == 201
    assert await phone.enter(code) == "totp_wrong"
    client.headers["Authorization"] = f"Bearer {phone.guest.access}"
    phone.clock.advance(5 * 60 + 1)
    assert told(await sign(client, hold, credentials=BOTH | {"totp": code})) == (401, "totp_wrong")


async def test_a_code_is_used_up_although_what_it_signed_is_refused(
    phone: App, database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    client, colleague, hold = phone.guest.client, await sign_in(tenant, "QM"), await a_hold(database, tenant)
    assert (await release(colleague, hold, signature=BOTH)).status_code == 200
    code = phone.code()
    assert told(await release(client, hold, signature=BOTH | {"totp": code})) == (409, "illegal_move")
    assert await signatures(database, tenant) == 1, "the colleague's"
    other = await a_hold(database, tenant)
    assert told(await release(client, other, signature=BOTH | {"totp": code})) == (401, "totp_wrong")
    spare = phone.recovery[0]
    assert told(await release(client, hold, signature=BOTH | {"totp": spare})) == (409, "illegal_move")
    assert told(await release(client, other, signature=BOTH | {"totp": spare})) == (401, "totp_wrong")


async def test_of_two_signings_at_once_with_one_code_one_is_signed(
    phone: App, database: Database, tenant: TenantRef
) -> None:
    client, holds = phone.guest.client, [await a_hold(database, tenant) for _ in range(2)]
    given = BOTH | {"totp": phone.code()}
    waits = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = current_user")
    async with database.tenant_session(tenant.id) as db:
        await db.execute(text("SELECT id FROM identity_user FOR UPDATE"))
        signings = [asyncio.create_task(sign(client, hold, credentials=given)) for hold in holds]
        # Both have seen that no series is under way: who comes later goes on with it, and needs no code.
        while await db.scalar(waits) < len(holds):  # the database says when
            await db.execute(text("SELECT pg_stat_clear_snapshot()"))
            await asyncio.sleep(0.01)
    answers = await asyncio.gather(*signings)
    assert sorted(answer.status_code for answer in answers) == [201, 401]


@pytest.mark.parametrize("steps", [-1, 0, 1])
async def test_a_recovery_code_or_a_code_beside_now_signs_too(
    phone: App, database: Database, tenant: TenantRef, steps: int
) -> None:
    client = phone.guest.client
    given = BOTH | {"totp": phone.code(steps) if steps else phone.recovery[1]}
    assert (await sign(client, await a_hold(database, tenant), credentials=given)).status_code == 201


async def test_without_part_11_the_pin_is_enough_for_who_has_a_second_factor_too(
    phone: App, database: Database, tenant: TenantRef
) -> None:
    await switched_off(database, tenant)
    hold = await a_hold(database, tenant)
    assert (await sign(phone.guest.client, hold, credentials={"pin": PIN})).status_code == 201


async def test_a_code_is_never_in_the_trail(phone: App, database: Database, tenant: TenantRef) -> None:
    code = phone.code()
    given = {"signature": BOTH | {"totp": code}}
    assert (await release(phone.guest.client, await a_hold(database, tenant), **given)).status_code == 200
    async with database.tenant_session(tenant.id) as db:
        said = [str(row.diff) for row in (await db.scalars(select(AuditRow))).all()]
    assert not any(code in each or PASSWORD in each for each in said)
