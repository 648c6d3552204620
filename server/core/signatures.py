"""Signing before acting, and what the signatures of a record say."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Query, Request
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import select

from foodflow_kernel.errors import Invalid
from server.core import access, audit, esign
from server.core.actions import load
from server.core.db import plant_of
from server.core.esign import ESignature, ESignatureUse, Meaning
from server.core.room import Room

router = Room(tags=["core"])

SIGN, READ = "core.esign.create", "core.esign.read"
NOT_VALID = "not valid for this version"


class Components(BaseModel):
    """Password, and code of who has a second factor, at the first signing of a session; then the PIN."""

    pin: str | None = Field(None, max_length=12)
    password: str | None = Field(None, max_length=200)
    totp: str | None = Field(None, max_length=40, description="code of the authenticator app, or a recovery code")


class Sign(BaseModel):
    """What is signed, as the signer saw it, and what it means."""

    record_type: str = Field(max_length=100, description="the record's permission prefix, such as fsq.hold")
    id: uuid.UUID
    version: int
    meaning: Meaning
    reason: str | None = Field(None, min_length=5, max_length=500)
    credentials: Components


class Signed(BaseModel):
    """A signature, to be named once as ``esign_id`` in the body of an action."""

    esign_id: uuid.UUID
    usable_until: AwareDatetime


class Manifestation(BaseModel):
    """A signature as it is shown and printed (21 CFR 11.50)."""

    esign_id: uuid.UUID
    printed_name: str
    signer_id: uuid.UUID
    meaning: Meaning
    reason: str | None
    signed_at: AwareDatetime
    signed_at_local: str = Field(description="in the plant's time, with its offset")
    tz: str
    record_version: int
    action: str | None = Field(description="what was done under it; null while it is not used")
    is_valid: bool
    note: str | None = Field(description=f"`{NOT_VALID}` when the record has changed since")


class Manifestations(BaseModel):
    """The signatures of a record, oldest first."""

    items: list[Manifestation]


def model_of(request: Request, record_type: str) -> type[Any]:
    """The table of a kind of record.

    Raises:
        Invalid: `record_type_unknown`.
    """
    models: dict[str, type[Any]] = request.app.state.records
    if record_type not in models:
        raise Invalid("record_type_unknown", record_type=record_type)
    return models[record_type]


@router.post(
    "/esign",
    status_code=201,
    dependencies=[access.needs(SIGN)],
    responses=access.PROBLEMS,
    openapi_extra={"x-permission": SIGN},
)
async def sign_record(request: Request, caller: access.Signed, body: Sign) -> Signed:
    """Sign a record; the signature is used by one action of the same session within five minutes."""
    model = model_of(request, body.record_type)
    record = await load(caller.db, caller.actor, model, body.id, f"{body.record_type}.read", lock=True)
    given = esign.Credentials(**body.credentials.model_dump(), meaning=body.meaning, version=body.version)
    signature = await esign.sign(
        caller.db, caller.actor, request.app.state.signer, body.record_type, record, given, body.meaning, body.reason
    )
    audit.write(
        caller.db,
        caller.actor,
        "esign.signed",
        body.record_type,
        record.id,
        {"meaning": body.meaning, "version": signature.record_version},
        body.reason,
        plant_id=plant_of(record),
        esign_id=signature.id,
    )
    return Signed(esign_id=signature.id, usable_until=signature.signed_at + esign.USABLE)


@router.get(
    "/esign",
    dependencies=[access.needs(READ)],
    responses=access.PROBLEMS,
    openapi_extra={"x-permission": READ},
)
async def read_signatures(
    request: Request,
    caller: access.Signed,
    record_type: Annotated[str, Query(max_length=100)],
    record_id: Annotated[uuid.UUID, Query(alias="id")],
) -> Manifestations:
    """Who signed this record, when, with what meaning, and whether it has changed since."""
    model = model_of(request, record_type)
    record = await load(caller.db, caller.actor, model, record_id, f"{record_type}.read")
    query = (
        select(ESignature, ESignatureUse)
        .join(ESignatureUse, ESignatureUse.esignature_id == ESignature.id, isouter=True)
        .where(ESignature.record_type == record_type, ESignature.record_id == record_id)
        .order_by(ESignature.signed_at, ESignature.id)
    )
    return Manifestations(items=[_shown(one, used, record) for one, used in (await caller.db.execute(query)).all()])


def _shown(one: ESignature, used: ESignatureUse | None, record: Any) -> Manifestation:
    valid = esign.is_valid(one, used, record)
    return Manifestation(
        esign_id=one.id,
        printed_name=one.printed_name,
        signer_id=one.signer_id,
        meaning=Meaning(one.meaning),
        reason=one.reason,
        signed_at=one.signed_at,
        signed_at_local=_local(one.signed_at, one.tz),
        tz=one.tz,
        record_version=one.record_version,
        action=used.action if used else None,
        is_valid=valid,
        note=None if valid else NOT_VALID,
    )


def _local(at: datetime, tz: str) -> str:
    return at.astimezone(ZoneInfo(tz)).isoformat(timespec="seconds")
