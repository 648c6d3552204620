"""A company's signing keys: sealed, rotated without taking a session away, shown to everybody by half."""

from __future__ import annotations

import asyncio
import base64
import secrets
import uuid
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as some
from sqlalchemy import event, select, update
from sqlalchemy.exc import IntegrityError

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.ids import new_id
from server.core import sealed
from server.core.actor import system
from server.core.audit import AuditRow
from server.core.db.sessions import Database, TenantRef
from server.identity import keys, tokens
from server.identity.models import SigningKey
from tests.server.identity.people import Guest, a_guest, claims_of


@pytest_asyncio.fixture(loop_scope="session")
async def guest(database: Database, tenant: TenantRef, anonymous: httpx.AsyncClient) -> Guest:
    return await a_guest(database, tenant, anonymous)


async def rotate(guest: Guest, database: Database, secret: bytes | None = None, *, is_stolen: bool = False) -> None:
    """As another process does it: with a keyring of its own."""
    keyring = keys.Keyring(secret or database.cluster.secret)
    async with database.tenant_session(guest.tenant.id, system(guest.tenant.id)) as db:
        await keyring.rotate(db, is_stolen=is_stolen)


async def rows(guest: Guest, database: Database) -> list[SigningKey]:
    async with database.tenant_session(guest.tenant.id, system(guest.tenant.id)) as db:
        return list((await db.scalars(select(SigningKey).order_by(SigningKey.retired_at.nulls_last()))).all())


async def shown(guest: Guest) -> list[dict[str, Any]]:
    answer = await guest.client.get(f"/auth/jwks/{guest.tenant.id}")
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["keys"]
    return found


async def test_whoever_is_shown_a_token_may_check_it_with_the_public_keys(guest: Guest) -> None:
    (one,) = await shown(guest)
    public = jwt.PyJWK(one).key
    claims = jwt.decode(
        guest.access, public, algorithms=["EdDSA"], audience=tokens.USER_AUDIENCE, options={"verify_exp": False}
    )
    assert claims == claims_of(guest.access)
    assert jwt.get_unverified_header(guest.access) == {"alg": "EdDSA", "typ": "JWT", "kid": one["kid"]}
    assert set(one) == {"kty", "crv", "alg", "use", "kid", "x"}, "no private half"


