from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent

from foodflow_desktop.views import i18n, jobs, theme
from foodflow_desktop.views.theme.tokens import Theme
from foodflow_kernel.wire import bodies
from tests.foodflow_desktop.stations import plant
from tests.foodflow_desktop.store.terminals import weighing
from tests.foodflow_desktop.views import fit
from tests.foodflow_desktop.views.floor import STATES, Floor, at_once, floor_of

pytestmark = pytest.mark.qt


@pytest.fixture
def drawn(qapp, tmp_path, monkeypatch):
    """Draws a state in a variant; the theme is set before there is a window, that is far cheaper."""
    monkeypatch.setattr(jobs, "run", at_once)
    made: list[Floor] = []

    def draw(state: str, variant) -> Floor:
        look, scale, language, size = variant
        theme.use(look, scale)
        floor = floor_of(tmp_path)
        made.append(floor)
        floor.shell.use_language(language)
        floor.shell.resize(*size)
        floor.shell.show()
        STATES[state](floor)
        floor.shell.use_language(language)
        return floor

    yield draw
    for floor in made:
        floor.close()
        floor.shell.close()
        floor.shell.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    theme.use(Theme.light, 1.0)
    i18n.use("en")


def test_a_fact_on_its_way_to_a_window_that_goes_is_no_fault(qapp, tmp_path):
    """The store outlives the window; its last word finds nobody and says nothing (pytest-qt sees what is raised)."""
    floor = floor_of(tmp_path)
    qapp.processEvents()
    floor.shell.stop()
    floor.context.store.record(weighing())
    floor.shell.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qapp.processEvents()
    floor.context.store.close()


def test_bad_input_an_unknown_barcode_says_on_the_screen_that_it_may_not_go_in(drawn):
    floor = drawn("issue_material", ("light", 1.0, "en", (1280, 800)))
    floor.scan("FFL-NOPE")
    view = floor.shell.view()
    shown = fit.words_of(view)
    assert "Stop — do not add this" in shown
    assert "This lot is not known here. It may not go in." in shown
    assert any("Nothing was issued" in words for words in shown)


@pytest.mark.parametrize(
    ("jump_s", "said"), [(-7_200, "set back by 2 h 0 min"), (300, "set ahead by 5 min"), (-30, "set back by 30 s")]
)
def test_bad_input_a_changed_clock_stands_in_the_history_with_how_far(drawn, jump_s, said):
    floor = drawn("checks", ("light", 1.0, "en", (1280, 800)))
    floor.context.clock.jump(jump_s)
    floor.record(bodies.SessionStarted(user_id=plant.idof("FFB-2003"), identified_by="badge"))
    floor.shell.go("history")
    view = floor.shell.view()
    view.all.click()
    shown = fit.words_of(view)
    while view.older.isEnabled():
        view.older.click()
        shown += fit.words_of(view)
    assert "Clock changed" in shown
    assert [words for words in shown if said in words], shown


VARIANTS = [
    ("high_contrast", 1.3, "es", (1280, 800)),
    ("light", 1.0, "es", (1024, 768)),
    ("light", 1.3, "en", (1280, 800)),
    ("dark", 1.0, "es", (1280, 800)),
    ("dark", 1.15, "en", (1440, 900)),
    ("light", 1.0, "en", (1280, 800)),
]
WORST = VARIANTS[0]
"""Where words are longest and largest; the other variants are drawn in ``make faults``."""


@pytest.mark.parametrize("state", STATES)
def test_nothing_is_cut_too_small_or_unnamed(drawn, state):
    assert fit.problems(drawn(state, WORST).shell) == []


@pytest.mark.faults
@pytest.mark.parametrize("variant", VARIANTS[1:], ids=str)
@pytest.mark.parametrize("state", STATES)
def test_nothing_is_cut_in_any_variant(drawn, state, variant):
    assert fit.problems(drawn(state, variant).shell) == []
