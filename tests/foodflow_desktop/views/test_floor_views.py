from __future__ import annotations

import pytest

from foodflow_desktop.views import i18n, jobs, theme
from foodflow_desktop.views.theme.tokens import Theme
from tests.foodflow_desktop.views import fit
from tests.foodflow_desktop.views.floor import STATES, Floor, at_once, floor_of

pytestmark = pytest.mark.qt


@pytest.fixture
def floor(qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "run", at_once)
    made = floor_of(tmp_path)
    qtbot.addWidget(made.shell)
    yield made
    made.close()
    theme.use(Theme.light, 1.0)
    i18n.use("en")


VARIANTS = [
    ("light", 1.0, "en", (1280, 800)),
    ("dark", 1.0, "es", (1280, 800)),
    ("high_contrast", 1.3, "es", (1280, 800)),
    ("light", 1.3, "en", (1280, 800)),
    ("light", 1.0, "es", (1024, 768)),
    ("dark", 1.15, "en", (1440, 900)),
]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(("look", "scale", "language", "size"), VARIANTS)
def test_nothing_is_cut_too_small_or_unnamed(floor: Floor, state, look, scale, language, size):
    theme.use(look, scale)
    floor.shell.use_language(language)
    floor.shell.resize(*size)
    floor.shell.show()
    STATES[state](floor)
    floor.shell.use_language(language)
    assert fit.problems(floor.shell) == []
