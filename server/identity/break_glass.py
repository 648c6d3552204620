"""Break-glass: somebody who runs the platform reads one company's data, for hours, in the company's sight.

An access is opened with a reason, for four hours at most; the company is told before it exists. It
has tokens of its own: that of the platform opens no company's data. It reads what an admin of the
company may read, through the login that cannot write, and each request stands in the company's
audit trail before it is answered. It ends by time, by who runs the platform or by an admin of the
company; that is asked of the row with every request, so the next one is refused (decision 37).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import NotAllowed, NotFound, Refused
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines.identity import TenantState
from server.core import access, audit
from server.core.actor import Actor, ActorKind, system
from server.core.db.registry import Tenant, TenantRef
from server.core.db.sessions import current_tenant
from server.core.jobs import Periodic
from server.core.room import Room
from server.identity import matrix, notices, operators, people, tokens
from server.identity.operators import PlatformUser
from server.identity.platform import BreakGlass

if TYPE_CHECKING:
    from server.core.db.sessions import Database

MARK = "ffg_"
"""How the text of a token begins: that of an access token of a person or of the platform never does."""
AUDIENCE = "foodflow-break-glass"
LONGEST_H = 4
SHOWN = 200
CODE = "identity.break_glass"
OPENED, READ, REFUSED, ENDED = (f"break_glass.{what}" for what in ("open", "read", "refused", "end"))

router = Room(tags=["identity"])


class Open(BaseModel):
    """Whose data, why and how long."""

    model_config = ConfigDict(extra="forbid")

    tenant_id: uuid.UUID
    reason: str = Field(min_length=5, max_length=500, pattern=r"^[^\x00]+$", description="the company reads it")
    hours: int = Field(ge=1, le=LONGEST_H)


class Access(BaseModel):
    """One access of the platform to a company's data."""

    id: uuid.UUID
    tenant_id: uuid.UUID
    operator_name: str
    reason: str
    opened_at: AwareDatetime
    ends_at: AwareDatetime
    ended_at: AwareDatetime | None
    ended_as: str | None = Field(description="time, operator (of the platform), company or account")


class Pass(BaseModel):
    """What the company's data are read with, for a quarter of an hour; while the access lasts there is a next one."""

    access: Access
    access_token: str
    expires_in_s: int
    token_type: str = "Bearer"  # noqa: S105  # the scheme of RFC 6750, no secret


@router.post(
    "/platform/break-glass",
    status_code=201,
    dependencies=[operators.needs("platform.break_glass.create")],
    responses=access.PROBLEMS,
)
async def open_access(request: Request, response: Response, body: Open) -> Pass:
    """Read one company's data for some hours; its admins and QA managers are told, with the reason.

    Raises:
        NotFound: `tenant_unknown`.
        NotAllowed: `token_bad` for who is being shut out.
        Refused: `break_glass_closed` for a company that is not active, `break_glass_open` for a second one.
    """
    database: Database = request.app.state.database
    operator: PlatformUser = request.state.operator
    now = database.clock.now()
    await settle(database, await database.tenant(body.tenant_id))
    async with database.platform_session() as db:
        # The company's state and the account stay as they are until this has committed.
        company = await db.get_one(Tenant, body.tenant_id, with_for_update={"read": True})
        operator = await db.get_one(PlatformUser, operator.id, with_for_update={"read": True})
        if operator.disabled_at is not None:
            raise NotAllowed("token_bad")
        if company.state is not TenantState.active:
            raise Refused("break_glass_closed", state=company.state)
        given = {"id": new_id(now), "company_id": company.id, "operator_id": operator.id, "reason": body.reason}
        terms = {"opened_at": now, "ends_at": now + timedelta(hours=body.hours)}
        made = insert(BreakGlass).values(given | terms).on_conflict_do_nothing().returning(BreakGlass)
        row = await db.scalar(made)
        if row is None:
            raise Refused("break_glass_open")
        operators.note(db, operator, now, f"platform.{OPENED}", company.id, _said(row), row.reason)
        # The company's transaction commits first: nothing is read of who was not told.
        async with database.tenant_session(company.id, _itself(row)) as theirs:
            audit.write(theirs, _reader(row, operator), OPENED, CODE, row.id, _said(row), row.reason)
            await notices.post(theirs, _notice(row, operator, body.hours))
    return _pass(request, response, row, operator)


@router.post(
    "/platform/break-glass/{access_id}:token",
    dependencies=[operators.needs("platform.break_glass.create")],
    responses=access.PROBLEMS,
)
async def next_token(request: Request, response: Response, access_id: uuid.UUID) -> Pass:
    """The next token of an access of one's own that lasts.

    Raises:
        NotFound: `record_unknown`, also for another's.
        NotAllowed: `break_glass_over`.
    """
    database: Database = request.app.state.database
    operator: PlatformUser = request.state.operator
    async with database.platform_session() as db:
        row = await db.get(BreakGlass, access_id)
    if row is None or row.operator_id != operator.id:
        raise NotFound("record_unknown", id=access_id)
    if _is_over(row, database.clock.now()):
        raise NotAllowed("break_glass_over")
    return _pass(request, response, row, operator)


