"""The audit trail of a test's tenant, and somebody with all powers over the database who changes it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from sqlalchemy import select

from server.core import audit, seals
from server.core.actor import system
from server.core.audit import AuditRow
from server.core.db.sessions import Database, TenantRef

Connection = psycopg.Connection[tuple[object, ...]]


@contextmanager
def superuser(database: Database, tenant: TenantRef) -> Iterator[Connection]:
    """The superuser in a tenant's schema, whom no trigger stops."""
    base = database.cluster.base
    with psycopg.connect(user="postgres", host=str(base.query["host"]), dbname=base.database, autocommit=True) as db:
        db.execute(sql.SQL("SET search_path = {}, public").format(sql.Identifier(tenant.schema)))
        db.execute("SET session_replication_role = replica")
        yield db


async def write_rows(database: Database, tenant: TenantRef, count: int) -> None:
    """Rows as a verb writes them, each in a transaction of its own."""
    for index in range(count):
        async with database.tenant_session(tenant.id) as db:
            audit.write(db, system(tenant.id), "test.row.write", "test.row", None, {"index": index})


async def seal_now(database: Database, tenant: TenantRef) -> bool:
    """Seal what there is; whether there was something."""
    async with database.tenant_session(tenant.id) as db:
        return await seals.seal_next(db) is not None


async def numbers(database: Database, tenant: TenantRef) -> list[int]:
    async with database.tenant_session(tenant.id) as db:
        return list(await db.scalars(select(AuditRow.seq).order_by(AuditRow.seq)))


async def forge(database: Database, tenant: TenantRef, seq: int, reason: str) -> None:
    """A superuser who knows the program: changes a row and its hash too."""
    async with database.tenant_session(tenant.id) as db:
        row = (await db.scalars(select(AuditRow).where(AuditRow.seq == seq))).one()
        content = {c.key: getattr(row, c.key) for c in AuditRow.__table__.columns if c.key != "row_hash"}
    made = audit.digest(content | {"reason": reason})
    assert len(made) == hashlib.sha256().digest_size
    with superuser(database, tenant) as admin:
        admin.execute("UPDATE core_audit SET reason = %s, row_hash = %s WHERE seq = %s", [reason, made, seq])
