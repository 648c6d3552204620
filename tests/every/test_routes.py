"""Deny by default: every route declares a permission that a role can hold, or is on the short public list."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from sqlalchemy import URL

from foodflow_kernel.clock import FakeClock
from server.app import RESOURCES, create_app
from server.core import access
from server.core.db.postgres import Cluster
from server.core.settings import Settings
from server.identity import matrix

ANY_PERSON = {"/api/v1/me", "/api/v1/openapi.json"}
"""For whoever is signed in."""
TERMINALS = "/api/v1/sync/"
"""Terminals prove themselves by their own token (tests/server/sync)."""

NOWHERE = URL.create("postgresql+psycopg")
ROUTES = [
    r for r in create_app(Settings(), FakeClock(), Cluster(NOWHERE, b"", NOWHERE)).routes if isinstance(r, APIRoute)
]


def codes(dependant: Dependant) -> Iterator[str]:
    if isinstance(dependant.call, access.Needs):
        yield dependant.call.code
    for inner in dependant.dependencies:
        yield from codes(inner)


@pytest.mark.parametrize("route", ROUTES, ids=lambda r: f"{sorted(r.methods or ())} {r.path}")
def test_every_route_declares_a_permission(route: APIRoute) -> None:
    asked = list(codes(route.dependant))
    if route.path in access.PUBLIC | ANY_PERSON or (route.path.startswith(TERMINALS) and not asked):
        return
    assert asked, "no permission declared"
    assert set(asked) <= matrix.declared(), "a permission that no role can hold"


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: r.path)
def test_every_permission_of_a_resource_is_held_by_some_role(resource: object) -> None:
    held = {code for role in matrix.ROLES for code in matrix.grants(role, matrix.declared())}
    assert set(resource.permissions()) <= held  # type: ignore[attr-defined]  # parametrised over Resource
