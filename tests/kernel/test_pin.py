"""A PIN verifier works on its own terminal only."""

from __future__ import annotations

from foodflow_kernel.wire import pin


def test_verifier_accepts_the_pin_on_its_own_terminal_only() -> None:
    base = pin.new_base("4271")
    mine, other = b"m" * 32, b"o" * 32
    verifier = pin.for_device(base, mine)
    assert pin.verify("4271", verifier, mine)
    assert not pin.verify("4272", verifier, mine)
    assert not pin.verify("4271", verifier, other)
    assert "4271" not in verifier
