"""Part 11 is never off where a rule asks for it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from foodflow_kernel.rules import part11

REGIMES = ("fda_pchf", "fsis", "fsma204", "juice_120", "seafood_123", "lacf_113", "acid_114", "eu", "dietary_111")


@given(st.sets(st.sampled_from(REGIMES)))
def test_it_applies_unless_switched_off_where_nothing_asks(regimes: set[str]) -> None:
    asks = regimes & {"dietary_111", "juice_120", "lacf_113"}
    assert part11.applies(regimes)
    assert part11.applies(regimes, is_switched_off=True) == bool(asks)
    assert len(part11.asked_by(regimes)) == len(asks)


def test_an_exempt_regime_lifts_nothing_that_another_asks() -> None:
    assert part11.EXEMPT.keys() & part11.ALWAYS.keys() == set()
    assert part11.applies([*part11.EXEMPT, "lacf_113"], is_switched_off=True)


def test_what_a_kiosk_may_not_sign() -> None:
    assert {"reviewed", "verified", "approved", "released"} == part11.NEED_SERVER
