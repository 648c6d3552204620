"""Files: every byte arrives once, nothing is believed, and only what is clean is served."""

from __future__ import annotations

import asyncio
import hashlib
import io
import resource
import struct
import tempfile
import uuid
import zipfile
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, insert, literal, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.errors import Invalid
from foodflow_kernel.ids import new_id
from server import seed
from server.core.actor import system
from server.core.audit import AuditRow
from server.core.db.sessions import Database, TenantRef
from server.core.files import judging, kinds, scanning, serving, uploads
from server.core.files.store import Files, TenantFiles, blob_key
from server.core.models import Attachment, AttachmentLink, Blob, Notification
from server.core.settings import Settings
from tests.server.conftest import PASSWORD, SignIn, a_plant
from tests.server.identity.staff import Staff

K64 = uploads.CHUNK_LEAST


def png(payload: bytes = b"") -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0\0\0\0")
    parts = (chunk(b"IHDR", header), chunk(b"tEXt", payload), chunk(b"IDAT", pixels), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def archive(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return made.getvalue()


DOCX = archive("[Content_Types].xml", "word/document.xml")


@pytest_asyncio.fixture(loop_scope="session", params=["folder", "memory:///"])
async def files(request: pytest.FixtureRequest, app: FastAPI, tmp_path: Path) -> AsyncIterator[Files]:
    """The application's store: a folder of this test's own, and an object store."""
    url = "" if request.param == "folder" else request.param
    before, app.state.files = app.state.files, Files(Settings(data_folder=tmp_path, files_url=url))
    yield app.state.files
    await app.state.later.finish()
    app.state.files = before


@pytest.fixture
def limits(app: FastAPI) -> Iterator[dict[str, Any]]:
    """Settings of the application for one test."""
    before, over = app.state.settings, {}
    yield over
    app.state.settings = before


def refused(answer: httpx.Response, status: int, code: str, **data: Any) -> bool:
    said = answer.json()
    assert (answer.status_code, said["code"]) == (status, code), answer.text
    assert {name: said[name] for name in data} == data
    return True


async def begin(client: httpx.AsyncClient, content: bytes, **over: Any) -> httpx.Response:
    given = {"filename": "photo.png", "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return await client.post("/attachments", json=given | over)


async def put(client: httpx.AsyncClient, upload: str, offset: int, body: bytes) -> httpx.Response:
    return await client.put(f"/attachments/{upload}/chunk", params={"offset": offset}, content=body)


async def sent(client: httpx.AsyncClient, content: bytes, **over: Any) -> str:
    begun = await begin(client, content, **over)
    assert begun.status_code == 201, begun.text
    upload = str(begun.json()["id"])
    for start in range(0, len(content), uploads.CHUNK_MOST):
        answer = await put(client, upload, start, content[start : start + uploads.CHUNK_MOST])
        assert answer.status_code == 200, answer.text
    return upload


async def uploaded(app: FastAPI, client: httpx.AsyncClient, content: bytes, **over: Any) -> str:
    upload = await sent(client, content, **over)
    done = await client.post(f"/attachments/{upload}:complete")
    assert (done.status_code, done.json()["state"] in ("pending", "clean")) == (200, True), done.text
    await app.state.later.finish()
    return upload


async def state(client: httpx.AsyncClient, upload: str) -> str:
    return str((await client.get(f"/attachments/{upload}")).json()["state"])


async def count(database: Database, tenant: TenantRef, model: type[Any]) -> int:
    async with database.tenant_session(tenant.id) as db:
        return await db.scalar(select(func.count()).select_from(model)) or 0


async def keys(files: Files, tenant: TenantRef) -> list[str]:
    return sorted([each["path"] async for page in files.store.list(tenant.schema) for each in page])


@pytest.mark.usefixtures("files")
async def test_a_file_comes_back_byte_by_byte_and_harmless(app: FastAPI, tenant: TenantRef, sign_in: SignIn) -> None:
    client = await sign_in(tenant, "OP")
    content = png(b"x" * (uploads.CHUNK_MOST + 100_000))
    upload = await uploaded(app, client, content, filename='Käse "1";.html', taken_at="2026-11-23T08:00:00Z")
    row = (await client.get(f"/attachments/{upload}")).json()
    assert (row["state"], row["media_type"], row["size"], row["received"]) == (
        "clean",
        "image/png",
        len(content),
        len(content),
    )
    answer = await client.get(f"/attachments/{upload}/content")
    assert (answer.status_code, answer.content) == (200, content)
    said = answer.headers
    assert said["content-disposition"] == "attachment; filename*=UTF-8''K%C3%A4se%20%221%22%3B.html"
    assert (said["content-type"], said["x-content-type-options"]) == ("image/png", "nosniff")
    assert "sandbox" in said["content-security-policy"]
    part = await client.get(f"/attachments/{upload}/content", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content, part.headers["content-range"]) == (
        206,
        content[10:20],
        f"bytes 10-19/{len(content)}",
    )
    rest = await client.get(f"/attachments/{upload}/content", headers={"Range": "bytes=-7"})
    assert rest.content == content[-7:]
    beyond = await client.get(f"/attachments/{upload}/content", headers={"Range": f"bytes={len(content)}-"})
    assert refused(beyond, 416, "range_unsatisfiable")
    assert beyond.headers["content-range"] == f"bytes */{len(content)}"
    stale = await client.get(f"/attachments/{upload}/content", headers={"Range": "bytes=1-2", "If-Range": '"other"'})
    assert (stale.status_code, len(stale.content)) == (200, len(content))
    known = await client.get(f"/attachments/{upload}/content", headers={"If-None-Match": said["etag"]})
    assert (known.status_code, known.content) == (304, b"")


@settings(max_examples=300, deadline=None)
@given(st.text("bytes= -,0123456789", max_size=20), st.integers(1, 1000))
def test_any_range_is_a_part_of_the_file_or_none(header: str, size: int) -> None:
    part = serving.part_of(header, size)
    if part is not None:
        start, end, is_part = part
        assert 0 <= start < end <= size
        assert is_part or (start, end) == (0, size)


async def test_an_upload_goes_on_where_it_was_cut(
    app: FastAPI, files: Files, tenant: TenantRef, sign_in: SignIn
) -> None:
    client = await sign_in(tenant, "OP")
    content = png(b"y" * (3 * K64))
    upload = str((await begin(client, content)).json()["id"])
    assert (await put(client, upload, 0, content[:K64])).json()["received"] == K64
    for _ in range(2):
        again = await put(client, upload, 0, content[:K64])
        assert (again.status_code, again.json()["received"]) == (200, K64), "the same chunk again"
    assert refused(await put(client, upload, 0, b"z" * K64), 409, "chunk_differs", offset=K64)
    assert refused(await put(client, upload, 2 * K64, content[:K64]), 409, "chunk_offset_wrong", offset=K64)
    assert refused(await put(client, upload, K64 - 1, content[:K64]), 409, "chunk_offset_wrong", offset=K64)
    assert refused(await put(client, upload, K64, b""), 422, "chunk_empty")
    assert refused(await put(client, upload, K64, b"x"), 422, "chunk_too_small")
    assert refused(await put(client, upload, K64, b"x" * 4 * K64), 409, "chunk_beyond_end")
    assert refused(await put(client, upload, K64, b"x" * (uploads.CHUNK_MOST + 1)), 413, "chunk_too_large")
    assert refused(await client.post(f"/attachments/{upload}:complete"), 409, "upload_incomplete", offset=K64)
    told = (await client.get(f"/attachments/{upload}/chunk")).json()
    assert (told["received"], told["size"]) == (K64, len(content))
    assert (await put(client, upload, K64, content[K64:])).status_code == 200
    for _ in range(2):
        assert (await client.post(f"/attachments/{upload}:complete")).status_code == 200
    await app.state.later.finish()
    assert refused(await put(client, upload, 0, content[:K64]), 409, "illegal_move")
    assert (await client.get(f"/attachments/{upload}/content")).content == content
    assert all("/blobs/" in key for key in await keys(files, tenant)), "nothing of the upload is left"


@pytest.mark.usefixtures("files")
async def test_one_chunk_sent_twice_at_once_is_taken_once(tenant: TenantRef, sign_in: SignIn) -> None:
    client = await sign_in(tenant, "OP")
    content = png(b"y" * (2 * K64))
    upload = str((await begin(client, content)).json()["id"])
    answers = await asyncio.gather(*(put(client, upload, 0, content[:K64]) for _ in range(4)))
    assert {(answer.status_code, answer.json()["received"]) for answer in answers} == {(200, K64)}
    bodies = [content[K64:], b"q" * (len(content) - K64)]
    answers = await asyncio.gather(*(put(client, upload, K64, body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_completing_at_once_stores_it_once(
    app: FastAPI, files: Files, database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    client = await sign_in(tenant, "OP")
    upload = await sent(client, png())
    answers = await asyncio.gather(*(client.post(f"/attachments/{upload}:complete") for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    await app.state.later.finish()
    assert (await state(client, upload), await count(database, tenant, Blob), len(await keys(files, tenant))) == (
        "clean",
        1,
        1,
    )
    async with database.tenant_session(tenant.id) as db:
        asked = select(AuditRow.action).where(AuditRow.entity == "core.attachment").order_by(AuditRow.seq)
        assert [each.rpartition(".")[2] for each in await db.scalars(asked)] == ["create", "complete", "pass"]


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(("of", "name", "is_before"), [(uploads, "own", False), (TenantFiles, "get", True)])
async def test_who_completes_it_after_another_and_finds_no_chunks_is_answered_the_same(
    app: FastAPI,
    tenant: TenantRef,
    sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
    of: Any,
    name: str,
    is_before: bool,
) -> None:
    """The other one is done after this one's upload was looked at, or before its first chunk is read."""
    client = await sign_in(tenant, "OP")
    upload = await sent(client, png())
    first: list[httpx.Response] = []
    step = getattr(of, name)

    async def late(*given: Any, **how: Any) -> Any:
        monkeypatch.setattr(of, name, step)
        found = None if is_before else await step(*given, **how)
        first.append(await client.post(f"/attachments/{upload}:complete"))
        return await step(*given, **how) if is_before else found

    monkeypatch.setattr(of, name, late)
    second = await client.post(f"/attachments/{upload}:complete")
    assert (first[0].status_code, second.status_code) == (200, 200), second.text
    later = {"state": second.json()["state"]}  # it may be judged in between
    assert first[0].json() | later == second.json()
    await app.state.later.finish()


async def test_the_same_bytes_are_stored_once_for_a_company_and_never_shared_with_another(
    app: FastAPI, files: Files, database: Database, two_tenants: tuple[TenantRef, TenantRef], sign_in: SignIn
) -> None:
    mine, other = two_tenants
    first, second, stranger = await sign_in(mine, "OP"), await sign_in(mine, "QT"), await sign_in(other, "OP")
    content = png(b"same")
    ids = [await uploaded(app, each, content, filename=f"{n}.png") for n, each in enumerate((first, second))]
    assert len(set(ids)) == 2
    assert (await count(database, mine, Blob), len(await keys(files, mine))) == (1, 1)
    begun = await begin(stranger, content)
    assert begun.json()["received"] == 0, "who has only the hash gets no bytes"
    theirs = await uploaded(app, stranger, content)
    assert len(await keys(files, other)) == 1
    assert not set(await keys(files, mine)) & set(await keys(files, other))
    for client, upload in ((stranger, ids[0]), (first, theirs)):
        for method, path in (
            ("GET", ""),
            ("GET", "/content"),
            ("GET", "/links"),
            ("GET", "/chunk"),
            ("POST", ":complete"),
        ):
            assert refused(await client.request(method, f"/attachments/{upload}{path}"), 404, "record_unknown")


@pytest.mark.usefixtures("files")
async def test_nobody_adds_to_the_upload_of_another(tenant: TenantRef, sign_in: SignIn) -> None:
    client, other = await sign_in(tenant, "OP"), await sign_in(tenant, "OP")
    content = png()
    upload = str((await begin(client, content)).json()["id"])
    assert refused(await put(other, upload, 0, content), 404, "record_unknown")
    assert refused(await other.get(f"/attachments/{upload}/chunk"), 404, "record_unknown")
    assert refused(await other.post(f"/attachments/{upload}:complete"), 404, "record_unknown")


@pytest.mark.usefixtures("files")
async def test_another_plant_sees_no_file_of_this_one(
    app: FastAPI, database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    here, there = await a_plant(database, tenant), await a_plant(database, tenant, "P2")
    client, other = await sign_in(tenant, "OP", here), await sign_in(tenant, "OP", there)
    upload = await uploaded(app, client, png())
    assert (await client.get(f"/attachments/{upload}")).json()["plant_id"] == str(here), (
        "of the only plant there is for them"
    )
    assert refused(await other.get(f"/attachments/{upload}/content"), 404, "record_unknown")
    assert refused(await begin(client, png(), plant_id=str(there)), 404, "record_unknown")


async def test_who_works_at_two_plants_says_where_a_file_is_from(
    app: FastAPI, database: Database, tenant: TenantRef
) -> None:
    staff = await Staff.hire(app, database, tenant)
    worker = await staff.person("OP", plant=staff.plant)
    admin, role_id = await staff.person("TA"), await staff.system_role("OP")
    assert (await staff.give(admin, worker, role_id, plant_id=staff.other_plant)).status_code == 201
    assert refused(await begin(worker.client, png()), 422, "attachment_plant_missing")
    assert (await begin(worker.client, png(), plant_id=str(staff.other_plant))).status_code == 201


async def test_a_file_whose_bytes_are_gone_is_said_to_be_lost(
    app: FastAPI, files: Files, tenant: TenantRef, sign_in: SignIn
) -> None:
    client = await sign_in(tenant, "OP")
    upload = await uploaded(app, client, png())
    for key in await keys(files, tenant):
        await files.store.delete_async(key)
    assert refused(await client.get(f"/attachments/{upload}/content"), 404, "file_lost")
    begun = await sent(client, png(b"another"))
    (chunk,) = await keys(files, tenant)
    await files.store.delete_async(chunk)
    assert refused(await client.post(f"/attachments/{begun}:complete"), 404, "file_lost")
    assert await state(client, begun) == "open"


async def test_a_file_is_of_a_plant_that_there_is(
    database: Database, two_tenants: tuple[TenantRef, TenantRef], sign_in: SignIn
) -> None:
    mine, other = two_tenants
    theirs, admin = await a_plant(database, other), await sign_in(mine, "TA")
    for plant in (theirs, uuid.uuid4()):
        assert refused(await begin(admin, png(), plant_id=str(plant)), 422, "reference_unknown")
    here = await a_plant(database, mine)
    assert (await begin(admin, png(), plant_id=str(here))).status_code == 201


async def test_bytes_that_are_not_what_was_announced_leave_nothing(
    files: Files, database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    client = await sign_in(tenant, "OP")
    upload = await sent(client, png(b"told"), sha256=hashlib.sha256(b"other").hexdigest())
    assert refused(await client.post(f"/attachments/{upload}:complete"), 409, "upload_differs")
    assert (await keys(files, tenant), await count(database, tenant, Attachment)) == ([], 0)
    assert refused(await client.post(f"/attachments/{upload}:complete"), 404, "record_unknown")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (png(), "image/png"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(50) + b"\xff\xd9", "image/jpeg"),
        (b"GIF89a" + bytes(20) + b";", "image/gif"),
        (b"RIFF\x24\0\0\0WEBPVP8 " + bytes(20), "image/webp"),
        (b"\0\0\0\x18ftypheic" + bytes(20), "image/heif"),
        (b"%PDF-1.7\n...%%EOF", "application/pdf"),
        (DOCX, kinds.OFFICE["word/"]),
        (archive("[Content_Types].xml", "xl/workbook.xml"), kinds.OFFICE["xl/"]),
        (b"lot,weight\n1,2.5\n2,2.6\n", "text/csv"),
        ("Käse; gut\n".encode(), "text/plain"),
        (b"a", "text/plain"),
        # refused
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", None),
        (b"\xef\xbb\xbf <?xml version='1.0'?><svg/>", None),
        (b"<!DOCTYPE html><html></html>", None),
        (b"  <ScRiPt>alert(1)</ScRiPt>", None),
        (b"#!/bin/sh\nrm -rf /\n", None),
        (b"<?php system($_GET[0]);", None),
        (b"MZ" + bytes(100), None),
        (b"\x7fELF" + bytes(100), None),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), None),
        (archive("a.txt"), None),
        (archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), None),
        (archive("[Content_Types].xml", "word/document.xml", "xl/workbook.xml"), None),
        (archive("[Content_Types].xml", "word/document.xml", "word/embeddings/oleObject1.bin"), None),
        (DOCX[:-30], None),
        (b"PK\x03\x04" + bytes(100), None),
        (b"text\0with a zero", None),
        (b"\xff\xfe\x00not text", None),
        (bytes(100), None),
        (b"\0\0\0\x18ftypisom" + bytes(20), None),
    ],
)  # fmt: skip
def test_what_a_file_is_its_bytes_say(content: bytes, kind: str | None) -> None:
    assert kinds.kind_of(io.BytesIO(content)) == kind


def test_an_archive_that_is_all_directory_is_not_opened() -> None:
    many = archive("[Content_Types].xml", "word/document.xml", *(f"word/{n}" for n in range(10_000)))
    assert kinds.kind_of(io.BytesIO(many)) is None


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=400)
    | st.binary(max_size=200).map(lambda tail: b"PK\x03\x04" + tail)
    | st.binary(max_size=99).map(lambda tail: DOCX[:-22] + tail)
)
def test_any_bytes_have_an_allowed_kind_or_none(content: bytes) -> None:
    assert kinds.kind_of(io.BytesIO(content)) in kinds.ALLOWED | {None}


async def test_a_refused_type_leaves_nothing_whatever_it_is_called(
    files: Files, database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    client = await sign_in(tenant, "OP")
    upload = await sent(client, b"<svg onload='alert(1)'/>", filename="photo.png")
    assert refused(await client.post(f"/attachments/{upload}:complete"), 422, "file_type_refused")
    assert (await keys(files, tenant), await count(database, tenant, Attachment)) == ([], 0)


@pytest.mark.usefixtures("files")
async def test_the_test_virus_is_found_and_never_served(
    app: FastAPI, database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    client, admin = await sign_in(tenant, "OP"), await sign_in(tenant, "TA")
    upload = await uploaded(app, client, b"note\n" * 60_000 + scanning.EICAR)
    assert await state(client, upload) == "infected"
    assert refused(await client.get(f"/attachments/{upload}/content"), 409, "file_not_clean", state="infected")
    async with database.tenant_session(tenant.id) as db:
        row = (await db.scalars(select(Notification))).one()
        assert (row.category, str(row.entity_id)) == ("core.file_infected", upload)
    for person in (client, admin):
        assert (await person.get("/notifications")).json()["unread"] == 1
    again = await admin.post(f"/attachments/{upload}:rescan", json={})
    assert refused(again, 409, "illegal_move")


@pytest.mark.parametrize("split", [1, 30, 67])
async def test_the_test_virus_is_found_across_pieces(split: int) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"x" * 100 + scanning.EICAR[:split]
        yield scanning.EICAR[split:] + b"x"

    assert await scanning.BuiltIn().scan(pieces()) == "Eicar-Test-Signature"


class Clamd:
    """A daemon that speaks INSTREAM on a real socket."""

    def __init__(self) -> None:
        self.says = b"stream: OK\0"
        self.got = b""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(10) == b"zINSTREAM\0"
        self.got = b""
        while size := struct.unpack("!L", await reader.readexactly(4))[0]:
            self.got += await reader.readexactly(size)
        writer.write(b"stream: Eicar FOUND\0" if scanning.EICAR in self.got else self.says)
        await writer.drain()
        writer.close()


@pytest_asyncio.fixture(loop_scope="session", params=["tcp", "unix"])
async def clamd(request: pytest.FixtureRequest, app: FastAPI) -> AsyncIterator[Clamd]:
    made, before = Clamd(), app.state.scanner
    with tempfile.TemporaryDirectory() as folder:
        if request.param == "tcp":
            server = await asyncio.start_server(made.talk, "127.0.0.1", 0)
            address = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        else:
            server = await asyncio.start_unix_server(made.talk, f"{folder}/clamd")
            address = f"unix://{folder}/clamd"
        app.state.scanner = scanning.from_settings(Settings(scanner=address))
        async with server:
            yield made
        app.state.scanner = before


@pytest.mark.usefixtures("files")
async def test_clamav_decides_when_it_is_there(app: FastAPI, clamd: Clamd, tenant: TenantRef, sign_in: SignIn) -> None:
    client = await sign_in(tenant, "OP")
    content = png(b"x" * 600_000)
    assert await state(client, await uploaded(app, client, content)) == "clean"
    assert clamd.got == content
    assert await state(client, await uploaded(app, client, scanning.EICAR)) == "infected"


@pytest.mark.usefixtures("files")
async def test_what_could_not_be_scanned_is_not_served_and_tried_again(
    app: FastAPI, clamd: Clamd, database: Database, tenant: TenantRef, sign_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    client, admin = await sign_in(tenant, "OP"), await sign_in(tenant, "TA")
    clamd.says = b"INSTREAM size limit exceeded. ERROR\0"
    upload = await uploaded(app, client, png())
    assert await state(client, upload) == "failed"
    assert refused(await client.get(f"/attachments/{upload}/content"), 409, "file_not_clean", state="failed")
    for _ in range(judging.MAX_TRIES + 2):
        await judging.judge_waiting(app, tenant)
    async with database.tenant_session(tenant.id) as db:
        assert (await db.scalars(select(Attachment.scan_tries))).one() == judging.MAX_TRIES
    clamd.says = b"stream: OK\0"
    await judging.judge_waiting(app, tenant)
    assert await state(client, upload) == "failed", "after many tries a person must ask"
    assert (await admin.post(f"/attachments/{upload}:rescan", json={})).json()["state"] == "pending"
    await judging.judge_waiting(app, tenant)
    assert await state(client, upload) == "clean"
    assert "could not be scanned" in caplog.text


@pytest.mark.usefixtures("files")
async def test_a_scanner_that_hangs_up_is_no_verdict(
    app: FastAPI, clamd: Clamd, tenant: TenantRef, sign_in: SignIn
) -> None:
    clamd.says = b""
    client = await sign_in(tenant, "OP")
    assert await state(client, await uploaded(app, client, png())) == "failed"


async def test_a_scanner_that_is_not_there_is_no_verdict() -> None:
    async def nothing() -> AsyncIterator[bytes]:
        yield b"x"

    for address in ("tcp://127.0.0.1:1", "unix:///no/such/socket"):
        with pytest.raises(OSError):  # noqa: PT011  # whichever the system gives
            await scanning.ClamAv(address).scan(nothing())
    with pytest.raises(Invalid, match="setting_invalid"):
        scanning.ClamAv("http://scanner")


@pytest.mark.usefixtures("files")
async def test_a_stranger_cannot_fill_the_disk(
    app: FastAPI, tenant: TenantRef, sign_in: SignIn, limits: dict[str, Any]
) -> None:
    client, other = await sign_in(tenant, "OP"), await sign_in(tenant, "OP")
    answers = await asyncio.gather(*(begin(client, png(bytes([n]))) for n in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [429] * 3
    assert all(refused(each, 429, "uploads_open") for each in answers if each.status_code == 429)
    assert answers[-1].headers.get("retry-after") in ("60", None)
    assert refused(await begin(client, png(), size=50 * 1024 * 1024 + 1), 413, "file_too_large")
    app.state.settings = app.state.settings.model_copy(update={"files_quota_mb": 1} | limits)
    assert (await begin(other, png(), size=900 * 1024)).status_code == 201
    assert refused(await begin(other, png(), size=900 * 1024), 413, "files_full", quota_mb=1)


async def test_an_upload_nobody_adds_to_is_given_up(
    app: FastAPI, files: Files, database: Database, tenant: TenantRef, sign_in: SignIn, frozen: FakeClock
) -> None:
    client = await sign_in(tenant, "OP")
    content = png(b"y" * (2 * K64))
    old = str((await begin(client, content)).json()["id"])
    await put(client, old, 0, content[:K64])
    done = await uploaded(app, client, png())
    frozen.advance(23 * 3600)
    await judging.clear(app, tenant)
    assert await count(database, tenant, Attachment) == 2
    frozen.advance(2 * 3600)
    for _ in range(2):
        await judging.clear(app, tenant)
    async with database.tenant_session(tenant.id) as db:
        assert [str(each) for each in await db.scalars(select(Attachment.id))] == [done]
    assert len(await keys(files, tenant)) == 1


@pytest.mark.parametrize("name", ["", "a/b", "..\\b", "a\u0000b", "a\nb", "x" * 201, "\u202egnp.exe"])
async def test_a_name_that_is_a_path_or_a_trick_is_refused(tenant: TenantRef, sign_in: SignIn, name: str) -> None:
    client = await sign_in(tenant, "OP")
    assert refused(await begin(client, png(), filename=name), 422, "request_invalid")


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-12-24T00:00:00Z"])
async def test_a_photo_is_not_from_another_time(tenant: TenantRef, sign_in: SignIn, at: str) -> None:
    client = await sign_in(tenant, "OP")
    assert refused(await begin(client, png(), taken_at=at), 422, "taken_at_bad")


@pytest.mark.usefixtures("files")
async def test_a_file_belongs_to_records_that_are_there(
    app: FastAPI, two_tenants: tuple[TenantRef, TenantRef], database: Database, sign_in: SignIn
) -> None:
    tenant, other = two_tenants
    client, sv = await sign_in(tenant, "QT"), await sign_in(tenant, "SV")
    here, theirs = str(await a_plant(database, tenant)), str(await a_plant(database, other))
    upload = await sent(client, png())
    given = {"entity": "core.plant", "entity_id": here, "kind": "photo"}
    path = f"/attachments/{upload}/links"
    assert refused(await client.post(path, json=given), 409, "upload_incomplete")
    await client.post(f"/attachments/{upload}:complete")
    await app.state.later.finish()
    first, again = await client.post(path, json=given), await client.post(path, json=given)
    assert (first.status_code, first.json()) == (201, again.json())
    assert (await client.get(path)).json() == [first.json()]
    assert refused(await client.post(path, json=given | {"entity_id": theirs}), 404, "record_unknown")
    assert refused(await client.post(path, json=given | {"entity": "no.such"}), 422, "entity_unknown")
    one = f"{path}/{first.json()['id']}"
    assert refused(await client.delete(one, params={"reason": "wrong record"}), 403, "permission_missing")
    assert (await sv.delete(one)).status_code == 422
    assert (await sv.delete(one, params={"reason": "wrong record"})).status_code == 204
    assert refused(await sv.delete(one, params={"reason": "wrong record"}), 404, "record_unknown")
    assert (await client.get(path)).json() == []
    assert (await client.get(f"/attachments/{upload}")).status_code == 200


@pytest.mark.usefixtures("files")
async def test_what_a_file_belongs_to_is_told_to_who_may_read_that(
    app: FastAPI, database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    await seed.plant(database, tenant)
    qm, mechanic = await sign_in(tenant, "QM"), await sign_in(tenant, "MT")
    hold = (await qm.get("/fsq/holds", params={"filter[state][eq]": "open"})).json()["items"][0]["id"]
    path = f"/attachments/{await uploaded(app, qm, png())}/links"
    link = (await qm.post(path, json={"entity": "fsq.hold", "entity_id": hold})).json()
    assert (await qm.get(path)).json() == [link]
    assert (await mechanic.get(path)).json() == [], "the id of a hold that a mechanic may not read"


@pytest.mark.usefixtures("files")
async def test_nothing_is_taken_away_from_a_signed_record(
    app: FastAPI, database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    await seed.plant(database, tenant)
    qm = await sign_in(tenant, "QM")
    hold = (await qm.get("/fsq/holds", params={"filter[state][eq]": "open"})).json()["items"][0]["id"]
    upload = await uploaded(app, qm, png())
    link = (await qm.post(f"/attachments/{upload}/links", json={"entity": "fsq.hold", "entity_id": hold})).json()
    signed = {"reason": "retested, in order", "signature": {"password": PASSWORD, "meaning": "released"}}
    assert (await qm.post(f"/fsq/holds/{hold}:release", json=signed)).status_code == 200
    answer = await qm.delete(f"/attachments/{upload}/links/{link['id']}", params={"reason": "wrong one"})
    assert refused(answer, 409, "record_signed")
    with pytest.raises(DBAPIError, match="signed record"):
        async with database.tenant_session(tenant.id, system(tenant.id)) as db:
            await db.execute(delete(AttachmentLink))
    with pytest.raises(DBAPIError, match="never changed"):
        async with database.tenant_session(tenant.id, system(tenant.id)) as db:
            await db.execute(update(AttachmentLink).values(entity_id=uuid.uuid4()))


async def a_row(database: Database, tenant: TenantRef, **over: Any) -> Attachment:
    now = database.clock.now()
    given: dict[str, Any] = {
        "id": new_id(now), "filename": "a.png", "size": 10, "sha256": bytes(32), "state": "open", "received": 0,
        "created_at": now, "touched_at": now,
    }  # fmt: skip
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        row = Attachment(**given | over)
        db.add(row)
    return row


@pytest.mark.parametrize(
    ("over", "rule"),
    [
        ({"size": 50 * 1024 * 1024 + 1}, "size"),
        ({"size": 0}, "size"),
        ({"received": 11}, "received"),
        ({"sha256": bytes(31)}, "sha256"),
        ({"filename": ""}, "filename"),
        ({"state": "clean"}, "has_bytes"),
    ],
)
async def test_the_database_refuses_what_is_no_file(
    database: Database, tenant: TenantRef, over: dict[str, Any], rule: str
) -> None:
    with pytest.raises(IntegrityError, match=f"ck_core_attachment_{rule}"):
        await a_row(database, tenant, **over)


async def test_the_database_knows_no_other_state_of_a_file(database: Database, tenant: TenantRef) -> None:
    now, sha256 = database.clock.now(), bytes(32)
    blob = {"sha256": sha256, "size": 10, "media_type": "image/png", "storage_key": "blobs/0", "stored_at": now}
    given = {
        "id": new_id(now), "filename": "a.png", "size": 10, "sha256": sha256, "blob_sha256": sha256, "received": 10,
        "created_at": now, "touched_at": now, "completed_at": now, "scanned_at": now, "scan_tries": 1,
        "media_type": "image/png", "state": literal("served"),
    }  # fmt: skip
    with pytest.raises(IntegrityError, match="ck_core_attachment_state"):
        async with database.tenant_session(tenant.id, system(tenant.id)) as db:
            await db.execute(insert(Blob).values(blob))
            await db.execute(insert(Attachment).values(given))


@pytest.mark.usefixtures("files")
async def test_the_database_keeps_bytes_and_verdicts_as_they_are(
    app: FastAPI, database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    client = await sign_in(tenant, "OP")
    await uploaded(app, client, png())
    now = database.clock.now()
    blob = {
        "sha256": b"x" * 32,
        "size": 50 * 1024 * 1024 + 1,
        "media_type": "image/png",
        "storage_key": "k",
        "stored_at": now,
    }
    statements: list[tuple[Any, str]] = [
        (update(Attachment).values(state="pending", scanned_at=None), "never changed"),
        (update(Attachment).values(filename="other"), "never changed"),
        (delete(Attachment), "never changed"),
        (update(Blob).values(media_type="text/html"), "never changed"),
        (delete(Blob), "never changed"),
        (Blob.__table__.insert().values(blob), "ck_core_blob_size"),
        (Blob.__table__.insert().values(blob | {"size": 1, "sha256": b"x"}), "ck_core_blob_sha256"),
    ]
    for statement, words in statements:
        with pytest.raises(DBAPIError, match=words):
            async with database.tenant_session(tenant.id, system(tenant.id)) as db:
                await db.execute(statement)
    row = await a_row(database, tenant)
    for change in ({"filename": "b"}, {"sha256": b"y" * 32}, {"size": 11}):
        with pytest.raises(DBAPIError, match="never changed"):
            async with database.tenant_session(tenant.id, system(tenant.id)) as db:
                await db.execute(update(Attachment).where(Attachment.id == row.id).values(change))
    async with database.tenant_session(tenant.id) as db:
        (blob_sha,) = (await db.scalars(select(Blob.sha256))).all()
    with pytest.raises(IntegrityError, match="bytes_are_as_announced"):
        await a_row(database, tenant, state="pending", blob_sha256=blob_sha)


async def test_fifty_megabytes_cost_a_few_of_memory(
    app: FastAPI, files: Files, tenant: TenantRef, sign_in: SignIn
) -> None:
    if files._url:
        pytest.skip("this store is memory")
    client = await sign_in(tenant, "OP")
    peak = 0

    async def watch() -> None:
        nonlocal peak
        while True:
            peak = max(peak, rss())
            await asyncio.sleep(0.002)

    async def kept_and_read(size: int) -> int:
        """How much memory grew [byte] while the file was checked, kept and read."""
        nonlocal peak
        content = b"x" * (size - 1) + b"\n"
        upload = await sent(client, content)
        before = peak = rss()
        watching = asyncio.create_task(watch())
        assert (await client.post(f"/attachments/{upload}:complete")).status_code == 200
        await app.state.later.finish()
        async for _ in files.of(tenant.schema).read(blob_key(hashlib.sha256(content).digest()), 0, size):
            await asyncio.sleep(0)
        watching.cancel()
        return peak - before

    await kept_and_read(10 * 1024**2)  # what threads and buffers need once
    # A busy machine lets more buffers wait at once; whole files would be 50 MiB, and more.
    assert min([await kept_and_read(50 * 1024**2) for _ in range(2)]) < 20 * 1024**2


def rss() -> int:
    """Resident memory of this process [byte]."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
