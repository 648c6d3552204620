"""Ready or not, and why; and a stop that finishes what was begun."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import create_async_engine

from foodflow_kernel.clock import SystemClock
from server.core import readiness
from server.core.db import postgres
from server.core.db.postgres import Cluster
from server.core.db.sessions import Database


async def test_ready_is_said_in_one_word(anonymous: httpx.AsyncClient) -> None:
    for path in ("/health", "/health/live"):
        answer = await anonymous.get(path)
        assert (answer.status_code, answer.json()["status"]) == (200, readiness.OK)


async def test_the_ca_is_there_for_who_pairs(anonymous: httpx.AsyncClient) -> None:
    """Without certificates of its own (in tests) it is empty; served, terminals pin it (tests/flows)."""
    answer = await anonymous.get("/ca")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-pem-file")


def test_a_database_that_does_not_come_up_is_waited_for_in_vain(tmp_path: Path) -> None:
    with pytest.raises(psycopg.OperationalError):
        postgres.wait_until_ready(URL.create("postgresql+psycopg", host=str(tmp_path), database="x"), 0.0)


async def test_a_database_that_does_not_answer_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        base = URL.create("postgresql+psycopg", host="127.0.0.1", port=deaf.getsockname()[1], database="x")
        away = Database(Cluster(base, b"s", base), SystemClock())
        assert await readiness.status(away, tmp_path) == readiness.NO_DATABASE
        await away.close()


async def test_a_database_that_is_not_migrated_and_a_full_disk_are_named(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = create_async_engine(database.cluster.owner)
    async with engine.begin() as db:
        head = await db.scalar(text("SELECT version_num FROM platform.alembic_version"))
        await db.execute(text("UPDATE platform.alembic_version SET version_num = 'older'"))
    try:
        assert await readiness.status(database, tmp_path) == readiness.NOT_MIGRATED
    finally:
        async with engine.begin() as db:
            await db.execute(text("UPDATE platform.alembic_version SET version_num = :head"), {"head": head})
        await engine.dispose()
    monkeypatch.setattr(readiness, "LEAST_FREE_BYTES", 1 << 62)
    assert await readiness.status(database, tmp_path) == readiness.DISK_FULL


def test_a_stop_finishes_the_request_that_was_begun(tmp_path: Path) -> None:
    """The body of a sign-in is on its way when the server is told to stop: it is still answered."""
    ready, data = tmp_path / "ready", tmp_path / "data"
    command = [sys.executable, "-m", "server.cli", "--data-folder", str(data)]
    command += ["serve", "--port", "0", "--ready-file", str(ready)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not ready.exists() or not ready.read_text():
            assert process.poll() is None
            time.sleep(0.1)
        port = int(ready.read_text().rpartition(":")[2])
        trust = ssl.create_default_context(cafile=str(data / "tls" / "ca.pem"))
        body = b'{"tenant": "none", "login": "x", "password": "y"}'
        head = f"Host: hub\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        with (
            socket.create_connection(("127.0.0.1", port), 60) as plain,
            trust.wrap_socket(plain, server_hostname="127.0.0.1") as wire,
        ):
            wire.sendall(b"POST /api/v1/auth/login HTTP/1.1\r\n" + head.encode() + body[:10])
            time.sleep(0.3)  # the server has read the head
            process.send_signal(signal.SIGTERM)
            time.sleep(0.3)  # and is stopping
            wire.sendall(body[10:])
            answer = wire.recv(4096)
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port), 5)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
    assert b" 401 " in answer


def test_after_one_was_killed_the_next_to_go_stops_the_database(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from server.core.db import postgres;"
        "from server.core.settings import Settings;"
        "postgres.open_cluster(Settings(data_folder=Path(sys.argv[1]), fsync=False, backup=False));"
        "sys.argv[2:] and os.kill(os.getpid(), 9)"
    )
    command, running = [sys.executable, "-c", code, str(tmp_path / "data")], tmp_path / "data/postgres/postmaster.pid"
    assert subprocess.run([*command, "killed"], check=False).returncode == -signal.SIGKILL
    assert running.exists()
    subprocess.run(command, check=True)
    assert not running.exists()
