"""The lot in hand: right material or not yet scanned, its four checks, its amount, Issue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from foodflow_desktop.stations.material import Answer, MaterialScreen, MaterialStation, Scanned
from foodflow_desktop.views import i18n, kiosk_words, theme
from foodflow_desktop.views.i18n import clock, tr
from foodflow_desktop.views.widgets.controls import Icon, Words
from foodflow_desktop.views.widgets.kiosk import Pages, TouchButton
from foodflow_desktop.views.widgets.parts import Card, Rule, column, row
from foodflow_kernel.wire.bodies import Source

BAND_H = 84
KEY_H = 72


class Band(QWidget):
    """The band on top: green for the right material, quiet while nothing is scanned."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumHeight(BAND_H)
        self._is_right = False
        self._icon = Icon("scan", 42, "ink2")
        self._words, self._at = Words("materials.band", 27, 680, "ink2"), Words("materials.scanned_at", 18, 600, "ink2")
        self._at_icon = Icon("barcode", 24, "ok")
        box = row(gap=12, margins=(28, 8, 28, 8))
        box.addWidget(self._icon)
        box.addSpacing(6)
        box.addWidget(self._words)
        box.addStretch(1)
        box.addWidget(self._at_icon)
        box.addWidget(self._at)
        self.setLayout(box)

    def say(self, text: str, at: str, *, is_right: bool) -> None:
        """Change the words."""
        self._is_right = is_right
        ink = "ok" if is_right else "ink2"
        self._icon.show_icon("check" if is_right else "barcode", ink)
        self._words.say(text, ink)
        self._at.say(at, ink)
        self._at_icon.setVisible(bool(at))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ground, round at the top."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        area = QRectF(self.rect())
        painter.setClipRect(area)
        painter.setBrush(theme.colour("okSoft" if self._is_right else "surface2"))
        painter.drawRoundedRect(area.adjusted(0, 0, 0, 20), 15, 15)


