from __future__ import annotations

import subprocess
import sys

import pytest

from foodflow_desktop.views.shell import Shell
from tests.foodflow_desktop.views.floor import floor_of

LATE = ("httpx", "keyring", "pymodbus", "sqlite_utils", "alembic")
"""What the first picture does not need; half of a start when loaded with it."""


def test_the_window_waits_for_nothing_it_does_not_need():
    asked = f"import sys, foodflow_desktop.cli, foodflow_desktop.app; print(sorted(set({LATE!r}) & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == "[]"


@pytest.mark.qt
def test_offered_views_are_made_in_the_quiet_each_once_under_its_name(qapp, tmp_path):
    floor = floor_of(tmp_path)
    shell: Shell = floor.shell
    offered = set(shell._offered)
    assert offered
    assert not offered & set(shell._views)
    weigh = shell._known("weigh")
    shell.make_ready()
    while shell._ready.isActive():
        qapp.processEvents()
    assert not shell._offered
    assert offered <= set(shell._views)
    assert all(view.name == name for name, view in shell._views.items())
    assert shell._known("weigh") is weigh
    assert shell.stack.count() == len(shell._views)
    floor.close()
    shell.close()
    shell.deleteLater()


@pytest.mark.qt
@pytest.mark.usefixtures("qapp")
def test_a_window_that_goes_makes_no_more_views(tmp_path):
    floor = floor_of(tmp_path)
    floor.shell.make_ready()
    floor.close()
    assert not floor.shell._ready.isActive()
    floor.shell.deleteLater()
