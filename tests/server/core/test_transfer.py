"""A company leaves in a file and comes back whole, or not at all."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import tracemalloc
import uuid
import zipfile
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import Invalid, Refused
from foodflow_kernel.machines.identity import DeviceState
from server.core import audit, feed
from server.core.actor import system
from server.core.db import migrate, parcel, postgres, transfer
from server.core.db.sessions import Database, TenantRef
from server.core.files.store import Files, blob_key
from server.core.models import Blob
from server.core.settings import Settings
from server.identity.platform import DeviceRow
from server.sync.models import SyncSafe
from tests.server.conftest import a_plant, a_user

FILES = Files(Settings(files_url="memory:///"))


async def lived_in(database: Database, tenant: TenantRef) -> uuid.UUID:
    """A tenant with people, a plant, an audit trail and a terminal; the terminal."""
    plant = await a_plant(database, tenant)
    await a_user(database, tenant, "QM", plant)
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        audit.write(db, system(tenant.id), "test.note", "test", None, {"text": "tab\t, line\n, \\N and ü"})
        await feed.bounds(db)
    now, device = database.clock.now(), uuid.uuid4()
    async with database.platform_session() as db:
        db.add(
            DeviceRow(
                id=device, tenant_id=tenant.id, state=DeviceState.approved, commitment=bytes(32), server_nonce=bytes(32),
                expires_at=now, machine_name="kiosk", app="0.1.0", pepper=bytes(32), created_at=now,
            )
        )  # fmt: skip
    return device


def content(database: Database, schema: str) -> dict[str, list[str]]:
    """All rows of all tables, as text; without the feed's epoch."""
    with postgres.connect(database.cluster.owner) as db:
        names = [str(row[0]) for row in db.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (schema,))]
        found = {
            name: sorted(str(row[0]) for row in db.execute(f'SELECT t::text FROM {schema}."{name}" t'.encode()))
            for name in names
        }
    found.pop("core_feed_counter")
    return found


def guards(database: Database, schema: str) -> list[Any]:
    """Triggers and constraints, and whether they are on.

    PostgreSQL writes a rule that was read back from a dump with other casts and brackets.
    """
    with postgres.connect(database.cluster.owner) as db:
        found = db.execute(
            "SELECT replace(tgrelid::regclass::text, %(s)s, ''), tgname::text, tgenabled::text FROM pg_trigger t "
            "JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = %(s)s::regnamespace AND NOT tgisinternal "
            "UNION ALL SELECT replace(conrelid::regclass::text, %(s)s, ''), conname::text, "
            "replace(pg_get_constraintdef(oid), %(s)s, '') FROM pg_constraint "
            "WHERE connamespace = %(s)s::regnamespace ORDER BY 1, 2, 3",
            {"s": schema},
        ).fetchall()
    return [(table, name, re.sub(r"::[a-z]+( varying)?(\[\])?|[()]", "", said)) for table, name, said in found]


async def epoch(database: Database, tenant: TenantRef) -> str:
    async with database.tenant_session(tenant.id) as db:
        return (await feed.bounds(db)).epoch


async def test_a_copy_beside_the_original_has_every_row_and_every_guard_and_another_epoch(
    database: Database, tenant: TenantRef, tmp_path: Path
) -> None:
    device = await lived_in(database, tenant)
    path = tmp_path / "acme.export"
    manifest = await transfer.export_tenant(database, tenant, path, FILES.of)
    assert manifest.tables["identity_user"].rows == 1
    assert path.stat().st_mode & 0o777 == 0o600
    before = content(database, tenant.schema)
    made = await transfer.import_tenant(database, path, FILES.of, f"copy_{secrets.token_hex(3)}")
    assert content(database, made.schema) == before
    assert guards(database, made.schema) == guards(database, tenant.schema)
    assert await epoch(database, made) != await epoch(database, tenant)
    assert made.id != tenant.id
    assert made.name == tenant.name
    async with database.platform_session() as db:
        assert (await db.get_one(DeviceRow, device)).tenant_id == tenant.id, "the terminal changed hands"
    async with database.tenant_session(made.id, system(made.id)) as db:
        last = await db.scalar(text("SELECT max(seq) FROM core_audit"))
        audit.write(db, system(made.id), "test.note", "test", None)
    async with database.tenant_session(made.id) as db:
        assert await db.scalar(text("SELECT max(seq) FROM core_audit")) == last + 1, "the counter began anew"


