from __future__ import annotations

from pathlib import Path

import pytest

from tests.foodflow_desktop.stations import plant


@pytest.fixture
def context(tmp_path: Path):
    context = plant.open_terminal(tmp_path)
    yield context
    context.store.close()
