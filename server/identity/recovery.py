"""A new password: by the old one, or by a letter to the person's address.

Asking for a letter says nothing of who exists: the answer is the same, and leaves before anybody
is looked up. Setting a password by letter ends all sessions of the person.
"""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from fastapi import Request
from pydantic import BaseModel, Field
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import NotAllowed, NotFound
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines.identity import TenantState, UserState
from server.core import access, audit
from server.core.actor import system
from server.core.db.sessions import current_tenant, even_if_refused
from server.core.mail import Letter, Mail
from server.core.room import Room
from server.identity import attempts, passwords, sessions
from server.identity.models import PasswordResetToken, User

if TYPE_CHECKING:
    from server.core.db.sessions import Database
    from server.core.later import Later

TTL = timedelta(minutes=30)
MAX_LETTERS = 3
"""To one person within ``TTL``: nobody's mailbox is filled by a stranger."""

SUBJECTS = {"en": "FoodFlow: set a new password", "es": "FoodFlow: nueva contraseña"}
TEXTS = {
    "en": """Hello {name},

somebody asked for a new password for your account at {company}.
If it was you, enter this code within {minutes} minutes:

{code}

If it was not you, do nothing: your password stays as it is.
""",
    "es": """Hola, {name}:

alguien pidió una nueva contraseña para su cuenta en {company}.
Si fue usted, introduzca este código antes de {minutes} minutos:

{code}

Si no fue usted, no haga nada: su contraseña no cambia.
""",
}

router = Room(tags=["auth"])


class Change(BaseModel):
    """The old password and the new one."""

    old_password: str = Field(max_length=passwords.MAX_LENGTH)
    new_password: str = Field(max_length=passwords.MAX_LENGTH)


class Forgotten(BaseModel):
    """Whose password is forgotten, and where."""

    tenant: str = Field(max_length=40)
    email: str = Field(max_length=200)


class Reset(BaseModel):
    """The code of the letter, and the new password."""

    token: str = Field(max_length=200)
    new_password: str = Field(max_length=passwords.MAX_LENGTH)


@router.post("/auth/password-change", status_code=204, responses=access.PROBLEMS)
async def change(caller: access.Signed, body: Change) -> None:
    """Set a new password by the old one; all other sessions of the person end.

    Raises:
        NotAllowed: `signature_failed`, `sign_in_locked`. Invalid: `password_short`, `password_common`.
    """
    db, actor = caller.db, caller.actor
    user = await db.get_one(User, actor.id, with_for_update={"key_share": True})
    name = attempts.name_of(user, "")
    await attempts.refuse_if_locked(db, user, name)
    if not await asyncio.to_thread(passwords.is_right, user, body.old_password):

        async def keep(after: AsyncSession) -> None:
            whose = await after.get_one(User, user.id, with_for_update={"key_share": True})
            await attempts.wrong(after, whose, name, "password change")
            audit.write(after, actor, "auth.password_change_failed", "identity.user", actor.id)

        even_if_refused(db, keep)
        raise NotAllowed("signature_failed")
    await passwords.give(user, body.new_password)
    await sessions.end_all(db, user.id, "password_changed", spare=actor.session_id)
    await _close_letters(db, user.id)
    audit.write(db, actor, "auth.password_change", "identity.user", user.id)


@router.post("/auth/password-reset/initiate", status_code=202, dependencies=[access.SELDOM], responses=access.PROBLEMS)
async def initiate(request: Request, body: Forgotten) -> None:
    """Have a letter sent to a person who forgot the password, if there is one with this address."""
    later: Later = request.app.state.later
    later.start(_send_letter(request.app.state.database, request.app.state.mail, body))


async def _send_letter(database: Database, mail: Mail, body: Forgotten) -> None:
    try:
        tenant = await database.tenant_by_slug(body.tenant)
    except NotFound:
        return
    if tenant.state is not TenantState.active:
        return
    async with database.tenant_session(tenant.id, system(tenant.id, "password reset")) as db:
        user = await db.scalar(select(User).where(User.email == body.email).with_for_update(key_share=True))
        if user is None or user.email is None or not user.may_go_on or await _has_enough(db, user.id):
            return
        code = await _new_letter(db, user)
    language = user.locale if user.locale in TEXTS else "en"
    minutes = int(TTL.total_seconds() // 60)
    text = TEXTS[language].format(name=user.printed_name, company=tenant.name, minutes=minutes, code=code)
    await asyncio.to_thread(mail.send, Letter(user.email, SUBJECTS[language], text))


async def _has_enough(db: AsyncSession, user_id: uuid.UUID) -> bool:
    since = db.info["clock"].now() - TTL
    sent = select(func.count()).where(PasswordResetToken.user_id == user_id, PasswordResetToken.issued_at > since)
    return (await db.scalar(sent) or 0) >= MAX_LETTERS


async def _new_letter(db: AsyncSession, user: User) -> str:
    now = db.info["clock"].now()
    await _close_letters(db, user.id)
    code = sessions.new_secret(db.info["tenant_id"])
    row = PasswordResetToken(
        id=new_id(now), token_sha256=sessions.digest(code), user_id=user.id, issued_at=now, expires_at=now + TTL
    )
    db.add(row)
    audit.write(db, db.info["actor"], "auth.password_reset_asked", "identity.user", user.id)
    return code


@router.post("/auth/password-reset/confirm", status_code=204, dependencies=[access.SELDOM], responses=access.PROBLEMS)
async def confirm(request: Request, body: Reset) -> None:
    """Set a new password by the code of a letter; all sessions of the person end.

    Raises:
        NotAllowed: `reset_code_bad`. Invalid: `password_short`, `password_common`.
    """
    database: Database = request.app.state.database
    tenant = await sessions.tenant_of(database, body.token)
    if tenant is None:
        raise NotAllowed("reset_code_bad")
    current_tenant.set(tenant.id)
    async with database.tenant_session(tenant.id, system(tenant.id, "password reset")) as db:
        of_code = PasswordResetToken.token_sha256 == sessions.digest(body.token)
        user_id = await db.scalar(select(PasswordResetToken.user_id).where(of_code))
        if user_id is None:
            raise NotAllowed("reset_code_bad")
        user = await db.get_one(User, user_id, with_for_update={"key_share": True})
        # Read under the person's lock: of two requests with one code the second sees it used.
        letter = (await db.scalars(select(PasswordResetToken).where(of_code))).one()
        now = database.clock.now()
        is_open = letter.used_at is None and letter.revoked_at is None and letter.expires_at > now
        if not is_open or not user.may_go_on:
            raise NotAllowed("reset_code_bad")
        await passwords.give(user, body.new_password)
        if user.status is UserState.locked:
            await attempts.unlock(db, user)
        letter.used_at = now
        await sessions.end_all(db, user.id, "password_reset")
        audit.write(db, sessions.person(db, user), "auth.password_reset", "identity.user", user.id)


async def _close_letters(db: AsyncSession, user_id: uuid.UUID) -> None:
    closed = (
        update(PasswordResetToken)
        .where(
            PasswordResetToken.user_id == user_id,
            PasswordResetToken.used_at.is_(None),
            PasswordResetToken.revoked_at.is_(None),
        )
        .values(revoked_at=db.info["clock"].now())
    )
    await db.execute(closed, execution_options={"synchronize_session": False})