class CheckLine(QWidget):
    """One of the four checks."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._icon = Icon("check", 28, "ok")
        self._name = Words(f"{name}.name", 18, 600)
        self._note = Words(f"{name}.note", 16.5, 450, "ink2")
        box = row(gap=9)
        box.addWidget(self._icon)
        box.addWidget(self._name)
        box.addStretch(1)
        box.addWidget(self._note)
        self.setLayout(box)

    def show_check(self, name: str, note: str, *, passed: bool) -> None:
        """Draw a check."""
        self._icon.show_icon("check" if passed else "crit", "ok" if passed else "crit")
        self._name.say(name)
        self._note.say(note)


class IssueCard(Card):
    """The card at the right."""

    def __init__(self, station: MaterialStation, do: Callable[[Any], None]) -> None:
        super().__init__("materials.lot")
        self.station, self._do = station, do
        self._band = Band()
        self._item, self._lot = (
            Words("materials.item", 29, 700),
            Words("materials.lot_line", 19, 500, "ink2", mono=True),
        )
        self._amount, self._uom = Words("materials.amount", 50, 720), Words("materials.uom", 29, 560, "ink2")
        self._source = Words("materials.source", 17, 450, "ink2")
        self._checks = [CheckLine(f"materials.check.{n}") for n in range(4)]
        self._over = Words("materials.over", 19, 600, "warn", wrap=True)
        self._reasons = [TouchButton(f"materials.reason.{n}", px=18, weight=620) for n in range(4)]
        self.primary = TouchButton("materials.issue", "primary", px=25, weight=680, height=88)
        self._cancel = TouchButton("materials.cancel", "outline", px=19, weight=680, height=88)
        self._edit = TouchButton("materials.edit_amount", "outline", "pencil", px=19, weight=680, height=88)
        self._help = Words("materials.help", 21, 500, "ink2", wrap=True)
        self._codes: list[str] = []
        self._wire()
        self._build()

    def _wire(self) -> None:
        self.primary.clicked.connect(self._on_primary)
        self._cancel.clicked.connect(self.station.cancel)
        self._edit.clicked.connect(self.station.edit_amount)
        for n, button in enumerate(self._reasons):
            button.clicked.connect(lambda _=False, n=n: self.station.choose_reason(self._codes[n]))

    def _build(self) -> None:
        value = row(gap=10)
        value.addStretch(1)
        value.addWidget(self._amount, 0, Qt.AlignmentFlag.AlignBottom)
        value.addWidget(self._uom, 0, Qt.AlignmentFlag.AlignBottom)
        right = column()
        right.addLayout(value)
        self._source.setAlignment(Qt.AlignmentFlag.AlignRight)
        right.addWidget(self._source)
        left = column(gap=4)
        left.addWidget(self._item)
        left.addWidget(self._lot)
        left.addSpacing(2)
        head = row(gap=16)
        head.addLayout(left, 1)
        head.addLayout(right)
        checks = QGridLayout()
        checks.setContentsMargins(0, 0, 0, 0)
        checks.setHorizontalSpacing(36)
        checks.setVerticalSpacing(20)
        for n, line in enumerate(self._checks):
            checks.addWidget(line, n // 2, n % 2)
        reasons = row(gap=12)
        for button in self._reasons:
            reasons.addWidget(button)
        found = QWidget()
        inside = column(margins=(28, 20, 28, 22))
        inside.addLayout(head)
        inside.addSpacing(12)
        inside.addWidget(Rule())
        inside.addSpacing(18)
        inside.addLayout(checks)
        inside.addStretch(1)
        inside.addWidget(self._over)
        inside.addLayout(reasons)
        inside.addStretch(1)
        buttons = row(gap=16)
        buttons.addWidget(self._cancel, 112)
        buttons.addWidget(self._edit, 178)
        buttons.addWidget(self.primary, 310)
        inside.addLayout(buttons)
        found.setLayout(inside)
        empty = QWidget()
        box = column(margins=(28, 20, 28, 22))
        box.addStretch(1)
        box.addWidget(self._help)
        box.addStretch(1)
        empty.setLayout(box)
        self._help.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._pages = Pages()
        for page in (empty, found, self._keypad()):
            self._pages.addWidget(page)
        whole = column(margins=(1, 1, 1, 1))
        whole.addWidget(self._band)
        whole.addLayout(self._pages, 1)
        self.setLayout(whole)

    def _keypad(self) -> QWidget:
        """The amount, typed."""
        self._typed = Words("materials.typed", 60, 700)
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(12)
        for n, text in enumerate((*"123456789", ".", "0")):
            key = TouchButton(f"materials.key.{'point' if text == '.' else text}", px=29, height=KEY_H)
            key.say(text)
            key.clicked.connect(lambda _=False, t=text: self.station.digit(t))
            grid.addWidget(key, n // 3, n % 3)
            if text == ".":
                self._point = key
        back = self._delete = TouchButton("materials.key.backspace", "key", "backspace", height=KEY_H)
        back.clicked.connect(self.station.backspace)
        grid.addWidget(back, 3, 2)
        self._accept = TouchButton("materials.key.accept", "primary", px=23, weight=680, height=88)
        self._accept.clicked.connect(self.station.accept_amount)
        page = QWidget()
        side = column(gap=12)
        side.addWidget(self._typed)
        side.addStretch(1)
        side.addWidget(self._accept)
        box = row(gap=24, margins=(28, 16, 28, 22))
        box.addLayout(grid, 3)
        box.addLayout(side, 2)
        page.setLayout(box)
        return page

    def _on_primary(self) -> None:
        shown = self.station.screen().scanned
        if shown is not None and (shown.amount is None or shown.amount <= 0):
            self.station.edit_amount()
        elif shown is not None and shown.may_issue:
            self._do(self.station.issue)

    def show_screen(self, screen: MaterialScreen) -> None:
        """Draw the lot in hand."""
        shown = screen.scanned
        if shown is None:
            self._band.say(tr("Scan a material"), "", is_right=False)
            self._help.say(_help(screen))
            self._pages.setCurrentIndex(0)
            return
        self._band.say(tr("Right material"), tr("Scanned {at}", at=clock(shown.at, seconds=True)), is_right=True)
        if screen.typed is not None:
            self._pages.setCurrentIndex(2)
            mark = "," if i18n.current() == "es" else "."
            self._point.say(mark, tr("Decimal mark"))
            self._delete.setAccessibleName(tr("Delete"))
            self._typed.say(f"{screen.typed.replace('.', mark) or '–'} {kiosk_words.UOMS[shown.uom]}")
            self._accept.say(tr("Use this amount"))
            return
        self._pages.setCurrentIndex(1)
        self._show_lot(shown)
        self._show_over(shown)

    def _show_lot(self, shown: Scanned) -> None:
        self._item.say(shown.item_name)
        expiry = ""
        if shown.expiry_on is not None:
            words = tr("use by {on}") if shown.expiry_kind == "use_by" else tr("best before {on}")
            expiry = " · " + words.format(on=shown.expiry_on.isoformat())
        lot_line = tr("Lot {code}", code=shown.lot_code) + expiry
        room = self.width() - theme.px(56 + 150)
        if self._lot.fontMetrics().horizontalAdvance(lot_line) > room:
            lot_line = lot_line.replace(" · ", "\n")
        self._lot.say(lot_line)
        self._lot.setMinimumHeight(self._lot.fontMetrics().lineSpacing() * (lot_line.count("\n") + 1))
        self._amount.say(i18n.number(shown.amount) if shown.amount is not None else "–")
        self._uom.say(kiosk_words.UOMS[shown.uom])
        sources = {Source.label: tr("from the label"), Source.typed: tr("typed by hand")}
        self._source.say(sources.get(shown.source, "") if shown.amount is not None else tr("no amount on the label"))
        allergens = ", ".join(kiosk_words.allergen(one) for one in shown.allergens) or tr("none")
        notes = {
            "on_recipe": (tr("On this recipe"), tr("step {n}", n=shown.step)),
            "not_on_hold": (tr("Not on hold"), tr("released")),
            "in_date": (tr("In date"), _days(shown.days_left)),
            "allergens_match": (tr("Allergens match"), allergens),
        }
        for line, check in zip(self._checks, shown.checks, strict=True):
            name, note = notes[check.name]
            line.show_check(name, note, passed=check.passed)
        self._cancel.say(tr("Cancel"))
        self._edit.say(tr("Amount"))
        if shown.amount is None:
            self.primary.say(tr("Type the amount"))
        else:
            shown_amount = f"{i18n.number(shown.amount)} {kiosk_words.UOMS[shown.uom]}".strip()
            self.primary.say(tr("Issue {q}", q=shown_amount))
        self.primary.setEnabled(shown.amount is None or shown.may_issue)

    def _show_over(self, shown: Scanned) -> None:
        is_over = shown.over_issue is not None
        self._over.setVisible(is_over)
        if shown.over_issue is not None:
            over = kiosk_words.amount(shown.over_issue, shown.uom)
            self._over.say(tr("{q} more than the recipe. Why?", q=over))
        self._codes = [code for code, _ in shown.reasons]
        for n, button in enumerate(self._reasons):
            button.setVisible(is_over and n < len(shown.reasons))
            if n < len(shown.reasons):
                button.say(shown.reasons[n][1])
                button.set_kind("chosen" if shown.reasons[n][0] == shown.reason else "outline")


def _days(left: int | None) -> str:
    if left is None:
        return tr("no date")
    return tr("{n} day left", n=left) if left == 1 else tr("{n} days left", n=left)


def _help(screen: MaterialScreen) -> str:
    match screen.answer:
        case Answer.no_batch:
            return tr("No batch on this line. Scan a work order to start.")
        case Answer.already_scanned:
            return tr("Already scanned.")
        case Answer.not_a_material:
            return tr("This code is not a material. Scan the label of the material.")
    return tr("Scan the label of the material that goes in next.")
