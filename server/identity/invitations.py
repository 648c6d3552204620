"""How somebody gets an account: an admin names them, a letter brings a code, the code sets their password.

An account that was made but not taken is `invited`: nobody can sign in with it. The code is good
once, for three days, the newest only. Nobody learns from an answer whether a code ever existed.
"""

from __future__ import annotations

import asyncio
import csv
import io
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import BackgroundTasks, Body, Header, Request, Response
from fastapi.params import Depends as DependsMark
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import Invalid, NotAllowed, NotFound
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines import USER
from foodflow_kernel.machines.identity import UserState
from server.core import access, audit
from server.core.actions import changes, values
from server.core.actor import system
from server.core.db.sessions import current_tenant
from server.core.mail import Letter, Mail
from server.core.models import Plant
from server.core.resource import bulk, imports, sheets, writing
from server.core.resource.routes import Atomic, DryRun
from server.core.room import Room
from server.identity import passwords, pins, roles, sessions
from server.identity.models import Invitation, User, UserRole

if TYPE_CHECKING:
    from server.core.db.sessions import Database
    from server.core.later import Later

TTL = timedelta(hours=72)
SUBJECTS = {"en": "FoodFlow: your account", "es": "FoodFlow: su cuenta"}
TEXTS = {
    "en": """Hello {name},

{company} has made an account for you. Your badge is {badge}.
To take it, enter this code within {hours} hours and choose a password:

{code}
""",
    "es": """Hola, {name}:

{company} ha creado una cuenta para usted. Su credencial es {badge}.
Para usarla, introduzca este código antes de {hours} horas y elija una contraseña:

{code}
""",
}

router = Room(tags=["identity"])
_Email = Annotated[str, Field(max_length=200, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")]
_Name = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00]*$")]
_Locale = Annotated[str, Field(pattern=r"^(en|es)$")]


class NewPerson(BaseModel):
    """Somebody who shall have an account."""

    model_config = ConfigDict(extra="forbid")

    email: _Email | None = Field(None, description="where the letter goes; without one: `:activate` with a first PIN")
    login_code: str = Field(min_length=3, max_length=40, pattern=r"^[^\s\x00]+$", description="the badge")
    short_no: str = Field(pattern=r"^[0-9]{2,6}$")
    printed_name: _Name
    locale: _Locale = "en"
    roles: tuple[Annotated[str, Field(max_length=40, pattern=r"^[^\x00]*$")], ...] = Field((), max_length=20)
    plant_id: uuid.UUID | None = Field(None, description="where the roles count; none: in the whole company")


class Change(BaseModel):
    """What may be changed of a person; a badge never may."""

    model_config = ConfigDict(extra="forbid")

    printed_name: _Name | None = None
    locale: _Locale | None = None
    email: _Email | None = None


class Account(BaseModel):
    """An account as its admin sees it."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    login_code: str
    short_no: str
    printed_name: str
    email: str | None
    locale: str
    status: UserState
    version: int


class Register(BaseModel):
    """The code of the letter, and what the person chooses."""

    token: str = Field(max_length=200)
    password: str = Field(max_length=passwords.MAX_LENGTH)
    pin: str | None = Field(None, max_length=12)


_SHEET = {
    "x-permission": "identity.user.create",
    "requestBody": {
        "required": True,
        "content": {sheets.CSV: {"schema": {"type": "string", "format": "binary"}}},
    },
}


def _options(verb: str, *others: DependsMark, with_extra: bool = True) -> dict[str, Any]:
    code = f"identity.user.{verb}"
    made: dict[str, Any] = {"dependencies": [access.needs(code), *others], "responses": access.PROBLEMS}
    return made | {"openapi_extra": {"x-permission": code}} if with_extra else made


@router.post("/users", status_code=201, **_options("create"))
async def invite(
    request: Request, response: Response, after: BackgroundTasks, caller: access.Signed, body: NewPerson
) -> Account:
    """Make an account and send its letter.

    Raises:
        Invalid: `role_unknown`. NotFound: `record_unknown` for the plant; whatever ``roles.allow`` refuses.
    """
    user = await _make(caller, body)
    _send(request, after, caller, [user.id])
    response.headers["ETag"] = f'"{user.version}"'
    return Account.model_validate(user)


@router.post("/users:bulk", **_options("create", bulk.ONLY_WAYS))
async def invite_many(
    request: Request,
    after: BackgroundTasks,
    caller: access.Signed,
    body: Annotated[dict[str, Any], Body(description="`rows`: 1 to 500 people, as of `POST /users`")],
    *,
    atomic: Atomic = False,
    dry_run: DryRun = False,
) -> bulk.BulkAnswer:
    """Make many accounts; each has its own fate, its own letter."""
    return await _many(request, after, caller, bulk.rows_of(body), atomic=atomic, dry_run=dry_run)


@router.post("/users:import", openapi_extra=_SHEET, **_options("create", bulk.ONLY_WAYS, with_extra=False))
async def invite_sheet(
    request: Request, after: BackgroundTasks, caller: access.Signed, *, atomic: Atomic = False, dry_run: DryRun = False
) -> bulk.BulkAnswer:
    """Make accounts from a CSV sheet, as `/users:bulk` does; the columns are those of `POST /users`.

    Several roles in one cell are written with semicolons between them.

    Raises:
        Invalid: `import_type_unknown`, `import_unreadable`, `import_empty`, `import_too_large`.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != sheets.CSV:
        raise Invalid("import_type_unknown", allowed=[sheets.CSV])
    rows = _read_sheet(await request.body())
    return await _many(request, after, caller, rows, atomic=atomic, dry_run=dry_run)


def _read_sheet(raw: bytes) -> list[dict[str, Any]]:
    if len(raw) > imports.MAX_BYTES:
        raise Invalid("import_too_large", most=imports.MAX_BYTES)
    try:
        lines = csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True)
        rows = [{str(name).strip(): cell for name, cell in line.items() if cell} for line in lines]
    except (UnicodeDecodeError, csv.Error) as error:
        raise Invalid("import_unreadable", why="it is no CSV in UTF-8") from error
    if not rows:
        raise Invalid("import_empty")
    if len(rows) > bulk.MAX_ROWS:
        raise Invalid("import_too_large", most=bulk.MAX_ROWS)
    for row in rows:
        if isinstance(row.get("roles"), str):
            row["roles"] = [role.strip() for role in row["roles"].split(";") if role.strip()]
    return rows


