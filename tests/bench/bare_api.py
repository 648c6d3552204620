"""The floor of the API: FastAPI routes with the same queries, pool, rows and bytes, and nothing else."""

from __future__ import annotations

import argparse
import socket
import uuid
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import Body, FastAPI, Response
from psycopg.types.json import Jsonb
from pydantic_core import from_json, to_json
from sqlalchemy import column, insert, select, table
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from foodflow_kernel.clock import SystemClock
from foodflow_kernel.ids import new_id
from tests.bench.bare import Announcing


def app_of(url: str, names: list[str], of: str) -> FastAPI:
    """Get one, list a hundred, make one; as ``server`` does with the table, without asking who."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    engine = create_async_engine(url, pool_size=8, max_overflow=0, pool_recycle=900, pool_pre_ping=True)
    columns = [column(name) for name in names]
    rows = table(of, *columns)
    key = rows.c.id

    @app.get("/one/{record_id}")
    async def one(record_id: uuid.UUID) -> Response:
        async with AsyncSession(engine) as db:
            row = (await db.execute(select(rows).where(key == record_id))).mappings().one()
        return Response(to_json(dict(row)), media_type="application/json")

    @app.get("/list")
    async def many(after: uuid.UUID | None = None) -> Response:
        wanted = select(rows).order_by(key).limit(101)
        if after is not None:
            wanted = wanted.where(key > after)
        async with AsyncSession(engine) as db:
            found = (await db.execute(wanted)).mappings().all()
        answer = {"items": [dict(row) for row in found[:100]], "next": str(found[99]["id"])}
        return Response(to_json(answer), media_type="application/json")

    @app.post("/one", status_code=201)
    async def make(given: Annotated[dict[str, Any], Body()]) -> Response:
        now = SystemClock().now()
        said = {name: Jsonb(value) if isinstance(value, dict) else value for name, value in given.items()}
        row = said | {"id": new_id(now), "version": 1, "created_at": now, "updated_at": now}
        async with AsyncSession(engine) as db:
            made = (await db.execute(insert(rows).values(row).returning(*columns))).mappings().one()
            await db.commit()
        return Response(to_json(dict(made)), 201, media_type="application/json")

    @app.post("/many", status_code=201)
    async def make_many(given: Annotated[dict[str, Any], Body()]) -> Response:
        now = SystemClock().now()
        born = {"version": 1, "created_at": now, "updated_at": now}
        made = [
            {name: Jsonb(value) if isinstance(value, dict) else value for name, value in each.items()}
            | {"id": new_id(now)}
            | born
            for each in given["rows"]
        ]
        async with AsyncSession(engine) as db:
            await db.execute(insert(rows), made)
            await db.commit()
        told = [{"index": index, "id": each["id"], "status": 201} for index, each in enumerate(made)]
        return Response(to_json({"rows": told}), 201, media_type="application/json")

    return app


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser()
    for name in ("--url", "--columns", "--table", "--certificate", "--key"):
        parser.add_argument(name, required=True)
    parser.add_argument("--ready-file", type=Path, required=True)
    given = parser.parse_args()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    app = app_of(given.url, from_json(given.columns), given.table)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, ssl_certfile=given.certificate, ssl_keyfile=given.key
    )
    server = Announcing(config)
    server.address, server.ready_file = f"https://127.0.0.1:{listener.getsockname()[1]}", given.ready_file
    server.run(sockets=[listener])


if __name__ == "__main__":
    main()
