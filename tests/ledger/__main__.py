"""Write docs/generated/ledger.md; ``--check`` fails when it is not what the rows say."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.ledger import ROWS

PAGE = Path("docs/generated/ledger.md")


def page() -> str:
    """The ledger as Markdown."""
    lines = [
        "# Ledger of identity and core",
        "Each promise, what holds it, and the test that fails when it is broken.",
        "",
        "| Of | Promise | Held by | Test |",
        "|---|---|---|---|",
    ]
    lines += [f"| {row.subject} | {row.says.replace('|', '&#124;')} | {row.by} | `{row.test}` |" for row in ROWS]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the page, or say that it is stale."""
    text = page()
    if "--check" in sys.argv:
        if not PAGE.exists() or PAGE.read_text() != text:
            sys.stderr.write("docs/generated/ledger.md is stale; run make docs\n")
            return 1
        return 0
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
