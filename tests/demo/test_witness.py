"""The witness is right when all is well, and names each way in which it is not."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from uuid import UUID

from foodflow_desktop.demo.witness import Place, Row, compare
from foodflow_kernel.wire import chain

DEVICE, INCARNATION = UUID(int=1), UUID(int=2)


def a_log(n: int) -> tuple[dict[Place, str], list[Row]]:
    bodies = [f'{{"n":{i}}}'.encode() for i in range(n)]
    hashes = chain.links(chain.genesis(DEVICE, INCARNATION, 1), bodies)
    rows = [
        Row((str(INCARNATION), 1, seq), str(DEVICE), body, row_hash)
        for seq, (body, row_hash) in enumerate(zip(bodies, hashes, strict=True), 1)
    ]
    return {row.place: hashlib.sha256(row.body).hexdigest() for row in rows}, rows


def test_equal_sets_and_whole_chains_pass() -> None:
    seen, rows = a_log(5)
    assert compare(seen, rows).is_equal


def test_nothing_taken_is_not_a_pass() -> None:
    assert not compare({}, []).is_equal


def test_a_dropped_row_is_lost_and_breaks_the_chain() -> None:
    seen, rows = a_log(5)
    verdict = compare(seen, rows[:2] + rows[3:])
    assert (len(verdict.lost), len(verdict.broken_chains), verdict.is_equal) == (1, 1, False)


def test_a_dropped_last_row_is_lost() -> None:
    seen, rows = a_log(5)
    verdict = compare(seen, rows[:-1])
    assert (len(verdict.lost), verdict.is_equal) == (1, False)


def test_a_doubled_row_is_a_duplicate_at_its_place_or_at_another() -> None:
    seen, rows = a_log(5)
    assert compare(seen, [*rows, rows[1]]).duplicates == 1
    elsewhere = replace(rows[1], place=(str(INCARNATION), 1, 6))
    verdict = compare(seen, [*rows, elsewhere])
    assert (verdict.duplicates, len(verdict.unexpected), verdict.is_equal) == (1, 1, False)


def test_a_changed_byte_is_different_and_breaks_the_chain() -> None:
    seen, rows = a_log(5)
    rows[2] = replace(rows[2], body=b'{"n":9}')
    verdict = compare(seen, rows)
    assert (len(verdict.different), len(verdict.broken_chains), verdict.is_equal) == (1, 1, False)