async def test_a_month_of_the_audit_trail_that_the_new_schema_has_not_comes_with_its_guards(
    database: Database, tenant: TenantRef, tmp_path: Path
) -> None:
    with postgres.connect(database.cluster.owner) as db:
        db.execute(f"SET search_path = {tenant.schema}, public".encode())
        assert db.execute("SELECT core_audit_month('2020-03-01')").fetchone() == (True,)
    path = tmp_path / "acme.export"
    await transfer.export_tenant(database, tenant, path, FILES.of)
    made = await transfer.import_tenant(database, path, FILES.of, f"month_{secrets.token_hex(3)}")
    assert guards(database, made.schema) == guards(database, tenant.schema)
    with pytest.raises(DBAPIError, match="denied"):
        async with database.tenant_session(made.id) as session:
            await session.execute(text("DELETE FROM core_audit_y2020m03"))


async def test_a_tenant_that_is_not_here_keeps_its_id_and_its_terminals(
    database: Database, tenant: TenantRef, tmp_path: Path
) -> None:
    device = await lived_in(database, tenant)
    path = tmp_path / "acme.export"
    await transfer.export_tenant(database, tenant, path, FILES.of)
    with postgres.connect(database.cluster.owner) as db:  # another server, as far as this tenant goes
        db.execute("ALTER TABLE platform.tenant DISABLE TRIGGER keeps_its_name")
        db.execute("DELETE FROM platform.tenant WHERE id = %s", (tenant.id,))
        db.execute("ALTER TABLE platform.tenant ENABLE TRIGGER keeps_its_name")
        db.execute("DELETE FROM platform.device WHERE id = %s", (device,))
    await database.forget(tenant)
    postgres.drop_tenant_role(database.cluster.owner, tenant.schema)
    made = await transfer.import_tenant(database, path, FILES.of)
    assert made == tenant
    async with database.platform_session() as db:
        assert (await db.get_one(DeviceRow, device)).tenant_id == tenant.id


async def test_an_export_of_an_older_revision_arrives_at_the_newest(
    database: Database, tenant: TenantRef, tmp_path: Path
) -> None:
    with postgres.connect(database.cluster.owner) as db:
        db.execute(f"SET search_path = {tenant.schema}, public".encode())
    old = f"old_{secrets.token_hex(3)}"
    postgres.create_tenant_role(database.cluster.owner, database.cluster, f"t_{old}")
    migrate.upgrade(database.cluster.owner, "tenant", f"t_{old}", "0004")
    path = tmp_path / "old.export"
    company = parcel.Company(
        id=str(uuid.uuid4()), slug=old, legal_name="Old Foods", gs1_company_prefix="9501101", default_tz="UTC",
        country="US", currency="USD", regimes=["eu"],
    )  # fmt: skip
    ref = TenantRef(company.id, old, f"t_{old}", "Old Foods", "9501101", tenant.state)
    transfer._export(database.cluster.owner, ref, company, "2026-01-01", path, FILES.of(ref.schema))
    postgres.drop_tenant_role(database.cluster.owner, f"t_{old}")
    made = await transfer.import_tenant(database, path, FILES.of)
    async with database.tenant_session(made.id) as db:
        assert await db.scalar(text("SELECT version_num FROM alembic_version")) == migrate.head("tenant")


async def nothing_is_left(database: Database, slug: str) -> bool:
    with postgres.connect(database.cluster.owner) as db:
        found = db.execute(
            "SELECT 1 FROM pg_roles WHERE rolname = %(s)s UNION ALL SELECT 1 FROM pg_namespace WHERE nspname = %(s)s "
            "UNION ALL SELECT 1 FROM platform.tenant WHERE schema_name = %(s)s",
            {"s": f"t_{slug}"},
        ).fetchall()
    return found == []


