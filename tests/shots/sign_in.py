"""Sign-in: mockup 01."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from PySide6.QtWidgets import QWidget

from foodflow_desktop.stations.sign_in import PersonTile, SignInScreen, SignInStation
from foodflow_desktop.views.sign_in_view import SignInView
from tests.foodflow_desktop.stations.plant import idof
from tests.shots import frame
from tests.shots.frame import at
from tests.shots.shot import Shot

SCREEN = SignInScreen(
    people=(
        PersonTile(idof("41"), "Operator 1041", "41", at(10, 2), is_chosen=True),
        PersonTile(idof("57"), "Operator 1057", "57", at(9, 58), is_chosen=False),
        PersonTile(idof("66"), "Operator 1066", "66", at(9, 31), is_chosen=False),
        PersonTile(idof("03"), "QA 2003", "03", at(9, 44), is_chosen=False),
        PersonTile(idof("08"), "QA 2008", "08", at(9, 44) - timedelta(days=1), is_chosen=False, days_ago=1),
        PersonTile(idof("01"), "Supervisor 3001", "01", at(8, 12), is_chosen=False),
    ),
    chosen="Operator 1041",
    filled=2,
    digits=4,
    tries_left=None,
    wait_s=0,
    number=None,
    unknown_badge="",
    lock_s=120,
)
WRONG = replace(SCREEN, filled=0, tries_left=4)


def build(screen: SignInScreen, **over: Any) -> Callable[[], QWidget]:
    """The whole window with a picture."""

    def make() -> QWidget:
        language = over.get("language", "en")
        frame.dressed(over.get("theme", "light"), language, over.get("scale", 1.0))
        context = frame.context(language)
        view = SignInView(context, SignInStation(context))
        view.show_screen(screen)
        bar = replace(frame.BAR, about="Terminal T-07 · Cook & Fill hall", user="", short="")
        return frame.window(view, here="", bar=bar)

    return make


SIZE = (1280, 800)
SHOTS = (
    Shot("01-sign-in", "01-sign-in.png", SIZE, build(SCREEN)),
    Shot("sign-in-wrong-es", "", SIZE, build(WRONG, language="es", theme="dark")),
)
