"""Attacks on access tokens, each by its name: none of them gets in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from typing import Any

import httpx
import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from fastapi import FastAPI
from sqlalchemy import update

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.machines.identity import UserState
from server.core.actor import system
from server.core.db.sessions import Database, TenantRef
from server.identity import keys, tokens
from server.identity.models import User
from tests.server.identity.people import Guest, a_guest, claims_of, user_id


@pytest_asyncio.fixture(loop_scope="session")
async def guest(database: Database, tenant: TenantRef, anonymous: httpx.AsyncClient) -> Guest:
    return await a_guest(database, tenant, anonymous)


@pytest_asyncio.fixture(loop_scope="session")
async def key(app: FastAPI, database: Database, guest: Guest) -> tokens.Signing:
    """The company's own key: what an attacker has not got."""
    return await signing(app, database, guest.tenant)


async def signing(app: FastAPI, database: Database, tenant: TenantRef) -> tokens.Signing:
    keyring: keys.Keyring = app.state.keyring
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        return await keyring.signing(db)


async def refused(guest: Guest, token: str, code: str = "token_bad") -> None:
    assert await guest.is_in(), "the attack starts from a token that is good"
    answer = await guest.call("GET", "/me", token=token)
    assert (answer.status_code, answer.json()["code"]) == (401, code)


def part(raw: dict[str, Any] | bytes) -> str:
    plain = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    return base64.urlsafe_b64encode(plain).rstrip(b"=").decode()


def header_of(token: str) -> dict[str, Any]:
    return jwt.get_unverified_header(token)


def signed(key: tokens.Signing, claims: dict[str, Any], **header: Any) -> str:
    """Made by hand: no library refuses to make what an attacker makes."""
    said = {"alg": "EdDSA", "typ": "JWT", "kid": str(key.id)} | header
    text = f"{part({name: value for name, value in said.items() if value is not None})}.{part(claims)}"
    return f"{text}.{part(key.private.sign(text.encode()))}"


async def test_a_token_signed_by_hand_with_our_key_is_good(guest: Guest, key: tokens.Signing) -> None:
    assert (await guest.call("GET", "/me", token=signed(key, claims_of(guest.access)))).status_code == 200


@pytest.mark.parametrize("name", ["exp", "iat"])
@pytest.mark.parametrize("instant", ["1790000000", 1.79e9, None, [1790000000]])
async def test_an_instant_that_is_no_whole_number_is_refused(
    guest: Guest, key: tokens.Signing, name: str, instant: Any
) -> None:
    await refused(guest, signed(key, claims_of(guest.access) | {name: instant}))


async def test_alg_none_is_refused(guest: Guest) -> None:
    kid = header_of(guest.access)["kid"]
    for name in ("none", "None", "NONE", ""):
        head = part({"alg": name, "typ": "JWT", "kid": kid})
        for signature in ("", guest.access.rpartition(".")[2]):
            await refused(guest, f"{head}.{part(claims_of(guest.access))}.{signature}")


async def test_a_signature_cut_off_is_refused(guest: Guest) -> None:
    await refused(guest, guest.access.rpartition(".")[0] + ".")


async def test_another_algorithm_than_the_pinned_one_is_refused(guest: Guest, key: tokens.Signing) -> None:
    own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kid = {"kid": str(key.id)}
    await refused(guest, jwt.encode(claims_of(guest.access), own, algorithm="RS256", headers=kid))
    for name in ("ES256", "PS256", "Ed25519", "eddsa", None, 7, ["EdDSA"]):
        await refused(guest, signed(key, claims_of(guest.access), alg=name))


async def test_an_hmac_keyed_with_our_public_key_is_refused(guest: Guest, anonymous: httpx.AsyncClient) -> None:
    """The classic confusion: who takes the header's word for the algorithm checks an HMAC with a public key."""
    (shown,) = (await anonymous.get(f"/auth/jwks/{guest.tenant.id}")).json()["keys"]
    raw = base64.urlsafe_b64decode(shown["x"] + "=")
    public = Ed25519PublicKey.from_public_bytes(raw)
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    pem = public.public_bytes(serialization.Encoding.PEM, spki)
    der = public.public_bytes(serialization.Encoding.DER, spki)
    openssh = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    forms = (raw, pem, pem.strip(), der, openssh, shown["x"].encode(), json.dumps(shown).encode(), b"")
    for name, hashed in (("HS256", hashlib.sha256), ("HS384", hashlib.sha384), ("HS512", hashlib.sha512)):
        head = part({"alg": name, "typ": "JWT", "kid": shown["kid"]})
        for secret in forms:
            text = f"{head}.{part(claims_of(guest.access))}"
            await refused(guest, f"{text}.{part(hmac.digest(secret, text.encode(), hashed))}")


