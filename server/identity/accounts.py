"""The life of an account after it was made: who is let in, kept out, and let in again, and on what ground.

Each verb runs through the one door (``core.actions.perform``), so reason and change are on record.
"""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field, model_validator
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import NotFound
from foodflow_kernel.machines import USER
from server.core.actions import Action
from server.identity import attempts, people, pins, second_factor, sessions
from server.identity.models import User

Said = Annotated[str, Field(min_length=5, max_length=500, pattern=r"^[^\x00]*$")]


class Reason(BaseModel):
    """Why."""

    reason: Said


class Checked(BaseModel):
    """How it was made sure who this is (21 CFR 11.100(b)): the document seen, who knows them."""

    identity_check: Said
    reason: Said


class HandedOver(BaseModel):
    """A badge and a PIN handed over in person, to somebody who gets no letter."""

    identity_check: Said
    pin: str = Field(max_length=12, description="good for setting one's own")


class Identity(BaseModel):
    """What an admin saw, and the letter to the FDA if it was sent (21 CFR 11.100(c))."""

    identity_check: Said
    fda_letter_on: date | None = None


class NewPin(BaseModel):
    """A PIN that its owner must replace before it signs."""

    pin: str = Field(max_length=12)
    reason: Said


class Pcqi(BaseModel):
    """What makes somebody a preventive controls qualified individual (21 CFR 117.180(c))."""

    is_pcqi: bool
    valid_to: date | None = None
    training_on: date | None = None
    training_type: Said | None = None
    experience: Said | None = None

    @model_validator(mode="after")
    def _has_ground(self) -> Pcqi:
        """Training with its date and type (117.180(d)), or experience; and a day to look again."""
        trained = self.training_on is not None and self.training_type is not None
        if self.is_pcqi and (self.valid_to is None or not (trained or self.experience is not None)):
            raise ValueError("a PCQI needs valid_to, and a training (date, type) or proof of job experience")
        return self


async def activate(db: AsyncSession, user: User, command: HandedOver) -> User:
    """Let somebody in whom an admin met: badge and a first PIN.

    Raises:
        IllegalMove: the account is not invited. Invalid: `pin_weak`.
    """
    user.status = USER.move(user.status, "activate")
    _note_check(db, user, command.identity_check)
    await asyncio.to_thread(pins.give, user, command.pin, db.info["clock"].now(), is_own=False)
    return user


async def enable(db: AsyncSession, user: User, command: Checked) -> User:
    """Let somebody in again, after making sure anew who it is.

    Raises:
        IllegalMove: the account is not disabled.
    """
    user.status = USER.move(user.status, "enable")
    _note_check(db, user, command.identity_check)
    return user


async def lock(db: AsyncSession, user: User, _command: Reason) -> User:
    """Keep somebody out until an admin unlocks: a lost badge, a PIN that was seen (21 CFR 11.300(c)).

    Raises:
        IllegalMove: the account is not active. Refused: `last_admin`.
    """
    state = USER.move(user.status, "lock")
    await people.refuse_last_admin(db, user.id)
    user.status, user.locked_until = state, None
    await db.flush()
    await sessions.end_all(db, user.id, "locked")
    return user


async def unlock(db: AsyncSession, user: User, _command: Reason) -> User:
    """Open a lock, be it of wrong tries or of an admin.

    Raises:
        IllegalMove: the account is not locked.
    """
    await attempts.unlock(db, user)
    return user


async def reset_mfa(db: AsyncSession, user: User, _command: Checked) -> User:
    """Take the second factor away from somebody who lost it; all their sessions end.

    A password too short to stand alone goes with it: they set a new one by letter.
    """
    await second_factor.clear(db, user)
    await db.flush()
    await sessions.end_all(db, user.id, "mfa_reset")
    return user


async def set_pin(db: AsyncSession, user: User, command: NewPin) -> User:
    """Give somebody a PIN that is good for setting their own.

    Raises:
        Invalid: `pin_weak`.
    """
    await asyncio.to_thread(pins.give, user, command.pin, db.info["clock"].now(), is_own=False)
    return user


async def clear_wait(db: AsyncSession, user: User, _command: Reason) -> User:
    """Let somebody who mistyped their PIN try again at once.

    Raises:
        NotFound: `record_unknown` for somebody who works at none of the actor's plants.
    """
    plants = db.info["actor"].plant_ids
    if plants is not None:
        held = await people.roles_of(db, [user.id], db.info["clock"].now())
        if not any(plant is None or plant in plants for _, plant in held.get(user.id, [])):
            raise NotFound("record_unknown", id=user.id)
    await pins.count(db, user, is_right=True)
    return user


async def verify_identity(db: AsyncSession, user: User, command: Identity) -> User:
    """Record how it was made sure who this is, and the letter to the FDA."""
    _note_check(db, user, command.identity_check)
    user.fda_letter_on = command.fda_letter_on or user.fda_letter_on
    return user


async def set_pcqi(_db: AsyncSession, user: User, command: Pcqi) -> User:
    """Record that somebody is, or no longer is, a preventive controls qualified individual."""
    user.is_pcqi, user.pcqi_valid_to = command.is_pcqi, command.valid_to
    user.pcqi_training_on, user.pcqi_training_type = command.training_on, command.training_type
    user.pcqi_experience = command.experience
    return user


def _note_check(db: AsyncSession, user: User, how: str) -> None:
    user.identity_check, user.identity_checked_at = how, db.info["clock"].now()


ACTIONS = (
    Action("activate", activate, HandedOver, risk="approve"),
    Action("disable", people.disable, people.Disable, risk="approve"),
    Action("enable", enable, Checked, risk="approve"),
    Action("lock", lock, Reason, risk="approve"),
    Action("unlock", unlock, Reason, risk="approve"),
    Action("reset_mfa", reset_mfa, Checked, risk="forbidden"),
    Action("set_pin", set_pin, NewPin, risk="forbidden"),
    Action("clear_wait", clear_wait, Reason),
    Action("verify_identity", verify_identity, Identity, risk="approve"),
    Action("set_pcqi", set_pcqi, Pcqi, risk="approve"),
)
