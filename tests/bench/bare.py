"""The floor of push and pull: an HTTP server that does nothing but COPY lines in and SELECT them out."""

from __future__ import annotations

import argparse
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psycopg
import uvicorn
import zstandard

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Bare:
    """POST stores zstd lines by binary COPY in one transaction; GET ?after gives the next thousand."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.db: psycopg.AsyncConnection[Any] | None = None

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        if self.db is None:
            self.db = await psycopg.AsyncConnection.connect(self.url)
        if scope["method"] == "POST":
            answer = await self.store(await body_of(receive))
        else:
            answer = await self.read(int(scope["query_string"].partition(b"=")[2]))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": answer})

    async def store(self, packed: bytes) -> bytes:
        """COPY one batch and commit."""
        assert self.db is not None
        lines = zstandard.ZstdDecompressor().decompress(packed, max_output_size=16 << 20).split(b"\n")
        out = [b"PGCOPY\n\xff\r\n\0" + bytes(8)]
        for line in lines:
            out += (struct.pack("!hi", 1, len(line)), line)
        out.append(struct.pack("!h", -1))
        async with self.db.cursor() as cursor, cursor.copy("COPY bare (body) FROM STDIN (FORMAT BINARY)") as copy:
            await copy.write(b"".join(out))
        await self.db.commit()
        return b"ok"

    async def read(self, after: int) -> bytes:
        """The next thousand rows, packed."""
        assert self.db is not None
        cursor = await self.db.execute(
            "SELECT seq, body FROM bare WHERE seq > %s ORDER BY seq LIMIT 1000", (after,), binary=True
        )
        rows = await cursor.fetchall()
        await self.db.commit()
        lines = b"\n".join(b'{"seq":%d,"data":%s}' % row for row in rows)
        return zstandard.ZstdCompressor(level=3).compress(lines)


class Announcing(uvicorn.Server):
    """Runs under uvicorn's own loop, as the real server does.

    The loop of asyncio leaves Nagle's algorithm on for a listener it did not open: 40 ms an answer.
    """

    address: str
    ready_file: Path

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        self.ready_file.write_text(self.address)


async def body_of(receive: Receive) -> bytes:
    """The whole body of a request."""
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--ready-file", type=Path, required=True)
    given = parser.parse_args()
    listener = socket.create_server(("127.0.0.1", 0))
    server = Announcing(uvicorn.Config(Bare(given.url), log_config=None, lifespan="off"))
    server.address, server.ready_file = f"http://127.0.0.1:{listener.getsockname()[1]}", given.ready_file
    server.run(sockets=[listener])


if __name__ == "__main__":
    main()
