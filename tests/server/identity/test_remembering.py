"""A process that remembers somebody's rights: what takes them away holds at the next request, whoever did it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines.identity import RoleState, UserState
from server.core.actor import system
from server.core.db.sessions import Database, TenantRef
from server.identity import remembering, roles
from server.identity.models import RefreshToken, Role, RolePermission, User, UserRole
from tests.server.conftest import SignIn, a_plant

PATH, CODE = "/api-keys", "identity.api_key.read"


@pytest_asyncio.fixture(loop_scope="session")
async def known(database: Database, tenant: TenantRef, sign_in: SignIn) -> httpx.AsyncClient:
    """Somebody whom the process has seen before, with one right by a role of the company's own."""
    client = await sign_in(tenant, "OP", await a_plant(database, tenant))
    assert (await client.get(PATH)).status_code == 403
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        user, now = (await db.scalars(select(UserRole.user_id))).one(), database.clock.now()
        role = await roles.define(db, "X1", "Keeper of keys", [CODE])
        await db.flush()
        db.add(UserRole(id=new_id(now), user_id=user, role_id=role.id, valid_from=now))
    for _ in range(2):
        assert (await client.get(PATH)).status_code == 200
    return client


async def _held(db: AsyncSession) -> UserRole:
    return (await db.scalars(select(UserRole).join(Role).where(Role.key == "X1"))).one()


async def take_the_role_away(db: AsyncSession) -> None:
    held = await _held(db)
    held.retired_at = held.valid_from


async def retire_the_role(db: AsyncSession) -> None:
    role = (await db.scalars(select(Role).where(Role.key == "X1"))).one()
    role.state, role.retired_at = RoleState.retired, db.info["clock"].now()


async def take_the_permission_out(db: AsyncSession) -> None:
    role = (await db.scalars(select(Role).where(Role.key == "X1"))).one()
    await db.delete(await db.get_one(RolePermission, (role.id, CODE)))


async def disable_the_person(db: AsyncSession) -> None:
    user = await db.get_one(User, (await _held(db)).user_id)
    user.status = UserState.disabled


async def end_the_session(db: AsyncSession) -> None:
    for token in (await db.scalars(select(RefreshToken))).all():
        token.revoked_at, token.reason = db.info["clock"].now(), "signed_out"


async def raise_the_epoch(db: AsyncSession) -> None:
    (await db.get_one(User, (await _held(db)).user_id)).token_epoch += 1


@pytest.mark.parametrize(
    ("act", "status"),
    [
        (take_the_role_away, 403),
        (retire_the_role, 403),
        (take_the_permission_out, 403),
        (disable_the_person, 401),
        (end_the_session, 401),
        (raise_the_epoch, 401),
    ],
)
async def test_what_is_taken_away_by_another_process_is_gone_at_the_next_request(
    database: Database,
    tenant: TenantRef,
    known: httpx.AsyncClient,
    act: Callable[[AsyncSession], Awaitable[None]],
    status: int,
) -> None:
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        await act(db)
    assert (await known.get(PATH)).status_code == status
    assert (await known.get(PATH)).status_code == status


async def test_what_ends_or_begins_by_the_clock_does_so_to_the_second(
    database: Database, tenant: TenantRef, known: httpx.AsyncClient, frozen: FakeClock
) -> None:
    now = frozen.at
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        held = await _held(db)
        held.retired_at = now
        times = {"valid_from": now + timedelta(minutes=2), "valid_to": now + timedelta(minutes=4)}
        db.add(UserRole(id=new_id(now), user_id=held.user_id, role_id=held.role_id, **times))
    seen = []
    for _ in range(5):
        seen.append((await known.get(PATH)).status_code)
        frozen.advance(60)
    assert seen == [403, 403, 200, 200, 403]


async def test_a_name_is_the_new_one_at_the_next_request(
    database: Database, tenant: TenantRef, known: httpx.AsyncClient, app: FastAPI
) -> None:
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        person = await db.get_one(User, (await _held(db)).user_id)
        person.printed_name = "Another Name"
    assert (await known.get(PATH)).status_code == 200
    (place,) = [place for place in app.state.authenticator._known if place[0] == tenant.id]
    assert app.state.authenticator._known[place].actor.name == "Another Name"


async def test_no_more_people_are_remembered_than_there_is_room_for(
    tenant: TenantRef, sign_in: SignIn, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembering, "MOST", 2)
    clients = [await sign_in(tenant, "TA") for _ in range(3)]
    for client in clients * 2:
        assert (await client.get(PATH)).status_code == 200
    assert len(app.state.authenticator._known) == 2
