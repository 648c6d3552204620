"""The endpoints that people call about sync: health, inbox, verification."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Request

from foodflow_kernel.errors import NotFound
from foodflow_kernel.wire.facts import Wire
from foodflow_kernel.wire.reports import SyncHealth
from server.core import access, audit, events
from server.core.room import Room
from server.sync import health, inbox, terminals, verify
from server.sync.stored import Terminal

router = Room(prefix="/sync", tags=["sync"], responses=access.PROBLEMS)


class FindingLine(Wire):
    """The first bad row of a lane, and what is wrong with it."""

    device_id: UUID
    incarnation: UUID
    lane: int
    seq: int
    what: str
    sentence: str


class Verification(Wire):
    """What the verifier found in the logs of one terminal."""

    device_id: UUID
    lanes: int
    rows: int
    waiting: int
    findings: tuple[FindingLine, ...]


async def _seen(request: Request, caller: access.Caller, code: str) -> list[Terminal]:
    """The terminals of the plants where the caller holds a permission."""
    every = await terminals.of_tenant(request.app.state.database, caller.actor.tenant_id)
    return [
        terminal
        for terminal in every
        if caller.actor.sees(terminal.plant_id) and caller.actor.may(code, terminal.plant_id)
    ]


@router.get("/health", dependencies=[access.needs("sync.health.read")])
async def read_health(request: Request, caller: access.Signed) -> SyncHealth:
    """All terminals, what they still have to send, and what waits for a person."""
    return await health.sync_health(caller.db, await _seen(request, caller, "sync.health.read"), caller.clock.now())


@router.get("/inbox/dead", dependencies=[access.needs("sync.inbox.read")])
async def read_dead(
    request: Request,
    caller: access.Signed,
    state: Annotated[Literal["open", "applied", "waived"], Query()] = "open",
) -> list[inbox.DeadLine]:
    """Facts that were stored but not applied, with reason and raw bytes."""
    names = {terminal.device_id: terminal.name for terminal in await _seen(request, caller, "sync.inbox.read")}
    return [line for line in await inbox.dead(caller.db, names, state) if line.device_id in names]


@router.post("/inbox/dead:replay", dependencies=[access.needs("sync.inbox.replay")])
async def replay(request: Request, caller: access.Signed, command: inbox.Decide) -> inbox.DeadLine:
    """Apply a row of the quarantine again, from the same bytes."""
    await _known(request, caller, command.device, "sync.inbox.replay")
    line = await inbox.replay(caller.db, caller.actor, command, caller.clock.now())
    await events.deliver(caller.db, request.app.state.reactions)
    _note(caller, "sync.inbox.replay", command, line)
    return line


@router.post("/inbox/dead:waive", dependencies=[access.needs("sync.inbox.waive")])
async def waive(request: Request, caller: access.Signed, command: inbox.Decide) -> inbox.DeadLine:
    """Say that a row of the quarantine needs nothing more."""
    await _known(request, caller, command.device, "sync.inbox.waive")
    line = await inbox.waive(caller.db, caller.actor, command, caller.clock.now())
    _note(caller, "sync.inbox.waive", command, line)
    return line


@router.get("/inbox/forks", dependencies=[access.needs("sync.inbox.read")])
async def read_forks(request: Request, caller: access.Signed) -> list[inbox.ForkLine]:
    """Places where a terminal's log came in two versions."""
    names = {terminal.device_id: terminal.name for terminal in await _seen(request, caller, "sync.inbox.read")}
    return [line for line in await inbox.forks(caller.db, names) if line.device_id in names]


@router.get("/verify/{device_id}", dependencies=[access.needs("sync.journal.read")])
async def verify_device(request: Request, caller: access.Signed, device_id: UUID) -> Verification:
    """Recompute the chains of one terminal from the stored bytes."""
    terminal = await _known(request, caller, device_id, "sync.journal.read")
    found = await verify.verify(caller.db, {device_id: terminal.public_key}, device_id)
    return Verification(
        device_id=device_id,
        lanes=found.lanes,
        rows=found.rows,
        waiting=found.waiting,
        findings=tuple(
            FindingLine(
                device_id=one.device_id,
                incarnation=one.incarnation,
                lane=one.lane,
                seq=one.seq,
                what=one.what,
                sentence=one.sentence,
            )
            for one in found.findings
        ),
    )


async def _known(request: Request, caller: access.Caller, device_id: UUID, code: str) -> Terminal:
    for terminal in await _seen(request, caller, code):
        if terminal.device_id == device_id:
            return terminal
    raise NotFound("record_unknown", id=device_id)


def _note(caller: access.Caller, action: str, command: inbox.Decide, line: inbox.DeadLine) -> None:
    diff = {"lane": command.lane, "seq": command.seq, "incarnation": str(command.incarnation), "state": line.state}
    audit.write(caller.db, caller.actor, action, "sync.dead", command.device, diff, command.reason)
