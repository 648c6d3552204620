"""Signing in at the laptop: which hub, which plant, who, and the password."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from foodflow_desktop.stations.supervisor import LaptopScreen
from foodflow_desktop.views import i18n
from foodflow_desktop.views.i18n import tr
from foodflow_desktop.views.laptop.notices import Notice
from foodflow_desktop.views.widgets.controls import Button, Field, Words
from foodflow_desktop.views.widgets.parts import Card, column, row
from foodflow_kernel.errors import FoodFlowError

WIDTH = 440


class LaptopSignInView(QWidget):
    """One card in the middle; the last hub and plant are filled in."""

    asked = Signal(str, str, str, str, str)
    language_asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("laptop.sign_in_view")
        self._title = Words("laptop.sign_in.title", 23, 700)
        self._about = Words("laptop.sign_in.about", 15, 400, "ink2", wrap=True)
        self._labels = {name: Words(f"laptop.{name}.label", 14, 600, "ink2") for name in FIELDS}
        self.fields = {name: Field(f"laptop.{name}") for name in FIELDS}
        self.fields["password"].setEchoMode(QLineEdit.EchoMode.Password)
        self._submit = Button("laptop.sign_in", "primary", "", 16)
        self._languages = {code: Button(f"laptop.language.{code}", "segment") for code in i18n.LANGUAGES}
        self.notice = Notice("laptop.sign_in.notice")
        for part in (self._labels["totp"], self.fields["totp"]):
            part.hide()
        self._is_filled = False
        self._told: FoodFlowError | None = None

        card = Card("laptop.sign_in.card")
        card.setFixedWidth(WIDTH)
        box = column(gap=0, margins=(32, 28, 32, 28))
        box.addWidget(self._title)
        box.addSpacing(4)
        box.addWidget(self._about)
        box.addSpacing(16)
        for name in FIELDS:
            box.addWidget(self._labels[name])
            box.addSpacing(4)
            box.addWidget(self.fields[name])
            box.addSpacing(12)
            self.fields[name].returnPressed.connect(self._ask)
        box.addWidget(self.notice)
        box.addSpacing(12)
        box.addWidget(self._submit)
        box.addSpacing(16)
        languages = row(gap=8)
        for code, button in self._languages.items():
            button.setCheckable(True)
            button.clicked.connect(lambda _=False, code=code: self.language_asked.emit(code))
            languages.addWidget(button, 1)
        box.addLayout(languages)
        card.setLayout(box)
        whole = column()
        whole.addStretch(1)
        whole.addWidget(card, 0, Qt.AlignmentFlag.AlignHCenter)
        whole.addStretch(1)
        self.setLayout(whole)
        self._submit.clicked.connect(self._ask)

    def show_screen(self, screen: LaptopScreen) -> None:
        """Words, what is known from last time, and why the last try failed."""
        self._title.say(tr("Sign in"))
        self._about.say(tr("Supervisors and QA managers see all lines of the plant here."))
        words = {
            "address": tr("Hub"),
            "tenant": tr("Company"),
            "login": tr("E-mail or badge code"),
            "password": tr("Password"),
            "totp": tr("Code of the authenticator app"),
        }
        for name, text in words.items():
            self._labels[name].say(text)
            self.fields[name].setAccessibleName(text)
        self._submit.say(tr("Sign in"))
        for code, button in self._languages.items():
            button.say(i18n.LANGUAGES[code])
            button.setChecked(code == i18n.current())
        if not self._is_filled:
            self._is_filled = True
            self.fields["address"].setText(screen.address)
            self.fields["tenant"].setText(screen.tenant)
        asks = screen.error is not None and screen.error.code in ASKS_FOR_CODE
        for part in (self._labels["totp"], self.fields["totp"]):
            part.setVisible(asks)
        self.notice.show_error(screen.error)
        self._submit.setEnabled(True)
        is_news, self._told = screen.error is not self._told, screen.error
        if screen.person is not None or (is_news and screen.error is not None and not asks):
            self.fields["password"].clear()
        if is_news and screen.person is None:
            self.begin()

    def begin(self) -> None:
        """Put the keyboard into the first empty field."""
        shown = [field for field in self.fields.values() if not field.isHidden()]
        empty = next((field for field in shown if not field.text()), self.fields["password"])
        empty.setFocus()

    def _ask(self) -> None:
        address, tenant, login, password, totp = (self.fields[name].text() for name in FIELDS)
        self._submit.setEnabled(False)
        self.fields["totp"].clear()  # it is good once; the password stays for as long as only a code is missing
        self.asked.emit(address, tenant, login, password, totp)


FIELDS = ("address", "tenant", "login", "password", "totp")
ASKS_FOR_CODE = frozenset({"totp_needed", "totp_wrong"})
"""Answers of the hub after which the code's field is shown; nobody else is asked for one."""
