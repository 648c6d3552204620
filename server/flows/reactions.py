"""Event to what reacts to it, in the announcing transaction: whoever must know is told, or nothing happened.

Titles are what a person reads on a screen or in the subject of a letter: what, where, and nothing
that only some may know.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import Invalid, NotAllowed, NotFound
from foodflow_kernel.machines.identity import UserState
from server.core import config
from server.core.actions import load
from server.core.events import Reactions
from server.core.files.judging import FileInfected
from server.core.models import Note
from server.core.notes import PeopleMentioned
from server.fsq.events import DeviationOpened, HoldPlaced
from server.fsq.models import Lot
from server.identity import notices, people
from server.identity.models import User
from server.identity.sessions import TokenReused

_QA = ("QT", "SV", "QM")


async def on_token_reused(db: AsyncSession, event: TokenReused) -> None:
    """A copied session is a break-in until somebody says that it is none (21 CFR 11.300(d))."""
    user = await db.get_one(User, event.user_id)
    new = notices.New(
        category="identity.token_reused",
        severity="critical",
        title=f"A session of {user.printed_name} was copied and used twice; it has been ended",
        body="If it was not a fault of their device, let them change their password.",
        dedupe_key=f"identity.token_reused:{event.user_id}",
        roles=("TA",),
        user_ids=(event.user_id,),
        entity="identity.user",
        entity_id=event.user_id,
    )
    await notices.post(db, new)


async def on_deviation(db: AsyncSession, event: DeviationOpened) -> None:
    """A critical deviation goes to quality and supervisors of its plant; what a CCP found goes up sooner."""
    if event.severity == "minor":
        return
    is_critical = event.severity == "critical"
    after = await _minutes(db, event) if is_critical else None
    new = notices.New(
        category="fsq.ccp_breach" if event.source == "ccp" else "fsq.deviation",
        severity="critical" if is_critical else "warn",
        title=f"{event.number or 'Deviation'}: {event.summary or 'outside its limits'}",
        dedupe_key=f"fsq.deviation:{event.root_id}",
        roles=_QA,
        plant_id=event.plant_id,
        entity="fsq.deviation",
        entity_id=event.root_id,
        escalate_after_min=after,
    )
    await notices.post(db, new)


async def _minutes(db: AsyncSession, event: DeviationOpened) -> int | None:
    if event.source != "ccp":
        return None
    now: datetime = db.info["clock"].now()
    return int(await config.effective(db, "ccp.escalate_min", now, plant_id=event.plant_id, line_id=event.line_id))


async def on_hold(db: AsyncSession, event: HoldPlaced) -> None:
    """A held lot is critical: nobody may use, pack or ship it, and only a QA manager can release it."""
    lot = await db.get(Lot, event.lot_id)
    after = await config.effective(db, "hold.escalate_min", db.info["clock"].now(), plant_id=event.plant_id)
    new = notices.New(
        category="fsq.hold",
        severity="critical",
        title=f"Lot {lot.lot_code if lot else 'not known here'} is on hold: {event.reason}",
        dedupe_key=f"fsq.hold:{event.lot_id}",
        roles=_QA,
        plant_id=event.plant_id,
        entity="fsq.lot",
        entity_id=event.lot_id,
        escalate_after_min=int(after),
    )
    await notices.post(db, new)


async def on_infected_file(db: AsyncSession, event: FileInfected) -> None:
    """A file with a virus is served to nobody; who sent it has a device to look at."""
    new = notices.New(
        category="core.file_infected",
        severity="warn",
        title=f"An attached file is infected and locked away: {event.filename}",
        body=f"Found: {event.finding}. Have the device checked that it came from.",
        dedupe_key=f"core.file_infected:{event.attachment_id}",
        roles=("TA",),
        user_ids=() if event.sent_by is None else (event.sent_by,),
        plant_id=event.plant_id,
        entity="core.attachment",
        entity_id=event.attachment_id,
    )
    await notices.post(db, new)


async def on_people_mentioned(db: AsyncSession, event: PeopleMentioned) -> None:
    """Whoever a note names is told of it, each by a notification of their own; the note itself stays where it is.

    Raises:
        Invalid: `mention_unseen`: somebody is not known, not active or could not see the note; which of these it
            is, is nobody's business. Leaving them out silently, the author would think that they know.
    """
    wanted = select(User).where(User.id.in_(event.mentions), User.status == UserState.active)
    found = {user.id: user for user in await db.scalars(wanted)}
    blind = [each for each in event.mentions if each not in found or not await _sees(db, found[each], event)]
    if blind:
        raise Invalid("mention_unseen", users=[str(each) for each in blind])
    for each in event.mentions:
        if each == event.author_id or each in event.known:
            continue
        new = notices.New(
            category="core.note_mention",
            severity="info",
            title=f"{event.author} mentioned you in a note",
            dedupe_key=f"core.note_mention:{event.note_id}:{each}",
            user_ids=(each,),
            plant_id=event.plant_id,
            entity="core.note",
            entity_id=event.note_id,
        )
        await notices.post(db, new)


async def _sees(db: AsyncSession, user: User, event: PeopleMentioned) -> bool:
    reader = await people.actor_of(db, user, db.info["tenant_id"])
    try:
        await load(db, reader, Note, event.note_id, "core.note.read")
    except (NotFound, NotAllowed):
        return False
    return True


REACTIONS: Reactions = {
    PeopleMentioned: (on_people_mentioned,),
    FileInfected: (on_infected_file,),
    TokenReused: (on_token_reused,),
    DeviationOpened: (on_deviation,),
    HoldPlaced: (on_hold,),
}
"""Read by the application."""
