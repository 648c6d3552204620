"""A tenant leaves in a file, or comes from one: all rows of its schema, as of one instant.

A file holds rows and no definitions: the schema is made by migration to the revision the rows were
written at, filled by COPY, then brought to the newest revision. The feed gets a new epoch, so that
every terminal draws its master data anew and sends again what this server has not.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import uuid
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import URL

from foodflow_kernel.errors import Invalid
from server.core.db import migrate, postgres, provision
from server.core.db.parcel import (
    BLOCK_BYTES,
    MANIFEST,
    Blobs,
    BlobsOf,
    Company,
    Counter,
    Manifest,
    Part,
    Partition,
    opened,
    written,
)
from server.core.db.registry import Tenant, TenantRef
from server.core.db.sessions import Database

Db = psycopg.Connection[tuple[Any, ...]]

_TABLES = """
    SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND a.attgenerated = '' AND c.relname <> 'alembic_version'
    GROUP BY c.relname ORDER BY c.relname
"""
_PARTITIONS = """
    SELECT c.relname, p.relname, pg_get_expr(c.relpartbound, c.oid)
    FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid JOIN pg_class p ON p.oid = i.inhparent
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relispartition AND c.relkind = 'r' ORDER BY c.relname
"""
_SEQUENCES = """
    SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'S' ORDER BY relname
"""
_FOREIGN_KEYS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = current_schema()::regnamespace AND contype = 'f' AND conparentid = 0
"""


async def export_tenant(database: Database, tenant: TenantRef, path: Path, blobs_of: BlobsOf) -> Manifest:
    """Write all of a tenant to a file, attached files too; what others write meanwhile is not in it."""
    async with database.platform_session() as db:
        row = await db.get_one(Tenant, tenant.id)
    company = Company(
        id=row.id,
        slug=row.slug,
        legal_name=row.legal_name,
        gs1_company_prefix=row.gs1_company_prefix,
        default_tz=row.default_tz,
        country=row.country,
        currency=row.currency,
        regimes=row.regimes,
    )
    made_at = database.clock.now().isoformat()
    blobs = blobs_of(tenant.schema)
    return await asyncio.to_thread(_export, database.cluster.owner, tenant, company, made_at, path, blobs)


def _export(owner: URL, tenant: TenantRef, company: Company, made_at: str, path: Path, blobs: Blobs) -> Manifest:
    with _connected(owner, tenant.schema) as db, written(path) as parcel:
        db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        revision = _one(db, "SELECT version_num FROM alembic_version")
        manifest = Manifest(revision=str(revision), made_at=made_at, tenant=company)
        for name, columns in _tables(db).items():
            what = sql.SQL("SELECT {} FROM {}").format(_names(columns), sql.Identifier(name))
            manifest.tables[name] = _copy_out(db, what, columns, parcel, f"tables/{name}")
        for name, columns in postgres.platform_parts(db).items():
            what = sql.SQL("SELECT {} FROM {} WHERE tenant_id = {}").format(
                _names(columns), sql.Identifier(postgres.PLATFORM_SCHEMA, name), sql.Literal(tenant.id)
            )
            manifest.platform[name] = _copy_out(db, what, columns, parcel, f"platform/{name}")
        for (name,) in db.execute(_SEQUENCES).fetchall():
            asked = sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(name))
            last, is_called = db.execute(asked).fetchall()[0]
            manifest.counters[name] = Counter(last=last, is_called=is_called)
        manifest.partitions = [
            Partition(table=table, parent=parent, bounds=bounds) for table, parent, bounds in db.execute(_PARTITIONS)
        ]
        for sha256, size in _blobs_named(db):
            if _file_out(blobs, sha256, size, parcel):
                manifest.files[sha256.hex()] = size
            else:
                manifest.missing.append(sha256.hex())
        parcel.writestr(MANIFEST, manifest.model_dump_json(indent=1))
    return manifest


