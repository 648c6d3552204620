"""PySide6 6.12.0 loses a reference to None with every void call and aborts on Python 3.11."""

import sys

import pytest
from PySide6.QtWidgets import QLabel

pytestmark = pytest.mark.qt


def test_binding_keeps_none(qtbot):
    label = QLabel()
    qtbot.addWidget(label)
    label.setText("x")
    before = sys.getrefcount(None)
    for _ in range(500):
        label.setText("x")
    assert sys.getrefcount(None) > before - 50
