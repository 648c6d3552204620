"""A real server with TLS for tests of the sync client: the product's own application in uvicorn, on a thread."""

from __future__ import annotations

import asyncio
import gc
import secrets
import socket
import threading
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import uvicorn
from sqlalchemy import select

from foodflow_desktop.store import Terminal
from foodflow_kernel.clock import Clock
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines.identity import DeviceState
from foodflow_kernel.wire import signing
from server.app import create_app
from server.core import tls
from server.core.db.postgres import Cluster
from server.core.db.provision import create_tenant
from server.core.db.sessions import Database, TenantRef
from server.core.models import Plant
from server.core.settings import Settings
from server.identity import people
from server.identity.platform import DeviceRow
from server.sync.models import SyncDead, SyncLog, SyncTelemetry
from tests.foodflow_desktop.store.terminals import KEY

LOGIN = "FFB-3001"
PASSWORD = "demo-supervisor-of-the-shift"  # noqa: S105  # of a test


@dataclass
class Hub:
    """The server: can be killed and started again on the same port.

    Args:
        folder: where its certificates lie.
    """

    cluster: Cluster
    clock: Clock
    folder: Path
    tenant: TenantRef | None = None
    plant_id: UUID | None = None
    port: int = 0
    _server: uvicorn.Server | None = None
    _thread: threading.Thread | None = None
    _names: list[str] = field(default_factory=lambda: ["localhost", "127.0.0.1"])

    def __post_init__(self) -> None:
        self.certificates = tls.ensure(self.folder, self._names, self.clock)
        self.tenant = self.ask(self._provision)

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca_pem(self) -> str:
        return self.certificates.ca.read_text()

    def ask(self, what: Any) -> Any:
        """Run something over an own connection to the database."""

        async def work() -> Any:
            database = Database(self.cluster, self.clock)
            try:
                return await what(database)
            finally:
                await database.close()

        return asyncio.run(work())

    def start(self) -> None:
        settings = Settings(data_folder=self.folder / "data", fsync=False)
        app = create_app(settings, self.clock, self.cluster, self.certificates)
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            ssl_certfile=str(self.certificates.certificate),
            ssl_keyfile=str(self.certificates.key),
            timeout_graceful_shutdown=1,
            lifespan="on",
            loop="asyncio",
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, name="hub", kwargs={"sockets": [listener]}, daemon=True
        )
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive()
            self._thread.join(0.02)

    @property
    def is_up(self) -> bool:
        return self._server is not None

    def stop(self) -> None:
        if self._server is None or self._thread is None:
            return
        # uvicorn leaves TLS transports that it cut in the middle to the garbage collector: collect them here.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            self._server.should_exit = True
            self._thread.join()
            self._server = self._thread = None
            gc.collect()

    def admit(self, public_key: bytes | None = None) -> Terminal:
        """A terminal as pairing would have left it."""
        device = new_id(self.clock.now())
        assert self.tenant is not None

        async def add(database: Database) -> None:
            async with database.platform_session() as db:
                db.add(
                    DeviceRow(
                        id=device,
                        tenant_id=self.tenant.id,
                        state=DeviceState.approved,
                        commitment=bytes(32),
                        server_nonce=bytes(32),
                        public_key=public_key or signing.public_bytes(KEY),
                        secret=bytes(32),
                        code=None,
                        expires_at=self.clock.now(),
                        machine_name="test",
                        app="test",
                        plant_id=self.plant_id,
                        plant_name="Plant 1",
                        line_id=None,
                        name="T-07",
                        area="Cook & Fill hall",
                        pepper=bytes(32),
                        created_at=self.clock.now(),
                        approved_by=None,
                        approved_at=self.clock.now(),
                    )
                )

        self.ask(add)
        return Terminal(device=device, hub=self.address, ca_pem=self.ca_pem, paired_at=self.clock.now(), name="T-07")

    def set_state(self, device: UUID, state: DeviceState) -> None:
        async def change(database: Database) -> None:
            async with database.platform_session() as db:
                row = await db.get(DeviceRow, device)
                row.state = state

        self.ask(change)

    def stored(self, device: UUID) -> list[tuple[str, int, int, bytes]]:
        """What lies in the server's logs of a device: (incarnation, lane, seq, body), by its own connection."""
        return self.ask(lambda database: self._stored(database, device))

    def dead(self, device: UUID) -> int:
        async def count(database: Database) -> int:
            async with database.tenant_session(self.tenant.id) as db:
                return len((await db.scalars(select(SyncDead.seq).where(SyncDead.device_id == device))).all())

        return self.ask(count)

    async def _stored(self, database: Database, device: UUID) -> list[tuple[str, int, int, bytes]]:
        found = []
        async with database.tenant_session(self.tenant.id) as db:
            for log in (SyncLog, SyncTelemetry):
                rows = await db.execute(
                    select(log.incarnation, log.lane, log.seq, log.body)
                    .where(log.device_id == device)
                    .order_by(log.incarnation, log.lane, log.seq)
                )
                found += [(str(incarnation), lane, seq, bytes(body)) for incarnation, lane, seq, body in rows]
        return found

    async def _provision(self, database: Database) -> TenantRef:
        tenant = await create_tenant(database, f"hub_{secrets.token_hex(4)}", "Hub Foods")
        async with database.tenant_session(tenant.id) as db:
            plant = Plant(id=new_id(self.clock.now()), code="P1", name="Plant 1", tz="UTC")
            db.add(plant)
            await db.flush()
            self.plant_id = plant.id
            who = people.NewUser(
                login_code=LOGIN, short_no="3001", printed_name="S. Visor", password=PASSWORD, roles=("SV",)
            )
            await people.add(db, who)
        return tenant
