"""More: the screens that are needed now and then, and how this terminal looks."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout

from foodflow_desktop.stations.context import Context
from foodflow_desktop.views import i18n, theme
from foodflow_desktop.views.i18n import tr
from foodflow_desktop.views.station_view import StationView
from foodflow_desktop.views.theme.tokens import Theme
from foodflow_desktop.views.widgets.controls import Words
from foodflow_desktop.views.widgets.kiosk import TouchButton
from foodflow_desktop.views.widgets.parts import Card, column, row

SCALES = (1.0, 1.15, 1.3)


class MoreView(StationView):
    """Ways on at the top, language and display below."""

    name = "more"
    rail = "more"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._title = Words("more.title", 30, 720)
        self.ways = {
            "history": TouchButton("more.history", "outline", "list", px=21, height=110, icon_px=34),
            "sync": TouchButton("more.sync", "outline", "sync", px=21, height=110, icon_px=34),
        }
        self._language = Words("more.language.title", 21, 680)
        self.languages = {code: TouchButton(f"more.language.{code}", "outline", px=19) for code in i18n.LANGUAGES}
        self._look = Words("more.look.title", 21, 680)
        self.looks = {look: TouchButton(f"more.look.{look.value}", "outline", px=19) for look in Theme}
        self._size = Words("more.size.title", 21, 680)
        self.sizes = {scale: TouchButton(f"more.size.{round(scale * 100)}", "outline", px=19) for scale in SCALES}
        self._about = Words("more.about", 16, 500, "ink2", wrap=True)
        ways = QGridLayout()
        ways.setContentsMargins(0, 0, 0, 0)
        ways.setSpacing(16)
        for place, (name, button) in enumerate(self.ways.items()):
            ways.addWidget(button, place // 2, place % 2)
            button.clicked.connect(lambda _=False, name=name: self.go(name))
        card = Card("more.display")
        inside = column(gap=10, margins=(28, 20, 28, 20))
        groups = ((self._language, self.languages), (self._look, self.looks), (self._size, self.sizes))
        for title, buttons in groups:
            inside.addWidget(title)
            line = row(gap=12)
            for button in buttons.values():
                line.addWidget(button, 1)
            inside.addLayout(line)
            inside.addSpacing(8)
        inside.addStretch(1)
        inside.addWidget(self._about)
        card.setLayout(inside)
        whole = column(gap=18, margins=(24, 20, 24, 25))
        whole.addWidget(self._title)
        whole.addLayout(ways)
        whole.addWidget(card, 1)
        self.setLayout(whole)
        for code, button in self.languages.items():
            button.clicked.connect(lambda _=False, code=code: self.go("language", code))
        for look, button in self.looks.items():
            button.clicked.connect(lambda _=False, look=look: self._use(look, theme.scale()))
        for scale, button in self.sizes.items():
            button.clicked.connect(lambda _=False, scale=scale: self._use(theme.current(), scale))

    def refresh(self) -> None:
        """Say everything again."""
        self._title.say(tr("More"))
        self.ways["history"].say(tr("History and corrections"))
        self.ways["sync"].say(tr("Sync details"))
        self._language.say(tr("Language"))
        self._look.say(tr("Display"))
        self._size.say(tr("Text size"))
        for code, button in self.languages.items():
            button.say(i18n.LANGUAGES[code])
            button.set_kind("chosen" if code == i18n.current() else "outline")
        words = {Theme.light: tr("Light"), Theme.dark: tr("Dark"), Theme.high_contrast: tr("High contrast")}
        for look, button in self.looks.items():
            button.say(words[look])
            button.set_kind("chosen" if look is theme.current() else "outline")
        for scale, button in self.sizes.items():
            button.say(f"{round(scale * 100)} %")
            button.set_kind("chosen" if scale == theme.scale() else "outline")
        name = self.context.terminal_name
        self._about.say(f"FoodFlow OS · {name}")

    def _use(self, look: Theme, scale: float) -> None:
        theme.use(look, scale)
        self.refresh()
