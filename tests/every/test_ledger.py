"""The ledger is true: no empty field, no test that is not there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.ledger import ROWS

ROOT = Path(__file__).parents[2]


def test_no_row_has_an_empty_field() -> None:
    bad = [row for row in ROWS if not all((row.subject, row.says, row.by, row.test))]
    assert bad == []


def test_no_promise_stands_twice() -> None:
    said = [(row.subject, row.says) for row in ROWS]
    assert sorted({each for each in said if said.count(each) > 1}) == []


def test_pytest_collects_every_test_that_a_row_names() -> None:
    files = sorted({row.test.partition("::")[0] for row in ROWS})
    assert [name for name in files if not (ROOT / name).is_file()] == []
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:cacheprovider", "--no-cov", *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    collected = {line.partition("[")[0] for line in run.stdout.splitlines() if "::" in line}
    assert sorted({row.test for row in ROWS} - collected) == []