async def import_tenant(
    database: Database, path: Path, blobs_of: BlobsOf, slug: str | None = None, fill: provision.Fill | None = None
) -> TenantRef:
    """Make a tenant of a file; all or nothing.

    It keeps its id unless that is taken here (a copy beside the original); terminals that another
    tenant of this server has are not taken over.

    Raises:
        Invalid: `export_missing`, `export_foreign`, `export_damaged`, `export_too_new`.
        Refused: `tenant_exists`.
    """

    def looked() -> Manifest:
        with opened(path) as (_, manifest):
            return manifest

    manifest = await asyncio.to_thread(looked)
    if manifest.revision not in migrate.revisions("tenant"):
        raise Invalid("export_too_new", file=path.name)
    company = manifest.tenant
    is_here = bool(await database.registry.read(Tenant.id == company.id))
    taken: list[tuple[Blobs, bytes]] = []
    try:
        return await provision.create_tenant(
            database,
            slug or company.slug,
            company.legal_name,
            gs1_company_prefix=company.gs1_company_prefix,
            default_tz=company.default_tz,
            country=company.country,
            currency=company.currency,
            regimes=company.regimes,
            fill=fill,
            tenant_id=None if is_here else company.id,
            build=partial(_build, path, blobs_of, taken),
        )
    except BaseException:
        for blobs, sha256 in taken:
            await asyncio.to_thread(blobs.drop_blob, sha256)
        raise


def _build(
    path: Path, blobs_of: BlobsOf, taken: list[tuple[Blobs, bytes]], cluster: postgres.Cluster, tenant: TenantRef
) -> None:
    postgres.create_tenant_role(cluster.owner, cluster, tenant.schema)
    blobs = blobs_of(tenant.schema)
    with opened(path) as (parcel, manifest):
        migrate.upgrade(cluster.owner, "tenant", tenant.schema, manifest.revision)
        with _connected(cluster.owner, tenant.schema) as db:
            _load(db, parcel, manifest, tenant, path.name)
            for sha256, size in _blobs_named(db):
                if sha256.hex() in manifest.files:
                    taken.append((blobs, sha256))
                    _file_in(blobs, sha256, size, parcel, path.name)
    migrate.upgrade(cluster.owner, "tenant", tenant.schema)


def _load(db: Db, parcel: zipfile.ZipFile, manifest: Manifest, tenant: TenantRef, file: str) -> None:
    for each in manifest.partitions:
        _make_partition(db, each, tenant.schema)
    tables = {name: sorted(columns) for name, columns in _tables(db).items()}
    if {name: sorted(part.columns) for name, part in manifest.tables.items()} != tables:
        raise Invalid("export_foreign", file=file)
    with _unguarded(db, tables):
        for name, part in manifest.tables.items():
            _copy_in(db, sql.Identifier(name), part, parcel, f"tables/{name}", file)
    sequences = {str(name) for (name,) in db.execute(_SEQUENCES).fetchall()}
    for name, counter in manifest.counters.items():
        if name in sequences:
            at = (sql.Identifier(name).as_string(db), counter.last, counter.is_called)
            db.execute("SELECT setval(%s::regclass, %s, %s)", at)
    db.execute("UPDATE core_feed_counter SET epoch = %s", (uuid.uuid4().hex,))
    # Safe was said of the backups of the server it comes from; this one has none of it yet.
    db.execute("DO $$ BEGIN IF to_regclass('sync_safe') IS NOT NULL THEN TRUNCATE sync_safe; END IF; END $$")
    known = postgres.platform_parts(db)
    for name, part in manifest.platform.items():
        if sorted(part.columns) == sorted(known.get(name, ())):
            _take_over(db, name, part, parcel, tenant, file)


def _make_partition(db: Db, part: Partition, role: str) -> None:
    """A partition that the file has and the schema has not (a month of the audit trail), reached by its parent only."""
    if db.execute("SELECT to_regclass(%s)", (part.table,)).fetchone() != (None,):
        return
    table = sql.Identifier(part.table)
    made = sql.SQL("CREATE TABLE {} PARTITION OF {} ").format(table, sql.Identifier(part.parent))
    db.execute(made + sql.SQL(part.bounds))  # of a form that was checked (``parcel``)
    db.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(table, sql.Identifier(role)))
    if part.parent == "core_audit":
        db.execute("SELECT core_audit_guard(%s)", (part.table,))


@contextmanager
def _unguarded(db: Db, tables: Iterable[str]) -> Iterator[None]:
    """All tables empty, their triggers silent and their references off; afterwards references are checked."""
    ours = [sql.Identifier(name) for name in tables]
    parts = [sql.Identifier(name) for name, _, _ in db.execute(_PARTITIONS).fetchall()]
    keys = db.execute(_FOREIGN_KEYS).fetchall()
    for table, name, _ in keys:
        db.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(sql.SQL(table), sql.Identifier(name)))
    for each in ours + parts:
        db.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(each))
    db.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(ours)))
    yield
    for each in ours + parts:
        db.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(each))
    for table, name, definition in keys:
        made = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} ").format(sql.SQL(table), sql.Identifier(name))
        db.execute(made + sql.SQL(definition))


