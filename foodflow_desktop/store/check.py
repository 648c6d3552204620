"""Does a journal hold? The chain, the signatures, the witnesses; every bad row named.

Reads the files as they are, needs neither key nor server: the device's public key is enough.
Used by ``foodflow-kiosk verify``, by the check at start and before a salvage.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from foodflow_desktop.store import files, journal
from foodflow_desktop.store.journal import LogState
from foodflow_kernel.errors import Invalid
from foodflow_kernel.wire import bodies, chain, facts, signing
from foodflow_kernel.wire.protocol import OPS_LANES, Lane

LANES_OF = {files.OPS_NAME: OPS_LANES, files.TELEMETRY_NAME: (Lane.telemetry,)}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that does not hold, and where. ``what`` is stable, ``lower_snake``."""

    file: str
    incarnation: str
    lane: int
    seq: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}: incarnation {self.incarnation}, lane {self.lane}, row {self.seq}: {self.what}"


@dataclass(frozen=True, slots=True)
class Report:
    """What was checked and what was found."""

    rows: int
    signatures: int
    witnesses: int
    faults: tuple[Fault, ...]


@dataclass
class _Counts:
    rows: int = 0
    signatures: int = 0
    witnesses: int = 0


def verify(folder: Path, public_key: bytes | None) -> Report:
    """Check everything in both files.

    Args:
        public_key: of the device; None leaves signatures unchecked.

    Raises:
        Damaged: `store_damaged` when a file cannot be read at all.
    """
    counts, faults = _Counts(), list[Fault]()
    heads: dict[tuple[str, int], dict[int, str]] = {}
    witnesses: list[tuple[str, int, bodies.Witness]] = []
    for name, lanes in LANES_OF.items():
        path = folder / name
        if not path.exists():
            continue
        engine = files.reader_engine(path)
        try:
            with files.named_errors(folder), engine.connect() as db:
                for why in quick_check(db):
                    faults.append(Fault(name, "-", -1, 0, f"page_damaged: {why}"))
                for log in journal.load(db, lanes):
                    for lane in lanes:
                        place = heads.setdefault((str(log.incarnation), int(lane)), {})
                        faults += _lane(db, name, log, lane, public_key, counts, place, witnesses)
        finally:
            engine.dispose()
    faults += _contradictions(heads, witnesses)
    counts.witnesses = len(witnesses)
    return Report(counts.rows, counts.signatures, counts.witnesses, tuple(faults))


def quick_check(db: Connection) -> list[str]:
    """What SQLite itself finds wrong with the file; empty if nothing."""
    found = [str(row[0]) for row in db.exec_driver_sql("PRAGMA quick_check(20)")]
    return [] if found == ["ok"] else found


class Walk:
    """Follows a chain past a bad row: a row is sound if it follows from the row before as stored, or as computed."""

    def __init__(self, before: bytes, seq: int = 0) -> None:
        self._seq = seq
        self._stored = self._computed = before

    def take(self, seq: int, body: bytes, stored: bytes) -> bool:
        """Whether the next row holds."""
        follows = seq == self._seq + 1
        links = {chain.link(self._stored, body), chain.link(self._computed, body)}
        self._computed = chain.link(self._computed, body)
        self._seq, self._stored = seq, stored
        if not follows or stored not in links:
            return False
        self._computed = stored
        return True


def _lane(
    db: Connection,
    name: str,
    log: LogState,
    lane: Lane,
    public_key: bytes | None,
    counts: _Counts,
    place: dict[int, str],
    witnesses: list[tuple[str, int, bodies.Witness]],
) -> Iterator[Fault]:
    walk, seq, last_sig = Walk(chain.genesis(log.device, log.incarnation, lane)), 0, True
    incarnation = str(log.incarnation)
    for row in journal.walk(db, log.id, int(lane)):
        counts.rows += 1
        is_sound = walk.take(row.seq, row.body, row.hash)
        if row.seq != seq + 1:
            yield Fault(name, incarnation, int(lane), seq + 1, "row_missing")
        elif not is_sound:
            yield Fault(name, incarnation, int(lane), row.seq, "row_changed")
        seq = row.seq
        place[row.seq] = row.hash.hex()
        last_sig = row.sig is not None
        if row.sig is not None and public_key is not None:
            counts.signatures += 1
            if not signing.verify_row(public_key, lane, row.seq, row.hash, row.sig):
                yield Fault(name, incarnation, int(lane), row.seq, "signature_wrong")
        if row.kind == "witness":
            witness = _witness(row.body)
            if witness is None:
                yield Fault(name, incarnation, int(lane), row.seq, "witness_unreadable")
            else:
                witnesses.append((incarnation, row.seq, witness))
    if not last_sig:
        yield Fault(name, incarnation, int(lane), seq, "tail_unsigned")
    acked = log.lanes[int(lane)].acked
    if acked > seq:
        yield Fault(name, incarnation, int(lane), seq + 1, "tail_cut_below_acknowledged")


def _witness(raw: bytes) -> bodies.Witness | None:
    try:
        parsed = bodies.parse(facts.decode(raw))
    except (Invalid, KeyError):
        return None
    return parsed if isinstance(parsed, bodies.Witness) else None


def _contradictions(
    heads: dict[tuple[str, int], dict[int, str]], witnesses: Sequence[tuple[str, int, bodies.Witness]]
) -> Iterator[Fault]:
    """Where a witness saw a row that is not there, or not the same, any more."""
    seen: set[tuple[str, int, int]] = set()
    for incarnation, _, witness in witnesses:
        for lane, head in witness.heads.items():
            if head.seq == 0 or (incarnation, lane) not in heads or (incarnation, lane, head.seq) in seen:
                continue
            found = heads[incarnation, lane].get(head.seq)
            if found != head.hash:
                seen.add((incarnation, lane, head.seq))
                name = files.TELEMETRY_NAME if lane == Lane.telemetry else files.OPS_NAME
                what = "witness_saw_a_row_that_is_gone" if found is None else "witness_saw_another_row"
                yield Fault(name, incarnation, lane, head.seq, what)
