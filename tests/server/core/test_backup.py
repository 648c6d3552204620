"""What needs no server: the shell lines of the archive, what is due, what is removed."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from foodflow_kernel import sentences
from foodflow_kernel.errors import FoodFlowError, Refused
from server import backups, cli
from server.core.backup import archive, beside, due, folder, programs, taking
from server.core.backup.due import Due, Outcome, Standing
from server.core.backup.folder import Backup, Place
from server.core.settings import Settings

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def place() -> Iterator[Place]:
    """Below a folder that the account of PostgreSQL gets to, which pytest's own is not."""
    with tempfile.TemporaryDirectory(prefix="foodflow-test-") as name:
        Path(name).chmod(0o755)
        made = Place(Path(name) / "backup", Path(name))
        folder.ready(made)
        yield made


def a_backup(place: Place, at: datetime, **over: object) -> Backup:
    name = at.strftime("%Y%m%dT%H%M%SZ")
    made = Backup(place.base / name, name, at, f"00000001000000000000{at.day:04X}", 1000)
    made.folder.mkdir()
    made = replace(made, **over)  # type: ignore[arg-type]
    folder.note(made)
    return made


def shell(line: str, name: str, path: Path) -> int:
    """As PostgreSQL runs it."""
    filled = line.replace("%f", name).replace("%p", str(path)).replace("%%", "%")
    return subprocess.run(["sh", "-c", filled], check=False, capture_output=True).returncode


@pytest.mark.parametrize("folder_name", ["wal", "with space and ' quote", "100%"])
def test_a_segment_is_put_aside_whole_and_never_over_another(tmp_path: Path, folder_name: str) -> None:
    wal, segment, back = tmp_path / folder_name, tmp_path / "segment", tmp_path / "back"
    wal.mkdir()
    segment.write_bytes(b"log" * 1000)
    put, get = archive.put_command(wal), archive.get_command(wal)
    assert shell(put, "0A", segment) == 0
    assert shell(put, "0A", segment) == 0, "told twice, the same is fine"
    assert (wal / "0A.gz").stat().st_mode & 0o077 == 0
    segment.write_bytes(b"other" * 1000)
    assert shell(put, "0A", segment) != 0
    assert shell(get, "0A", back) == 0
    assert back.read_bytes() == b"log" * 1000
    assert shell(get, "0B", back) != 0


def test_a_segment_that_was_damaged_or_cut_is_not_fetched(tmp_path: Path) -> None:
    segment = tmp_path / "segment"
    segment.write_bytes(bytes(range(256)) * 100)
    assert shell(archive.put_command(tmp_path), "0A", segment) == 0
    stored = tmp_path / "0A.gz"
    good = stored.read_bytes()
    for bad in (good[:-3], good[:40] + bytes([good[40] ^ 1]) + good[41:]):
        stored.write_bytes(bad)
        assert shell(archive.get_command(tmp_path), "0A", tmp_path / "back") != 0
        assert shell(archive.put_command(tmp_path), "0A", segment) != 0, "a bad one is not taken for the same"


def test_half_a_segment_has_not_its_name(tmp_path: Path) -> None:
    assert shell(archive.put_command(tmp_path), "0A", tmp_path / "missing") != 0
    assert not (tmp_path / "0A.gz").exists()


@pytest.mark.parametrize(
    ("states", "then"),
    [
        ([], Due.take),
        ([{}], Due.verify),
        ([{"verified_at": NOW - HOUR}], Due.verify),
        ([{"verified_at": NOW - HOUR / 2}], Due.nothing),
        # A copy that is not good is taken anew, in its turn.
        ([{"failed_at": NOW - HOUR / 2}], Due.nothing),
        ([{"failed_at": NOW - HOUR}], Due.take),
        ([{"failed_at": NOW - HOUR, "verified_at": NOW - HOUR / 2}], Due.nothing),
    ],
)
def test_what_is_due(place: Place, states: list[dict[str, datetime]], then: Due) -> None:
    for number, state in enumerate(states):
        a_backup(place, NOW - HOUR * (2 - number), **state)
    settings = Settings(data_folder=place.data_folder)
    assert due.due(settings, place, NOW) is then


@pytest.mark.parametrize(("hour", "then"), [(1, Due.nothing), (11, Due.take), (12, Due.take), (13, Due.nothing)])
def test_a_copy_is_due_each_day_from_its_hour_also_if_the_server_slept_then(place: Place, hour: int, then: Due) -> None:
    a_backup(place, NOW - 2 * HOUR, verified_at=NOW)
    assert due.due(Settings(data_folder=place.data_folder, backup_hour=hour), place, NOW) is then


async def test_old_copies_go_and_never_the_last_verified_one(place: Place) -> None:
    days = [a_backup(place, NOW - timedelta(days=age)) for age in (6, 5, 4, 3, 2, 1)]
    folder.proved(days[1], NOW - timedelta(days=5))
    for each in days[2:]:
        folder.failed(each, NOW, "bad")
    for day in range(NOW.day - 8, NOW.day):
        (place.wal / f"00000001000000000000{day:04X}.gz").touch()
    gone = await taking.prune(place, 2)
    assert gone == [days[0].name, days[2].name, days[3].name]
    assert [each.name for each in folder.listed(place)] == [days[1].name, days[4].name, days[5].name]
    first = f"{days[1].first_wal}.gz"
    assert min(each.name for each in place.wal.iterdir()) == first, "its log stays as well, and nothing older"
    assert not list(place.base.glob(".*"))


