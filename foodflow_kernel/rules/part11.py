"""Whether all controls of 21 CFR Part 11 apply to a company's electronic records.

They apply everywhere by policy; a company may switch them off only where no rule asks for them.
"""

from __future__ import annotations

from collections.abc import Iterable

ALWAYS: dict[str, str] = {
    "dietary_111": "21 CFR 111.605(c)",
    "juice_120": "21 CFR 120.12(g)",
    "lacf_113": "21 CFR 113.100(h)",
}
"""Regimes whose records must meet Part 11, with the clause that says so."""
EXEMPT: dict[str, str] = {
    "fda_pchf": "21 CFR 117.305(g)",
    "fsma204": "21 CFR 1.1455(e)",
}
"""Regimes whose records are exempt, unless another rule asks for the same record."""


NEED_SERVER = frozenset({"reviewed", "verified", "approved", "released"})
"""Meanings that are signed on the server only (policy): a kiosk that is offline knows neither the newest record nor
who has lost the right."""


def asked_by(regimes: Iterable[str]) -> tuple[str, ...]:
    """The clauses that forbid switching the controls off, sorted.

    >>> asked_by(["fsma204", "juice_120"])
    ('21 CFR 120.12(g)',)
    """
    return tuple(sorted(ALWAYS[each] for each in set(regimes) if each in ALWAYS))


def applies(regimes: Iterable[str], *, is_switched_off: bool = False) -> bool:
    """Whether the full controls apply.

    Args:
        regimes: of the tenant; one that is not known here is taken as asking for nothing.
        is_switched_off: whether the company chose to go without them.

    Source: 21 CFR 11.1(b); 111.605(c), 120.12(g), 113.100(h); 117.305(g), 1.1455(e).

    >>> applies(["fda_pchf", "fsma204"]), applies(["fda_pchf", "fsma204"], is_switched_off=True)
    (True, False)
    >>> applies(["fda_pchf", "dietary_111"], is_switched_off=True)
    True
    """
    return not is_switched_off or bool(asked_by(regimes))
