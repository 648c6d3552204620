"""A PIN verifier works on its own terminal only."""

from __future__ import annotations

import pytest

from foodflow_kernel.wire import pin
from tests.conftest import PRODUCT_PIN_COST


def test_verifier_accepts_the_pin_on_its_own_terminal_only() -> None:
    base = pin.new_base("4271")
    mine, other = b"m" * 32, b"o" * 32
    verifier = pin.for_device(base, mine)
    assert pin.verify("4271", verifier, mine)
    assert not pin.verify("4272", verifier, mine)
    assert not pin.verify("4271", verifier, other)
    assert "4271" not in verifier


def test_a_pin_costs_an_attacker_what_owasp_asks_and_stretches_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    assert PRODUCT_PIN_COST == (2, 19_456)
    monkeypatch.setattr(pin, "COST", PRODUCT_PIN_COST)
    stretched = pin.stretch("4271", b"0123456789abcdef").hex()
    assert stretched == "a1bdd294b6014cf1a2e7e46205b0a1472016153db24858679f74251659c8239c"