async def test_a_key_of_the_attackers_own_is_refused(guest: Guest, key: tokens.Signing) -> None:
    own = tokens.Signing(key.id, Ed25519PrivateKey.generate())
    await refused(guest, signed(own, claims_of(guest.access)))
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": part(own.private.public_key().public_bytes_raw())}
    await refused(guest, signed(own, claims_of(guest.access), jwk=jwk))
    await refused(guest, signed(own, claims_of(guest.access), jku="https://attacker/jwks.json"))


async def test_a_changed_claim_breaks_the_signature(guest: Guest) -> None:
    head, _, signature = guest.access.split(".")
    for wrong in ({"epoch": 1}, {"sub": str(uuid.uuid4())}, {"exp": claims_of(guest.access)["exp"] + 1}):
        await refused(guest, f"{head}.{part(claims_of(guest.access) | wrong)}.{signature}")


@pytest.mark.parametrize("kid", [None, "", "x", 7, [], {}, "00000000-0000-7000-8000-000000000000", "../../etc", "\0"])
async def test_a_key_id_that_is_missing_or_unknown_is_refused(guest: Guest, key: tokens.Signing, kid: Any) -> None:
    await refused(guest, signed(key, claims_of(guest.access), kid=kid))


async def test_a_key_id_of_another_tenant_is_refused(
    two_tenants: tuple[TenantRef, TenantRef], app: FastAPI, database: Database, anonymous: httpx.AsyncClient
) -> None:
    mine, other = two_tenants
    guest, stranger = await a_guest(database, mine, anonymous), await a_guest(database, other, anonymous)
    theirs = await signing(app, database, other)
    assert await stranger.is_in(), "their key is known to this process"
    await refused(guest, signed(theirs, claims_of(guest.access)))
    ours = await signing(app, database, mine)
    await refused(guest, signed(ours, claims_of(guest.access), kid=str(theirs.id)))
    await refused(guest, signed(theirs, claims_of(guest.access), kid=str(ours.id)))


async def test_a_wrong_audience_is_refused(guest: Guest, key: tokens.Signing) -> None:
    claims = claims_of(guest.access)
    for wrong in (tokens.DEVICE_AUDIENCE, "", "foodflow-api ", None, 1):
        await refused(guest, signed(key, claims | {"aud": wrong}))
    del claims["aud"]
    await refused(guest, signed(key, claims))


async def test_a_persons_token_is_no_terminals_token(guest: Guest) -> None:
    answer = await guest.call("GET", "/sync/feed")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_bad")


async def test_a_wrong_issuer_is_refused(guest: Guest, key: tokens.Signing) -> None:
    claims = claims_of(guest.access)
    await refused(guest, signed(key, claims | {"iss": "elsewhere"}))
    del claims["iss"]
    await refused(guest, signed(key, claims))


async def test_an_expired_token_is_refused(guest: Guest, frozen: FakeClock) -> None:
    frozen.advance(tokens.USER_TTL_S - 1)
    assert await guest.is_in()
    frozen.advance(1)
    answer = await guest.call("GET", "/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")


async def test_a_token_of_the_future_is_refused(guest: Guest, key: tokens.Signing) -> None:
    claims = claims_of(guest.access)
    late = {"iat": claims["iat"] + 3600, "exp": claims["exp"] + 3600}
    await refused(guest, signed(key, claims | late))


async def test_a_token_without_an_end_is_refused(guest: Guest, key: tokens.Signing) -> None:
    claims = claims_of(guest.access)
    del claims["exp"]
    await refused(guest, signed(key, claims))


async def test_a_token_that_names_another_tenant_is_refused(
    two_tenants: tuple[TenantRef, TenantRef], app: FastAPI, database: Database, anonymous: httpx.AsyncClient
) -> None:
    mine, other = two_tenants
    guest, stranger = await a_guest(database, mine, anonymous), await a_guest(database, other, anonymous)
    key = await signing(app, database, mine)
    claims = claims_of(guest.access)
    for wrong in ({"tid": str(other.id)}, {"tid": str(other.id), "fam": claims_of(stranger.access)["fam"]}):
        await refused(guest, signed(key, claims | wrong))


@pytest.mark.parametrize("wrong", [{"fam": None}, {"fam": "x"}, {"tid": "x"}, {"sub": "x"}, {"epoch": None}])
async def test_a_token_with_a_claim_that_is_none_of_ours_is_refused(
    guest: Guest, key: tokens.Signing, wrong: dict[str, Any]
) -> None:
    claims = {name: value for name, value in (claims_of(guest.access) | wrong).items() if value is not None}
    await refused(guest, signed(key, claims))


async def test_a_session_of_a_colleague_does_not_carry_me(
    guest: Guest, database: Database, tenant: TenantRef, anonymous: httpx.AsyncClient, key: tokens.Signing
) -> None:
    colleague = await a_guest(database, tenant, anonymous)
    claims = claims_of(guest.access) | {"fam": claims_of(colleague.access)["fam"]}
    await refused(guest, signed(key, claims))


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