def _take_over(db: Db, name: str, part: Part, parcel: zipfile.ZipFile, tenant: TenantRef, file: str) -> None:
    """Enter what the platform knew of the tenant; what another tenant has here stays that one's."""
    table, beside = sql.Identifier(postgres.PLATFORM_SCHEMA, name), sql.Identifier(f"come_{name}")
    db.execute(sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT * FROM {} LIMIT 0").format(beside, table))
    _copy_in(db, beside, part, parcel, f"platform/{name}", file)
    db.execute(sql.SQL("UPDATE {} SET tenant_id = %s").format(beside), (tenant.id,))
    names = _names(part.columns)
    entered = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} ON CONFLICT DO NOTHING")
    db.execute(entered.format(table, names, names, beside))


@contextmanager
def _connected(owner: URL, schema: str) -> Iterator[Db]:
    """The owner in a tenant's schema, in one transaction, writing values the one way any server reads."""
    conninfo = owner.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(conninfo, client_encoding="utf8", options="-c datestyle=ISO -c intervalstyle=postgres") as db:
        db.execute("SELECT set_config('search_path', %s, false)", (f"{schema}, public",))
        db.commit()
        yield db


def _copy_out(db: Db, what: sql.Composed, columns: Sequence[str], parcel: zipfile.ZipFile, member: str) -> Part:
    digest = hashlib.sha256()
    with db.cursor() as cursor:
        with (
            cursor.copy(sql.SQL("COPY ({}) TO STDOUT").format(what)) as copy,
            parcel.open(member, "w", force_zip64=True) as out,
        ):
            for block in copy:
                digest.update(block)
                out.write(block)
        return Part(columns=list(columns), rows=cursor.rowcount, sha256=digest.hexdigest())


def _copy_in(db: Db, table: sql.Identifier, part: Part, parcel: zipfile.ZipFile, member: str, file: str) -> None:
    digest = hashlib.sha256()
    with db.cursor() as cursor:
        into = sql.SQL("COPY {} ({}) FROM STDIN").format(table, _names(part.columns))
        with parcel.open(member) as source, cursor.copy(into) as copy:
            while block := source.read(BLOCK_BYTES):
                digest.update(block)
                copy.write(block)
        if digest.hexdigest() != part.sha256 or cursor.rowcount != part.rows:
            raise Invalid("export_damaged", file=file)


def _blobs_named(db: Db) -> list[tuple[bytes, int]]:
    """Hash and size [byte] of the content that the tenant's rows speak of; none before there were files."""
    if db.execute("SELECT to_regclass('core_blob')").fetchone() == (None,):
        return []
    return [(bytes(sha256), size) for sha256, size in db.execute("SELECT sha256, size FROM core_blob ORDER BY sha256")]


def _file_out(blobs: Blobs, sha256: bytes, size: int, parcel: zipfile.ZipFile) -> bool:
    """Put content into the file; False where the store has none, or none with this hash."""
    digest = hashlib.sha256()
    member = zipfile.ZipInfo(f"files/{sha256.hex()}")
    try:
        with parcel.open(member, "w", force_zip64=True) as out:
            for piece in blobs.blob(sha256, size):
                digest.update(piece)
                out.write(piece)
    except FileNotFoundError:
        return False
    return digest.digest() == sha256


def _file_in(blobs: Blobs, sha256: bytes, size: int, parcel: zipfile.ZipFile, file: str) -> None:
    digest, left = hashlib.sha256(), size
    with tempfile.NamedTemporaryFile(prefix="foodflow-import-") as beside:
        with parcel.open(f"files/{sha256.hex()}") as source:
            while left >= 0 and (block := source.read(BLOCK_BYTES)):
                left -= len(block)
                digest.update(block)
                beside.write(block)
        beside.flush()
        if digest.digest() != sha256:
            raise Invalid("export_damaged", file=file)
        blobs.take_blob(sha256, Path(beside.name))


def _tables(db: Db) -> dict[str, list[str]]:
    return {str(name): list(columns) for name, columns in db.execute(_TABLES).fetchall()}


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _one(db: Db, question: str) -> Any:
    row = db.execute(question.encode()).fetchone()
    return row[0] if row else None
