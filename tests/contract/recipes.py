"""One good request for each operation that random values do not bring through.

A recipe is asked before anything else. It gets the person and what is known, and makes the request;
whether it went well is seen by whoever counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from sqlalchemy import UniqueConstraint

from foodflow_kernel.clock import SystemClock
from server.app import RESOURCES
from server.core.resource import Resource
from tests.contract.seeds import Seeds
from tests.contract.served import BADGE, PASSWORD, PIN, SPARE, TENANT, Person
from tests.contract.terminal import terminal

Ask = Callable[..., Any]
"""``ask("POST", "/path/{record_id}:verb", {"record_id": ...}, json=...)``: one request, counted under its template."""

CREATED = 201
SIGNED = {"signature": {"pin": PIN, "meaning": "approved"}}


def rows(person: Person, path: str, **filters: str) -> list[dict[str, Any]]:
    """Rows of a list."""
    found: list[dict[str, Any]] = person.ask("GET", f"/{path}", params=filters | {"limit": 200}).json()["items"]
    return found


def first(person: Person, path: str, **filters: str) -> dict[str, Any]:
    """The first row of a list; an empty one where there is none, so that the operation is counted as not reached."""
    return next(iter(rows(person, path, **filters)), {"id": "00000000-0000-4000-8000-000000000000", "version": 1})


def auth(ask: Ask, person: Person, _seeds: Seeds) -> None:
    """Sign in, refresh, sign out; never of the session that asks everything else."""
    given = {"tenant": TENANT, "login": BADGE.format(SPARE), "password": PASSWORD}
    session = ask("POST", "/auth/login", json=given).json()
    session = ask("POST", "/auth/refresh", json={"refresh_token": session["refresh_token"]}).json()
    ask("POST", "/auth/logout", json={"refresh_token": session["refresh_token"]})
    ask("POST", "/auth/password-reset/initiate", json={"tenant": TENANT, "email": "nobody@example.com"})
    ask("POST", "/auth/password-change", json={"old_password": PASSWORD, "new_password": PASSWORD})
    ask("POST", "/auth/logout-all")
    person.stay()


def declared(ask: Ask, person: Person, _seeds: Seeds) -> None:
    """Each resource: a row made as another one is, changed, retired; the same by bulk and by a sheet."""
    for number, resource in enumerate(each for each in RESOURCES if each.is_writable):
        path = f"/{resource.path}"
        known = rows(person, resource.path)
        pattern = {name: value for name, value in (known or [{}])[0].items() if name in resource.writable}
        made = ask("POST", path, json=another(resource, pattern, number))
        ask("POST", f"{path}:bulk", json={"rows": [another(resource, pattern, number + 500)]})
        sheet = person.ask("GET", path, headers={"Accept": "text/csv"})
        ask("POST", f"{path}:import", data=sheet.content, headers={"Content-Type": "text/csv"})
        if made.status_code != CREATED:
            continue
        one = {"record_id": made.json()["id"]}
        changed = ask("PATCH", f"{path}/{{record_id}}", one, json={}, headers={"If-Match": made.headers["ETag"]})
        ask("PATCH", f"{path}:bulk", json={"rows": [{"id": one["record_id"], "version": changed.json()["version"]}]})
        now = person.ask("GET", f"{path}/{one['record_id']}")
        ask("DELETE", f"{path}/{{record_id}}", one, headers={"If-Match": now.headers["ETag"]})


def another(resource: Resource, pattern: dict[str, Any], number: int) -> dict[str, Any]:
    """A row like one that is there, but where no two may be alike."""
    table = resource.model.__table__
    unique = {column.name for index in table.indexes if index.unique for column in index.columns}
    unique |= {column.name for key in table.constraints if isinstance(key, UniqueConstraint) for column in key.columns}
    made = dict(pattern)
    for name in unique & made.keys():
        if isinstance(made[name], str) and not table.c[name].foreign_keys and not name.endswith("_id"):
            made[name] = f"Z{number}"
        elif isinstance(made[name], int):
            made[name] = 1000 + number
    return made


def floor(ask: Ask, person: Person, _seeds: Seeds) -> None:
    """A stop is closed, named and approved; a lot is released and packed; a pallet leaves; a hold ends."""
    for verb, state, more in (
        ("close", "open", {"at": now()}),
        ("categorise", "closed", {"reason_code": "jam"}),
        ("approve", "categorised", SIGNED),
    ):
        stop = first(person, "plant-ops/downtime", **{"filter[state]": state})
        ask("POST", f"/plant-ops/downtime/{{record_id}}:{verb}", {"record_id": stop["id"]}, json=more)


def reports(ask: Ask, person: Person, _seeds: Seeds) -> None:
    """What is read of a line and a lot."""
    plant, line = first(person, "plants"), first(person, "plant-ops/lines")
    ask("GET", "/plant-ops/board", params={"plant_id": plant["id"]})
    ask("GET", "/plant-ops/oee", params={"line_id": line["id"], "from": "2026-01-01T00:00:00Z", "to": now()})
    ask("GET", "/fsq/lots/{lot_id}/trace", {"lot_id": first(person, "fsq/lots")["id"]})


def content(ask: Ask, person: Person, _seeds: Seeds) -> None:
    """A setting is set and one withdrawn; a file is sent, read and linked; a copied session is told and acknowledged."""
    why = {"reason": "of the contract test"}
    ask("POST", "/config", json={"key": "notify.keep_h", "scope": "tenant", "value": 24} | why)
    row = ask("POST", "/config", json={"key": "hold.escalate_min", "scope": "tenant", "value": 30} | why).json()
    ask("POST", "/config/{record_id}:withdraw", {"record_id": row["id"]}, json=why)
    ask("GET", "/config/effective", params={"key": "notify.keep_h"})
    body = b"lot,weight\n1,2.5\n"
    new = {"filename": "a.csv", "size": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    sent = {"attachment_id": ask("POST", "/attachments", json=new).json()["id"]}
    raw = {"Content-Type": "application/octet-stream"}
    ask("PUT", "/attachments/{attachment_id}/chunk", sent, params={"offset": 0}, data=body, headers=raw)
    ask("GET", "/attachments/{attachment_id}/chunk", sent)
    ask("POST", "/attachments/{attachment_id}:complete", sent)
    plant = first(person, "plants")["id"]
    link = ask("POST", "/attachments/{attachment_id}/links", sent, json={"entity": "core.plant", "entity_id": plant})
    one = sent | {"link_id": link.json()["id"]}
    ask("DELETE", "/attachments/{attachment_id}/links/{link_id}", one, params=why)
    ask("GET", "/attachments/{attachment_id}/content", sent)
    ask("PUT", "/me/quiet-hours", json={"starts": "22:00", "ends": "06:00", "tz": "UTC"})
    given = {"tenant": TENANT, "login": "FFB-9901", "password": PASSWORD}
    copied = person.ask("POST", "/auth/login", json=given).json()["refresh_token"]
    for _ in range(2):
        person.ask("POST", "/auth/refresh", json={"refresh_token": copied})
    told = {"notification_id": person.ask("GET", "/notifications").json()["items"][0]["id"]}
    for verb in ("read", "ack"):
        ask("POST", f"/notifications/{{notification_id}}:{verb}", told)


def now() -> str:
    """An instant as the API takes it."""
    return SystemClock().now().isoformat()


RECIPES: tuple[Callable[[Ask, Person, Seeds], None], ...] = (declared, floor, reports, content, terminal, auth)
"""In this order: what ends sessions comes last."""
