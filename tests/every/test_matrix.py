"""Every role is tried at every route, and gets what the page's table gives it.

The table below is a transcription of the domain's pages by hand (identity_core, section 4;
planning, first table), one line for each noun. It is never made from ``matrix``: it is what
``matrix`` is held against.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import select

from server import seed
from server.app import RESOURCES
from server.core.actor import system
from server.core.db.sessions import Database
from server.core.models import Plant
from server.core.resource import Resource, sheets
from server.identity import matrix, people, roles
from server.identity.models import Permission, Role
from tests.conftest import a_tenant
from tests.every.test_routes import ROUTES, codes
from tests.server.conftest import a_plant
from tests.server.identity.staff import Person, Staff

ROLES = "OP QT QM SV MT PL BM RA PN BY WH RD FI ST TA AU".split()
AT_A_PLANT = {"OP", "QT", "SV", "MT"}
"""The page's suffix p."""

TABLE = """
                        OP   QT   QM      SV      MT   PL      BM  RA  PN    BY  WH    RD   FI  ST  TA     AU
platform.tenant         -    -    -       -       -    -       -   -   -     -   -     -    -   -   R      -
platform.user           -    -    -       -       -    -       -   -   -     -   -     -    -   -   -      -
platform.break_glass    -    -    -       -       -    -       -   -   -     -   -     -    -   -   -      -
identity.user           -    -    R       RW      -    -       -   -   -     -   -     -    -   -   CRUADW R
identity.role           -    -    R       R       -    -       -   -   -     -   -     -    -   -   CRUAD  R
identity.permission     -    -    R       R       -    -       -   -   -     -   -     -    -   -   CRUAD  R
identity.user_role      -    -    R       R       -    -       -   -   -     -   -     -    -   -   CRUAD  R
identity.api_key        -    -    R       R       -    -       -   -   -     -   -     -    -   -   CRUAD  R
identity.device         -    -    R       RA      R    -       -   -   -     -   -     -    -   -   RAD    R
identity.break_glass    -    -    R       -       -    -       -   -   -     -   -     -    -   -   RD     R
core.audit              -    -    RX      R       -    -       -   -   -     -   -     -    -   -   RX     RX
core.notification       R    R    R       R       R    R       R   R   R     R   R     R    R   R   R      R
core.attachment         CR   CR   CRAD    CRD     CR   CR      -   -   R     R   CR    R    R   -   CRAD   R
core.note               CRU  CRU  CRUX    CRUX    CRU  CRU     -   -   R     R    CRU   R    R   -   CRUX   RX
core.qa_note            -    R    R       -       -    -       -   -   -     -    -     -    -   -   -      R
core.tag                R    R    CRUADX  CRUAD   R    R       R   -   R     R    R     R    R   -   CRUADX R
core.tag_link           CR   CRD  CRDX    CRD     CR   CRD     R   -   R     R    CRD   R    R   -   CRDX   R
core.config             -    -    RS      R       -    -       -   -   -     -   -     -    -   -   CRUAD  R
core.esign              CR   CR   CR      CR      CR   CR      CR  CR  CR    CR  CR    CR   CR  CR  CR     R
core.plant              R    R    RU      RU      R    R       R   -   R     R   R     R    R   -   CRUAD  R
core.location           R    R    RU      RU      R    R       R   -   R     R   R     R    R   -   CRUD   R
core.contact            -    R    CRUADX  R       R    CRU     -   -   R     R   R     R    R   -   CRUD   R
core.address            -    R    CRU     R       R    CRU     -   -   R     R   R     R    R   -   CRUD   R
plant_ops.line          R    R    RU      RU      R    R       R   -   R     R   R     R    R   -   CRUD   R
plant_ops.equipment     R    R    RU      RU      RU   R       R   -   R     R   R     R    R   -   CRUD   R
plant_ops.sensor        R    R    RX      RX      RU   R       -   -   R     R   R     R    R   -   CRUD   R
plant_ops.reason        R    R    RU      RU      R    R       R   -   R     R   R     R    R   -   CRUD   R
plant_ops.batch         CR   CR   RX      CRUADX  -    RX      R   -   R     R   R     R    R   -   R      R
plant_ops.line_event    CR   CR   RX      CRUADX  -    RX      R   -   R     R   R     R    R   -   R      R
plant_ops.downtime      CR   CR   RX      CRUADX  CR   RX      R   -   R     R   R     R    R   -   R      R
plant_ops.scrap         CR   CR   RX      CRUADX  -    RX      R   -   R     R   R     R    R   -   R      R
plant_ops.weighing      CR   CR   RAX     CRA     -    -       R   -   -     -   -     -    -   -   R      R
plant_ops.board         -    R    R       R       R    R       R   -   R     R   R     R    R   -   R      R
plant_ops.oee           -    R    RX      RX      -    RX      R   -   R     R   R     R    R   -   R      R
planning.item           R    R    R       RUA     R    CRUADX  R   -   R     R   R     R    R   -   R      R
planning.bom            -    -    RA      R       -    RA      R   -   R     R   R     CRU  R   -   R      R
planning.work_order     R    R    R       RU      R    CRUA    -   -   CRUA  R   R     R    R   -   R      R
planning.weight_spec    R    R    CRUAD   R       R    R       R   -   R     R   R     R    R   -   R      R
fsq.lot                 CR   CR   CRUA    CR      -    R       R   -   R     R   R     R    R   -   R      R
fsq.pallet              R    R    R       CR      -    R       R   R   R     R   CRUX  R    R   -   R      R
fsq.hold                CR   CR   CRA     CR      C    R       R   -   R     R   R     R    R   -   R      R
fsq.ccp                 R    R    CRUAD   R       R    R       R   -   R     R   R     R    R   -   R      R
fsq.ccp_monitoring      CR   CR   RAX     CRA     -    -       -   -   -     -   -     -    -   -   R      R
fsq.deviation           C    CRU  CRUADX  CRU     R    -       R   -   -     -   -     -    -   -   R      R
fsq.trace               -    R    CRUADX  CR      -    R       R   -   R     R   R     R    R   -   RX     RX
sync.health             -    R    R       R       R    -       -   -   -     -   -     -    -   -   R      R
sync.inbox              -    R    RA      RA      -    -       -   -   -     -   -     -    -   -   R      R
sync.journal            -    -    R       R       -    -       -   -   -     -   -     -    -   -   R      R
"""
LETTERS = {
    "read": "R", "export": "X", "create": "C", "update": "U", "retire": "D", "close": "U", "categorise": "U",
    "approve": "A", "release": "A", "pack": "C", "ship": "C", "disable": "D", "take": "D", "revoke": "D",
    "rotate": "U", "activate": "A", "replay": "A", "waive": "A", "sign": "S", "rescan": "A", "ack": "R", "withdraw": "D",
    "enable": "A", "lock": "D", "unlock": "A", "reset_mfa": "A", "set_pin": "A", "clear_wait": "W", "verify_identity": "A",
    "set_pcqi": "A", "suspend": "A", "close_down": "A", "block": "U", "unblock": "U", "verify": "U", "erase": "A", "supersede": "U",
    "merge": "A", "end": "D",
}  # fmt: skip
"""What each verb that has a route is on the page."""


