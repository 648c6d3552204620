"""One good request for each operation that random values do not bring through.

A recipe is asked before anything else. It gets the person and what is known, and makes the request;
whether it went well is seen by whoever counts.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyotp
from sqlalchemy import UniqueConstraint

from foodflow_kernel.clock import SystemClock
from server.app import RESOURCES
from server.core.resource import Resource
from tests.contract.seeds import Seeds
from tests.contract.served import BADGE, COLLEAGUE, PASSWORD, PIN, PLATFORM, SPARE, TENANT, Person
from tests.contract.terminal import terminal

Ask = Callable[..., Any]
"""``ask("POST", "/path/{record_id}:verb", {"record_id": ...}, json=...)``: one request, counted under its template."""

CREATED = 201
SIGNED = {"signature": {"password": PASSWORD}}
WHY = {"reason": "of the contract test"}
CHECKED = {"identity_check": "passport seen"}


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
        new = {name: value for name, value in another(resource, pattern, number + 700).items() if value is not None}
        sheet = io.StringIO()
        csv.writer(sheet).writerows(
            [new.keys(), [value if isinstance(value, str) else json.dumps(value) for value in new.values()]]
        )
        ask("POST", f"{path}:import", data=sheet.getvalue().encode(), headers={"Content-Type": "text/csv"})
        if made.status_code != CREATED:
            continue
        one = {"record_id": made.json()["id"]}
        changed = ask("PATCH", f"{path}/{{record_id}}", one, json={}, headers={"If-Match": made.headers["ETag"]})
        ask("PATCH", f"{path}:bulk", json={"rows": [{"id": one["record_id"], "version": changed.json()["version"]}]})
        now = person.ask("GET", f"{path}/{one['record_id']}")
        ask("DELETE", f"{path}/{{record_id}}", one, headers={"If-Match": now.headers["ETag"]})


CHOICES = {"tree"}
"""Part of a key, but one of a few words."""


def another(resource: Resource, pattern: dict[str, Any], number: int) -> dict[str, Any]:
    """A row like one that is there, but where no two may be alike."""
    table = resource.model.__table__
    unique = {column.name for index in table.indexes if index.unique for column in index.columns}
    unique |= {column.name for key in table.constraints if isinstance(key, UniqueConstraint) for column in key.columns}
    made = dict(pattern)
    for name in (unique & made.keys()) - CHOICES:
        if isinstance(made[name], str) and not table.c[name].foreign_keys and not name.endswith("_id"):
            made[name] = f"Z{number}"
        elif isinstance(made[name], int):
            made[name] = 1000 + number
    return made


def floor(ask: Ask, person: Person, _seeds: Seeds) -> None:
    """A stop is closed, named and approved; a lot is released and packed; a pallet leaves; a hold ends."""
    for verb, state, more in (
        ("close", "open", {"at": now()}),
        (
            "categorise",
            "closed",
            {"reason_code": first(person, "plant-ops/reasons", **{"filter[tree]": "downtime"}).get("code", "")},
        ),
        ("approve", "categorised", SIGNED),
    ):
        stop = first(person, "plant-ops/downtime", **{"filter[state]": state})
        ask("POST", f"/plant-ops/downtime/{{record_id}}:{verb}", {"record_id": stop["id"]}, json=more)
    for hold in rows(person, "fsq/holds", **{"filter[state]": "open"})[:3]:
        ask("POST", "/fsq/holds/{record_id}:release", {"record_id": hold["id"]}, json=WHY | SIGNED)
    for lot in rows(person, "fsq/lots", **{"filter[status][in]": "quarantine,expected"})[:4]:
        ask("POST", "/fsq/lots/{record_id}:release", {"record_id": lot["id"]}, json=WHY | SIGNED)
    for lot in rows(person, "fsq/lots", **{"filter[kind]": "finished", "filter[status]": "released"})[:6]:
        ask("POST", "/fsq/lots/{record_id}:pack", {"record_id": lot["id"]}, json={"qty": "10"})
    sent = {"partner_code": "D1", "partner_name": "Depot", "document_no": "BOL-1"}
    for pallet in rows(person, "fsq/pallets")[:6]:
        ask("POST", "/fsq/pallets/{record_id}:ship", {"record_id": pallet["id"]}, json=sent)


def places(ask: Ask, person: Person, _seeds: Seeds) -> None:
    """A plant opens, rests and closes; a place is blocked and freed; a contact verified and erased; a party moves."""
    plant = ask("POST", "/plants", json={"code": "CT1", "name": "Contract", "tz": "UTC"}).json()
    one = {"record_id": plant["id"]}
    for verb in ("suspend", "activate", "suspend", "close-down"):
        ask("POST", f"/plants/{{record_id}}:{verb}", one, json=WHY if verb != "activate" else {})
    here = {
        "business_name": "Harvest", "phone": "+15105550101", "street": "1 Dock Rd", "city": "Oakland",
        "state_region": "CA", "postal_code": "94607", "country": "US",
    }  # fmt: skip
    site = first(person, "plants")["id"]
    for code in ("CT-A", "CT-B"):
        made = ask("POST", "/locations", json={"plant_id": site, "code": code, "name": code, "kind": "area"} | here)
    place = {"record_id": made.json()["id"]}
    for verb in ("block", "unblock"):
        ask("POST", f"/locations/{{record_id}}:{verb}", place, json=WHY)
    for number in (1, 2):
        given = {"party_kind": "company", "role": "recall_24h", "name": f"Call {number}", "phone": "+15105550101"}
        made = ask("POST", "/contacts", json=given)
    contact = {"record_id": made.json()["id"]}
    ask("POST", "/contacts/{record_id}:verify", contact, json={})
    ask("POST", "/contacts/{record_id}:erase", contact, json=WHY)
    at = {"lines": ["1 Dock Rd"], "city": "Oakland", "country": "US"}
    for _ in range(2):
        moved: dict[str, Any] = at | {
            "party_kind": "plant",
            "party_id": str(uuid.uuid4()),
            "valid_from": "2026-01-01T00:00:00Z",
        }
        made = ask("POST", "/addresses", json=moved)
    ask("POST", "/addresses/{record_id}:supersede", {"record_id": made.json()["id"]}, json=at)


def words(ask: Ask, person: Person, _seeds: Seeds) -> None:
    """A note is written and said anew; a tag marks a record, is taken from it, and merged."""
    about = {"entity": "core.location", "entity_id": first(person, "locations")["id"]}
    note = ask("POST", "/notes", json=about | {"body": "The gate is stuck"}).json()
    ask("POST", "/notes/{record_id}:supersede", {"record_id": note["id"]}, json={"body": "The gate is mended"})
    tags = [ask("POST", "/tags", json={"key": "contract", "value": each}).json()["id"] for each in ("one", "two")]
    one = {"tag_id": tags[0]}
    for _ in range(2):
        link = ask("POST", "/tags/{tag_id}/links", one, json=about).json()
    ask("DELETE", "/tags/{tag_id}/links/{link_id}", one | {"link_id": link["id"]}, params=WHY)
    ask("POST", "/tags/{tag_id}:merge", one, json={"into_id": tags[1]} | WHY)


def letter(person: Person) -> str:
    """The code in the newest letter."""
    letters = sorted((person.data / "outbox").glob("*"), key=lambda path: path.stat().st_mtime)
    words = letters[-1].read_text().split() if letters else []
    return next((word for word in words if "." in word and len(word) > 60), "")  # the code is the longest


def accounts(ask: Ask, person: Person, _seeds: Seeds) -> None:
    """Somebody is invited, registers, is locked, freed, disabled and comes back."""
    new = {"email": "new@example.com", "login_code": "FFB-8801", "short_no": "8801", "printed_name": "New"}
    user = ask("POST", "/users", json=new).json()
    one = {"user_id": user["id"]}
    ask("POST", "/users/{user_id}:invite", one)
    etag = {"If-Match": person.ask("GET", f"/users/{user['id']}").headers["ETag"]}
    ask("PATCH", "/users/{user_id}", one, json={"printed_name": "Newer"}, headers=etag)
    ask("POST", "/auth/register", json={"token": letter(person), "password": PASSWORD, "pin": PIN})
    person.ask("POST", "/auth/password-reset/initiate", json={"tenant": TENANT, "email": "new@example.com"})
    ask("POST", "/auth/password-reset/confirm", json={"token": letter(person), "new_password": PASSWORD})
    handed = {"email": "badge@example.com", "login_code": "FFB-8802", "short_no": "8802", "printed_name": "Badge"}
    by_hand = {"record_id": ask("POST", "/users", json=handed).json()["id"]}
    ask("POST", "/users/{record_id}:activate", by_hand, json=CHECKED | {"pin": PIN})
    record = {"record_id": user["id"]}
    both = CHECKED | WHY
    for verb, body in (
        ("lock", WHY), ("unlock", WHY), ("reset-mfa", both), ("set-pin", {"pin": PIN} | WHY), ("clear-wait", WHY),
        ("verify-identity", CHECKED), ("set-pcqi", {"is_pcqi": False}), ("disable", WHY), ("enable", both),
    ):  # fmt: skip
        ask("POST", f"/users/{{record_id}}:{verb}", record, json=body)
    bulk = {"rows": [{"email": "b@example.com", "login_code": "FFB-8803", "short_no": "8803", "printed_name": "B"}]}
    ask("POST", "/users:bulk", json=bulk)
    sheet = b"email,login_code,short_no,printed_name\nc@example.com,FFB-8804,8804,C\n"
    ask("POST", "/users:import", data=sheet, headers={"Content-Type": "text/csv"})
    old = {"tenant": TENANT, "login": BADGE.format(SPARE - 1), "old_pin": PIN, "new_pin": "8471"}
    ask("POST", "/auth/pin-change", json=old)
    secret = ask("POST", "/auth/mfa/enroll", json={"password": PASSWORD}).json().get("secret")
    if secret:
        totp = pyotp.TOTP(secret)
        at = SystemClock().now()
        ask("POST", "/auth/mfa/verify", json={"code": totp.at(at)})
        ask("POST", "/auth/mfa/remove", json={"password": PASSWORD, "code": totp.at(at + timedelta(seconds=30))})
    tenant = person.ask("GET", "/tenant").json()
    ask("GET", "/auth/jwks/{tenant_id}", {"tenant_id": tenant["id"]})


def rights(ask: Ask, person: Person, _seeds: Seeds) -> None:
    """A role is made, filled, given and taken; a key is made, rotated and revoked; a permission of one's own."""
    role = ask("POST", "/roles", json={"key": "CT", "name": "Contract", "assignable_scope": "tenant"}).json()
    one = {"record_id": role["id"]}
    edit = {"rows": [{"do": "add", "code": "identity.user.read"}]}
    ask("POST", "/roles/{role_id}/permissions:bulk", {"role_id": role["id"]}, json=edit)
    ask("POST", "/roles/{record_id}:activate", one, json={})
    user = first(person, "users", **{"filter[login_code]": "FFB-8801"})
    own = ask("POST", "/permissions", json={"code": "custom.contract.read"})
    mine = {"record_id": own.json()["id"]}
    changed = ask("PATCH", "/permissions/{record_id}", mine, json={}, headers={"If-Match": own.headers["ETag"]})
    ask("DELETE", "/permissions/{record_id}", mine, headers={"If-Match": changed.headers.get("ETag", '"1"')})
    sheet = {"data": b"code\ncustom.contract.write\n", "headers": {"Content-Type": "text/csv"}}
    ask("POST", "/permissions:import", **sheet)
    given = ask("POST", "/users/{user_id}/roles", {"user_id": user["id"]}, json={"role_id": role["id"]}).json()
    ask("GET", "/users/{user_id}/roles", {"user_id": user["id"]})
    ask("POST", "/user-roles/{record_id}:take", {"record_id": given.get("id", user["id"])}, json=WHY)
    standing = person.ask("GET", f"/roles/{role['id']}").headers
    ask("DELETE", "/roles/{record_id}", one, headers={"If-Match": standing["ETag"]})
    key = ask("POST", "/api-keys", json={"name": "ERP", "scopes": ["identity.user.read"]}).json()
    key_id = first(person, "api-keys")["id"]
    ask("POST", "/api-keys/{key_id}:rotate", {"key_id": key_id}, json={})
    ask("POST", "/api-keys/{record_id}:revoke", {"record_id": first(person, "api-keys")["id"]}, json=WHY)
    assert key


