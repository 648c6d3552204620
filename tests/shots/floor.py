"""Materials, interlock, checks, CCP entry and deviation with the data of mockups 04, 05, 07, 08, 09."""

from __future__ import annotations

from tests.foodflow_desktop.views.floor import STATES, window
from tests.shots.shot import Shot

KIOSK = (1280, 800)
SHOTS = (
    Shot("issue_material", "04-issue-material.png", KIOSK, window(STATES["issue_material"], "FFB-1041")),
    Shot("allergen_stop", "05-allergen-stop.png", KIOSK, window(STATES["interlock"], "FFB-1041")),
    Shot("qa_checks", "07-qa-checks.png", KIOSK, window(STATES["checks"], "FFB-2003")),
    Shot("ccp_entry", "08-ccp-entry.png", KIOSK, window(STATES["ccp_entry"], "FFB-2003")),
    Shot("deviation", "09-deviation.png", KIOSK, window(STATES["deviation"], "FFB-2003")),
)
