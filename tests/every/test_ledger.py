"""The ledger is whole: no empty field, no test that is not there, no move or endpoint without a row."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from foodflow_kernel import machines
from foodflow_kernel.machines import Machine
from server.app import RESOURCES
from tests.conftest import COLLECTED
from tests.every.test_routes import APP
from tests.ledger import ROWS

ROOT = Path(__file__).parents[2]
OTHER_CONTEXTS = {"batch", "stop", "work order", "lot", "hold", "deviation"}
"""Machines of contexts that have no page in the ledger yet."""
TAGS = {"auth", "identity", "core", "devices", "operations"}
"""Of the endpoints of identity and core."""
GENERIC = {f"/api/v1/{resource.path}{end}" for resource in RESOURCES for end in ("", "/{record_id}")}
"""What every declared resource does stands in the ledger once (``tests/ledger/resource.py``)."""


def test_no_row_has_an_empty_field() -> None:
    bad = [row for row in ROWS if not all((row.subject, row.says, row.by, row.test))]
    assert bad == []


def test_no_promise_stands_twice() -> None:
    said = [(row.subject, row.says) for row in ROWS]
    assert sorted({each for each in said if said.count(each) > 1}) == []


def test_pytest_collects_every_test_that_a_row_names() -> None:
    collected = _names(COLLECTED)
    files = sorted({row.test.partition("::")[0] for row in ROWS if row.test not in collected})
    assert [name for name in files if not (ROOT / name).is_file()] == []
    if files:  # this run has not collected them
        command = [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:cacheprovider", "--no-cov", *files]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
        collected |= _names(line for line in run.stdout.splitlines() if "::" in line)
    assert sorted({row.test for row in ROWS} - collected) == []


def _names(nodes: Iterable[str]) -> set[str]:
    return {node.partition("[")[0] for node in nodes}


@pytest.mark.parametrize("machine", [m for m in machines.ALL if m.name not in OTHER_CONTEXTS], ids=lambda m: m.name)
def test_every_move_has_a_row(machine: Machine) -> None:
    said = {row.says for row in ROWS}
    moves = {f"{machine.name}: {source} {move} {to}" for (source, move), to in machine.moves.items()}
    assert sorted(moves - said) == []


def _plain(endpoint: str) -> str:
    return re.sub(r"\{\w+\}", "{}", endpoint.replace("/api/v1", ""))


def test_every_endpoint_has_a_row() -> None:
    said = {_plain(row.says) for row in ROWS}
    found = {
        _plain(f"{verb.upper()} {path}")
        for path, verbs in APP.openapi()["paths"].items()
        for verb, operation in verbs.items()
        if TAGS & set(operation["tags"]) and path not in GENERIC and not path.endswith(("/meta", ":bulk", ":import"))
    }
    assert sorted(found - said) == []
