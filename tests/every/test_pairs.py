"""Lists that kiosk and server each keep for themselves agree."""

from __future__ import annotations

from foodflow_desktop.stations.ccp import Judged
from foodflow_desktop.stations.history import CORRECTABLE
from foodflow_kernel.rules.ccp import CcpVerdict
from foodflow_kernel.wire.bodies import KINDS
from server.fsq.models.monitoring import BREACHES
from server.plant_ops.terminal import MAY_BE_TAKEN_BACK


def test_what_a_terminal_offers_to_take_back_the_server_takes_back() -> None:
    assert CORRECTABLE <= MAY_BE_TAKEN_BACK <= {kind.name for kind in KINDS}


def test_each_verdict_has_its_place_on_the_screen_and_is_a_breach_for_both() -> None:
    assert {verdict for verdict in CcpVerdict if Judged(verdict.value).is_breach} == {
        verdict for verdict in CcpVerdict if verdict.is_breach
    }
    assert not any(one.is_breach for one in Judged if one.value not in set(CcpVerdict))


def test_the_index_over_breaches_counts_what_the_released_migration_made() -> None:
    """Change the verdicts and the index needs a migration: then change this line too."""
    assert BREACHES == "('too_low','too_high','not_rejected')"
