"""The witness: counts what the screen called saved, and compares it with the server's rows.

Facts taken are what the driving process saw the window announce as saved, written to the
witness's own file at that moment. Facts on the server are read by SQL over the witness's own
connection. Both are joined row by row on identity (incarnation, lane, sequence) and on the
SHA-256 of the body. The chains are recomputed from the server's bytes with ``hashlib``
alone. Nothing of the product counts.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foodflow_desktop.demo.remote import Saved

Place = tuple[str, int, int]
"""(incarnation, lane, seq)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the server's log, as SQL gave it."""

    place: Place
    device: str
    body: bytes
    hash: bytes


@dataclass(frozen=True)
class Verdict:
    """What the two sets say of each other."""

    taken: int
    on_server: int
    duplicates: int
    lost: tuple[Place, ...]
    unexpected: tuple[Place, ...]
    different: tuple[Place, ...]
    broken_chains: tuple[str, ...]
    chains: int

    @property
    def is_equal(self) -> bool:
        """Both sets are the same and every chain holds."""
        wrong = self.duplicates or self.lost or self.unexpected or self.different or self.broken_chains
        return not wrong and self.taken > 0


class Witness:
    """Keeps what was seen, in memory and in its own file.

    Args:
        path: JSON lines, one per fact seen.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)
        self._lock = threading.Lock()
        self.seen: dict[Place, str] = {}
        self.kinds: Counter[str] = Counter()
        self.announced_twice: list[Place] = []

    def saw(self, saved: Saved) -> None:
        """The screen called a fact saved."""
        place = (str(saved["incarnation"]), int(saved["lane"]), int(saved["seq"]))
        with self._lock:
            if place in self.seen:
                if self.seen[place] != saved["sha256"]:
                    self.announced_twice.append(place)
                return
            self.seen[place] = str(saved["sha256"])
            self.kinds[str(saved["kind"])] += 1
            self._file.write(json.dumps(dict(saved)) + "\n")

    def position(self) -> dict[str, int]:
        """The last sequence seen in each lane, for asking a restarted kiosk's history."""
        last: dict[str, int] = {}
        with self._lock:
            for _, lane, seq in self.seen:
                last[str(lane)] = max(last.get(str(lane), 0), seq)
        return last

    def close(self) -> None:
        """End the file."""
        self._file.close()


def compare(seen: Mapping[Place, str], rows: Iterable[Row]) -> Verdict:
    """Join what was seen with what is on the server, and recompute every chain."""
    rows = sorted(rows, key=lambda row: (row.device, row.place))
    places = Counter(row.place for row in rows)
    bodies = Counter(hashlib.sha256(row.body).hexdigest() for row in rows)
    stored = {row.place: hashlib.sha256(row.body).hexdigest() for row in rows}
    return Verdict(
        taken=len(seen),
        on_server=len(rows),
        duplicates=sum(n - 1 for n in places.values()) or sum(n - 1 for n in bodies.values()),
        lost=tuple(sorted(place for place in seen if place not in stored)),
        unexpected=tuple(sorted(place for place in stored if place not in seen)),
        different=tuple(sorted(p for p, digest in seen.items() if p in stored and stored[p] != digest)),
        broken_chains=tuple(_broken(rows)),
        chains=len({(row.device, row.place[0], row.place[1]) for row in rows}),
    )


def _broken(rows: list[Row]) -> Iterable[str]:
    """The first wrong row of each chain, recomputed from the bytes."""
    heads: dict[tuple[str, str, int], tuple[int, bytes]] = {}
    bad: set[tuple[str, str, int]] = set()
    for row in rows:
        incarnation, lane, seq = row.place
        chain = (row.device, incarnation, lane)
        if chain in bad:
            continue
        # The rule of wire/chain.py, written again on purpose: the witness shares no code.
        root = hashlib.sha256(b"foodflow-chain-1" + _raw(row.device) + _raw(incarnation) + bytes([lane])).digest()
        last, head = heads.get(chain, (0, root))
        if seq != last + 1 or hashlib.sha256(head + row.body).digest() != row.hash:
            bad.add(chain)
            yield f"{row.device} lane {lane} row {seq}"
            continue
        heads[chain] = (seq, row.hash)


def _raw(uuid_text: str) -> bytes:
    return bytes.fromhex(uuid_text.replace("-", ""))


def table(verdict: Verdict, more: Mapping[str, Any]) -> str:
    """The closing table of the scripted shift."""
    lines = {
        "facts taken (seen on the screen)": verdict.taken,
        "facts on the server (SQL)": verdict.on_server,
        "duplicates": verdict.duplicates,
        "lost": len(verdict.lost),
        "not seen by the witness": len(verdict.unexpected),
        "different body": len(verdict.different),
        "chains verified": f"{verdict.chains - len(verdict.broken_chains)} of {verdict.chains}",
        **more,
    }
    width = max(len(name) for name in lines)
    return "\n".join(f"  {name.ljust(width)}  {value}" for name, value in lines.items())