def test_standing_is_said_with_the_age_of_the_last_proof(place: Place) -> None:
    settings = Settings(data_folder=place.data_folder)
    assert due.standing(settings, NOW) == Standing(Outcome.none, None)
    a_backup(place, NOW - 3 * HOUR, verified_at=NOW - 2 * HOUR)
    assert due.standing(settings, NOW) == Standing(Outcome.verified, 7200)
    a_backup(place, NOW - HOUR)
    assert due.standing(settings, NOW) == Standing(Outcome.unverified, 7200)
    a_backup(place, NOW, failed_at=NOW)
    assert due.standing(settings, NOW) == Standing(Outcome.failed, 7200)
    for off in ({"backup": False}, {"database_url": "postgresql://db/x"}):
        assert due.standing(settings.model_copy(update=off), NOW) == Standing(Outcome.off, None)


def test_a_copy_is_found_by_name_or_by_the_instant_that_is_wanted(place: Place) -> None:
    first, second = a_backup(place, NOW - 2 * HOUR), a_backup(place, NOW)
    assert folder.find(place, "latest") == second
    assert folder.find(place, "latest", NOW - HOUR) == first
    assert folder.find(place, first.name, NOW) == first
    for name, at, code in (
        ("nothing", None, "backup_unknown"),
        ("latest", NOW - 3 * HOUR, "backup_unknown"),
        (second.name, NOW - HOUR, "backup_too_young"),
    ):
        with pytest.raises(FoodFlowError) as caught:
            folder.find(place, name, at)
        assert caught.value.code == code


async def test_a_copy_that_is_not_whole_is_not_restored_and_nothing_is_left(place: Place) -> None:
    backup, into = a_backup(place, NOW), place.data_folder / "new"
    with pytest.raises(Refused) as damaged:
        await taking.check(backup.data)
    assert (damaged.value.code, damaged.value.data["why"][:16]) == ("backup_failed", "pg_verifybackup:")
    with pytest.raises(Refused) as caught:
        await backups.restore(Settings(data_folder=place.data_folder), backup.name, into, None)
    assert (caught.value.code, caught.value.data["why"]) == ("restore_failed", damaged.value.data["why"])
    assert not into.exists()


async def test_a_server_that_does_not_come_up_on_a_copy_says_why(place: Place) -> None:
    empty, short = place.beside / "empty", place.beside / "short"
    empty.mkdir()
    await programs.run(programs.program("initdb"), "-D", str(short), "-U", "postgres", "--no-sync")
    beside.recover(short, {"restore_command": "sleep 0.3; false", "recovery_target_name": "never"})
    for data, why in ((empty, "it did not start"), (short, "before configured recovery target")):
        with pytest.raises(Refused) as caught:
            async with beside.running(data, b""):
                pass
        assert caught.value.code == "backup_failed"
        assert why in caught.value.sentence


def test_a_copy_whose_label_names_no_log_is_none(place: Place) -> None:
    label = place.base / "backup_label"
    label.write_text("START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\n")
    assert folder.first_wal(place.base) == "000000010000000000000002"
    label.write_text("LABEL: foodflow\n")
    with pytest.raises(Refused) as caught:
        folder.first_wal(place.base)
    assert caught.value.code == "backup_failed"


@pytest.mark.skipif(os.geteuid() != 0, reason="others run PostgreSQL as themselves")
def test_a_folder_that_postgresql_does_not_get_to_is_named(place: Place) -> None:
    closed = place.data_folder / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(Refused) as caught:
        folder.ready(Place(closed / "backup", place.data_folder))
    assert caught.value.code == "backup_folder_closed"


def test_a_full_disk_is_not_filled_further(place: Place) -> None:
    with pytest.raises(Refused) as caught:
        taking.needs_room(place, 1 << 60)
    assert caught.value.code == "backup_no_room"


@pytest.mark.parametrize("at", ["2026-11-28T14:30:00", "yesterday"])
async def test_an_instant_without_a_zone_is_refused(place: Place, at: str) -> None:
    with pytest.raises(FoodFlowError) as caught:
        await backups.restore(Settings(data_folder=place.data_folder), "latest", place.data_folder / "new", at)
    assert caught.value.code == "restore_time_bad"


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [("FOODFLOW_DATABASE_URL", "postgresql://db/x", "backup_external"), ("FOODFLOW_BACKUP", "false", "backup_off")],
)
@pytest.mark.parametrize(
    "command",
    [["backup", "take"], ["backup", "verify"], ["backup", "list"], ["drill"], ["restore", "x", "--into", "y"]],
)
def test_backups_that_are_not_ours_are_refused_with_a_reason(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    name: str,
    value: str,
    code: str,
) -> None:
    monkeypatch.setenv(name, value)
    assert cli.main(["--data-folder", str(tmp_path), *command]) == 1
    assert capsys.readouterr().err == f"{sentences.sentence(code, {})}\n"


def test_the_list_says_which_can_be_relied_on(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(data_folder=place.data_folder)
    assert backups.listed(settings) == 1
    assert "no backup yet" in capsys.readouterr().out
    good = a_backup(place, NOW - HOUR, verified_at=NOW)
    assert backups.listed(settings) == 0
    folder.failed(a_backup(place, NOW), NOW, "file 1234 differs")
    assert backups.listed(settings) == 1
    lines = capsys.readouterr().out.splitlines()
    assert good.name in lines[-2]
    assert "verified" in lines[-2]
    assert "file 1234 differs" in lines[-1]


def test_programs_run_in_the_loop_that_the_server_runs_in() -> None:
    """uvloop starts no program as somebody else, and as root each is."""
    uvloop = pytest.importorskip("uvloop")
    assert "PostgreSQL" in uvloop.run(programs.run(programs.program("postgres"), "--version"))
