"""Measure everything, print it, and write docs/benchmarks.md."""

from __future__ import annotations

import importlib
import os
import platform
import sys
from pathlib import Path

from foodflow_kernel.clock import SystemClock
from tests.bench import start
from tests.bench.figure import Figure

MODULES: tuple[str, ...] = ("start", "repaint", "frames", "record", "window", "push", "feed", "alarm", "api", "tenants")
"""In the order of the page."""


def row(figure: Figure) -> str:
    """One line of the page's table."""

    def shown(value: float | None) -> str:
        return "" if value is None else f"{value:,.2f}".rstrip("0").rstrip(".")

    cells = (
        figure.name,
        f"{shown(figure.value)} {figure.unit}",
        shown(figure.floor),
        "" if figure.ratio is None else f"{figure.ratio:.2f}",
        shown(figure.target),
        figure.verdict,
        figure.note,
    )
    return "| " + " | ".join(cells) + " |"


def main() -> int:
    """Run the modules named on the command line, or all of them and renew the page."""
    chosen = sys.argv[1:] or list(MODULES)
    lines = [
        "# Benchmarks",
        (
            f"Measured by `make bench` on {SystemClock().now():%Y-%m-%d}, {os.cpu_count()} cores, "
            f"{platform.system()} {platform.machine()}, Python {platform.python_version()}. "
            f"load average {os.getloadavg()[1]:.1f} over the five minutes before. "
            "Floors are measured in the same run; ratio = figure / floor."
        ),
        "",
        "| What | Measured | Floor | Ratio | Target | Verdict | Note |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in chosen:
        for figure in importlib.import_module(f"tests.bench.{name}").measure():
            lines.append(row(figure))
            sys.stdout.write(lines[-1] + "\n")
            sys.stdout.flush()
    if not sys.argv[1:]:
        Path("docs/benchmarks.md").write_text("\n".join([*lines, "", start.WHERE]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
