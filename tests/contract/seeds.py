"""Real ids for paths and bodies: what the demo company has, by resource and by the names of columns."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from server.app import RESOURCES
from tests.contract.served import API, Person

MANY = 20
"""Rows of a resource that are known."""


@dataclass
class Seeds:
    """Ids of rows that are there.

    Args:
        ids: resource path to ids.
        us: the people who ask: never disabled, never changed.
    """

    ids: dict[str, list[str]]
    us: frozenset[str]
    by_table: dict[str, str] = field(default_factory=dict)

    def of(self, path: str, choose: random.Random) -> str:
        """An id of a resource; a new one where it has no rows."""
        known = [each for each in self.ids.get(path, ()) if each not in self.us]
        return choose.choice(known) if known else str(uuid.UUID(int=choose.getrandbits(128), version=4))

    def path(self, template: str, names: Mapping[str, Any], choose: random.Random) -> dict[str, Any]:
        """Values for the parameters of a path, each a row of the resource that the path is about."""
        where = template.removeprefix(f"{API}/").partition("/{")[0]
        owners = {"device_id": "devices", "lot_id": "fsq/lots", "user_id": "users", "role_id": "roles"}
        return {
            name: self.of(where if where in self.ids else owners.get(name, ""), choose)
            for name in names
            if name.endswith("_id")
        }

    def body(self, given: Any, choose: random.Random) -> Any:
        """A body with real ids for what refers to a row, most of the time."""
        if isinstance(given, dict):
            return {
                name: self._reference(name, value, choose) if name.endswith("_id") else self.body(value, choose)
                for name, value in given.items()
            }
        if isinstance(given, list):
            return [self.body(each, choose) for each in given]
        return given

    def _reference(self, name: str, value: Any, choose: random.Random) -> Any:
        path = REFERENCES.get(name)
        if path is None or value is None or choose.random() < 0.2:
            return value
        return self.of(path, choose)


def _references() -> dict[str, str]:
    paths = {resource.model.__tablename__: resource.path for resource in RESOURCES}
    found = {}
    for resource in RESOURCES:
        for column in resource.model.__table__.columns:
            for key in column.foreign_keys:
                table = key.target_fullname.partition(".")[0]
                if table in paths:
                    found[column.name] = paths[table]
    return found


REFERENCES = _references()
"""Column that refers to a row, to the resource of that row."""


def gather(person: Person) -> Seeds:
    """What the demo company has now."""
    ids: dict[str, list[str]] = {}
    for resource in RESOURCES:
        answer = person.ask("GET", f"/{resource.path}", params={"limit": MANY, "fields": "id", "sort": "-id"})
        answer.raise_for_status()
        ids[resource.path] = [row["id"] for row in answer.json()["items"]]
    people = person.ask("GET", "/users", params={"filter[login_code][like]": "FFB-99", "limit": 200}).json()["items"]
    return Seeds(ids, frozenset(row["id"] for row in people))