def _read() -> dict[str, dict[str, str]]:
    head, *lines = (line.split() for line in TABLE.strip().splitlines())
    assert head == ROLES
    return {noun: dict(zip(ROLES, cells, strict=True)) for noun, *cells in lines}


PAGE = _read()


def allowed(role: str, code: str) -> bool:
    noun, _, verb = code.rpartition(".")
    return LETTERS[verb] in PAGE[noun][role]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def everybody(app: FastAPI, database: Database) -> Mapping[str, Person]:
    """One person of each role, signed in."""
    staff = await Staff.hire(app, database, await a_tenant(database))
    until = database.clock.now() + timedelta(days=1)
    return {
        role: await staff.person(
            role, plant=staff.plant if role in AT_A_PLANT else None, until=until if role == "AU" else None
        )
        for role in ROLES
    }


async def _ask(everybody: Mapping[str, Person], code: str, method: str, path: str, accept: str = "*/*") -> list[str]:
    """Who got another answer than the page says."""

    async def one(role: str) -> str | None:
        answer = await everybody[role].client.request(
            method, path, json=None if method == "GET" else {}, headers={"Accept": accept}
        )
        may = (
            allowed(role, code)
            and not (path == "/audit/verify" and role in AT_A_PLANT)
            and (accept == "*/*" or allowed(role, f"{code.rpartition('.')[0]}.export"))
        )
        refused = answer.status_code == 403 and answer.json()["code"] == "permission_missing"
        if answer.status_code >= 500 or answer.status_code == 401 or refused == may:
            return f"{role} {method} {path}: {answer.status_code}, the page says {'yes' if may else 'no'}"
        return None

    return [said for said in await asyncio.gather(*map(one, ROLES)) if said]


