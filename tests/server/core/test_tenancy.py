"""A tenant's own session reads nothing of another tenant, whatever SQL it is made to say."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import CursorResult, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import Invalid, NotAllowed, NotFound, Refused
from server.core import actor, audit
from server.core.db import postgres, provision
from server.core.db.sessions import Database, TenantRef, current_tenant

Two = tuple[TenantRef, TenantRef]


@pytest.fixture
def admin(database: Database) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """The superuser of the embedded cluster, whom only its own account is let in as."""
    base = database.cluster.base
    with psycopg.connect(user="postgres", host=str(base.query["host"]), dbname=base.database, autocommit=True) as db:
        yield db


async def leave_a_secret(database: Database, tenant: TenantRef) -> None:
    async with database.tenant_session(tenant.id, actor.system(tenant.id)) as db:
        audit.write(
            db, actor.system(tenant.id), "test.secret.write", "secret", uuid.uuid4(), {"recipe": "of the house"}
        )


ATTACKS = {
    "qualified name": ["SELECT * FROM {victim}.core_audit"],
    "another search_path": ["SELECT set_config('search_path', '{victim}, public', false)", "SELECT * FROM core_audit"],
    "role by set_config": ["SELECT set_config('role', '{victim}', false)", "SELECT * FROM {victim}.core_audit"],
    "set role": ["RESET ROLE; SET ROLE {victim}", "SELECT * FROM {victim}.core_audit"],
    "set role to the owner": ["RESET ROLE; SET ROLE foodflow_owner", "SELECT * FROM {victim}.core_audit"],
    "session authorisation": ["SET SESSION AUTHORIZATION {victim}", "SELECT * FROM {victim}.core_audit"],
    "copy out": ["COPY {victim}.core_audit TO STDOUT"],
    "copy from program": ["CREATE TEMP TABLE t(x text)", "COPY t FROM PROGRAM 'cat /etc/passwd'"],
    "read a server file": ["SELECT pg_read_file('pg_hba.conf')"],
    "temporary function": [
        "CREATE FUNCTION pg_temp.steal() RETURNS bigint SECURITY DEFINER RETURN (SELECT count(*) FROM {victim}.core_audit)",
        "SELECT pg_temp.steal()",
    ],
    "function in own schema": ["CREATE FUNCTION steal() RETURNS int LANGUAGE sql AS 'SELECT 1'"],
    "grant oneself": ["GRANT USAGE ON SCHEMA {victim} TO CURRENT_USER", "SELECT * FROM {victim}.core_audit"],
    "platform tables": ["SELECT * FROM platform.tenant"],
    "large object": ["SELECT lo_import('/etc/passwd')"],
}


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
async def test_raw_sql_of_one_tenant_reads_nothing_of_another(
    database: Database, two_tenants: Two, attack: str
) -> None:
    victim, thief = two_tenants
    await leave_a_secret(database, victim)
    with pytest.raises(DBAPIError) as caught:
        async with database.tenant_session(thief.id) as db:
            for statement in ATTACKS[attack]:
                await db.execute(text(statement.format(victim=victim.schema)))
    assert isinstance(
        caught.value.orig,
        psycopg.errors.InsufficientPrivilege | psycopg.errors.UndefinedTable | psycopg.errors.InvalidParameterValue,
    )


SABOTAGE = {
    "qualified name": ["GRANT USAGE ON SCHEMA {victim} TO {thief}", "GRANT SELECT ON {victim}.core_audit TO {thief}"],
    "another search_path": [
        "GRANT USAGE ON SCHEMA {victim} TO {thief}",
        "GRANT SELECT ON {victim}.core_audit TO {thief}",
    ],
    "role by set_config": ["GRANT {victim} TO {thief}"],
    "set role": ["GRANT {victim} TO {thief}"],
    "set role to the owner": ["ALTER ROLE {thief} SUPERUSER"],
    "session authorisation": ["ALTER ROLE {thief} SUPERUSER"],
    "copy from program": ["GRANT pg_execute_server_program TO {thief} WITH INHERIT TRUE"],
    "read a server file": ["ALTER ROLE {thief} SUPERUSER"],
    "temporary function": [
        "GRANT USAGE ON SCHEMA {victim} TO {thief}",
        "GRANT SELECT ON {victim}.core_audit TO {thief}",
    ],
    "function in own schema": ["GRANT CREATE ON SCHEMA {thief} TO {thief}"],
    "grant oneself": ["ALTER ROLE {thief} SUPERUSER"],
    "platform tables": ["GRANT USAGE ON SCHEMA platform TO {thief}", "GRANT SELECT ON platform.tenant TO {thief}"],
    "large object": ["ALTER ROLE {thief} SUPERUSER"],
}
"""The right whose absence stops each attack."""


@pytest.mark.parametrize("attack", SABOTAGE, ids=str)
async def test_the_attack_is_real_once_the_right_is_there(
    database: Database, admin: psycopg.Connection[tuple[object, ...]], two_tenants: Two, attack: str
) -> None:
    victim, thief = two_tenants
    await leave_a_secret(database, victim)
    names = {"victim": victim.schema, "thief": thief.schema}
    try:
        for statement in SABOTAGE[attack]:
            admin.execute(statement.format(**names).encode())
        async with database.tenant_session(thief.id) as db:
            for statement in ATTACKS[attack]:
                result = await db.execute(text(statement.format(**names)))
            if isinstance(result, CursorResult) and result.returns_rows:
                assert result.first()
            await db.rollback()
    finally:
        admin.execute(f"ALTER ROLE {thief.schema} NOSUPERUSER".encode())
    await database.forget(thief)


async def copied(db: AsyncSession, schema: str) -> int:
    """Rows that the driver's own COPY brings out of a schema, past SQLAlchemy."""
    raw = (await (await db.connection()).get_raw_connection()).driver_connection
    assert isinstance(raw, psycopg.AsyncConnection)
    async with (
        raw.cursor() as cursor,
        cursor.copy(f"COPY (SELECT * FROM {schema}.core_audit) TO STDOUT".encode()) as copy,
    ):
        return len([row async for row in copy.rows()])