@router.get(
    "/platform/break-glass", dependencies=[operators.needs("platform.break_glass.read")], responses=access.PROBLEMS
)
async def list_all(request: Request) -> list[Access]:
    """The last accesses to any company, newest first."""
    return await _listed(request.app.state.database, _asked().limit(SHOWN))


@router.post(
    "/platform/break-glass/{access_id}:end",
    dependencies=[operators.needs("platform.break_glass.end")],
    responses=access.PROBLEMS,
)
async def end_by_operator(request: Request, access_id: uuid.UUID) -> Access:
    """End an access, one's own or a colleague's; one that is over stays as it is."""
    database: Database = request.app.state.database
    operator: PlatformUser = request.state.operator
    async with database.platform_session() as db:
        row = await _locked(db, access_id)
        await _end(database, db, [row], "operator", operator)
    return await _one(database, access_id)


@router.get("/break-glass", dependencies=[access.needs("identity.break_glass.read")], responses=access.PROBLEMS)
async def list_open(request: Request, caller: access.Signed) -> list[Access]:
    """Who of the platform may read this company's data now; those that are over stand in the audit trail."""
    is_open = (BreakGlass.ended_at.is_(None), BreakGlass.ends_at > caller.clock.now())
    asked = _asked().where(BreakGlass.company_id == caller.actor.tenant_id, *is_open)
    return await _listed(request.app.state.database, asked)


@router.post(
    "/break-glass/{access_id}:end",
    dependencies=[access.needs("identity.break_glass.end")],
    responses=access.PROBLEMS,
)
async def end_by_company(request: Request, caller: access.Signed, access_id: uuid.UUID) -> Access:
    """End an access to this company's data at once: the next request is refused; one that is over stays as it is."""
    database: Database = request.app.state.database
    async with database.platform_session() as db:
        row = await _locked(db, access_id)
        if row.company_id != caller.actor.tenant_id:
            raise NotFound("record_unknown", id=access_id)
        if row.ended_at is None:
            _close(row, caller.clock.now(), "company", caller.actor.id)
            operators.note(db, "the company", caller.clock.now(), f"platform.{ENDED}", row.company_id, _said(row))
            audit.write(caller.db, caller.actor, ENDED, CODE, row.id, _said(row))
    return await _one(database, access_id)


async def authenticate(request: Request, text: str) -> Actor:
    """Who of the platform reads a company's data with this token; the request is in the company's trail by then.

    Raises:
        NotAllowed: `token_bad`, `token_expired`, `break_glass_over`, `read_only` for all but reading.
    """
    database: Database = request.app.state.database
    now = database.clock.now()
    claims = tokens.read(operators.key_of(request).private.public_key(), AUDIENCE, text.removeprefix(MARK))
    tokens.in_time(claims, now)
    asked = (
        select(BreakGlass, PlatformUser)
        .join(PlatformUser, PlatformUser.id == BreakGlass.operator_id)
        .join(Tenant, Tenant.id == BreakGlass.company_id)
        .where(
            BreakGlass.id == uuid.UUID(claims["glass"]),
            PlatformUser.id == uuid.UUID(claims["sub"]),
            PlatformUser.disabled_at.is_(None),
            PlatformUser.token_epoch == claims["epoch"],
            Tenant.state == TenantState.active,
        )
    )
    async with database.platform_session() as db:
        found = (await db.execute(asked)).one_or_none()
    if found is None:
        raise NotAllowed("token_bad")
    row, operator = found
    if _is_over(row, now):
        raise NotAllowed("break_glass_over")
    current_tenant.set(row.company_id)
    actor, is_reading = _reader(row, operator), request.method == "GET"
    said = {"method": request.method, "path": request.url.path, "query": request.url.query}
    async with database.tenant_session(row.company_id, _itself(row)) as theirs:
        what = said | {"record": dict(request.path_params)}
        audit.write(theirs, actor, READ if is_reading else REFUSED, CODE, row.id, what, row.reason)
    if not is_reading:
        raise NotAllowed("read_only")
    return actor


async def end_all_of(database: Database, db: AsyncSession, operator_id: uuid.UUID) -> None:
    """End what somebody has open whose account is disabled, in the running transaction of the platform."""
    mine = (BreakGlass.operator_id == operator_id, BreakGlass.ended_at.is_(None))
    rows = (await db.scalars(select(BreakGlass).where(*mine).order_by(BreakGlass.id).with_for_update())).all()
    await _end(database, db, rows, "account", None)