def tries(resource: Resource) -> Iterator[tuple[str, str, str, str]]:
    base, one = f"/{resource.path}", f"/{resource.path}/{uuid.UUID(int=7)}"
    yield f"{resource.code}.read", "GET", f"{base}?limit=1", "*/*"
    yield f"{resource.code}.read", "GET", one, "*/*"
    yield f"{resource.code}.read", "GET", f"{base}/meta", "*/*"
    yield f"{resource.code}.read", "GET", base, sheets.CSV
    if resource.is_writable:
        yield f"{resource.code}.create", "POST", base, "*/*"
        yield f"{resource.code}.update", "PATCH", one, "*/*"
        yield f"{resource.code}.retire", "DELETE", one, "*/*"
        yield f"{resource.code}.create", "POST", f"{base}:bulk", "*/*"
        yield f"{resource.code}.update", "PATCH", f"{base}:bulk", "*/*"
    for action in resource.actions:
        yield f"{resource.code}.{action.name}", "POST", f"{one}:{action.name.replace('_', '-')}", "*/*"


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.path)
async def test_every_role_may_do_with_a_table_what_the_page_says(
    everybody: Mapping[str, Person], resource: Resource
) -> None:
    wrong = []
    for code, method, path, accept in tries(resource):
        wrong += await _ask(everybody, code, method, path, accept)
    assert wrong == []


_OF_TABLES = {f"/api/v1/{resource.path}" for resource in RESOURCES}
WRITTEN_BY_HAND = sorted(
    (path.removeprefix("/api/v1"), method, code)
    for path, route in ROUTES
    for code in codes(route.dependant)
    for method in route.methods or ()
    if (
        (not code.startswith("platform.") or path == "/api/v1/tenant")  # asked with the platform's own tokens
        and ("{record_id}" not in path and path.removesuffix("/meta").removesuffix(":bulk") not in _OF_TABLES)
    )
    or (path == "/api/v1/api-keys" and method == "POST")
)


@pytest.mark.parametrize(("path", "method", "code"), WRITTEN_BY_HAND, ids=str)
async def test_every_role_may_do_elsewhere_what_the_page_says(
    everybody: Mapping[str, Person], path: str, method: str, code: str
) -> None:
    filled = "/".join(
        str(uuid.UUID(int=7)) + part.partition("}")[2] if part.startswith("{") else part for part in path.split("/")
    )
    assert await _ask(everybody, code, method, filled) == []


def test_the_page_and_the_matrix_have_the_same_nouns_and_roles() -> None:
    assert PAGE.keys() == matrix.MATRIX.keys()
    assert set(ROLES) == matrix.ROLES.keys()
    assert {role for held in matrix.MATRIX.values() for role in held} <= {*ROLES, "PA"}


async def test_who_runs_the_platform_and_what_a_terminal_is_are_no_roles_of_a_company(
    everybody: Mapping[str, Person],
) -> None:
    rows = (await everybody["TA"].client.get("/roles?limit=200")).json()["items"]
    assert sorted(role["key"] for role in rows) == sorted(ROLES)
    assert {role["key"] for role in rows if role["assignable_scope"] == "plant"} == AT_A_PLANT


