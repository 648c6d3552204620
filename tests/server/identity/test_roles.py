"""System roles hold what the matrix grants, also in companies that were there before the permission was."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, select

from foodflow_kernel.errors import Invalid
from server import serving
from server.core.actor import system
from server.core.db.sessions import Database, TenantRef
from server.identity import people
from server.identity.models import Role, RolePermission


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"roles": ("BOSS",)}, "role_unknown"),
        ({"password": "too short"}, "password_short"),
        ({"password": "Password12345678"}, "password_common"),
        ({"pin": "1234"}, "pin_weak"),
    ],
)
async def test_nobody_is_made_with_what_nobody_may_have(
    database: Database, tenant: TenantRef, wrong: dict[str, Any], refusal: str
) -> None:
    new = people.NewUser(**{"login_code": "B-1", "short_no": "4242", "printed_name": "Ada", "roles": ()} | wrong)
    with pytest.raises(Invalid, match=refusal):
        async with database.tenant_session(tenant.id, system(tenant.id)) as db:
            await people.add(db, new)


async def test_a_permission_that_a_release_brings_reaches_the_companies_that_are_there(
    database: Database, tenant: TenantRef
) -> None:
    async with database.tenant_session(tenant.id, system(tenant.id, "tests")) as db:
        before = {key: list(role.permissions) for key, role in (await people.ensure_roles(db)).items()}
        await db.execute(delete(RolePermission).where(RolePermission.code == "fsq.hold.release"))
    await serving.bring_up(database)
    async with database.tenant_session(tenant.id, system(tenant.id, "tests")) as db:
        assert {role.key: list(role.permissions) for role in await db.scalars(select(Role))} == before
