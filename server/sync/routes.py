"""The endpoints that terminals call: nonce, hello, push, feed, snapshot."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.background import BackgroundTask

from foodflow_kernel.errors import TooOld, Unauthorised
from foodflow_kernel.wire import push as wire_push
from foodflow_kernel.wire import signing
from foodflow_kernel.wire.bodies import LaneHead
from foodflow_kernel.wire.exchange import HelloAnswer, HelloRequest, SnapshotManifest
from foodflow_kernel.wire.protocol import FEED_PAGE_MAX, FEED_WAIT_MAX_S, PROTOCOL, TOKEN_TTL_S
from server.core import access, events, feed
from server.core.room import Room
from server.sync import batch, hello, packing, pages, parking, presence, push, snapshots, terminals, tokens
from server.sync.exchange import (
    Caller,
    Desk,
    caller,
    desk_of,
    hear,
    read_packed,
    refuse_if_suspended,
    trusted,
)
from server.sync.waiting import BELL

router = Room(prefix="/sync", tags=["sync"], responses=access.problems(410, 426))

_Desk = Annotated[Desk, Depends(desk_of)]


@router.post("/nonce")
async def make_nonce(desk: _Desk) -> dict[str, str]:
    """A nonce to sign for hello, good once and for two minutes."""
    return {"nonce": desk.nonces.make(desk.clock.now()).hex()}


@router.post("/hello")
async def say_hello(message: HelloRequest, desk: _Desk) -> HelloAnswer:
    """Prove the device key, hear what the server has, and get a token for fifteen minutes.

    Raises:
        Unauthorised: `nonce_bad`, `terminal_unknown`, `signature_bad`.
        TooOld: `protocol_too_old`.
        NotAllowed: `tenant_archived`.
    """
    now = desk.clock.now()
    if message.protocol < PROTOCOL:
        raise TooOld("protocol_too_old", needs=PROTOCOL, has=message.protocol)
    terminal = await terminals.find(desk.database, message.device)
    if terminal is None:
        raise Unauthorised("terminal_unknown")
    try:
        nonce, signature = bytes.fromhex(message.nonce), bytes.fromhex(message.sig)
    except ValueError as error:
        raise Unauthorised("nonce_bad") from error
    if not signing.verify_nonce(terminal.public_key, message.device, nonce, signature):
        raise Unauthorised("signature_bad")
    async with desk.database.tenant_session(terminal.tenant_id) as db:
        await desk.nonces.take(db, nonce, now)
        heads = await hello.heads(db, message.device, message.incarnation)
        safe = await hello.safe(db, message.device, message.incarnation)
        state = await feed.bounds(db)
        if not terminal.is_revoked:
            await hello.welcome(db, terminal, message, now)
        key = await desk.keyring.signing(db)
    token = tokens.DeviceToken(terminal.device_id, terminal.tenant_id, message.incarnation)
    return HelloAnswer(
        token=tokens.issue(key, token, now),
        token_ttl_s=TOKEN_TTL_S,
        server_time=now,
        heads={lane: LaneHead(seq=seq, hash=row_hash.hex()) for lane, (seq, row_hash) in heads.items()},
        safe=safe,
        feed=state,
        revoked=terminal.is_revoked,
    )


@router.post("/push", response_model=wire_push.PushAnswer)
async def take_push(
    request: Request,
    desk: _Desk,
    who: Annotated[Caller, Depends(caller)],
    protocol: Annotated[int, Header(alias="x-sync-protocol")] = PROTOCOL,
) -> Response:
    """Store one batch of one lane and say what became of it.

    Raises:
        TooLarge: `push_too_large`, `push_line_too_long`.
        Invalid: `push_torn`, `push_header_bad`, `push_chain_broken`, `push_signature_bad`.
        Unauthorised: `terminal_unknown` for a batch of another device.
        OverBudget: `lane_over_budget`.
        TooOld: `protocol_too_old`.
    """
    if protocol < PROTOCOL:
        raise TooOld("protocol_too_old", needs=PROTOCOL, has=protocol)
    packed = await read_packed(request)
    pushed = packing.unpack(packed, request.headers.get("content-encoding"))
    if pushed.header.device != who.terminal.device_id:
        raise Unauthorised("terminal_unknown")
    with desk.budgets.spend(who.terminal.tenant_id, pushed.header.lane):
        proven = batch.prove(pushed, who.terminal.public_key)
        async with desk.database.tenant_session(who.terminal.tenant_id) as db:
            terminal = replace(who.terminal, clock_skew_ms=await presence.skew_ms(db, who.terminal.device_id))
            answer = await push.accept(db, terminal, proven, who.now)
            await parking.wake(db)
            await events.deliver(db, desk.reactions)
    # Noted once the answer is out: no alarm waits for the board.
    noted = BackgroundTask(hear, desk, who, request)
    if isinstance(answer, wire_push.PushConflict):
        code = f"push_{answer.reason}"
        shown = {"type": "about:blank", "title": code, "status": 409, "code": code, **answer.model_dump(mode="json")}
        return JSONResponse(shown, 409, media_type="application/problem+json", background=noted)
    return Response(answer.model_dump_json(), media_type="application/json", background=noted)


_LINES = {
    "application/x-ndjson": {"schema": {"type": "string"}, "example": '{"epoch":"e","first":1,"last":0,"more":false}'}
}
_BYTES = {"application/zstd": {"schema": {"type": "string", "format": "binary"}}}


@router.get("/feed", response_class=Response, responses={200: {"description": "Lines", "content": _LINES}})
async def read_feed(
    request: Request,
    desk: _Desk,
    who: Annotated[Caller, Depends(trusted)],
    epoch: str,
    after: Annotated[int, Query(ge=0)],
    limit: Annotated[int, Query(ge=1, le=FEED_PAGE_MAX)] = FEED_PAGE_MAX,
    wait: Annotated[float, Query(ge=0, le=FEED_WAIT_MAX_S)] = 0,
) -> Response:
    """What changed after a place, dense; waits for a change if there is none and ``wait`` is given.

    Raises:
        Gone: `feed_gone`; a snapshot is the way on.
        Revoked: `device_revoked`.
        NotAllowed: `tenant_suspended`, also if that happened while it waited.
    """
    await hear(desk, who, request, after)
    raw = await _page(desk, who, epoch, after, limit, only_news=wait > 0)
    if raw is None:
        tenant_id = who.terminal.tenant_id

        async def head() -> int:
            async with desk.database.tenant_session(tenant_id) as db:
                return (await feed.bounds(db)).head

        await BELL.wait(tenant_id, after, wait / desk.clock.rate, head)
        await refuse_if_suspended(desk, who.terminal)
        raw = await _page(desk, who, epoch, after, limit, only_news=False) or b""
    body, encoding = packing.deflate(raw, request.headers.get("accept-encoding", ""))
    headers = {"content-encoding": encoding} if encoding else {}
    return Response(body, media_type="application/x-ndjson", headers=headers)


async def _page(desk: Desk, who: Caller, epoch: str, after: int, limit: int, *, only_news: bool) -> bytes | None:
    async with desk.database.tenant_session(who.terminal.tenant_id) as db:
        state = await feed.bounds(db)
        pages.check(state, epoch, after)
        if only_news and state.head == after:
            return None
        return await pages.page(db, who.terminal, state, after, limit)


@router.post("/snapshot")
async def make_snapshot(desk: _Desk, who: Annotated[Caller, Depends(trusted)]) -> SnapshotManifest:
    """Draw all master data the terminal may see, at one place of the feed."""
    async with desk.database.tenant_session(who.terminal.tenant_id) as db:
        await feed.bounds(db)
    async with desk.database.tenant_session(who.terminal.tenant_id) as db:
        return await snapshots.make(db, who.terminal, who.now)


@router.get("/snapshot/{snapshot_id}")
async def read_manifest(snapshot_id: UUID, desk: _Desk, who: Annotated[Caller, Depends(trusted)]) -> SnapshotManifest:
    """The parts of a snapshot made earlier."""
    async with desk.database.tenant_session(who.terminal.tenant_id) as db:
        return await snapshots.manifest(db, who.terminal, snapshot_id)


@router.get(
    "/snapshot/{snapshot_id}/parts/{sha256}",
    response_class=Response,
    responses={
        200: {"description": "The whole part", "content": _BYTES},
        206: {"description": "The rest of it", "content": _BYTES},
        416: {"description": "It is shorter than that"},
    },
)
async def read_part(
    snapshot_id: UUID, sha256: str, request: Request, desk: _Desk, who: Annotated[Caller, Depends(trusted)]
) -> Response:
    """One part as it is hashed (zstd inside), from any byte on."""
    async with desk.database.tenant_session(who.terminal.tenant_id) as db:
        packed = await snapshots.part(db, who.terminal, snapshot_id, sha256)
    return snapshots.ranged(packed, request.headers.get("range"))
