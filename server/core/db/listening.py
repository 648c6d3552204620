"""LISTEN on a tenant's channel, by a connection of that tenant's own role."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from psycopg import sql

from server.core.db.postgres import Cluster


@asynccontextmanager
async def listening(cluster: Cluster, schema: str) -> AsyncIterator[AsyncIterator[str]]:
    """The payloads of a tenant's channel, from now on; nothing that commits inside the block is missed.

    Raises:
        psycopg.OperationalError: the connection cannot be made, or was cut.
    """
    url = cluster.url(schema).set(drivername="postgresql").render_as_string(hide_password=False)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(cluster.channel(schema))))
        yield _payloads(connection)


async def _payloads(connection: psycopg.AsyncConnection[tuple[object, ...]]) -> AsyncIterator[str]:
    async for note in connection.notifies():
        yield note.payload
