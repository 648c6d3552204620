"""Keyboard-wedge scanners: telling a scanner's keys from a person's, by their timing.

A scanner types a code within a few milliseconds a key and ends it with Enter or Tab. The view
feeds every key here before any widget sees it and does what the answer says: swallow it for now,
give keys back to the focused field, or take a scan. Pure: no Qt, no clock.

Times are those of the key events themselves, in real nanoseconds (``QKeyEvent.timestamp()``
times 1,000,000): fingers and scanners do not follow the plant's clock in the demo.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from foodflow_desktop.hardware.drivers import scanner_serial

GAP_NS = 35_000_000
"""Keys further apart than this were typed by a person. Wedge scanners need 1 to 16 ms a key, a
fast typist about 100; a bouncing or chorded pair stays below ``SHORTEST``."""
SHORTEST = 4
"""A scan has at least so many characters."""
LONGEST = scanner_serial.LONGEST_CODE
ENDS = frozenset("\r\n\t")


@dataclass(frozen=True, slots=True)
class Wedge:
    """Keys that may be a scan under way.

    Args:
        keys: held back so far.
        last_ns: when the last one came.
    """

    keys: str = ""
    last_ns: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the view does with the key.

    Args:
        release: keys for the focused field now, in order.
        scan: a complete code; nothing of it may reach a field.
        symbology: its AIM identifier, if the scanner sends one.
    """

    release: str = ""
    scan: str | None = None
    symbology: str | None = None


@dataclass(frozen=True, slots=True)
class WedgeOptions:
    """How the scanner is set up.

    Args:
        prefix: a character that no person types first; it makes the very first key certain.
        suffix: sent before Enter.
        gs: what stands for FNC1.
    """

    prefix: str = ""
    suffix: str = ""
    gs: str = ""


NO_OPTIONS = WedgeOptions()


def feed(wedge: Wedge, char: str, at_ns: int, options: WedgeOptions = NO_OPTIONS) -> tuple[Wedge, Answer]:
    """Take one key.

    >>> wedge = Wedge()
    >>> for i, char in enumerate("FFB-1041"):
    ...     wedge, answer = feed(wedge, char, i * 2_000_000)
    >>> feed(wedge, chr(13), 16_000_000)[1].scan
    'FFB-1041'
    """
    is_fast = bool(wedge.keys) and 0 <= at_ns - wedge.last_ns <= GAP_NS
    release = "" if is_fast else wedge.keys
    held = wedge.keys if is_fast else ""
    if char in ENDS:
        return _ended(held, char, release, options)
    held += char
    if len(held) > LONGEST:
        return Wedge(), Answer(release + held)
    return Wedge(held, at_ns), Answer(release)


def expire(wedge: Wedge, now_ns: int) -> tuple[Wedge, Answer]:
    """Give held keys back once no further one came in time; call it from a timer of ``GAP_NS``."""
    if not wedge.keys or now_ns - wedge.last_ns <= GAP_NS:
        return wedge, Answer()
    return replace(wedge, keys=""), Answer(wedge.keys)


def _ended(held: str, char: str, release: str, options: WedgeOptions) -> tuple[Wedge, Answer]:
    has_prefix = not options.prefix or held.startswith(options.prefix)
    if len(held) < SHORTEST or not has_prefix:
        return Wedge(), Answer(release + held + char)
    code, symbology = scanner_serial.strip(held, prefix=options.prefix, suffix=options.suffix, gs=options.gs)
    return Wedge(), Answer(release, code, symbology)
