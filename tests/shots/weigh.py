"""Weigh check: mockups 03, 12a to 12d and 13."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal as D
from typing import Any

from PySide6.QtWidgets import QWidget

from foodflow_desktop.stations.signing import SignPad
from foodflow_desktop.stations.weigh import WeighStation
from foodflow_desktop.stations.weigh_screen import (
    Choice,
    Mode,
    RowState,
    SampleRow,
    SavedNote,
    ScaleCard,
    TestPart,
    WeighScreen,
)
from foodflow_desktop.sync.status import PillState
from foodflow_desktop.views.weigh_view import WeighView
from foodflow_kernel.rules.steady import Digits, Gate, WeighAction, WeighState
from foodflow_kernel.rules.weight import WeightVerdict
from tests.shots import frame
from tests.shots.frame import at
from tests.shots.shot import Shot

GOOD = WeightVerdict.in_tolerance
SAMPLES = (
    SampleRow(1, RowState.done, D("601.2"), GOOD),
    SampleRow(2, RowState.done, D("598.8"), GOOD),
    SampleRow(3, RowState.now),
    SampleRow(4, RowState.todo),
    SampleRow(5, RowState.todo),
)
SCALE = ScaleCard(
    tag="SC-02",
    is_connected=True,
    per_s=5,
    tested_at=at(6, 12),
    calibrated_until=date(2027, 1, 12),
    capacity_g=D(3000),
    has_other=True,
)
READY = WeighScreen(
    mode=Mode.weigh,
    has_batch=True,
    gate=Gate(WeighState.ready, Digits.ink, WeighAction.record),
    product="Tomato Basil Soup 600 g",
    net_g=D("603.4"),
    tare_g=D("12.0"),
    is_tared=True,
    verdict=GOOD,
    low_g=D(591),
    target_g=D(600),
    high_g=D(615),
    no=3,
    samples=SAMPLES,
    average_g=D("600.0"),
    scale=SCALE,
    may_record=True,
    preset_tare_g=D("12.0"),
)
MOVING = replace(
    READY,
    gate=Gate(WeighState.moving, Digits.approximate, WeighAction.wait),
    net_g=D("603.8"),
    verdict=None,
    may_record=False,
)
OVER = replace(
    READY,
    gate=Gate(WeighState.over, Digits.over, WeighAction.remove_load),
    net_g=None,
    verdict=None,
    may_record=False,
)
SILENT = replace(
    READY,
    gate=Gate(WeighState.silent, Digits.dashes, WeighAction.try_again),
    net_g=None,
    verdict=None,
    may_record=False,
    scale=replace(SCALE, is_connected=False, silent_since=at(10, 9, 52)),
)
TEST_DUE = replace(
    READY,
    gate=Gate(WeighState.test_weight_due, Digits.ink, WeighAction.do_test),
    verdict=None,
    may_record=False,
    scale=replace(SCALE, is_test_due=True, test_due_at=at(10, 12)),
)
HEAVY = replace(
    READY,
    net_g=D("628.2"),
    verdict=WeightVerdict.too_heavy,
    saved=SavedNote(2, D("598.8"), is_here=True),
)
REASONS = (
    Choice("filler_low", "Filler set too low", "scale"),
    Choice("filler_high", "Filler set too high", "scale"),
    Choice("product_thick", "Product too thick", "pot"),
    Choice("air", "Air in product", "ring"),
    Choice("other", "Other", "question"),
)
REASON = replace(HEAVY, mode=Mode.reason, held_g=D("628.2"), held_verdict=WeightVerdict.too_heavy, reasons=REASONS)
TYPING = replace(SILENT, mode=Mode.typing, typed="601.5", typed_verdict=GOOD)
TESTING = replace(TEST_DUE, mode=Mode.testing, test=TestPart(D(500), D("0.5"), D("500.1"), is_steady=True))
CORRECTING = replace(
    READY,
    mode=Mode.correcting,
    samples=(replace(SAMPLES[0], is_chosen=True), *SAMPLES[1:]),
    reasons=(Choice("wrong_portion", "", is_chosen=True), Choice("scale_touched", ""), Choice("typed_wrong", "")),
    pad=SignPad("Operator 1041", "41", "badge", at(10, 2), "corrected", 2, 4, None, 0, is_checking=False),
)


def build(screen: WeighScreen, badge: int = 0, **over: Any) -> Callable[[], QWidget]:
    def make() -> QWidget:
        theme, language = over.get("theme", "light"), over.get("language", "en")
        frame.dressed(theme, language, over.get("scale", 1.0))
        context = frame.context(language)
        view = WeighView(context, WeighStation(context))
        view.show_screen(screen)
        bar = replace(frame.BAR, clock=over.get("clock", "10:10"), **over.get("bar", {}))
        return frame.window(view, here="weigh", bar=bar, badges={"checks": 2, "weigh": badge})

    return make


SENDING = {"pill": PillState.sending, "count": 3}
SIZE = (1280, 800)
SHOTS = (
    Shot("03-weigh-check", "03-weigh-check.png", SIZE, build(READY)),
    Shot("12a-scale-moving", "12a-scale-moving.png", SIZE, build(MOVING, bar=SENDING)),
    Shot("12b-scale-too-heavy", "12b-scale-too-heavy.png", SIZE, build(OVER, -1)),
    Shot("12c-scale-not-connected", "12c-scale-not-connected.png", SIZE, build(SILENT, -1)),
    Shot("12d-test-weight-due", "12d-test-weight-due.png", SIZE, build(TEST_DUE, -1, clock="10:13")),
    Shot("13-high-contrast", "13-high-contrast.png", SIZE, build(READY, theme="high_contrast"), "weigh.record"),
    Shot("weigh-too-heavy", "", SIZE, build(HEAVY)),
    Shot("weigh-reason", "", SIZE, build(REASON)),
    Shot("weigh-typing-es", "", SIZE, build(TYPING, language="es")),
    Shot("weigh-correcting", "", SIZE, build(CORRECTING)),
    Shot("weigh-test", "", SIZE, build(TESTING, theme="dark")),
)