async def test_a_file_that_is_not_whole_is_refused_and_nothing_is_made(
    database: Database, tenant: TenantRef, tmp_path: Path
) -> None:
    path, bad = tmp_path / "acme.export", tmp_path / "bad.export"
    await transfer.export_tenant(database, tenant, path, FILES.of)
    whole, slug = path.read_bytes(), f"bad_{secrets.token_hex(3)}"
    for at in [*range(4, len(whole), len(whole) // 40), len(whole) - 1]:
        bad.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(Invalid, match="export_damaged"):
            await transfer.import_tenant(database, bad, FILES.of, slug)
    for length in (10, len(whole) // 2, len(whole) - 1):
        bad.write_bytes(whole[:length])
        with pytest.raises(Invalid, match="export_damaged"):
            await transfer.import_tenant(database, bad, FILES.of, slug)
    for strange in (b"", b"a photo", b"PK\3"):
        bad.write_bytes(strange)
        with pytest.raises(Invalid, match="export_foreign"):
            await transfer.import_tenant(database, bad, FILES.of, slug)
    with pytest.raises(Invalid, match="export_missing"):
        await transfer.import_tenant(database, tmp_path / "none", FILES.of, slug)
    assert await nothing_is_left(database, slug)


def forged(source: Path, target: Path, manifest: dict[str, Any], rows: dict[str, bytes] | None = None) -> None:
    """The same file with something else in it, sealed as ours are."""
    with zipfile.ZipFile(source) as old, parcel.written(target) as new:
        for name in old.namelist():
            if name != parcel.MANIFEST:
                new.writestr(name, (rows or {}).get(name, old.read(name)))
            else:
                new.writestr(name, json.dumps(json.loads(old.read(name)) | manifest))


FORGERIES: dict[str, tuple[dict[str, Any], str]] = {
    "another product's": ({"format": "other"}, "export_foreign"),
    "a later format": ({"version": 99}, "export_too_new"),
    "a later revision": ({"revision": "9999"}, "export_too_new"),
    "other tables": ({"tables": {}}, "export_foreign"),
    "SQL for bounds": (
        {"partitions": [{"table": "x", "parent": "core_audit", "bounds": "DEFAULT; DROP TABLE core_audit"}]},
        "export_foreign",
    ),
    "a list without end": ({"missing": ["0" * parcel.MAX_MANIFEST_BYTES]}, "export_foreign"),
    "more than we know": ({"surprise": 1}, "export_foreign"),
}


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_file_that_says_what_cannot_be_is_refused_and_nothing_is_made(
    database: Database, tenant: TenantRef, tmp_path: Path, name: str
) -> None:
    path, bad = tmp_path / "acme.export", tmp_path / "bad.export"
    await transfer.export_tenant(database, tenant, path, FILES.of)
    change, code = FORGERIES[name]
    forged(path, bad, change)
    slug = f"bad_{secrets.token_hex(3)}"
    with pytest.raises(Invalid, match=code):
        await transfer.import_tenant(database, bad, FILES.of, slug)
    assert await nothing_is_left(database, slug)


async def test_rows_that_are_not_those_of_the_manifest_or_break_a_rule_are_refused_and_nothing_is_made(
    database: Database, tenant: TenantRef, tmp_path: Path
) -> None:
    await lived_in(database, tenant)
    path, bad = tmp_path / "acme.export", tmp_path / "bad.export"
    await transfer.export_tenant(database, tenant, path, FILES.of)
    slug = f"bad_{secrets.token_hex(3)}"
    forged(path, bad, {}, {"tables/identity_user": b""})
    with pytest.raises(Invalid, match="export_damaged"):
        await transfer.import_tenant(database, bad, FILES.of, slug)
    with zipfile.ZipFile(path) as old:
        tables = json.loads(old.read(parcel.MANIFEST))["tables"]
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    tables["identity_user"] |= {"rows": 0, "sha256": empty}
    forged(path, bad, {"tables": tables}, {"tables/identity_user": b""})
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        await transfer.import_tenant(database, bad, FILES.of, slug)
    assert await nothing_is_left(database, slug)


async def test_a_name_that_is_taken_is_refused(database: Database, tenant: TenantRef, tmp_path: Path) -> None:
    path = tmp_path / "acme.export"
    await transfer.export_tenant(database, tenant, path, FILES.of)
    with pytest.raises(Refused, match="tenant_exists"):
        await transfer.import_tenant(database, path, FILES.of)


async def test_what_is_written_meanwhile_is_not_half_in_the_file(
    database: Database, tenant: TenantRef, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One snapshot: a row that is stored between two tables is in neither."""
    real = transfer._copy_out

    def beside(db: Any, what: Any, columns: Any, into: Any, member: str) -> parcel.Part:
        made = real(db, what, columns, into, member)
        if member == "tables/core_audit":
            with postgres.connect(database.cluster.owner) as other:
                other.execute(f"INSERT INTO {tenant.schema}.core_feed_counter VALUES (1, 'late', 0, 0)".encode())
        return made

    monkeypatch.setattr(transfer, "_copy_out", beside)
    manifest = await transfer.export_tenant(database, tenant, tmp_path / "acme.export", FILES.of)
    assert list(manifest.tables).index("core_audit") < list(manifest.tables).index("core_feed_counter")
    assert manifest.tables["core_feed_counter"].rows == 0


async def test_an_export_of_many_rows_is_not_held_in_memory(
    database: Database, tenant: TenantRef, tmp_path: Path
) -> None:
    with postgres.connect(database.cluster.owner) as db:
        db.execute(
            f"INSERT INTO {tenant.schema}.core_feed_row (seq, entity, row_id, version, retired, at, data) "
            "SELECT n, 'x', gen_random_uuid(), 1, false, now(), repeat(md5(n::text), 30) "
            "FROM generate_series(1, 30000) n".encode()
        )
    path, slug = tmp_path / "acme.export", f"many_{secrets.token_hex(3)}"
    tracemalloc.start()
    try:
        await transfer.export_tenant(database, tenant, path, FILES.of)
        made = await transfer.import_tenant(database, path, FILES.of, slug)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12_000_000, "30 MB of rows went through memory at once"
    async with database.tenant_session(made.id) as db:
        assert await db.scalar(text("SELECT count(*) FROM core_feed_row")) == 30_000


async def test_what_was_safe_on_another_server_is_not_safe_here(
    database: Database, tenant: TenantRef, tmp_path: Path
) -> None:
    device = uuid.uuid4()
    async with database.tenant_session(tenant.id) as db:
        db.add(
            SyncSafe(
                device_id=device, incarnation=device, lane=0, seq=3, backup="there", verified_at=database.clock.now()
            )
        )
    file = tmp_path / "out.zip"
    await transfer.export_tenant(database, tenant, file, FILES.of)
    made = await transfer.import_tenant(database, file, FILES.of, f"safe_{secrets.token_hex(3)}")
    async with database.tenant_session(made.id) as db:
        assert (await db.scalars(select(SyncSafe))).all() == []


async def with_files(database: Database, tenant: TenantRef, tmp_path: Path) -> list[bytes]:
    """Three files: whole, gone from the store, and not what it was; their hashes."""
    contents = [b"a photo" * 100_000, b"gone", b"as it was given"]
    hashes = [hashlib.sha256(content).digest() for content in contents]
    async with database.tenant_session(tenant.id) as db:
        for content, sha256 in zip(contents, hashes, strict=True):
            row = {"sha256": sha256, "size": len(content), "media_type": "image/png", "storage_key": blob_key(sha256)}
            db.add(Blob(**row, stored_at=database.clock.now()))
    stored = tmp_path / "content"
    for content, sha256 in ((contents[0], hashes[0]), (b"as it is now...", hashes[2])):
        stored.write_bytes(content)
        FILES.of(tenant.schema).take_blob(sha256, stored)
    return hashes


async def test_attached_files_leave_and_come_with_the_rows(
    database: Database, tenant: TenantRef, tmp_path: Path
) -> None:
    whole, gone, other = await with_files(database, tenant, tmp_path)
    path = tmp_path / "acme.export"
    manifest = await transfer.export_tenant(database, tenant, path, FILES.of)
    assert manifest.files == {whole.hex(): 700_000}
    assert sorted(manifest.missing) == sorted([gone.hex(), other.hex()])
    made = await transfer.import_tenant(database, path, FILES.of, f"files_{secrets.token_hex(3)}")
    here = FILES.of(made.schema)
    assert b"".join(here.blob(whole, 700_000)) == b"a photo" * 100_000
    for sha256 in (gone, other):
        with pytest.raises(FileNotFoundError):
            list(here.blob(sha256, 4))


async def test_files_of_a_company_that_could_not_be_made_are_not_left_behind(
    database: Database, tenant: TenantRef, tmp_path: Path
) -> None:
    await with_files(database, tenant, tmp_path)
    path, slug = tmp_path / "acme.export", f"fails_{secrets.token_hex(3)}"
    await transfer.export_tenant(database, tenant, path, FILES.of)

    def stored() -> list[str]:
        return sorted(each["path"] for page in FILES.store.list() for each in page)

    before = stored()

    async def fails(_db: AsyncSession) -> None:
        assert len(stored()) == len(before) + 1
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await transfer.import_tenant(database, path, FILES.of, slug, fails)
    assert stored() == before


async def test_an_attached_file_that_is_not_what_its_name_says_is_refused(
    database: Database, tenant: TenantRef, tmp_path: Path
) -> None:
    whole, _, _ = await with_files(database, tenant, tmp_path)
    path, bad = tmp_path / "acme.export", tmp_path / "bad.export"
    await transfer.export_tenant(database, tenant, path, FILES.of)
    forged(path, bad, {}, {f"files/{whole.hex()}": b"something else"})
    with pytest.raises(Invalid, match="export_damaged"):
        await transfer.import_tenant(database, bad, FILES.of, f"bad_{secrets.token_hex(3)}")
