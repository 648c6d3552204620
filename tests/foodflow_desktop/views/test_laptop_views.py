"""The laptop's screens: no cut label in any look, and the way from code to approval by clicks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication

from foodflow_desktop.views import jobs
from foodflow_desktop.views.i18n import tr
from foodflow_desktop.views.laptop.sign_in_view import LaptopSignInView
from foodflow_kernel.errors import NotAllowed
from tests.foodflow_desktop.views.test_station_views import cut
from tests.shots import frame
from tests.shots.laptop import laptop

pytestmark = pytest.mark.qt
LOOKS = [("light", "en", 1.0), ("dark", "es", 1.0), ("high_contrast", "es", 1.0), ("light", "en", 1.15)]
PAGES = ("board", "deviations", "trace", "sync_health", "terminals")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(("look", "language", "scale"), LOOKS)
def test_words_fit_and_controls_have_names(qtbot, page, look, language, scale):
    frame.dressed(look, language, scale)
    window = laptop(page)
    qtbot.addWidget(window)
    if page == "trace":
        window._supervisor.trace.search("BP-261117-A")
    if page == "terminals":
        window._supervisor.terminals.add()
        window._supervisor.terminals.find("K7QX-42MN")
    window.resize(1440, 900)
    window.show_all()
    window.show()
    for _ in range(3):
        QApplication.processEvents()
    assert window.width() == 1440
    assert cut(window) == []
    for button in window.findChildren(QAbstractButton):
        if button.isVisible() and button.objectName() and not button.objectName().startswith("qt_"):
            assert button.accessibleName(), button.objectName()
    window.close()
    frame.dressed()


def test_a_terminal_is_approved_by_clicks(qtbot):
    frame.dressed()
    window = laptop("terminals")
    qtbot.addWidget(window)
    window.resize(1440, 900)
    window.show()
    page = window.terminals
    qtbot.mouseClick(page.add, Qt.MouseButton.LeftButton)
    assert not page.approve.isVisible()
    qtbot.keyClicks(page.code, "k7qx42mn")
    qtbot.mouseClick(page.find_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.approve.isVisible() and jobs.running() == 0)
    assert [chip.text() for chip in page._words] == ["amber", "ladle", "north", "fig"]
    assert not page.approve.isEnabled()
    qtbot.mouseClick(page.lines[1], Qt.MouseButton.LeftButton)
    qtbot.keyClicks(page.name, "T-13")
    assert page.approve.isEnabled()
    qtbot.mouseClick(page.approve, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not page.approve.isVisible() and jobs.running() == 0)
    assert "T-13" in page.notice.accessibleName()
    window.close()


def test_search_from_anywhere_opens_the_trace(qtbot):
    frame.dressed()
    window = laptop("board")
    qtbot.addWidget(window)
    window.show()
    window.header.search.setFocus()
    qtbot.keyClicks(window.header.search, "BP-261117-A")
    qtbot.keyClick(window.header.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.current == "trace" and jobs.running() == 0)
    assert window._supervisor.trace.screen().lot.code == "BP-261117-A"
    assert len(window.trace.graph._boxes) == 12
    window.close()


@pytest.fixture
def signing(qtbot):
    """The sign-in as of a screen, what it asked, and a way to answer."""
    view, sent = LaptopSignInView(), []
    qtbot.addWidget(view)
    view.asked.connect(lambda *given: sent.append(given))
    screen = replace(laptop("board")._supervisor.screen(), person=None, error=None, tries=0)
    view.show_screen(screen)
    view.show()
    view.fields["login"].setText("amy")

    def answer(code, tries, **more):
        now = replace(screen, error=NotAllowed(code) if code else None, tries=tries, **more)
        view.show_screen(now)
        view.show_screen(now)  # each second anew
        return now

    return view, sent, answer


def typed(qtbot, field, text):
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Return)


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_code_of_an_app_is_asked_for_when_the_hub_wants_one_and_sent_along(qtbot, signing, language):
    frame.dressed("light", language)
    view, sent, answer = signing
    code, password = view.fields["totp"], view.fields["password"]
    assert not code.isVisible()
    typed(qtbot, password, "right")
    answer(None, 0)
    answer("totp_needed", 1)
    assert code.isVisible()
    assert password.text() == "right", "it was: it is not typed again for the code"
    assert view.focusWidget() is code
    assert code.accessibleName() == tr("Code of the authenticator app")
    typed(qtbot, code, "123456")
    assert [given[2:] for given in sent] == [("amy", "right", ""), ("amy", "right", "123456")]
    assert code.text() == "", "a code is good once"
    answer("sign_in_failed", 2)
    assert not code.isVisible()
    assert password.text() == ""
    qtbot.keyClicks(password, "ano")
    answer("sign_in_failed", 2)
    assert password.text() == "ano", "what is being typed is not wiped by a refresh"
    frame.dressed()


def test_while_a_sign_in_is_under_way_nothing_else_is_typed_or_sent(qtbot, signing):
    """Its answer, seconds later, would wipe it or take the keyboard elsewhere."""
    view, sent, answer = signing
    typed(qtbot, view.fields["password"], "wrong")
    for _ in range(2):
        typed(qtbot, view.fields["password"], "more")
        typed(qtbot, view.fields["tenant"], "more")
        answer(None, 0)
    assert len(sent) == 1
    answer("sign_in_failed", 1)
    assert view.fields["password"].isEnabled()
    typed(qtbot, view.fields["password"], "right")
    assert [given[3] for given in sent] == ["wrong", "right"]


@pytest.mark.parametrize("name", ["address", "tenant", "login"])
def test_a_password_that_waits_for_its_code_is_for_one_hub_and_one_person(qtbot, signing, name):
    view, sent, answer = signing
    typed(qtbot, view.fields["password"], "secret")
    answer("totp_needed", 1)
    qtbot.keyClicks(view.fields[name], "x")
    assert view.fields["password"].text() == ""
    qtbot.keyClick(view.fields[name], Qt.Key.Key_Return)
    assert "secret" not in sent[-1]


def test_a_password_does_not_wait_for_its_code_for_long(qtbot, signing):
    view, _, answer = signing
    view._waits_for_code.setInterval(1)
    typed(qtbot, view.fields["password"], "secret")
    answer("totp_needed", 1)
    qtbot.waitUntil(lambda: not view.fields["password"].text())


def test_no_password_stays_behind_when_somebody_is_in(qtbot):
    window = laptop("board")
    qtbot.addWidget(window)
    typed(qtbot, window.sign_in.fields["password"], "right")
    window._supervisor._tries += 1
    window.show_all()
    assert window.sign_in.fields["password"].text() == ""
