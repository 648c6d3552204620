"""Signing in, and tokens that are not ours."""

from __future__ import annotations

import base64
import json
import uuid

import httpx
import jwt
import pytest
from sqlalchemy import select, update

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.machines.identity import UserState
from server.core.actor import system
from server.core.audit import AuditRow
from server.core.db.sessions import Database, TenantRef
from server.identity import tokens
from server.identity.models import User
from tests.server.conftest import PASSWORD, SignIn, a_user


async def test_me_says_who_and_what_one_may(tenant: TenantRef, sign_in: SignIn) -> None:
    me = (await (await sign_in(tenant, "SV")).get("/me")).json()
    assert (me["tenant"], me["roles"]) == (tenant.slug, ["SV"])
    assert "identity.device.approve" in me["permissions"]
    assert "fsq.lot.release" not in me["permissions"]


@pytest.mark.parametrize("wrong", [{"password": "not it at all"}, {"login": "nobody"}, {"tenant": "nowhere"}])
async def test_a_wrong_sign_in_never_says_which_part(
    tenant: TenantRef, database: Database, anonymous: httpx.AsyncClient, wrong: dict[str, str]
) -> None:
    badge = await a_user(database, tenant, "OP")
    given = {"tenant": tenant.slug, "login": badge, "password": PASSWORD} | wrong
    answer = await anonymous.post("/auth/login", json=given)
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_failed")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_five_wrong_passwords_lock_and_are_audited(
    tenant: TenantRef, database: Database, anonymous: httpx.AsyncClient, frozen: FakeClock
) -> None:
    badge = await a_user(database, tenant, "OP")
    given = {"tenant": tenant.slug, "login": badge, "password": "wrong wrong wrong"}
    for _ in range(5):
        assert (await anonymous.post("/auth/login", json=given)).json()["code"] == "sign_in_failed"
    right = given | {"password": PASSWORD}
    locked = await anonymous.post("/auth/login", json=right)
    assert locked.json()["code"] == "sign_in_locked"
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        failed = await db.scalars(select(AuditRow).where(AuditRow.action == "auth.login_failed"))
        assert len(failed.all()) == 6
    frozen.advance(15 * 60 + 1)
    assert (await anonymous.post("/auth/login", json=right)).status_code == 200


def claims_of(client: httpx.AsyncClient) -> dict[str, object]:
    body = client.headers["Authorization"].split(".")[1]
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(body + "=="))
    return found


def forged(secret: bytes, claims: dict[str, object], how: str) -> str:
    key = tokens.signing_key(secret)
    if how == "alg none":
        return jwt.encode(claims, None, algorithm="none")
    if how == "another algorithm":
        return jwt.encode(claims, key * 2, algorithm="HS512")
    if how == "another key":
        return jwt.encode(claims, b"k" * 32, algorithm="HS256")
    if how == "audience":
        return jwt.encode(claims | {"aud": tokens.DEVICE_AUDIENCE}, key, algorithm="HS256")
    if how == "issuer":
        return jwt.encode(claims | {"iss": "elsewhere"}, key, algorithm="HS256")
    if how == "future":
        return jwt.encode(claims | {"iat": int(str(claims["iat"])) + 3600}, key, algorithm="HS256")
    return "rubbish"


@pytest.mark.parametrize(
    "how", ["alg none", "another algorithm", "another key", "audience", "issuer", "future", "rubbish"]
)
async def test_forged_tokens_are_refused(
    tenant: TenantRef, sign_in: SignIn, database: Database, anonymous: httpx.AsyncClient, how: str
) -> None:
    token = forged(database.cluster.secret, claims_of(await sign_in(tenant, "SV")), how)
    answer = await anonymous.get("/me", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "token_bad")


async def test_a_token_ends_after_fifteen_minutes(tenant: TenantRef, sign_in: SignIn, frozen: FakeClock) -> None:
    client = await sign_in(tenant, "SV")
    frozen.advance(15 * 60)
    assert (await client.get("/me")).json()["code"] == "token_expired"


async def test_a_disabled_user_is_out_at_once(tenant: TenantRef, sign_in: SignIn, database: Database) -> None:
    client = await sign_in(tenant, "SV")
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        await db.execute(
            update(User).where(User.id == uuid.UUID(str(claims_of(client)["sub"]))).values(status=UserState.disabled)
        )
    assert (await client.get("/me")).status_code == 401


async def test_a_forged_tenant_header_changes_nothing(
    two_tenants: tuple[TenantRef, TenantRef], sign_in: SignIn
) -> None:
    mine, other = two_tenants
    client = await sign_in(mine, "SV")
    for name in ("X-Tenant", "X-Tenant-Id", "X-Scope-OrgID"):
        for value in (other.slug, str(other.id)):
            assert (await client.get("/me", headers={name: value})).json()["tenant"] == mine.slug


async def test_a_token_that_names_another_tenant_is_refused(
    two_tenants: tuple[TenantRef, TenantRef], sign_in: SignIn, database: Database, anonymous: httpx.AsyncClient
) -> None:
    mine, other = two_tenants
    claims = claims_of(await sign_in(mine, "SV")) | {"tid": str(other.id)}
    token = jwt.encode(claims, tokens.signing_key(database.cluster.secret), algorithm="HS256")
    answer = await anonymous.get("/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


async def test_no_token_no_answer(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


async def test_wrong_sign_in_by_mail_and_badge_count_together(
    tenant: TenantRef, database: Database, anonymous: httpx.AsyncClient
) -> None:
    badge = await a_user(database, tenant, "OP")
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        await db.execute(update(User).where(User.login_code == badge).values(email="op@example.org"))
    codes = []
    for login in ("op@example.org", badge) * 3:
        given = {"tenant": tenant.slug, "login": login, "password": "wrong wrong wrong"}
        codes.append((await anonymous.post("/auth/login", json=given)).json()["code"])
    assert codes == ["sign_in_failed"] * 5 + ["sign_in_locked"]


async def test_a_session_lives_on_while_it_is_renewed_and_ends_after_half_a_day(
    tenant: TenantRef, sign_in: SignIn, frozen: FakeClock
) -> None:
    client = await sign_in(tenant, "SV")
    for _ in range(12 * 60 // 10):
        frozen.advance(10 * 60)
        answer = await client.post("/auth/renew")
        assert answer.status_code == 200, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    frozen.advance(10 * 60)
    assert (await client.post("/auth/renew")).json()["code"] == "token_expired"


async def test_a_session_that_rests_for_fifteen_minutes_is_over(
    tenant: TenantRef, sign_in: SignIn, frozen: FakeClock
) -> None:
    client = await sign_in(tenant, "SV")
    frozen.advance(15 * 60)
    assert (await client.post("/auth/renew")).status_code == 401