def platform(ask: Ask, _person: Person, _seeds: Seeds) -> None:
    """A company comes, is changed, rests, and leaves."""
    token = ask("POST", "/platform/login", json={"email": PLATFORM, "password": PASSWORD}).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    new = {
        "slug": "contract", "legal_name": "Contract Foods", "gs1_company_prefix": "9501101", "default_tz": "UTC",
        "country": "US", "currency": "USD",
    }  # fmt: skip
    made = ask("POST", "/tenants", json=new, headers=headers)
    one = {"tenant_id": made.json()["id"]}
    ask("GET", "/tenants", headers=headers)
    got = ask("GET", "/tenants/{tenant_id}", one, headers=headers)
    changed = headers | {"If-Match": got.headers.get("ETag", '"1"')}
    ask("PATCH", "/tenants/{tenant_id}", one, json={"legal_name": "Contract Foods II"}, headers=changed)
    for verb in ("suspend", "activate", "offboard", "archive"):
        ask("POST", f"/tenants/{{tenant_id}}:{verb}", one, json=WHY, headers=headers)


def operators(ask: Ask, person: Person, _seeds: Seeds) -> None:
    """Who runs the platform looks into a company for an hour; a colleague is shut out; a second factor comes and goes."""
    said = {"email": PLATFORM, "password": PASSWORD}
    token = person.ask("POST", "/platform/login", json=said).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    ours = {"tenant_id": person.ask("GET", "/tenant").json()["id"], "reason": "they called us", "hours": 1}
    for end, whose in (("/break-glass/{access_id}:end", {}), ("/platform/break-glass/{access_id}:end", headers)):
        made = ask("POST", "/platform/break-glass", json=ours, headers=headers).json()
        one = {"access_id": made["access"]["id"]}
        ask("POST", "/platform/break-glass/{access_id}:token", one, headers=headers)
        ask("GET", "/break-glass")
        ask("POST", end, one, headers=whose)
    ask("GET", "/platform/break-glass", headers=headers)
    users = ask("GET", "/platform/users", headers=headers).json()
    other = {"user_id": next(each["id"] for each in users if each["email"] == COLLEAGUE)}
    for verb in ("disable", "enable"):
        ask("POST", f"/platform/users/{{user_id}}:{verb}", other, json=WHY, headers=headers)
    secret = ask("POST", "/platform/mfa/enroll", json={"password": PASSWORD}, headers=headers).json()["secret"]
    totp, at = pyotp.TOTP(secret), SystemClock().now()
    ask("POST", "/platform/mfa/verify", json={"code": totp.at(at)}, headers=headers)
    last = {"password": PASSWORD, "code": totp.at(at + timedelta(seconds=30))}
    ask("POST", "/platform/mfa/remove", json=last, headers=headers)


