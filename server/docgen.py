"""Write docs/generated from the registries: resources, states, errors, settings, permissions, facts.

``python -m server.docgen --check`` fails when a page is not what the registries say.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from foodflow_kernel import machines, sentences
from foodflow_kernel.wire import bodies
from server.app import RESOURCES
from server.core.settings import PREFIX, Settings
from server.identity import matrix

FOLDER = Path("docs/generated")

OTHERS = (
    "| `FOODFLOW_FOLDER` | `~/.local/share/foodflow-kiosk` | data folder of a terminal, as `--folder` |",
    "| `FOODFLOW_KEYS` |  | where a terminal keeps its keys: `sealed` or `desktop`; empty: chosen by what is there |",
    "| `FOODFLOW_CLOCK` |  | for the demo plant: all its programs share one clock that runs faster than real time |",
)
"""Variables outside ``Settings``: a terminal is set by its command line, pairing and master data."""


def resources() -> str:
    """Every table the API offers."""
    lines = [
        "# Resources",
        "A list also takes `sort=a,-b`, `fields=a,b`, `q=` where it can be searched, `limit` (200 at most) and",
        "`after`, the `next` of the page before. Every list may be filtered by `id`, and by `retired_at` where the",
        "table has it; retired rows are left out unless that filter asks for them. `ne` holds empty ones too,",
        "`between` both its ends, `in` at most 200 values; `like` is a prefix, whatever its case. What is not in this",
        "table is refused (422).",
        "",
        "| Path | Permission prefix | Set | Filters | Sorted by | Verbs |",
        "|---|---|---|---|---|---|",
    ]
    for each in sorted(RESOURCES, key=lambda resource: resource.path):
        verbs = ", ".join(f"`:{action.name}`{' (signed)' if action.signature else ''}" for action in each.actions)
        filters = ", ".join(f"{name} ({' '.join(each.operators(name))})" for name in each.filters)
        fields = ", ".join(f"{name}{' (once)' if name in each.fixed else ''}" for name in each.writable)
        lines.append(
            f"| `/api/v1/{each.path}` | `{each.code}` | {fields} | {filters} | {', '.join(each.sorts)} | {verbs} |"
        )
    return "\n".join(lines)


def states() -> str:
    """Every machine with its moves."""
    lines = ["# States and moves"]
    for machine in machines.ALL:
        lines += ["", f"## {machine.name}", f"Born `{machine.start}`.", "", "| From | Move | To |", "|---|---|---|"]
        lines += [f"| {source} | {move} | {to} |" for (source, move), to in machine.moves.items()]
    return "\n".join(lines)


def errors() -> str:
    """Every error code with its sentence."""
    rows = [f"| `{code}` | {text} |" for code, text in sorted(sentences.SENTENCES.items())]
    return "\n".join(["# Error codes", "", "| Code | Sentence |", "|---|---|", *rows])


def settings() -> str:
    """Every setting of the server."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default_factory or field.default in ("", None, ()) else f"`{field.default}`"
        rows.append(f"| `{PREFIX}{name.upper()}` | {default} | {field.description} |")
    head = ["| Variable | Default | Meaning |", "|---|---|---|"]
    return "\n".join(
        ["# Settings of the server", "", *head, *rows, "", "# Of a terminal, and of both", "", *head, *OTHERS]
    )


def permissions() -> str:
    """The role x permission matrix."""
    roles = list(matrix.ROLES)
    lines = [
        "# Permissions",
        "R read, C create, U update, A approve or release, D retire, X export.",
        "",
        f"| Noun | {' | '.join(roles)} |",
        f"|---|{'---|' * len(roles)}",
    ]
    lines += [
        f"| `{noun}` | {' | '.join(held.get(role, '') for role in roles)} |" for noun, held in matrix.MATRIX.items()
    ]
    letters = matrix.COMMON | {verb: letter for verb, (letter, *_) in matrix.SPECIAL.items()}
    lines += ["", "Verbs by letter: " + ", ".join(f"{verb} {letter}" for verb, letter in letters.items()) + "."]
    return "\n".join(lines)


def facts() -> str:
    """Every kind of fact."""
    rows = []
    for kind in bodies.KINDS:
        taken_by = "person" if kind.needs_user else "device"
        meaning = (kind.body.__doc__ or "").strip().splitlines()[0]
        rows.append(f"| `{kind.name}` | {kind.ver} | {int(kind.lane)} {kind.lane.name} | {taken_by} | {meaning} |")
    return "\n".join(
        ["# Kinds of facts", "", "| Kind | Version | Lane | Taken by | Meaning |", "|---|---|---|---|---|", *rows]
    )


PAGES: dict[str, Callable[[], str]] = {
    "resources.md": resources,
    "states.md": states,
    "errors.md": errors,
    "settings.md": settings,
    "permissions.md": permissions,
    "facts.md": facts,
}


def main() -> int:
    """Write the pages, or with --check say which are stale."""
    check = "--check" in sys.argv
    FOLDER.mkdir(parents=True, exist_ok=True)
    stale = []
    for name, page in PAGES.items():
        text = page() + "\n"
        path = FOLDER / name
        if not path.exists() or path.read_text() != text:
            stale.append(name)
            if not check:
                path.write_text(text)
    if check and stale:
        sys.stderr.write(f"docs/generated is stale: {', '.join(stale)}; run make docs\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
