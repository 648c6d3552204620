"""Rows as text: what they share is said once, and nothing that could be written otherwise is taken for shared."""

from __future__ import annotations

import enum
import json
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from server.core.db.given import is_shared, texts


class Grade(enum.StrEnum):
    """A type of value that tables have."""

    A = "A"


PLANT = "01a22829-ba16-713c-92f4-b753718f5fa9"


@pytest.mark.parametrize(
    "values",
    [
        [1, True],
        [1, 1.0],
        [0.0, -0.0],
        [Decimal("1.5"), Decimal("1.50")],
        [{"a": 1}, {"a": True}],
        [["x"], ["x"]],
        [Grade.A, "A"],
        ["x", "x", "y", "x"],
        [None, "x"],
        ["x"],
    ],
    ids=str,
)
def test_what_may_be_written_otherwise_is_not_shared(values: Sequence[Any]) -> None:
    assert not is_shared(values)


@pytest.mark.parametrize(
    "value",
    ["x", 7, True, None, Grade.A, date(2026, 11, 29), datetime(2026, 11, 29, tzinfo=UTC), uuid.UUID(PLANT)],
    ids=str,
)
def test_what_all_rows_hold_is_said_once(value: Any) -> None:
    alike = [value, uuid.UUID(PLANT) if isinstance(value, uuid.UUID) else value]
    shared, parameters = texts({"own": [1, 2], "alike": alike})
    assert shared == ("alike",)
    assert json.loads(parameters["rows"]) == [{"own": 1}, {"own": 2}]


def test_rows_that_share_everything_are_still_as_many() -> None:
    shared, parameters = texts({"a": ["x", "x"], "b": ["y", "y"]})
    assert (shared, json.loads(parameters["rows"])) == (("b",), [{"a": "x"}, {"a": "x"}])


ANY = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "b"]) | st.sampled_from([1.0, 0.5])


@given(rows=st.lists(st.fixed_dictionaries(dict.fromkeys("abc", ANY)), min_size=1, max_size=4))
def test_shared_and_own_together_are_the_rows(rows: list[dict[str, Any]]) -> None:
    shared, parameters = texts({name: [row[name] for row in rows] for name in "abc"})
    alike = json.loads(parameters.get("shared", "{}"))
    assert alike.keys() == set(shared)
    told = [json.dumps(alike | each, sort_keys=True) for each in json.loads(parameters["rows"])]
    assert told == [json.dumps(json.loads(to_json(row)), sort_keys=True) for row in rows]
