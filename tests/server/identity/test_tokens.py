"""Attacks on access tokens, each by its name: none of them gets in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import httpx
import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import update

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.machines.identity import UserState
from server.core.actor import system
from server.core.db.sessions import Database, TenantRef
from server.identity import tokens
from server.identity.models import User
from tests.server.identity.people import Guest, a_guest, claims_of, user_id


@pytest_asyncio.fixture(loop_scope="session")
async def guest(database: Database, tenant: TenantRef, anonymous: httpx.AsyncClient) -> Guest:
    return await a_guest(database, tenant, anonymous)


@pytest.fixture
def key(database: Database) -> bytes:
    return tokens.signing_key(database.cluster.secret)


async def refused(guest: Guest, token: str, code: str = "token_bad") -> None:
    assert await guest.is_in(), "the attack starts from a token that is good"
    answer = await guest.call("GET", "/me", token=token)
    assert (answer.status_code, answer.json()["code"]) == (401, code)


def part(raw: dict[str, Any] | bytes) -> str:
    plain = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    return base64.urlsafe_b64encode(plain).rstrip(b"=").decode()


async def test_alg_none_is_refused(guest: Guest) -> None:
    for name in ("none", "None", "NONE"):
        await refused(guest, f"{part({'alg': name, 'typ': 'JWT'})}.{part(claims_of(guest.access))}.")


async def test_a_signature_cut_off_is_refused(guest: Guest) -> None:
    await refused(guest, guest.access.rpartition(".")[0] + ".")


async def test_rs256_where_hs256_is_pinned_is_refused(guest: Guest) -> None:
    own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    await refused(guest, jwt.encode(claims_of(guest.access), own, algorithm="RS256"))


async def test_hs256_keyed_with_something_public_is_refused(guest: Guest, anonymous: httpx.AsyncClient) -> None:
    own = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    pem = own.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for public in (pem, (await anonymous.get("/ca")).content, b""):
        signed = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims_of(guest.access))}"
        await refused(guest, f"{signed}.{part(hmac.digest(public, signed.encode(), hashlib.sha256))}")


async def test_another_hmac_with_our_key_is_refused(guest: Guest, key: bytes) -> None:
    with pytest.warns(jwt.InsecureKeyLengthWarning) if len(key) < 64 else pytest.MonkeyPatch.context():
        token = jwt.encode(claims_of(guest.access), key, algorithm="HS512")
    await refused(guest, token)


async def test_another_key_is_refused(guest: Guest) -> None:
    await refused(guest, jwt.encode(claims_of(guest.access), b"k" * 32, algorithm="HS256"))


async def test_a_wrong_audience_is_refused(guest: Guest, key: bytes) -> None:
    claims = claims_of(guest.access)
    await refused(guest, jwt.encode(claims | {"aud": tokens.DEVICE_AUDIENCE}, key, algorithm="HS256"))
    del claims["aud"]
    await refused(guest, jwt.encode(claims, key, algorithm="HS256"))


async def test_a_wrong_issuer_is_refused(guest: Guest, key: bytes) -> None:
    await refused(guest, jwt.encode(claims_of(guest.access) | {"iss": "elsewhere"}, key, algorithm="HS256"))


async def test_an_expired_token_is_refused(guest: Guest, frozen: FakeClock) -> None:
    frozen.advance(tokens.USER_TTL_S - 1)
    assert await guest.is_in()
    frozen.advance(1)
    answer = await guest.call("GET", "/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")


async def test_a_token_of_the_future_is_refused(guest: Guest, key: bytes) -> None:
    claims = claims_of(guest.access)
    late = {"iat": claims["iat"] + 3600, "exp": claims["exp"] + 3600}
    await refused(guest, jwt.encode(claims | late, key, algorithm="HS256"))


async def test_a_token_without_an_end_is_refused(guest: Guest, key: bytes) -> None:
    claims = claims_of(guest.access)
    del claims["exp"]
    await refused(guest, jwt.encode(claims, key, algorithm="HS256"))


async def test_a_token_that_names_another_tenant_is_refused(
    two_tenants: tuple[TenantRef, TenantRef], database: Database, anonymous: httpx.AsyncClient, key: bytes
) -> None:
    mine, other = two_tenants
    guest, stranger = await a_guest(database, mine, anonymous), await a_guest(database, other, anonymous)
    claims = claims_of(guest.access)
    for wrong in ({"tid": str(other.id)}, {"tid": str(other.id), "fam": claims_of(stranger.access)["fam"]}):
        await refused(guest, jwt.encode(claims | wrong, key, algorithm="HS256"))


@pytest.mark.parametrize("wrong", [{"fam": None}, {"fam": "x"}, {"tid": "x"}, {"sub": "x"}, {"epoch": None}])
async def test_a_token_with_a_claim_that_is_none_of_ours_is_refused(
    guest: Guest, key: bytes, wrong: dict[str, Any]
) -> None:
    claims = {name: value for name, value in (claims_of(guest.access) | wrong).items() if value is not None}
    await refused(guest, jwt.encode(claims, key, algorithm="HS256"))


async def test_a_session_of_a_colleague_does_not_carry_me(
    guest: Guest, database: Database, tenant: TenantRef, anonymous: httpx.AsyncClient, key: bytes
) -> None:
    colleague = await a_guest(database, tenant, anonymous)
    claims = claims_of(guest.access) | {"fam": claims_of(colleague.access)["fam"]}
    await refused(guest, jwt.encode(claims, key, algorithm="HS256"))


async def test_a_disabled_users_live_token_is_refused(guest: Guest, database: Database, tenant: TenantRef) -> None:
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        await db.execute(update(User).where(User.id == user_id(guest)).values(status=UserState.disabled))
    assert not await guest.is_in()


async def test_a_token_of_an_older_epoch_is_refused(guest: Guest, database: Database, tenant: TenantRef) -> None:
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        await db.execute(update(User).where(User.id == user_id(guest)).values(token_epoch=User.token_epoch + 1))
    assert not await guest.is_in()


async def test_a_refresh_token_is_no_access_token(guest: Guest) -> None:
    await refused(guest, guest.refresh)
