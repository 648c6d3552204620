"""A client that costs little: prepared requests over kept connections, answers read and thrown away."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit


def request(method: str, path: str, token: str = "", body: bytes = b"") -> bytes:
    """A request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: hub"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def rate(
    address: str, trust: ssl.SSLContext, make: Callable[[], Iterator[bytes]], clients: int, seconds: float
) -> float:
    """Requests a second that are answered well by an address, asked by several clients at once.

    Raises:
        RuntimeError: an answer is no 2xx.
    """
    where = urlsplit(address)
    until = time.perf_counter() + seconds

    async def one(requests: Iterator[bytes]) -> int:
        reader, writer = await asyncio.open_connection(where.hostname, where.port, ssl=trust)
        done = 0
        for each in requests:
            if time.perf_counter() > until:
                break
            writer.write(each)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 2"):
                raise RuntimeError(head.decode() + (await reader.read(2000)).decode())
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            await reader.readexactly(length)
            done += 1
        writer.close()
        return done

    started = time.perf_counter()
    done = await asyncio.gather(*(one(make()) for _ in range(clients)))
    return sum(done) / (time.perf_counter() - started)
