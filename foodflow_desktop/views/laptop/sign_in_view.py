"""Signing in at the laptop: which hub, which plant, who, and the password."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from foodflow_desktop.stations.supervisor import LaptopScreen
from foodflow_desktop.views import i18n
from foodflow_desktop.views.i18n import tr
from foodflow_desktop.views.laptop.notices import Notice
from foodflow_desktop.views.widgets.controls import Button, Field, Words
from foodflow_desktop.views.widgets.parts import Card, column, row

WIDTH = 440
CODE_MS = 120_000
"""How long a password waits for its code, if nobody types it."""


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
        self._tries = 0
        self._is_trying = False
        self._waits_for_code = QTimer(self, singleShot=True, interval=CODE_MS)
        self._waits_for_code.timeout.connect(self._clear)
        for name in ("address", "tenant", "login"):
            self.fields[name].textEdited.connect(self._said_otherwise)

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
        for code, button in self._languages.items():
            button.say(i18n.LANGUAGES[code])
            button.setChecked(code == i18n.current())
        if not self._is_filled:
            self._is_filled = True
            self.fields["address"].setText(screen.address)
            self.fields["tenant"].setText(screen.tenant)
        asks = screen.error is not None and screen.error.code in ASKS_FOR_CODE
        has_ended = screen.tries != self._tries
        if has_ended or not self._is_trying:
            for part in (self._labels["totp"], self.fields["totp"]):
                part.setVisible(asks)
            self.notice.show_error(screen.error)
        if has_ended:
            self._tries = screen.tries
            self._ended(is_in=screen.person is not None, asks=asks)
        self._submit.say(tr("Signing in…") if self._is_trying else tr("Sign in"))

    def _ended(self, *, is_in: bool, asks: bool) -> None:
        """The hub has answered, or could not be asked."""
        self._try(False)
        if is_in or not asks:
            self._clear()
        if asks:
            self._waits_for_code.start()
        if not is_in:
            self.begin()

    def _try(self, is_trying: bool) -> None:
        """While a try is under way nothing is typed that its answer would take away or move."""
        self._is_trying = is_trying
        for part in (*self.fields.values(), self._submit):
            part.setEnabled(not is_trying)

    def _said_otherwise(self) -> None:
        # The password that waits for its code was meant for this hub, this company and this person.
        if self._waits_for_code.isActive():
            self._clear()

    def _clear(self) -> None:
        self._waits_for_code.stop()
        self.fields["password"].clear()
        self.fields["totp"].clear()

    def begin(self) -> None:
        """Put the keyboard into the first empty field."""
        shown = [field for field in self.fields.values() if not field.isHidden()]
        empty = next((field for field in shown if not field.text()), self.fields["password"])
        empty.setFocus()

    def _ask(self) -> None:
        address, tenant, login, password, totp = (self.fields[name].text() for name in FIELDS)
        self._waits_for_code.stop()
        self.fields["totp"].clear()  # it is good once; the password stays for as long as only a code is missing
        self._try(True)
        self._submit.say(tr("Signing in…"))
        self.notice.show_error(None)
        self.asked.emit(address, tenant, login, password, totp)


FIELDS = ("address", "tenant", "login", "password", "totp")
ASKS_FOR_CODE = frozenset({"totp_needed", "totp_wrong"})
"""Answers of the hub after which the code's field is shown; nobody else is asked for one."""
