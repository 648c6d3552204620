"""The endpoints of sync as typed calls. One client is one connection; engines keep their own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from foodflow_desktop.store.outbox import Batch
from foodflow_desktop.sync import transport
from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import Invalid
from foodflow_kernel.wire import push, signing
from foodflow_kernel.wire.exchange import (
    FeedHeader,
    FeedRow,
    HelloAnswer,
    HelloRequest,
    SnapshotManifest,
    SnapshotPart,
)
from foodflow_kernel.wire.protocol import FEED_PAGE_MAX, MAX_BATCH_PACKED_BYTES

PREFIX = "/api/v1/sync"
_ZSTD_LEVEL = 3
_SMALL_BYTES = 1400
"""What fits in one packet is sent as it is: compressing an alarm only delays it."""


@dataclass(frozen=True, slots=True)
class FeedPage:
    """One page, as it came."""

    header: FeedHeader
    rows: list[FeedRow]


class Client:
    """Talks to one hub as one device."""

    def __init__(self, hub: str, ca_pem: str, clock: Clock) -> None:
        self._http = transport.async_client(hub, ca_pem)
        self._clock = clock
        self._token = ""

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def hello(self, key: Ed25519PrivateKey, device: UUID, request: HelloRequest) -> HelloAnswer:
        """Prove the key and get a token; ``request`` comes without nonce and signature.

        Raises:
            SyncError: Unreachable, Untrusted, Unauthorised, TooOld.
        """
        with transport.named_errors():
            answer = transport.check(await self._http.post(f"{PREFIX}/nonce"))
            nonce = str(answer.json()["nonce"])
            sig = signing.sign_nonce(key, device, bytes.fromhex(nonce)).hex()
            signed = request.model_copy(update={"nonce": nonce, "sig": sig})
            answer = transport.check(
                await self._http.post(
                    f"{PREFIX}/hello",
                    content=signed.model_dump_json(),
                    headers={"Content-Type": "application/json"},
                )
            )
        heard = HelloAnswer.model_validate_json(answer.content)
        self._token = heard.token
        return heard

    async def push(self, batch: Batch, unsent: str = "") -> push.PushAnswer:
        """Send one batch.

        Raises:
            TooLarge: `push_too_large`, also when it packs to more than the limit before it is sent.
            Conflict: `push_behind`, `push_fork`.
            SyncError, Invalid: the rest.
        """
        last = batch.last
        header = push.PushHeader(
            device=batch.device,
            incarnation=batch.incarnation,
            lane=batch.lane,
            first=batch.first,
            count=len(batch.rows),
            prev=batch.prev.hex(),
            last=last.hash.hex(),
            sig=(last.sig or b"").hex(),
        )
        raw = push.pack(header, [row.body for row in batch.rows])
        headers = {**self._auth(), "Content-Type": "application/octet-stream"}
        if len(raw) > _SMALL_BYTES:
            raw = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(raw)
            headers["Content-Encoding"] = "zstd"
        if len(raw) > MAX_BATCH_PACKED_BYTES:
            raise transport.TooLarge("push_too_large")
        if unsent:
            headers["X-Unsent"] = unsent
        with transport.named_errors():
            answer = transport.check(await self._http.post(f"{PREFIX}/push", content=raw, headers=headers))
        return push.PushAnswer.model_validate_json(answer.content)

    async def feed(self, epoch: str, after: int, *, wait_s: float, unsent: str = "") -> FeedPage:
        """The next page; waits up to ``wait_s`` plant seconds for one.

        Raises:
            Gone: `feed_gone`. SyncError: the rest.
        """
        query = {"epoch": epoch, "after": str(after), "limit": str(FEED_PAGE_MAX), "wait": f"{wait_s:g}"}
        timeout = transport.limits_of(wait_s / self._clock.rate + transport.READ_S / 2)
        headers = self._auth() | ({"X-Unsent": unsent} if unsent else {})
        with transport.named_errors():
            answer = transport.check(
                await self._http.get(f"{PREFIX}/feed", params=query, headers=headers, timeout=timeout)
            )
        head, *lines = answer.content.splitlines()
        return FeedPage(FeedHeader.model_validate_json(head), [FeedRow.model_validate_json(line) for line in lines])

    async def snapshot(self) -> SnapshotManifest:
        """Ask for a snapshot of everything this terminal may see."""
        with transport.named_errors():
            answer = transport.check(await self._http.post(f"{PREFIX}/snapshot", headers=self._auth()))
        return SnapshotManifest.model_validate_json(answer.content)

    async def part(self, manifest: SnapshotManifest, part: SnapshotPart, got: bytearray) -> list[FeedRow]:
        """One part of a snapshot; continues after the bytes that ``got`` holds already.

        Raises:
            Invalid: `snapshot_part_wrong` when the content is not what its name says.
        """
        address = f"{PREFIX}/snapshot/{manifest.id}/parts/{part.sha256}"
        if len(got) < part.bytes:
            headers = self._auth() | ({"Range": f"bytes={len(got)}-"} if got else {})
            with transport.named_errors():
                async with self._http.stream("GET", address, headers=headers) as answer:
                    if not answer.is_success:
                        await answer.aread()
                    transport.check(answer)
                    if answer.status_code != HTTPStatus.PARTIAL_CONTENT:
                        got.clear()
                    async for chunk in answer.aiter_bytes():
                        got += chunk
        if hashlib.sha256(got).hexdigest() != part.sha256:
            got.clear()
            raise Invalid("snapshot_part_wrong")
        lines = zstandard.ZstdDecompressor().decompressobj().decompress(bytes(got)).splitlines()
        return [FeedRow.model_validate_json(line) for line in lines]

    def _auth(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}
