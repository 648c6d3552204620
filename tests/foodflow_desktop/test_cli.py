"""The commands of ``foodflow-kiosk`` on real files."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pysqlite3.dbapi2 as sqlite
import pytest

from foodflow_desktop import cli, keys
from foodflow_desktop.store import Store
from foodflow_kernel.clock import SystemClock
from tests.foodflow_desktop.store.terminals import QUIET, a_terminal, hold, samples, weighing


@pytest.fixture(autouse=True)
def sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(keys.BACKEND_ENV, "sealed")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    key = keys.open_keys(tmp_path).device_key()
    store = Store.open(tmp_path, SystemClock(), key, QUIET)
    store.pair(a_terminal(), key)
    store.record_all([weighing(1), weighing(2), hold()])
    store.record(samples(20))
    store.close()
    return tmp_path


def run(folder: Path, *arguments: str) -> int:
    return cli.main(["--folder", str(folder), "--reserve-mb", "1", *arguments])


def test_verify_holds_and_names_a_changed_row(folder: Path, capsys) -> None:
    assert run(folder, "verify") == 0
    assert "4 rows, 3 signatures, 0 witnesses checked: all hold." in capsys.readouterr().out
    with sqlite.connect(folder / "ops.db") as db:
        db.execute("UPDATE journal SET body = replace(body, '603.4', '600.0') WHERE lane = 1 AND seq = 1")
    db.close()
    assert run(folder, "verify") == 1
    out = capsys.readouterr().out
    assert "lane 1, row 1: row_changed" in out
    assert "1 faults" in out


def test_verify_by_another_key_fails(folder: Path, capsys) -> None:
    assert run(folder, "verify", "--public-key", "00" * 32) == 1
    assert "signature_wrong" in capsys.readouterr().out


def test_verify_of_nothing_is_not_a_success(tmp_path: Path) -> None:
    assert run(tmp_path, "verify") == 1


def test_export_gives_the_signed_bytes(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    assert run(folder, "export", "--out", str(out)) == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(row["lane"], row["seq"], row["kind"]) for row in rows] == [
        (0, 1, "hold_placed"),
        (1, 1, "weighing"),
        (1, 2, "weighing"),
        (3, 1, "telemetry"),
    ]
    assert json.loads(rows[1]["body"])["body"]["net_g"] == "603.4"
    sheet = tmp_path / "out.csv"
    assert run(folder, "export", "--format", "csv", "--lane", "1", "--out", str(sheet)) == 0
    with sheet.open() as lines:
        assert [row["seq"] for row in csv.DictReader(lines)] == ["1", "2"]


def test_doctor_says_what_each_file_does_and_what_is_wrong(folder: Path, capsys) -> None:
    assert run(folder, "doctor") == 1
    out = capsys.readouterr().out
    assert "WAL, synchronous FULL, 1 incarnations, 3 unsent" in out
    assert "WAL, synchronous NORMAL, 1 incarnations, 1 unsent" in out
    assert "sealed file" in out
    assert "BAD  hub" in out


def test_repair_rebuilds_what_screens_query(folder: Path, capsys) -> None:
    with sqlite.connect(folder / "ops.db") as db:
        db.execute("DELETE FROM entry")
    db.close()
    assert run(folder, "repair") == 0
    assert "3 entries rebuilt" in capsys.readouterr().out


def test_a_folder_in_use_is_said_in_a_sentence(folder: Path, capsys) -> None:
    store = Store.open(folder, SystemClock(), keys.open_keys(folder).device_key(), QUIET)
    assert run(folder, "repair") == 1
    assert "already running" in capsys.readouterr().out
    store.close()


def test_data_commands_load_neither_qt_nor_the_server(folder: Path) -> None:
    code = (
        "import sys; from foodflow_desktop import cli; "
        f"code = cli.main(['--folder', {str(folder)!r}, 'verify']); "
        "print(code, [name for name in ('PySide6', 'fastapi', 'server', 'httpx') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert found.stdout.splitlines()[-1] == "0 []"
