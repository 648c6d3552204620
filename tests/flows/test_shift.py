"""The scripted shift ends well only when nothing was dropped, doubled or changed. Real processes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def run(*options: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return subprocess.run(
        [sys.executable, "-m", "foodflow_desktop.demo", "--short", *options],
        env=environment,
        capture_output=True,
        text=True,
        timeout=420,
        check=False,
    )


def test_what_the_screen_called_saved_is_on_the_server_once() -> None:
    done = run()
    assert done.returncode == 0, done.stdout[-3000:]
    assert "shipping is refused: Lot TBS-261123-02 is on hold" in done.stdout


@pytest.mark.faults  # three more whole plants: minutes that the daily run does not have
@pytest.mark.parametrize(
    ("sabotage", "found"),
    [
        ("drop", "lost: "),
        ("double", "unexpected: "),
        ("tamper", "foodflow-kiosk verify"),
    ],
)
def test_sabotage_from_outside_is_seen(sabotage: str, found: str) -> None:
    done = run("--sabotage", sabotage)
    assert done.returncode == 1, done.stdout[-3000:]
    assert "SABOTAGE" in done.stdout, done.stdout[-3000:]
    assert found in done.stdout, done.stdout[-3000:]
