"""Deny by default: every route declares a permission that a role can hold, or is on the short public list."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute
from sqlalchemy import URL
from starlette.routing import BaseRoute

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.sentences import SENTENCES
from server.app import RESOURCES, create_app
from server.core import access
from server.core.db.postgres import Cluster
from server.core.resource import Resource, sheets
from server.core.settings import Settings
from server.identity import matrix

ROOT = Path(__file__).parents[2]

ANY_PERSON = {
    "/api/v1/ws/ticket",
    "/api/v1/me",
    "/api/v1/me/permissions",
    "/api/v1/auth/logout-all",
    "/api/v1/auth/password-change",
    "/api/v1/auth/mfa/enroll",
    "/api/v1/auth/mfa/verify",
    "/api/v1/auth/mfa/remove",
    "/api/v1/openapi.json",
}
"""For whoever is signed in."""
TERMINALS = "/api/v1/sync/"
"""Terminals prove themselves by their own token (tests/server/sync)."""

NOWHERE = URL.create("postgresql+psycopg")


def walk(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[tuple[str, APIRoute]]:
    """All routes with their whole path; an included router is a route that holds routes."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield prefix + route.path, route
        elif hasattr(route, "original_router"):
            yield from walk(route.original_router.routes, prefix + route.include_context.prefix)


def sockets(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[tuple[str, APIWebSocketRoute]]:
    """All WebSockets with their whole path."""
    for route in routes:
        if isinstance(route, APIWebSocketRoute):
            yield prefix + route.path, route
        elif hasattr(route, "original_router"):
            yield from sockets(route.original_router.routes, prefix + route.include_context.prefix)


APP = create_app(Settings(), FakeClock(), Cluster(NOWHERE, b"", NOWHERE))
ROUTES = list(walk(APP.routes))


def codes(dependant: Dependant) -> Iterator[str]:
    if isinstance(dependant.call, access.Needs):
        yield dependant.call.code
    for inner in dependant.dependencies:
        yield from codes(inner)


def test_the_walk_finds_every_operation_of_the_document() -> None:
    documented = {(path, verb) for path, verbs in APP.openapi()["paths"].items() for verb in verbs}
    assert documented == {(path, verb.lower()) for path, route in ROUTES for verb in route.methods or ()}


def test_few_rooms_are_asked_for_a_path_and_the_right_one_is_among_them() -> None:
    for path, route in ROUTES:
        asked = APP.router.asked(path)
        assert route in APP.routes or any(route in each.original_router.routes for each in asked), path
        assert len(asked) < len(APP.routes) / 3, path


@pytest.mark.parametrize(("path", "route"), ROUTES, ids=lambda each: each if isinstance(each, str) else "")
def test_every_route_declares_a_permission(path: str, route: APIRoute) -> None:
    asked = list(codes(route.dependant))
    if path in access.PUBLIC.keys() | ANY_PERSON or (path.startswith(TERMINALS) and not asked):
        return
    assert asked, "no permission declared"
    assert set(asked) <= matrix.declared(), "a permission that no role can hold"


SOCKETS = dict(sockets(APP.routes))


def test_the_walk_finds_every_socket() -> None:
    assert set(SOCKETS) == {f"/api/v1/ws/{what}" for what in ("notifications", "lines", "sensors")}


@pytest.mark.parametrize("path", SOCKETS)
def test_every_socket_declares_a_permission(path: str) -> None:
    asked = set(codes(SOCKETS[path].dependant))
    assert asked, "no permission declared"
    assert asked <= matrix.declared(), "a permission that no role can hold"


def test_every_route_that_needs_nobody_is_limited_by_address() -> None:
    limited = {
        path for path, route in ROUTES for each in route.dependant.dependencies if each.call is access.not_too_often
    }
    assert limited == access.PUBLIC.keys() - access.UNLIMITED


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: r.path)
def test_every_permission_of_a_resource_is_held_by_some_role(resource: object) -> None:
    """All but exports: a role has one where the domain says X; a company may give it to a role of its own."""
    held = {code for role in matrix.ROLES for code in matrix.grants(role, matrix.declared())}
    held |= {code for code in matrix.declared() if code.endswith(".export")}
    assert set(resource.permissions()) <= held  # type: ignore[attr-defined]  # parametrised over Resource


def test_every_special_verb_is_asked_for_by_somebody() -> None:
    asked = {code for _, route in ROUTES for code in codes(route.dependant)}
    text = "".join(path.read_text() for path in (ROOT / "server").rglob("*.py"))
    special = {f"{noun}.{verb}" for verb, (_, *nouns) in matrix.SPECIAL.items() for noun in nouns}
    assert {code for code in special - asked if f'"{code}"' not in text} == set()


DOCUMENT = APP.openapi()


def test_the_document_refers_to_nothing_that_is_not_there() -> None:
    text = json.dumps(DOCUMENT)
    referred = set(re.findall(r'"\$ref": "([^"]+)"', text))
    assert referred == {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]} & referred
    assert "#/components/schemas/Problem" in referred


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: r.path)
def test_the_document_says_permission_errors_and_examples_of_a_resource(resource: Resource) -> None:
    base = f"/api/v1/{resource.path}"
    one = f"{base}/{{record_id}}"
    own = {base, one, f"{base}/meta", f"{base}:bulk", f"{base}:import"} | {
        f"{one}:{a.name.replace('_', '-')}" for a in resource.actions
    }
    operations = 0
    for path, verbs in DOCUMENT["paths"].items():
        if path not in own:
            continue
        for verb, operation in verbs.items():
            if not operation["operationId"].startswith(f"{resource.path.replace('/', '_').replace('-', '_')}_"):
                continue  # an ordinary route beside the resource's own: how a row is born that no form makes
            operations += 1
            (code,) = {
                c for p, r in ROUTES if p == path and verb.upper() in (r.methods or ()) for c in codes(r.dependant)
            }
            assert operation["x-permission"] == code in matrix.declared(), (path, verb)
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    content = answer["content"]["application/problem+json"]
                    assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
                    assert content["example"]["code"] in SENTENCES.keys() | {"request_invalid"}
            assert {"400", "401", "403", "404", "409", "422"} <= set(operation["responses"])
    assert operations == (9 if resource.is_writable else 3) + len(resource.actions)
    listed = {each["name"] for each in DOCUMENT["paths"][base]["get"]["parameters"]}
    assert {f"filter[{name}][{op}]" for name in resource.filterable for op in resource.operators(name)} <= listed
    assert {"sort", "fields", "limit", "after"} <= listed
    assert set(DOCUMENT["paths"][base]["get"]["responses"]["200"]["content"]) == {sheets.JSON, sheets.CSV, sheets.XLSX}
