"""The door to whoever judges bytes: ClamAV where the settings name one, else what we know ourselves."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol
from urllib.parse import urlsplit

from foodflow_kernel.errors import Invalid
from server.core.settings import Settings

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The test file that every scanner finds (eicar.org); in two parts, so that none finds this one."""
PATIENCE_S = 60.0
_MOST = 4096


class Scanner(Protocol):
    """What judges bytes."""

    async def scan(self, content: AsyncIterator[bytes]) -> str | None:
        """The name of what was found, None if it is clean.

        Raises:
            OSError: it could not be scanned; the file waits, and is not served.
        """
        ...


class BuiltIn:
    """Finds the test file. Active content never gets here: its types are refused before (``kinds``)."""

    async def scan(self, content: AsyncIterator[bytes]) -> str | None:
        """Look for the test signature, also across two pieces."""
        kept = b""
        async for piece in content:
            kept = kept[-len(EICAR) :] + piece
            if EICAR in kept:
                return "Eicar-Test-Signature"
        return None


class ClamAv:
    """ClamAV's daemon, by INSTREAM: a command, pieces with their length in four bytes, a zero.

    Args:
        address: ``tcp://host:3310`` or ``unix:///run/clamav/clamd.ctl``.

    Source: clamd(8), COMMANDS.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._open: Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
        if parts.scheme == "tcp" and parts.hostname and parts.port:
            self._open = lambda: asyncio.open_connection(parts.hostname, parts.port)
        elif parts.scheme == "unix" and parts.path:
            self._open = lambda: asyncio.open_unix_connection(parts.path)
        else:
            raise Invalid("setting_invalid", name="FOODFLOW_SCANNER", why="tcp://host:port or unix:///path")

    async def scan(self, content: AsyncIterator[bytes]) -> str | None:
        """Send the bytes on and read the verdict.

        Raises:
            OSError: no connection, no verdict, or an error of the daemon.
        """
        try:
            async with asyncio.timeout(PATIENCE_S):
                answer = await self._ask(content)
        except (TimeoutError, asyncio.IncompleteReadError) as error:
            raise OSError("the scanner gave no verdict") from error
        verdict = answer.rstrip(b"\0\n").decode(errors="replace").removeprefix("stream: ")
        if verdict == "OK":
            return None
        if verdict.endswith(" FOUND"):
            return verdict.removesuffix(" FOUND")
        raise OSError(f"the scanner says {verdict[:200]}")

    async def _ask(self, content: AsyncIterator[bytes]) -> bytes:
        reader, writer = await self._open()
        try:
            writer.write(b"zINSTREAM\0")
            async for piece in content:
                writer.write(struct.pack("!L", len(piece)) + piece)
                await writer.drain()
            writer.write(struct.pack("!L", 0))
            await writer.drain()
            return await reader.read(_MOST)
        finally:
            writer.close()


def from_settings(settings: Settings) -> Scanner:
    """ClamAV if one is named."""
    return ClamAv(settings.scanner) if settings.scanner else BuiltIn()