def trail(ask: Ask, person: Person, _seeds: Seeds) -> None:
    """The trail is read and verified; a record is signed before it is acted on."""
    ask("GET", "/audit")
    ask("GET", "/audit/verify")
    lot = first(person, "fsq/lots")
    wish = {"record_type": "fsq.lot", "id": lot["id"], "version": lot["version"], "meaning": "acknowledged"}
    ask("POST", "/esign", json=wish | WHY | {"credentials": {"password": PASSWORD}})
    ask("GET", "/esign", params={"record_type": "fsq.lot", "id": lot["id"]})


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
    row = ask("POST", "/config", json={"key": "hold.escalate_min", "scope": "tenant", "value": 45} | why).json()
    given = {"tenant": TENANT, "login": BADGE.format(SPARE - 3), "password": PASSWORD}
    other = {"Authorization": f"Bearer {person.ask('POST', '/auth/login', json=given).json()['access_token']}"}
    ask("POST", "/config/{record_id}:sign", {"record_id": row["id"]}, json=why | SIGNED, headers=other)
    body = b"lot,weight\n1,2.5\n"
    new = {"filename": "a.csv", "size": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    sent = {"attachment_id": ask("POST", "/attachments", json=new).json()["id"]}
    raw = {"Content-Type": "application/octet-stream"}
    ask("PUT", "/attachments/{attachment_id}/chunk", sent, params={"offset": 0}, data=body, headers=raw)
    ask("GET", "/attachments/{attachment_id}/chunk", sent)
    ask("POST", "/attachments/{attachment_id}:complete", sent)
    plant = first(person, "plants")["id"]
    link = ask("POST", "/attachments/{attachment_id}/links", sent, json={"entity": "core.plant", "entity_id": plant})
    ask("GET", "/attachments/{attachment_id}/links", sent)
    one = sent | {"link_id": link.json()["id"]}
    ask("DELETE", "/attachments/{attachment_id}/links/{link_id}", one, params=why)
    ask("GET", "/attachments/{attachment_id}/content", sent)
    ask("PUT", "/me/quiet-hours", json={"starts": "22:00", "ends": "06:00", "tz": "UTC"})
    given = {"tenant": TENANT, "login": BADGE.format(SPARE - 2), "password": PASSWORD}
    copied = person.ask("POST", "/auth/login", json=given).json()["refresh_token"]
    for _ in range(2):
        person.ask("POST", "/auth/refresh", json={"refresh_token": copied})
    told = {"notification_id": person.ask("GET", "/notifications").json()["items"][0]["id"]}
    for verb in ("read", "ack"):
        ask("POST", f"/notifications/{{notification_id}}:{verb}", told)


def one_of_each(ask: Ask, person: Person, _seeds: Seeds) -> None:
    """Each list has a row, and the row is read."""
    for resource in RESOURCES:
        ask("GET", f"/{resource.path}/{{record_id}}", {"record_id": first(person, resource.path)["id"]})


def now() -> str:
    """An instant as the API takes it."""
    return SystemClock().now().isoformat()


RECIPES: tuple[Callable[[Ask, Person, Seeds], None], ...] = (
    places,
    words,
    declared,
    floor,
    reports,
    content,
    accounts,
    rights,
    trail,
    platform,
    operators,
    terminal,
    one_of_each,
    auth,
)
"""In this order: what ends sessions comes last."""
