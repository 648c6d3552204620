"""Beside the trace: does the mass balance add up, what can be done with the lot, and the CSV."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from foodflow_desktop.stations.hub import PalletRow
from foodflow_desktop.stations.trace import FINISHED, TraceScreen
from foodflow_desktop.views import theme
from foodflow_desktop.views.i18n import number, percent, tr
from foodflow_desktop.views.laptop.notices import Notice
from foodflow_desktop.views.widgets.controls import Button, Field, Icon, Words
from foodflow_desktop.views.widgets.parts import Card, Swatch, clear, column, hatch, row
from foodflow_kernel.units import Uom
from foodflow_kernel.wire.reports import MassBalance

UNITS = {
    Uom.KGM: "kg",
    Uom.GRM: "g",
    Uom.LTR: "l",
    Uom.MLT: "ml",
    Uom.TNE: "t",
    Uom.LBR: "lb",
    Uom.ONZ: "oz",
    Uom.MGM: "mg",
}
FOUND_ENOUGH = 0.995
"""Pass level of a mass balance (ux.md, section 5, Trace)."""
SHARES = (("used", "ink2"), ("in_store", "neutral"), ("waste", "track"), ("not_found", "not_heard"))


def unit(uom: Uom) -> str:
    """A unit as it stands behind a number."""
    return tr("pieces") if uom is Uom.H87 else UNITS.get(uom, uom.value)


class BalanceBar(QWidget):
    """Used, in store, waste and not found as one bar."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("trace.balance.bar")
        self.setFixedHeight(20)
        self._balance: MassBalance | None = None

    def show_balance(self, balance: MassBalance) -> None:
        """Draw a balance."""
        self._balance = balance
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the parts, a hair apart."""
        balance = self._balance
        if balance is None or balance.received <= 0:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipPath(theme.rounded(QRectF(self.rect()), 5))
        left = 0.0
        for name, tint in SHARES:
            width = self.width() * float(max(Decimal(0), getattr(balance, name)) / balance.received)
            if width <= 0:
                continue
            left = min(left, self.width() - 3.0)  # the smallest share is still seen
            area = QRectF(left, 0, max(3.0, width - 2), self.height())
            if tint == "not_heard":
                hatch(painter, area, "ink", "surface")
            else:
                painter.fillRect(area, theme.colour("lineStrong" if tint == "track" else tint))
            left += width


class BalanceCard(Card):
    """The mass balance of the traced lot."""

    def __init__(self) -> None:
        super().__init__("trace.balance")
        self._title = Words("trace.balance.title", 16, 700)
        self._mark = Icon("check", 18, "ok")
        self._share = Words("trace.balance.share", 18, 700, "ok")
        self._found = Words("trace.balance.found", 14.5, 400, "ink2", wrap=True)
        self._bar = BalanceBar()
        self._rows = {
            name: (
                Swatch("ink2" if name == "used" else tint if tint != "track" else "lineStrong"),
                Words(f"trace.balance.{name}.label", 15),
                Words(f"trace.balance.{name}", 15, 700),
            )
            for name, tint in SHARES
        }
        head = row(gap=8)
        head.addWidget(self._title, 1)
        head.addWidget(self._mark)
        head.addWidget(self._share)
        box = column(gap=0, margins=(18, 16, 18, 16))
        box.addLayout(head)
        box.addSpacing(4)
        box.addWidget(self._found)
        box.addSpacing(10)
        box.addWidget(self._bar)
        box.addSpacing(10)
        for swatch, label, value in self._rows.values():
            line = row(gap=10, margins=(0, 3, 0, 3))
            line.addWidget(swatch)
            line.addWidget(label, 1)
            line.addWidget(value)
            box.addLayout(line)
        self.setLayout(box)

    def show_balance(self, balance: MassBalance) -> None:
        """Say whether everything received is accounted for."""
        found = balance.received - balance.not_found
        share = float(found / balance.received) if balance.received else 1.0
        is_enough = share >= FOUND_ENOUGH
        self._title.say(tr("Mass balance"))
        self._mark.show_icon("check" if is_enough else "warn", "ok" if is_enough else "warn")
        self._share.say(percent(share, 2), "ok" if is_enough else "warn")
        uom = unit(balance.uom)
        self._found.say(
            tr(
                "{found} of {received} {unit} found · pass at {level}",
                found=number(_short(found)),
                received=number(_short(balance.received)),
                unit=uom,
                level=percent(FOUND_ENOUGH),
            )
        )
        self._bar.show_balance(balance)
        self._bar.setAccessibleName(self._found.text())
        words = {
            "used": tr("Used in batches"),
            "in_store": tr("Still in store"),
            "waste": tr("Waste recorded"),
            "not_found": tr("Not found"),
        }
        for name, (_, label, value) in self._rows.items():
            label.say(words[name])
            value.say(f"{number(_short(getattr(balance, name)))} {uom}")


class ActionsCard(Card):
    """Pack part of the lot to a pallet; ship a pallet to a customer."""

    packed = Signal(object)
    shipped = Signal(object, str, str, str)

    def __init__(self) -> None:
        super().__init__("trace.actions")
        self._title = Words("trace.actions.title", 16, 700)
        self._qty_label = Words("trace.pack_qty.label", 14, 600, "ink2")
        self.qty = Field("trace.pack_qty")
        self.pack = Button("trace.pack", "secondary", "pallet")
        self._pallet_label = Words("trace.pallet.label", 14, 600, "ink2")
        self.pallets: list[Button] = []
        self._pallet_box = column(gap=6)
        self._partner_label = Words("trace.partner.label", 14, 600, "ink2")
        self.partner_code = Field("trace.partner_code")
        self.partner_name = Field("trace.partner")
        self._document_label = Words("trace.document.label", 14, 600, "ink2")
        self.document = Field("trace.document")
        self.ship = Button("trace.ship", "primary", "truck")
        self._pallets: tuple[PalletRow, ...] = ()
        box = column(gap=4, margins=(18, 16, 18, 16))
        box.addWidget(self._title)
        box.addSpacing(4)
        packing = row(gap=8)
        packing.addWidget(self.qty, 1)
        packing.addWidget(self.pack)
        box.addWidget(self._qty_label)
        box.addLayout(packing)
        box.addSpacing(8)
        self._shipping = QWidget()
        inside = column(gap=4)
        inside.addWidget(self._pallet_label)
        inside.addLayout(self._pallet_box)
        inside.addSpacing(4)
        inside.addWidget(self._partner_label)
        partner = row(gap=8)
        partner.addWidget(self.partner_code, 2)
        partner.addWidget(self.partner_name, 3)
        inside.addLayout(partner)
        inside.addSpacing(4)
        inside.addWidget(self._document_label)
        document = row(gap=8)
        document.addWidget(self.document, 1)
        document.addWidget(self.ship)
        inside.addLayout(document)
        self._shipping.setLayout(inside)
        box.addWidget(self._shipping)
        self.setLayout(box)
        self.pack.clicked.connect(self._on_pack)
        self.ship.clicked.connect(self._on_ship)

    def show_lot(self, uom: Uom, pallets: tuple[PalletRow, ...]) -> None:
        """Offer what can be done with this lot."""
        self._title.say(tr("Pack and ship"))
        self._qty_label.say(tr("Quantity for a pallet, {unit}", unit=unit(uom)))
        self.qty.setAccessibleName(self._qty_label.text())
        self.pack.say(tr("Pack a pallet"))
        self._pallet_label.say(tr("Pallet"))
        self._partner_label.say(tr("Customer: number and name"))
        self.partner_code.setAccessibleName(tr("Customer number"))
        self.partner_name.setAccessibleName(tr("Customer name"))
        self._document_label.say(tr("Delivery note"))
        self.document.setAccessibleName(tr("Delivery note"))
        self.ship.say(tr("Ship"))
        self._shipping.setVisible(bool(pallets))
        if pallets != self._pallets:
            self._pallets = pallets
            clear(self._pallet_box)
            self.pallets = []
            for place, pallet in enumerate(pallets):
                button = Button(f"trace.pallet.{place + 1}", "segment")
                button.say(f"{pallet.sscc} · {number(_short(pallet.qty))} {unit(pallet.uom)}")
                button.setCheckable(True)
                button.setAutoExclusive(True)
                button.setChecked(place == 0)
                self._pallet_box.addWidget(button)
                self.pallets.append(button)

    def _on_pack(self) -> None:
        try:
            qty = Decimal(self.qty.text().strip().replace(",", "."))
        except InvalidOperation:
            qty = Decimal(0)
        if qty > 0:
            self.packed.emit(qty)
        else:
            self.qty.setFocus()

    def _on_ship(self) -> None:
        pairs = zip(self.pallets, self._pallets, strict=True)
        chosen = next((pallet for button, pallet in pairs if button.isChecked()), None)
        fields = (self.partner_code, self.partner_name, self.document)
        empty = next((field for field in fields if not field.text().strip()), None)
        if empty is not None:
            empty.setFocus()
        elif chosen is not None:
            self.shipped.emit(chosen.pallet_id, *(field.text().strip() for field in fields))


class TraceSide(QWidget):
    """Balance, actions, notice and export."""

    def __init__(self) -> None:
        super().__init__()
        self.balance = BalanceCard()
        self.acts = ActionsCard()
        self.notice = Notice("trace.notice")
        self.csv = Button("trace.csv", "secondary", "download")
        box = column(gap=16)
        box.addWidget(self.balance)
        box.addWidget(self.acts)
        box.addWidget(self.notice)
        box.addStretch(1)
        box.addWidget(self.csv)
        self.setLayout(box)

    def show_screen(self, screen: TraceScreen) -> None:
        """Draw what belongs to the traced lot."""
        trace = screen.answer.value
        self.csv.say(tr("CSV"), tr("Save the trace as CSV"))
        self.csv.setVisible(trace is not None)
        self.balance.setVisible(trace is not None and trace.balance is not None)
        if trace is not None and trace.balance is not None:
            self.balance.show_balance(trace.balance)
        lot = screen.lot
        can_act = lot is not None and trace is not None and lot.kind == FINISHED
        self.acts.setVisible(can_act)
        if lot is not None and can_act:
            self.acts.show_lot(lot.uom, screen.pallets)
        if screen.notice_error is not None:
            self.notice.show_error(screen.notice_error)
        elif screen.notice == "packed":
            self.notice.say("good", tr("Packed to pallet {sscc}.", sscc=screen.notice_data["sscc"]))
        elif screen.notice == "shipped":
            self.notice.say("good", tr("Shipped to {customer}.", customer=screen.notice_data["customer"]))
        elif screen.notice == "saved":
            self.notice.say("good", tr("Saved as {file}.", file=screen.notice_data["file"]))
        else:
            self.notice.say("note", "")


def _short(value: Decimal) -> Decimal:
    """A quantity without useless zeros."""
    whole = value.quantize(Decimal(1))
    return whole if whole == value else value.normalize()
