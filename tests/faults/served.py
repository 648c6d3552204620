"""A server process of its own over the database of the tests, to be killed."""

from __future__ import annotations

from pathlib import Path

import uvicorn
from sqlalchemy import make_url

from foodflow_kernel.clock import SystemClock
from server.app import create_app
from server.core import tls
from server.core.db.postgres import Cluster
from server.core.settings import Settings
from tests.faults.forker import say_ready


class Ready(uvicorn.Server):
    """Says so when it listens."""

    async def startup(self, sockets: object = None) -> None:
        await super().startup(sockets)  # type: ignore[arg-type]
        say_ready()


def main(args: list[str]) -> None:
    folder, port, base, secret, owner = Path(args[0]), int(args[1]), *args[2:]
    cluster = Cluster(make_url(base), bytes.fromhex(secret), make_url(owner))
    clock = SystemClock()
    certificates = tls.ensure(folder, ["localhost", "127.0.0.1"], clock)
    app = create_app(Settings(data_folder=folder / "data", fsync=False), clock, cluster, certificates)
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        log_config=None,
        access_log=False,
        ssl_certfile=str(certificates.certificate),
        ssl_keyfile=str(certificates.key),
        loop="asyncio",
    )
    Ready(config).run()