async def test_no_quality_right_is_held_by_who_administers(everybody: Mapping[str, Person]) -> None:
    """TA is not QA: no approval, release or disposal of product, and nothing that is signed."""
    held = await everybody["TA"].permissions()
    assert not {
        code for code in held if code.startswith(("fsq.", "planning.")) and LETTERS.get(code.rpartition(".")[2]) == "A"
    }
    assert not {code for code in held if matrix.level(code) == "esign"}


async def test_an_auditor_holds_nothing_but_reading(everybody: Mapping[str, Person]) -> None:
    held = await everybody["AU"].permissions()
    assert held
    assert {code.rpartition(".")[2] for code in held} <= {"read", "export", "ack"}


def test_whatever_is_signed_is_of_the_level_that_no_key_holds() -> None:
    signed = {f"{each.code}.{action.name}" for each in RESOURCES for action in each.actions if action.signature}
    assert signed
    assert {code for code in signed if matrix.level(code) != "esign"} == set()


async def test_permissions_and_levels_are_in_the_database_as_in_the_program(
    everybody: Mapping[str, Person],
) -> None:
    rows: dict[str, str] = {}
    after = None
    while True:
        query = {"limit": 200} | ({"after": after} if after else {})
        page = (await everybody["TA"].client.get("/permissions", params=query)).json()
        rows |= {row["code"]: row["level"] for row in page["items"]}
        after = page["next"]
        if after is None:
            break
    assert rows == {code: matrix.level(code) for code in matrix.declared()}


async def test_a_permission_that_a_release_drops_is_deprecated_and_leaves_the_roles(database: Database) -> None:
    tenant = await a_tenant(database)
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        await people.ensure_roles(db)
        db.add(Permission(id=uuid.uuid4(), code="fsq.old.read", is_system=True, level="esign"))
        role = (await db.scalars(select(Role).where(Role.key == "AU"))).one()
        await db.flush()
        await roles.fill(db, role, ["fsq.old.read"])
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        await people.ensure_roles(db)
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        row = (await db.scalars(select(Permission).where(Permission.code == "fsq.old.read"))).one()
        assert row.state == "deprecated"
        assert "fsq.old.read" not in (await db.scalars(select(Role).where(Role.key == "AU"))).one().permissions


# --- own plant only


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def elsewhere(app: FastAPI, database: Database) -> tuple[Person, dict[str, Person]]:
    """A company with a plant full of rows: somebody who sees it all, and people of another plant of it."""
    tenant = await a_tenant(database)
    await seed.plant(database, tenant)
    other = await a_plant(database, tenant, "P9")
    async with database.tenant_session(tenant.id) as db:
        full = (await db.scalars(select(Plant.id).where(Plant.code == "P1"))).one()
    staff = Staff(app, database, tenant, full, other)
    await staff.role("ALL", matrix.declared())
    return await staff.person("ALL"), {role: await staff.person(role, plant=other) for role in sorted(AT_A_PLANT)}


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.path)
async def test_a_right_at_a_plant_shows_nothing_of_another(
    elsewhere: tuple[Person, dict[str, Person]], resource: Resource
) -> None:
    if not hasattr(resource.model, "plant_id"):
        pytest.skip("belongs to no plant")
    everything, people_there = elsewhere
    rows = (await everything.client.get(f"/{resource.path}?limit=200&filter[plant_id][null]=false")).json()
    if "items" not in rows:
        rows = {"items": [
            row for row in (await everything.client.get(f"/{resource.path}?limit=200")).json()["items"]
            if row["plant_id"]
        ]}  # fmt: skip
    own = {person.id for person in people_there.values()}
    hidden = [row for row in rows["items"] if uuid.UUID(row.get("user_id", str(uuid.UUID(int=0)))) not in own]
    for role, person in people_there.items():
        if not allowed(role, f"{resource.code}.read"):
            continue
        listed = (await person.client.get(f"/{resource.path}?limit=200")).json()["items"]
        assert not {row["id"] for row in hidden} & {row["id"] for row in listed}, role
        for row in hidden[:1]:
            answer = await person.client.get(f"/{resource.path}/{row['id']}")
            assert (answer.status_code, answer.json()["code"]) == (404, "record_unknown"), (role, answer.text)
