"""Draw the shots named on the command line, or all of them."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication

from tests.shots.shot import beside, render

MODULES: tuple[str, ...] = ("floor", "laptop", "run", "sign_in", "station", "weigh")
"""One module per screen or family of screens."""

MOCKUPS = Path(os.environ.get("FOODFLOW_MOCKUPS", Path(__file__).parents[3] / "shared" / "design" / "mockups"))


def main() -> int:
    """Write ``.shots/<name>.png`` (beside the mockup) and ``.shots/ours/<name>.png``."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    out = Path(".shots")
    (out / "ours").mkdir(parents=True, exist_ok=True)
    for module in MODULES:
        for shot in importlib.import_module(f"tests.shots.{module}").SHOTS:
            if sys.argv[1:] and shot.name not in sys.argv[1:]:
                continue
            ours = render(shot)
            ours.save(str(out / "ours" / f"{shot.name}.png"))
            beside(shot, ours, MOCKUPS).save(str(out / f"{shot.name}.png"))
            sys.stdout.write(f"{out / shot.name}.png\n")
    app.quit()
    return 0


if __name__ == "__main__":
    sys.exit(main())
