"""Rules of the house that no linter knows: SQL has its room, the clock is passed in, no machine is named."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = ("foodflow_kernel", "foodflow_desktop", "server")

SQL_ROOMS = ("server/core/db/", "foodflow_desktop/store/", "foodflow_desktop/demo/ledger.py")
"""Where statements may be text: both stores, and the witness, which shares no code with what it judges."""
SQL_ELSEWHERE = {"server/sync/copying.py"}
"""COPY has no form in SQLAlchemy; names are quoted by psycopg."""
RUNS = {"execute", "executemany", "executescript", "exec_driver_sql", "scalar", "scalars", "stream"}
STATEMENT = re.compile(
    r"\s*(select|insert|update|delete|copy|create|alter|drop|set|grant|with|pragma|truncate)\b", re.IGNORECASE
)

CLOCK_ROOM = "foodflow_kernel/clock.py"
WALL_CLOCK = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}

MACHINE = re.compile(
    r"(?<![\w$}.-])/(?:work|root|tmp/wt)/|/home/(?!worker\b)\w|[A-Z]:\\\\Users"
    r"|--(?:extra-)?index-url|--find-links|pypi\.org/simple|files\.pythonhosted\.org"
)
FRESH_ROOT = "installer/fresh"
"""Makes the homes it names, in a root of its own."""


def nodes(*folders: str) -> Iterator[tuple[str, ast.AST]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            yield from ((name, node) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def text_of(node: ast.AST) -> str | None:
    """The text of a literal, of an f-string's literal parts, or of literals joined by + or %."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Constant(value=bytes(raw)):
            return raw.decode(errors="replace")
        case ast.JoinedStr(values=values):
            return "".join(text_of(value) or "{}" for value in values)
        case ast.BinOp(left=left, right=right):
            parts = (text_of(left), text_of(right))
            return "".join(part or "{}" for part in parts) if any(parts) else None
    return None


def statements(*folders: str) -> Iterator[tuple[str, int, str]]:
    """Every SQL statement that is written as text: run as it is, or made by ``text`` or ``SQL``."""
    for name, node in nodes(*folders):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        written = text_of(node.args[0])
        if written is None:
            continue
        if called in RUNS | {"text", "SQL"} and STATEMENT.match(written):
            yield name, node.lineno, written


def test_sql_is_text_only_in_its_rooms() -> None:
    found = list(statements(*PROGRAMS))
    stray = {f"{name}:{line}": sql for name, line, sql in found if not name.startswith(SQL_ROOMS)}
    assert {where.rsplit(":", 1)[0] for where in stray} == SQL_ELSEWHERE, stray
    assert {room for room in SQL_ROOMS if any(name.startswith(room) for name, _, _ in found)} == set(SQL_ROOMS)


def test_nothing_reads_the_wall_clock_but_the_clock() -> None:
    found = {
        f"{name}:{node.lineno}"
        for name, node in nodes(*PROGRAMS)
        if isinstance(node, ast.Attribute) and ast.unparse(node).removeprefix("datetime.") in WALL_CLOCK
    }
    assert {where.split(":")[0] for where in found} == {CLOCK_ROOM}, found


def committed() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_committed_file_names_a_machine_or_a_package_index() -> None:
    names = committed()
    if not names:
        pytest.skip("not a git checkout")
    named = []
    for name in names:
        raw = (ROOT / name).read_bytes()
        if b"\0" in raw or name in (FRESH_ROOT, Path(__file__).relative_to(ROOT).as_posix()):
            continue
        lines = raw.decode(errors="replace").splitlines()
        named += [f"{name}:{number}" for number, line in enumerate(lines, 1) if MACHINE.search(line)]
    assert named == []


@pytest.mark.parametrize("module", ["foodflow_desktop.app", "foodflow_desktop.cli", "foodflow_desktop.demo.shift"])
def test_kiosk_starts_without_the_server(module: str) -> None:
    script = f"import sys, {module}; print(*sorted(name for name in sys.modules), sep='\\n')"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    roots = {name.split(".")[0] for name in run.stdout.split()}
    assert "foodflow_desktop" in roots
    assert roots & {"fastapi", "starlette", "uvicorn", "server", "psycopg", "alembic"} == set()


def test_hub_starts_without_the_kiosk() -> None:
    script = "import sys, server.app, server.cli; print(*sorted(sys.modules), sep='\\n')"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    roots = {name.split(".")[0] for name in run.stdout.split()}
    assert "server" in roots
    assert roots & {"foodflow_desktop", "PySide6", "serial", "pymodbus"} == set()
