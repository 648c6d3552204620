from datetime import UTC, date, datetime, time

import pytest

from foodflow_kernel.rules.shifts import ShiftHours, at, between, on

A, B, C = ShiftHours("A", time(6), time(14)), ShiftHours("B", time(14), time(22)), ShiftHours("C", time(22), time(6))


@pytest.mark.parametrize(
    ("day", "minutes"), [(date(2026, 10, 31), 540), (date(2026, 3, 7), 420), (date(2026, 6, 1), 480)]
)
def test_the_night_shift_is_as_long_as_the_clocks_make_it(day: date, minutes: int) -> None:
    window = on(C, day, "America/New_York")
    assert (window.to_at - window.from_at).total_seconds() == minutes * 60


@pytest.mark.parametrize(
    ("hour", "name", "day"), [(6, "A", 23), (13, "A", 23), (14, "B", 23), (22, "C", 23), (3, "C", 22), (5, "C", 22)]
)
def test_the_shift_that_runs_now(hour: int, name: str, day: int) -> None:
    window = at([A, B, C], "UTC", datetime(2026, 11, 23, hour, tzinfo=UTC))
    assert window is not None
    assert (window.name, window.business_date.day) == (name, day)


def test_between_shifts_there_is_none() -> None:
    assert at([A], "UTC", datetime(2026, 11, 23, 15, tzinfo=UTC)) is None


def test_all_shifts_of_a_day() -> None:
    found = between([A, B, C], "UTC", datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC))
    assert [w.name for w in found] == ["C", "A", "B", "C"]