async def _many(
    request: Request, after: BackgroundTasks, caller: access.Caller, rows: list[Any], *, atomic: bool, dry_run: bool
) -> bulk.BulkAnswer:
    made: dict[int, uuid.UUID] = {}

    async def run(steps: Sequence[bulk.Step]) -> dict[int, bulk.RowResult]:
        fates: dict[int, bulk.RowResult] = {}
        for index, said in steps:
            user = await _make(caller, NewPerson.model_validate(said.model_dump()))
            made[index] = user.id
            fates[index] = bulk.RowResult(index=index, id=None if dry_run else user.id, status=201)
        return fates

    answer = await bulk.run_all(
        caller.db, NewPerson, rows, bulk.undoing(caller.db, run), atomic=atomic, dry_run=dry_run
    )
    kept = {result.id for result in answer.results if not result.errors}
    _send(request, after, caller, [user_id for user_id in made.values() if user_id in kept])
    return answer


@router.patch("/users/{user_id}", **_options("update"))
async def change(
    caller: access.Signed,
    response: Response,
    user_id: uuid.UUID,
    body: Change,
    if_match: Annotated[str | None, Header()] = None,
) -> Account:
    """Change name, language or e-mail; an address that somebody ever had is never another's.

    Raises:
        Invalid: `if_match_missing`, `version_stale`. NotFound: `record_unknown`.
    """
    db = caller.db
    user = await _locked(db, user_id)
    writing.same_version(user, if_match)
    before = values(user)
    for name, value in body.model_dump(exclude_unset=True).items():
        if value is not None or name == "email":
            setattr(user, name, value)
    await db.flush()
    if before["email"] != user.email:
        await _close(db, user.id)  # a letter to the old address brings nobody in
    audit.write(db, caller.actor, "identity.user.update", "identity.user", user.id, changes(before, values(user)))
    response.headers["ETag"] = f'"{user.version}"'
    return Account.model_validate(user)


@router.post("/users/{user_id}:invite", status_code=202, **_options("create"))
async def invite_again(request: Request, after: BackgroundTasks, caller: access.Signed, user_id: uuid.UUID) -> None:
    """Send the letter again; the one before is worth nothing any more.

    Raises:
        IllegalMove: the account was taken. NotFound: `record_unknown`.
    """
    user = await _locked(caller.db, user_id)
    USER.move(user.status, "activate")
    audit.write(caller.db, caller.actor, "identity.user.invite", "identity.user", user.id)
    _send(request, after, caller, [user.id])


