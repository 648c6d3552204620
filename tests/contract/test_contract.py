"""The whole OpenAPI document, asked by a valid person with real ids: no 5xx, no undocumented status, no other shape.

``schemathesis`` makes the requests and judges the answers; ``recipes`` makes one good request where random
values do not get through. What never answered 2xx is counted.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.contract import recipes, seeds
from tests.contract.served import API, Person, a_server

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SHORT, LONG = 1, 60
"""Random requests of each kind (right and wrong) of each operation."""
REACHED = 0.95
"""Share of the operations that must answer 2xx at least once."""
LAST = ("/auth/", "/devices:enroll")
"""Wrong tries at these lock an address out, so they come last."""


@dataclass
class Asked:
    """Who asks what, and what was answered."""

    person: Person
    seeds: seeds.Seeds
    schema: Any
    answered: Counter[str] = field(default_factory=Counter)
    reached: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    """What each operation last said that was no 2xx."""
    faults: list[str] = field(default_factory=list)

    def note(self, label: str, case: Any, answer: Any, *, is_random: bool = True) -> None:
        """Count an answer and judge it by the document."""
        self.answered[label] += 1
        if answer.status_code < 300:
            self.reached.add(label)
        elif not is_random or label not in self.refused:
            self.refused[label] = f"{answer.status_code} {answer.text[:300]}"
        try:
            case.validate_response(answer, checks=CHECKS)
        except (AssertionError, schemathesis.errors.SchemathesisError, BaseExceptionGroup) as fault:
            self.faults.append(f"{label} answered {answer.status_code}: {str(fault)[:1500]}\n{answer.text[:300]}")


@pytest.fixture(scope="module")
def asked() -> Iterator[Asked]:
    with a_server() as person:
        document = person.ask("GET", "/openapi.json").json()
        schema = schemathesis.openapi.from_dict(document)
        yield Asked(person, seeds.gather(person), schema)


def operations(schema: Any) -> list[Any]:
    found = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
    return sorted(found, key=lambda each: each.path.removeprefix(API).startswith(LAST))


def run_recipes(asked: Asked) -> None:
    by_label = {each.label: each for each in operations(asked.schema)}

    def ask(method: str, path: str, parameters: dict[str, str] | None = None, **more: Any) -> Any:
        answer = asked.person.ask(method, path.format(**parameters or {}), **more)
        label = f"{method} {API}{path}"
        case = by_label[label].Case(method=method, path_parameters=parameters or {})
        asked.note(label, case, answer, is_random=False)
        return answer

    for recipe in recipes.RECIPES:
        recipe(ask, asked.person, asked.seeds)


def fuzz(asked: Asked, operation: Any, examples: int) -> None:
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        _fuzz(asked, operation, mode, examples)
    asked.person.stay()


def _fuzz(asked: Asked, operation: Any, mode: GenerationMode, examples: int) -> None:
    choose = random.Random(operation.label)  # noqa: S311  # the same ids in each run
    names = {each.name for each in operation.path_parameters}
    is_right = mode is GenerationMode.POSITIVE

    @seed(20261128)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def one(case: Any) -> None:
        if names and (is_right or choose.random() < 0.7):
            case.path_parameters = {**case.path_parameters, **asked.seeds.path(operation.path, names, choose)}
        if is_right:
            case.body = asked.seeds.body(case.body, choose)
            if operation.method in ("patch", "delete") and names:
                etag = asked.person.ask("GET", case.formatted_path.removeprefix(API)).headers.get("ETag")
                case.headers = {**(case.headers or {}), "If-Match": etag or '"1"'}
        answer = case.call(base_url=asked.person.address, session=asked.person, verify=asked.person.verify, timeout=60)
        asked.note(operation.label, case, answer)

    try:
        one()
    except Unsatisfiable:
        assert not is_right, operation.label  # nothing about it can be wrong


def judge(asked: Asked, examples: int) -> None:
    run_recipes(asked)
    every = operations(asked.schema)
    for operation in every:
        fuzz(asked, operation, examples)
    unreached = sorted(each.label for each in every if each.label not in asked.reached)
    share = 1 - len(unreached) / len(every)
    told = "\n".join(f"  {each}: {asked.refused.get(each)}" for each in unreached)
    sys.stdout.write(
        f"\n{len(every)} operations, {sum(asked.answered.values())} requests; {share:.1%} answered 2xx at least once;"
        f" never:\n{told}\n"
    )
    assert asked.faults == [], "\n\n".join(asked.faults[:20])
    assert share >= REACHED, told


def test_the_api_keeps_its_document(asked: Asked) -> None:
    judge(asked, SHORT)


@pytest.mark.faults
def test_the_api_keeps_its_document_for_long(asked: Asked) -> None:
    judge(asked, LONG)
