"""Golden samples of every fact kind ever released still read, and bad bytes say what is wrong."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from foodflow_kernel.errors import Invalid
from foodflow_kernel.wire import bodies, facts

GOLDEN = Path(__file__).parents[1] / "golden" / "facts"


def golden(kind: str, ver: int = 1) -> bytes:
    return (GOLDEN / f"{kind}_v{ver}.json").read_bytes().rstrip(b"\n")


@pytest.mark.parametrize("kind", bodies.KINDS, ids=lambda kind: f"{kind.name}_v{kind.ver}")
def test_golden_sample_still_parses_to_the_same_values(kind: bodies.Kind) -> None:
    fact = facts.decode(golden(kind.name, kind.ver))
    body = bodies.parse(fact)
    assert isinstance(body, kind.body)
    kept = body.model_dump(mode="json", exclude_none=True)
    assert {name: kept[name] for name in fact.body} == dict(fact.body)


def test_no_golden_sample_is_without_a_kind() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {f"{kind.name}_v{kind.ver}" for kind in bodies.KINDS}


def test_a_later_field_is_ignored_by_this_reader() -> None:
    raw = golden("weighing").replace(b'"sample_no":3', b'"sample_no":3,"line_speed":17')
    assert bodies.parse(facts.decode(raw)).sample_no == 3


def test_weights_stay_decimal_on_the_wire() -> None:
    weighing = bodies.parse(facts.decode(golden("weighing")))
    assert (weighing.net_g, weighing.tare_g) == (Decimal("603.4"), Decimal("12.0"))
    assert b'"net_g":"603.4"' in golden("weighing")


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff\xfe", b'{"id":"x"}'])
def test_bytes_that_are_no_fact_are_named(raw: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        facts.decode(raw)
    assert caught.value.code == "fact_unreadable"


def test_a_body_that_cannot_be_read_names_the_field() -> None:
    raw = golden("weighing").replace(b'"net_g":"603.4"', b'"net_g":"heavy"')
    with pytest.raises(Invalid) as caught:
        bodies.parse(facts.decode(raw))
    assert (caught.value.code, caught.value.data["where"]) == ("body_unreadable", "net_g")


def test_an_unknown_kind_or_version_is_known_to_be_unknown() -> None:
    fact = facts.decode(golden("weighing"))
    assert bodies.is_known(fact)
    assert not bodies.is_known(fact.model_copy(update={"ver": 2}))
    assert not bodies.is_known(fact.model_copy(update={"kind": "smell_checked"}))


def test_naive_instants_are_refused() -> None:
    with pytest.raises(Invalid):
        facts.decode(golden("weighing").replace(b'"at":"2026-11-23T09:14:31.250Z"', b'"at":"2026-11-23T09:14:31.250"'))
