"""The weigh view touched as a finger would, on a scale that answers over a pty."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel

from foodflow_desktop.hardware.readings import DeviceState
from foodflow_desktop.hardware.sim.scale import ScaleSim
from foodflow_desktop.hardware.sim.wire import PtyWire
from foodflow_desktop.stations import records
from foodflow_desktop.stations.weigh import WeighStation
from foodflow_desktop.views import i18n, jobs
from foodflow_desktop.views.weigh_view import WeighView
from foodflow_kernel.rules.steady import WeighState
from foodflow_kernel.wire import bodies
from tests.foodflow_desktop.stations import plant
from tests.foodflow_desktop.stations.test_weigh import HEAVY, SCALE, SPEC
from tests.hardware.rigs import Rig, fast_clock

pytestmark = pytest.mark.qt

CONTACT_MS = 40


class Hand:
    """A view on a terminal, and a finger."""

    def __init__(self, qtbot, view, rig):
        self.qtbot, self.view, self.rig = qtbot, view, rig

    def button(self, name):
        return self.view.findChild(QAbstractButton, name)

    def text(self, name):
        return self.view.findChild(QLabel, name).text()

    def touch(self, name, ms=CONTACT_MS):
        button = self.button(name)
        QTest.mousePress(button, Qt.MouseButton.LeftButton)
        if ms:  # a splash is press and release without a turn of the event loop
            QTest.qWait(ms)
        QTest.mouseRelease(button, Qt.MouseButton.LeftButton)

    def until(self, is_so):
        self.qtbot.waitUntil(is_so, timeout=20_000)

    def load(self, gross):
        self.rig.sim.load(D(gross))

    def weighings(self):
        return [one.body for one in records.taken(self.view.context.store, bodies.Weighing)]


@pytest.fixture
def hand(qtbot, tmp_path):
    clock = fast_clock()
    context = plant.open_terminal(tmp_path / "kiosk", clock)
    for entity, row in (("weight_spec", SPEC), ("equipment", SCALE), ("reason", HEAVY)):
        plant.change(context.store, entity, row)
    plant.sign_in(context, "FFB-1041")
    with Rig(ScaleSim(PtyWire(tmp_path / "scale", clock), clock), "scale", "mt_sics", clock, tag="SC-02") as rig:
        context.hardware = rig.hub
        rig.until_state(DeviceState.connected)
        view = WeighView(context, WeighStation(context))
        qtbot.addWidget(view)
        view.resize(1168, 728)
        view.show()
        view.enter()
        yield Hand(qtbot, view, rig)
        qtbot.waitUntil(lambda: jobs.running() == 0, timeout=20_000)
        view.stop()
    context.store.close()


def test_tare_weigh_and_record_are_three_touches(hand):
    hand.until(lambda: hand.text("weigh.state.text") == "No tare set")
    assert not hand.button("weigh.record").isEnabled()
    hand.touch("weigh.tare")
    hand.until(lambda: hand.text("weigh.state.text") == "Nothing on the scale")
    hand.load("615.4")
    hand.until(lambda: hand.button("weigh.record").isEnabled())
    assert hand.button("weigh.record").text() == "Record 603.4 g"
    hand.touch("weigh.record")
    hand.until(lambda: len(hand.weighings()) == 1)
    hand.until(lambda: hand.text("weigh.saved") == "Saved: 603.4 g")
    assert not hand.button("weigh.record").isEnabled()


def test_splash_and_double_contact_record_nothing_more(hand):
    hand.until(lambda: hand.text("weigh.state.text") == "No tare set")
    hand.touch("weigh.tare")
    hand.until(lambda: hand.text("weigh.state.text") == "Nothing on the scale")
    hand.load("615.4")
    hand.until(lambda: hand.button("weigh.record").isEnabled())
    hand.touch("weigh.record", ms=0)  # shorter than a finger
    QTest.qWait(50)
    assert hand.weighings() == []
    hand.touch("weigh.record")
    hand.touch("weigh.record")
    hand.until(lambda: len(hand.weighings()) == 1)
    QTest.qWait(100)
    assert len(hand.weighings()) == 1


def test_language_switch_keeps_what_was_typed(hand):
    hand.rig.sim.wire.faults.is_mute = True
    hand.until(lambda: hand.view.station.screen().gate.state is WeighState.silent)
    hand.view.refresh()
    hand.touch("weigh.type")
    for key in ("6", "0", "1", ".", "5"):
        QTest.qWait(5)
        hand.touch(f"weigh.key.{key}")
    assert hand.text("weigh.typed") == "601.5 g"
    i18n.use("es")
    hand.view.refresh()
    assert hand.text("weigh.typed") == "601,5 g"
    assert hand.button("weigh.typed.save").text() == "Registrar 601,5 g"
