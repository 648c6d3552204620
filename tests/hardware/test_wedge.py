import pytest
from hypothesis import given
from hypothesis import strategies as st

from foodflow_desktop.hardware import wedge
from foodflow_desktop.hardware.wedge import Wedge, WedgeOptions

MS = 1_000_000
SCANNER_MS, PERSON_MS = 4, 140


def press(text, gap_ms, *, held=None, start_ns=0, options=wedge.NO_OPTIONS):
    """Feed keys at a steady pace; what reached the field, what was scanned, and when it ended."""
    held, released, scans, now = held or Wedge(), "", [], start_ns
    for char in text:
        now += gap_ms * MS
        held, late = wedge.expire(held, now)
        held, answer = wedge.feed(held, char, now, options)
        released += late.release + answer.release
        scans += [(answer.scan, answer.symbology)] if answer.scan is not None else []
    return held, released, scans, now


def test_scanner_is_caught_and_nothing_reaches_the_field():
    held, released, scans, _ = press("FFB-1041\r", SCANNER_MS)
    assert (held.keys, released, scans) == ("", "", [("FFB-1041", None)])


@pytest.mark.parametrize("end", ["\r", "\n", "\t"])
def test_enter_and_tab_end_a_scan(end):
    assert press("]C110A-17\x1d17261130" + end, SCANNER_MS)[2] == [("10A-17\x1d17261130", "]C1")]


def test_person_types_into_the_field():
    held, released, scans, now = press("603.4\r", PERSON_MS)
    assert scans == []
    assert wedge.expire(held, now + 100 * MS)[1].release == ""
    assert released == "603.4\r"


def test_last_key_of_a_person_is_given_back_by_the_timer():
    held, released, _, now = press("603", PERSON_MS)
    assert released == "60"
    assert wedge.expire(held, now + 10 * MS) == (held, wedge.Answer())
    assert wedge.expire(held, now + 50 * MS)[1].release == "3"


def test_two_keys_hit_at_once_are_no_scan():
    held, released, scans, now = press("60", SCANNER_MS)
    _, answer = wedge.feed(held, "\r", now + 5 * MS)
    assert (scans, released + answer.release) == ([], "60\r")


def test_scan_after_a_persons_key_leaves_that_key_in_the_field():
    held, first, _, now = press("7", PERSON_MS)
    _, released, scans, _ = press("FFB-1041\r", SCANNER_MS, held=held, start_ns=now + PERSON_MS * MS)
    assert (first + released, scans) == ("7", [("FFB-1041", None)])


def test_prefix_decides_if_one_is_set():
    options = WedgeOptions(prefix="~")
    assert press("~FFB-1041\r", SCANNER_MS, options=options)[2] == [("FFB-1041", None)]
    assert press("FFB-1041\r", SCANNER_MS, options=options)[1:3] == ("FFB-1041\r", [])


def test_endless_keys_are_given_back():
    _, released, scans, _ = press("x" * (wedge.LONGEST + 1), SCANNER_MS)
    assert (len(released), scans) == (wedge.LONGEST + 1, [])


@given(st.lists(st.tuples(st.characters(min_codepoint=32, max_codepoint=126), st.integers(0, 300)), max_size=60))
def test_no_key_is_lost_or_doubled_without_a_scan(keys):
    held, out, now = Wedge(), "", 0
    for char, gap_ms in keys:
        now += gap_ms * MS
        held, answer = wedge.feed(held, char, now)
        out += answer.release
    out += wedge.expire(held, now + 1000 * MS)[1].release
    assert out == "".join(char for char, _ in keys)
