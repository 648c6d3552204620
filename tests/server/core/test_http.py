"""What a caller is told when something is wrong, and what the log keeps."""

from __future__ import annotations

import json
import logging

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import text

from foodflow_kernel import sentences
from foodflow_kernel.clock import FakeClock
from foodflow_kernel.errors import FoodFlowError, IllegalMove, Invalid, NotAllowed, NotFound, Refused
from server.core import door, http, logs, metrics, traces
from server.core.db.sessions import Database, TenantRef


class Body(BaseModel):
    n: int


def an_app() -> FastAPI:
    """An application with the product's answers."""
    app = FastAPI()
    http.install(app)
    door.install(app, metrics.Measures(), traces.Off())
    return app


def client_of(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://hub")


@pytest.fixture
def broken() -> httpx.AsyncClient:
    """An application whose routes fail in every way."""
    app = an_app()

    @app.get("/secret")
    async def secret() -> None:
        raise RuntimeError("password=hunter2")

    @app.post("/body")
    async def body(given: Body) -> int:
        return given.n

    return client_of(app)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("record_unknown"), 404),
        (NotAllowed("permission_missing"), 403),
        (NotAllowed("not_signed_in"), 401),
        (NotAllowed("sign_in_locked"), 429),
        (Invalid("filter_unknown"), 422),
        (Invalid("if_match_missing"), 428),
        (Invalid("version_stale"), 412),
        (Refused("lot_held"), 409),
        (IllegalMove("lot", "released", "release"), 409),
    ],
    ids=lambda value: getattr(value, "code", value),
)
def test_each_kind_of_error_has_its_status(error: FoodFlowError, status: int) -> None:
    assert http.status_of(error) == status


async def test_what_nobody_foresaw_leaks_nothing_and_keeps_its_request_id(
    broken: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "server.core"):
        answer = await broken.get("/secret", headers={"X-Request-Id": "abc-1"})
    assert (answer.status_code, answer.headers["content-type"]) == (500, http.PROBLEM)
    assert (answer.json()["code"], answer.json()["request_id"]) == ("internal_error", "abc-1")
    assert answer.headers["x-request-id"] == "abc-1"
    assert "hunter2" not in answer.text
    assert [record.message for record in caplog.records] == ["unforeseen error", "request"]


@pytest.mark.parametrize("statement", ["UPDATE sync_log SET seq = 0", "DELETE FROM identity_user"])
async def test_what_the_database_keeps_as_it_is_is_a_conflict(
    database: Database, tenant: TenantRef, statement: str
) -> None:
    app = an_app()

    @app.post("/change")
    async def change() -> None:
        async with database.tenant_session(tenant.id) as db:
            await db.execute(text(statement))

    answer = await client_of(app).post("/change")
    assert (answer.status_code, answer.json()["code"]) == (409, "record_fixed")
    assert answer.json()["detail"] == sentences.sentence("record_fixed", {})


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"{", 400), (b"\xff\xfe", 400), (b'{"n": "x"}', 422), (b"[]", 422), (b"", 422)],
    ids=["cut off", "not text", "wrong type", "a list", "nothing"],
)
async def test_a_malformed_body_is_a_problem(broken: httpx.AsyncClient, content: bytes, status: int) -> None:
    answer = await broken.post("/body", content=content, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, http.PROBLEM)
    assert answer.json()["detail"]


async def test_an_unknown_route_and_method_are_problems(broken: httpx.AsyncClient) -> None:
    assert [(await broken.get(path)).json()["code"] for path in ("/nowhere", "/body")] == [
        "route_unknown",
        "method_unknown",
    ]


@pytest.mark.parametrize("given", ["a b", "x" * 65, "inj\tect", "☃"])
async def test_a_request_id_that_is_not_sane_is_replaced(broken: httpx.AsyncClient, given: str) -> None:
    answer = await broken.get("/nowhere", headers={b"X-Request-Id": given.encode()})
    assert answer.headers["x-request-id"] != given
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_a_log_line_is_json_without_secrets() -> None:
    record = logging.makeLogRecord({"msg": "hello %s", "args": ("you",), "password": "hunter2", "lot": "TBS"})
    line = json.loads(logs.JsonLines(FakeClock()).format(record))
    assert (line["message"], line["lot"]) == ("hello you", "TBS")
    assert "password" not in line