async def settle(database: Database, tenant: TenantRef) -> None:
    """Write down which accesses to a company are over by time; they have opened nothing since."""
    now = database.clock.now()
    over = (BreakGlass.company_id == tenant.id, BreakGlass.ended_at.is_(None), BreakGlass.ends_at <= now)
    async with database.platform_session() as db:
        rows = (await db.scalars(select(BreakGlass).where(*over).order_by(BreakGlass.id).with_for_update())).all()
        await _end(database, db, rows, "time", None)


async def _end(
    database: Database, db: AsyncSession, rows: Iterable[BreakGlass], ended_as: str, by: PlatformUser | None
) -> None:
    """End locked accesses that are not over, in the trail of the platform and in that of the company."""
    now = database.clock.now()
    for row in rows:
        if row.ended_at is not None:
            continue
        _close(row, now, ended_as, by.id if by else None)
        await db.flush()
        operators.note(db, by or "break-glass", now, f"platform.{ENDED}", row.company_id, _said(row))
        tenant = await database.tenant(row.company_id)
        if tenant.state is not TenantState.archived:
            async with database.tenant_session(row.company_id, _itself(row)) as theirs:
                audit.write(theirs, _reader(row, by) if by else _itself(row), ENDED, CODE, row.id, _said(row))


def _close(row: BreakGlass, now: datetime, ended_as: str, by: uuid.UUID | None) -> None:
    """End an access; one whose time is over ended then, whoever says it now."""
    if now >= row.ends_at:
        now, ended_as, by = row.ends_at, "time", None
    row.ended_at, row.ended_as, row.ended_by = now, ended_as, by


def _is_over(row: BreakGlass, now: datetime) -> bool:
    return row.ended_at is not None or now >= row.ends_at


@cache
def _codes() -> frozenset[str]:
    """What may be read: what an admin of a company reads, and no verb, sheet or list that is one's own."""
    return frozenset(code for code in matrix.grants(people.ADMIN, matrix.declared()) if code.endswith(".read"))


def _reader(row: BreakGlass, operator: PlatformUser) -> Actor:
    name, codes = operator.printed_name, _codes()
    return Actor(ActorKind.platform, row.company_id, operator.id, name, codes, rights={None: codes}, reads_only=True)


def _itself(row: BreakGlass) -> Actor:
    return system(row.company_id, "break-glass")


def _notice(row: BreakGlass, operator: PlatformUser, hours: int) -> notices.New:
    return notices.New(
        category=CODE,
        severity="critical",
        title=f"{operator.printed_name}, who runs the platform, reads your company's data for {hours} h",
        body=f"Reason: {row.reason}\nEach reading stands in the audit trail. An admin may end it at once.",
        dedupe_key=f"{CODE}:{row.id}",
        roles=("QM", "TA"),
        entity=CODE,
        entity_id=row.id,
    )


def _pass(request: Request, response: Response, row: BreakGlass, operator: PlatformUser) -> Pass:
    response.headers["Cache-Control"] = "no-store"  # RFC 6749, 5.1
    database: Database = request.app.state.database
    now = database.clock.now()
    ttl_s = min(tokens.USER_TTL_S, int((row.ends_at - now).total_seconds()))
    claims = {"glass": str(row.id), "epoch": operator.token_epoch}
    text = MARK + tokens.issue(operators.key_of(request), AUDIENCE, operator.id, now, ttl_s, **claims)
    return Pass(access=_shown(row, operator.printed_name), access_token=text, expires_in_s=ttl_s)


def _asked() -> Select[BreakGlass, str]:
    named = select(BreakGlass, PlatformUser.printed_name).join(PlatformUser, PlatformUser.id == BreakGlass.operator_id)
    return named.order_by(BreakGlass.opened_at.desc(), BreakGlass.id.desc())


async def _listed(database: Database, asked: Select[BreakGlass, str]) -> list[Access]:
    async with database.platform_session() as db:
        return [_shown(row, name) for row, name in (await db.execute(asked)).all()]


async def _one(database: Database, access_id: uuid.UUID) -> Access:
    (found,) = await _listed(database, _asked().where(BreakGlass.id == access_id))
    return found


async def _locked(db: AsyncSession, access_id: uuid.UUID) -> BreakGlass:
    row = await db.get(BreakGlass, access_id, with_for_update=True)
    if row is None:
        raise NotFound("record_unknown", id=access_id)
    return row


def _shown(row: BreakGlass, operator_name: str) -> Access:
    return Access(
        id=row.id,
        tenant_id=row.company_id,
        operator_name=operator_name,
        reason=row.reason,
        opened_at=row.opened_at,
        ends_at=row.ends_at,
        ended_at=row.ended_at,
        ended_as=row.ended_as,
    )


def _said(row: BreakGlass) -> dict[str, Any]:
    names = ("id", "operator_id", "opened_at", "ends_at", "ended_at", "ended_as", "ended_by")
    return {name: getattr(row, name) for name in names if getattr(row, name) is not None}


async def _settle(app: FastAPI, tenant: TenantRef) -> None:
    await settle(app.state.database, tenant)


JOBS = (Periodic("identity.break_glass", 60, _settle),)