@router.post("/auth/register", status_code=204, dependencies=[access.SELDOM], responses=access.PROBLEMS, tags=["auth"])
async def register(request: Request, body: Register) -> None:
    """Take an account by the code of its letter: a password, and a PIN of one's own.

    Raises:
        NotAllowed: `invitation_bad`. Invalid: `password_short`, `password_common`, `pin_weak`.
    """
    database: Database = request.app.state.database
    tenant = await sessions.tenant_of(database, body.token)
    if tenant is None:
        raise NotAllowed("invitation_bad")
    current_tenant.set(tenant.id)
    async with database.tenant_session(tenant.id, system(tenant.id, "register")) as db:
        of_code = Invitation.token_sha256 == sessions.digest(body.token)
        user_id = await db.scalar(select(Invitation.user_id).where(of_code))
        if user_id is None:
            raise NotAllowed("invitation_bad")
        user = await db.get_one(User, user_id, with_for_update={"key_share": True})
        # Read under the person's lock: of two requests with one code the second sees it used.
        letter = (await db.scalars(select(Invitation).where(of_code))).one()
        now = database.clock.now()
        is_open = letter.used_at is None and letter.revoked_at is None and letter.expires_at > now
        if not is_open or user.status is not UserState.invited:
            raise NotAllowed("invitation_bad")
        await passwords.give(user, body.password)
        if body.pin is not None:
            await asyncio.to_thread(pins.give, user, body.pin, now, is_own=True)
        user.status, letter.used_at = USER.move(user.status, "activate"), now
        audit.write(db, sessions.person(db, user), "auth.register", "identity.user", user.id)


async def _make(caller: access.Caller, said: NewPerson) -> User:
    db, now = caller.db, caller.clock.now()
    plant = await db.get(Plant, said.plant_id) if said.plant_id and caller.actor.sees(said.plant_id) else None
    if said.plant_id is not None and plant is None:
        raise NotFound("record_unknown", id=said.plant_id)
    caller.actor.require("identity.user.create", said.plant_id)
    held = await roles.named(db, said.roles)
    for role in held:
        await roles.allow(db, caller.actor, role, plant_id=said.plant_id, until=None)
    given = said.model_dump(exclude={"roles", "plant_id"})
    user = User(id=new_id(now), status=USER.start, names={}, **given)
    db.add(user)
    await db.flush()
    db.add_all(
        UserRole(id=new_id(now), user_id=user.id, role_id=role.id, plant_id=said.plant_id, valid_from=now)
        for role in held
    )
    await db.flush()
    noted = said.model_dump(mode="json")
    audit.write(db, caller.actor, "identity.user.create", "identity.user", user.id, noted)
    return user


def _send(request: Request, after: BackgroundTasks, caller: access.Caller, user_ids: Sequence[uuid.UUID]) -> None:
    """Have letters written once this transaction has committed and the answer has left."""
    state, tenant_id, ids = request.app.state, caller.actor.tenant_id, tuple(user_ids)

    async def begin() -> None:
        later: Later = state.later
        later.start(_letters(state.database, state.mail, tenant_id, ids))

    if ids:
        after.add_task(begin)


async def _letters(database: Database, mail: Mail, tenant_id: uuid.UUID, user_ids: Sequence[uuid.UUID]) -> None:
    for user_id in user_ids:
        async with database.tenant_session(tenant_id, system(tenant_id, "invitation")) as db:
            user = await db.get(User, user_id, with_for_update={"key_share": True})
            if user is None or user.email is None or user.status is not UserState.invited:
                continue
            now, code = database.clock.now(), sessions.new_secret(tenant_id)
            await _close(db, user.id)
            db.add(
                Invitation(
                    id=new_id(now), token_sha256=sessions.digest(code), user_id=user.id, issued_at=now,
                    expires_at=now + TTL,
                )
            )  # fmt: skip
            company, to = db.info["tenant"].name, user.email
        language = user.locale if user.locale in TEXTS else "en"
        text = TEXTS[language].format(
            name=user.printed_name, company=company, badge=user.login_code, hours=TTL.days * 24, code=code
        )
        await asyncio.to_thread(mail.send, Letter(to, SUBJECTS[language], text))


async def _locked(db: AsyncSession, user_id: uuid.UUID) -> User:
    user = await db.get(User, user_id, with_for_update={"key_share": True})
    if user is None:
        raise NotFound("record_unknown", id=user_id)
    return user


async def _close(db: AsyncSession, user_id: uuid.UUID) -> None:
    closed = (
        update(Invitation)
        .where(Invitation.user_id == user_id, Invitation.used_at.is_(None), Invitation.revoked_at.is_(None))
        .values(revoked_at=db.info["clock"].now())
    )
    await db.execute(closed, execution_options={"synchronize_session": False})