async def test_no_key_is_shown_of_a_company_that_is_not_there(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get(f"/auth/jwks/{uuid.uuid4()}")
    assert (answer.status_code, answer.json()) == (200, {"keys": []})


async def test_two_companies_sign_with_different_keys(
    two_tenants: tuple[TenantRef, TenantRef], database: Database, anonymous: httpx.AsyncClient
) -> None:
    guests = [await a_guest(database, each, anonymous) for each in two_tenants]
    assert len({(await shown(each))[0]["x"] for each in guests}) == 2


async def test_after_a_rotation_the_new_key_signs_and_the_old_tokens_live_to_their_end(
    guest: Guest, database: Database, frozen: FakeClock
) -> None:
    old = guest.access
    await rotate(guest, database)
    assert (await guest.use()).status_code == 200
    kids = [jwt.get_unverified_header(token)["kid"] for token in (guest.access, old)]
    assert [each["kid"] for each in await shown(guest)] == kids
    assert kids[0] != kids[1]
    frozen.advance(tokens.USER_TTL_S - 1)
    for token in (guest.access, old):
        assert (await guest.call("GET", "/me", token=token)).status_code == 200
    frozen.advance(keys.OVERLAP.total_seconds())
    assert [each["kid"] for each in await shown(guest)] == kids[:1]


async def test_a_retired_key_verifies_nothing_once_its_last_token_has_run_out(
    guest: Guest, app: FastAPI, database: Database, frozen: FakeClock
) -> None:
    keyring: keys.Keyring = app.state.keyring
    async with database.tenant_session(guest.tenant.id, system(guest.tenant.id)) as db:
        stolen = await keyring.signing(db)
    await rotate(guest, database)
    frozen.advance(keys.OVERLAP.total_seconds())
    now = int(database.clock.now().timestamp())
    fresh = claims_of(guest.access) | {"iat": now, "exp": now + 900}
    token = jwt.encode(fresh, stolen.private, algorithm="EdDSA", headers={"kid": str(stolen.id)})
    assert (await guest.call("GET", "/me", token=token)).json()["code"] == "token_bad"


async def test_a_stolen_key_is_refused_within_a_minute_also_where_it_is_known(
    guest: Guest, database: Database, frozen: FakeClock
) -> None:
    assert await guest.is_in()
    await rotate(guest, database, is_stolen=True)
    frozen.advance(keys.KNOWN_FOR.total_seconds())
    assert not await guest.is_in()
    assert (await guest.use()).status_code == 200, "sessions go on: their tokens are signed anew"
    assert await guest.is_in()


async def test_a_stolen_key_is_refused_although_it_was_retired_before(
    guest: Guest, database: Database, frozen: FakeClock
) -> None:
    await rotate(guest, database)
    await rotate(guest, database, is_stolen=True)
    frozen.advance(keys.KNOWN_FOR.total_seconds())
    assert not await guest.is_in()


async def test_the_private_half_is_sealed_for_this_row_and_gone_when_retired(
    guest: Guest, app: FastAPI, database: Database
) -> None:
    keyring: keys.Keyring = app.state.keyring
    async with database.tenant_session(guest.tenant.id, system(guest.tenant.id)) as db:
        raw = (await keyring.signing(db)).private.private_bytes_raw()
    (row,) = await rows(guest, database)
    assert row.private_sealed is not None
    assert raw not in row.private_sealed
    await rotate(guest, database)
    retired, signs = await rows(guest, database)
    assert (retired.private_sealed, retired.retired_at is None, signs.private_sealed is None) == (None, False, False)


async def test_a_key_sealed_with_another_secret_is_replaced_and_its_tokens_still_verify(
    guest: Guest, database: Database
) -> None:
    await rotate(guest, database, secrets.token_bytes(32))
    assert (await guest.use()).status_code == 200
    assert await guest.is_in()
    assert len(await rows(guest, database)) == 3


async def test_a_public_half_that_was_swapped_signs_nothing(guest: Guest, database: Database) -> None:
    async with database.tenant_session(guest.tenant.id, system(guest.tenant.id)) as db:
        await db.execute(update(SigningKey).values(public_key=secrets.token_bytes(32)))
    assert (await guest.use()).status_code == 200
    (_, signs) = await rows(guest, database)
    assert jwt.get_unverified_header(guest.access)["kid"] == str(signs.id)


async def test_many_who_sign_in_first_at_the_same_time_make_one_key(
    database: Database, tenant: TenantRef, anonymous: httpx.AsyncClient
) -> None:
    guest = await a_guest(database, tenant, anonymous)
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        for row in (await db.scalars(select(SigningKey))).all():
            await db.delete(row)
    others = [Guest(tenant, guest.badge, anonymous) for _ in range(4)]
    answers = await asyncio.gather(*(each.enter() for each in others), rotate(guest, database))
    assert [answer.status_code for answer in answers if answer is not None] == [200] * 4
    assert sum(row.retired_at is None for row in await rows(guest, database)) == 1


async def test_a_key_of_ninety_days_is_rotated_by_itself_and_no_other(
    guest: Guest, app: FastAPI, database: Database, frozen: FakeClock
) -> None:
    (job,) = keys.JOBS
    frozen.advance(keys.LIFE.total_seconds() - 1)
    await job.work(app, guest.tenant)
    assert len(await rows(guest, database)) == 1
    frozen.advance(1)
    await job.work(app, guest.tenant)
    await job.work(app, guest.tenant)
    assert len(await rows(guest, database)) == 2
    async with database.tenant_session(guest.tenant.id, system(guest.tenant.id)) as db:
        said = await db.scalars(select(AuditRow.action).where(AuditRow.entity == "identity.signing_key"))
        assert said.all() == ["auth.key_rotated"]


async def test_a_known_key_costs_no_look_up(guest: Guest, app: FastAPI, database: Database, frozen: FakeClock) -> None:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    engine = database._engines[guest.tenant.schema].sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        for _ in range(3):
            await guest.is_in()
        assert not any("signing_key" in statement for statement in asked)
        frozen.advance(keys.KNOWN_FOR.total_seconds())
        await guest.is_in()
        assert sum("signing_key" in statement for statement in asked) == 1
    finally:
        event.remove(engine, "before_cursor_execute", note)
    keyring: keys.Keyring = app.state.keyring
    assert (guest.tenant.id, uuid.UUID(jwt.get_unverified_header(guest.access)["kid"])) in keyring._known


async def test_what_a_process_remembers_is_bounded(
    guest: Guest, app: FastAPI, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "MAX_KNOWN", 2)
    monkeypatch.setattr(keys, "MAX_SEEN", 2)
    for _ in range(3):
        await rotate(guest, database)
        await guest.use()
        await guest.is_in()
    keyring: keys.Keyring = app.state.keyring
    assert (len(keyring._known), len(keyring._seen)) == (2, 2)
    assert await guest.is_in()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({}, "signs"),
        ({"algorithm": "HS256"}, "algorithm"),
        ({"public_key": b"short"}, "public_key"),
        ({"retired_at": "now"}, "private_half"),
        ({"verifies_until": "now"}, "verifies_until"),
        ({"private_sealed": None}, "private_half"),
    ],
)
async def test_the_database_refuses_keys_that_cannot_be(
    guest: Guest, database: Database, wrong: dict[str, Any], why: str
) -> None:
    now = database.clock.now()
    fields = {"algorithm": "EdDSA", "public_key": b"k" * 32, "private_sealed": b"x", "created_at": now}
    fields |= {name: now if value == "now" else value for name, value in wrong.items()}
    with pytest.raises(IntegrityError, match=why):
        async with database.tenant_session(guest.tenant.id, system(guest.tenant.id)) as db:
            if wrong:
                await db.execute(
                    update(SigningKey).values(
                        retired_at=now, private_sealed=None, verifies_until=now + timedelta(hours=1)
                    )
                )
            db.add(SigningKey(id=new_id(now), **fields))


@settings(max_examples=60, deadline=None)
@given(some.binary(max_size=80), some.data())
def test_what_is_sealed_is_opened_in_its_own_place_only(plain: bytes, data: some.DataObject) -> None:
    place: list[Any] = [b"secret", "totp", uuid.UUID(int=1), uuid.UUID(int=2)]
    made = sealed.seal(*place, plain)
    assert sealed.unseal(*place, made) == plain
    which = data.draw(some.integers(0, 3))
    elsewhere = [*place]
    elsewhere[which] = [b"other", "signing-key", uuid.UUID(int=3), uuid.UUID(int=4)][which]
    at = data.draw(some.integers(0, len(made) - 1))
    torn = made[:at] + bytes([made[at] ^ 1]) + made[at + 1 :]
    for where, text in ((elsewhere, made), (place, torn), (place, made[:at])):
        with pytest.raises(sealed.Unopenable):
            sealed.unseal(*where, text)


def test_a_jwk_is_what_the_rfc_says() -> None:
    """RFC 8037, appendix A.2: the key's octets, base64url without padding."""
    raw = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    assert keys._b64(raw) == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(keys._b64(raw) + "=")).public_bytes_raw() == raw
