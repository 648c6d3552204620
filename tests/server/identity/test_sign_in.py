"""Signing in: what is refused, counted and told."""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy import select, update

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.machines.identity import TenantState
from server.core.actor import system
from server.core.audit import AuditRow
from server.core.db.sessions import Database, Tenant, TenantRef
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


@pytest.mark.parametrize("state", [TenantState.provisioning, TenantState.suspended, TenantState.offboarding])
async def test_nobody_signs_in_at_a_company_that_is_not_active(
    tenant: TenantRef, database: Database, anonymous: httpx.AsyncClient, state: TenantState
) -> None:
    given = {"tenant": tenant.slug, "login": await a_user(database, tenant, "TA"), "password": PASSWORD}
    assert (await anonymous.post("/auth/login", json=given)).status_code == 200
    async with database.platform_session() as db:
        await db.execute(update(Tenant).where(Tenant.id == tenant.id).values(state=state))
    database.registry.forget(tenant.id)
    answer = await anonymous.post("/auth/login", json=given)
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_failed")


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
        rows = await db.scalars(select(AuditRow.action).order_by(AuditRow.seq))
        assert rows.all() == ["auth.login_failed"] * 4 + [
            "identity.user.lock",
            "auth.login_failed",
            "auth.login_locked",
        ]
    frozen.advance(15 * 60 + 1)
    assert (await anonymous.post("/auth/login", json=right)).status_code == 200


async def test_a_forged_tenant_header_changes_nothing(
    two_tenants: tuple[TenantRef, TenantRef], sign_in: SignIn
) -> None:
    mine, other = two_tenants
    client = await sign_in(mine, "SV")
    for name in ("X-Tenant", "X-Tenant-Id", "X-Scope-OrgID"):
        for value in (other.slug, str(other.id)):
            assert (await client.get("/me", headers={name: value})).json()["tenant"] == mine.slug


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