async def test_copy_brings_nothing_out_of_another_tenant(
    database: Database, admin: psycopg.Connection[tuple[object, ...]], two_tenants: Two
) -> None:
    victim, thief = two_tenants
    await leave_a_secret(database, victim)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.tenant_session(thief.id) as db:
            await copied(db, victim.schema)
    for statement in SABOTAGE["qualified name"]:
        admin.execute(statement.format(victim=victim.schema, thief=thief.schema).encode())
    async with database.tenant_session(thief.id) as db:
        assert await copied(db, victim.schema) == 1


async def test_another_search_path_shows_no_rows_even_if_set(database: Database, two_tenants: Two) -> None:
    victim, thief = two_tenants
    await leave_a_secret(database, victim)
    async with database.tenant_session(thief.id) as db:
        await db.execute(text("SELECT set_config('search_path', :path, false)"), {"path": f"{victim.schema}, public"})
        assert (await db.execute(text("SELECT to_regclass('core_audit')"))).scalar() is None
        await db.rollback()


async def test_a_pooled_connection_starts_clean(database: Database, two_tenants: Two) -> None:
    _, thief = two_tenants
    for _ in range(10):
        async with database.tenant_session(thief.id) as db:
            path = (await db.execute(text("SHOW search_path"))).scalar()
            assert path == f"{thief.schema}, public"
            await db.execute(text("SELECT set_config('search_path', 'public', true)"))


async def test_no_tenant_no_session(database: Database) -> None:
    assert current_tenant.get() is None
    with pytest.raises(NotAllowed, match="no_tenant"):
        async with database.tenant_session():
            pass


async def test_unknown_tenant_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound, match="tenant_unknown"):
        async with database.tenant_session(uuid.uuid4()):
            pass


async def test_tenant_role_owns_nothing_and_is_member_of_nothing(database: Database, tenant: TenantRef) -> None:
    with postgres.connect(database.cluster.owner) as db:
        role = db.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication FROM pg_roles "
            "WHERE rolname = %s",
            (tenant.schema,),
        ).fetchone()
        owned = db.execute(
            "SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname = %s",
            (tenant.schema,),
        ).fetchone()
        member = db.execute(
            "SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = %s",
            (tenant.schema,),
        ).fetchone()
    assert (role, owned, member) == ((False,) * 5, (0,), (0,))


async def test_audit_rows_are_never_changed(database: Database, tenant: TenantRef) -> None:
    await leave_a_secret(database, tenant)
    for statement in ("UPDATE core_audit SET action = 'x'", "DELETE FROM core_audit", "TRUNCATE core_audit"):
        with pytest.raises(DBAPIError, match="denied"):
            async with database.tenant_session(tenant.id) as db:
                await db.execute(text(statement))


async def test_failed_provisioning_leaves_nothing(database: Database, tenant: TenantRef) -> None:
    with pytest.raises(Refused, match="tenant_exists"):
        await provision.create_tenant(database, tenant.slug, "Again")
    async with database.tenant_session(tenant.id) as db:
        assert (await db.execute(text("SELECT count(*) FROM core_audit"))).scalar() == 0


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"slug": "Acme"}, "tenant_slug_invalid"),
        ({"legal_name": " "}, "legal_name_invalid"),
        ({"legal_name": "x" * 201}, "legal_name_invalid"),
        ({"legal_name": "A\0"}, "legal_name_invalid"),
        ({"gs1_company_prefix": "95011"}, "gs1_prefix_invalid"),
        ({"default_tz": "Mars/Base"}, "time_zone_unknown"),
        ({"country": "usa"}, "country_invalid"),
        ({"currency": "$"}, "currency_invalid"),
        ({"regimes": ("moon",)}, "regime_unknown"),
    ],
)
def test_a_company_that_cannot_be_is_refused_before_anything_is_made(wrong: dict[str, Any], code: str) -> None:
    right = {
        "slug": "acme",
        "legal_name": "A" * 200,
        "gs1_company_prefix": "950110",
        "default_tz": "UTC",
        "country": "US",
        "currency": "USD",
    }
    provision.check(**right, regimes=())
    with pytest.raises(Invalid) as refused:
        provision.check(**({"regimes": ()} | right | wrong))
    assert refused.value.code == code
