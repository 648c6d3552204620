"""The picture of the weigh view: what ``WeighStation.screen`` answers and the view draws."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from foodflow_desktop.stations.signing import SignPad
from foodflow_kernel.rules.steady import Gate
from foodflow_kernel.rules.weight import WeightVerdict


class Mode(StrEnum):
    """What the view is busy with."""

    weigh = "weigh"
    reason = "reason"
    """A weight out of tolerance waits for its reason."""
    typing = "typing"
    testing = "testing"
    correcting = "correcting"


class RowState(StrEnum):
    """How a sample's row looks."""

    done = "done"
    now = "now"
    todo = "todo"


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One sample of this check."""

    no: int
    state: RowState
    net_g: Decimal | None = None
    verdict: WeightVerdict | None = None
    is_typed: bool = False
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class ScaleCard:
    """The instrument.

    Args:
        silent_since: the last reading; only while it is not heard.
        test_due_at: when the next test weight was or is due; None if it needs none.
    """

    tag: str
    is_connected: bool
    per_s: int = 0
    silent_since: datetime | None = None
    tested_at: datetime | None = None
    test_due_at: datetime | None = None
    is_test_due: bool = False
    calibrated_until: date | None = None
    is_expired: bool = False
    capacity_g: Decimal | None = None
    has_other: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A reason that can be touched."""

    code: str
    name: str
    icon: str = ""
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class TestPart:
    """The test-weight dialog.

    Args:
        shown_g: what the scale shows without its tare; None without a number.
        is_steady: whether it may be saved.
        passed: the last result of this dialog; None before.
    """

    nominal_g: Decimal
    tolerance_g: Decimal
    shown_g: Decimal | None
    is_steady: bool
    passed: bool | None = None


@dataclass(frozen=True, slots=True)
class SavedNote:
    """The sample just saved, while it can be taken back."""

    no: int
    net_g: Decimal
    is_here: bool
    """The hub does not hear us: "Saved here"."""


@dataclass(frozen=True, slots=True)
class WeighScreen:
    """The picture of the weigh view.

    Args:
        verdict: of the weight shown; None where there is no number to judge.
        low_g: limits; None where the product has none.
        is_taken: this portion was recorded; the next one is awaited.
        held_g: the weight that waits for a reason.
        typed: digits of a typed weight, ``.`` as the mark.
        typed_verdict: of the typed weight; None while it is no weight.
    """

    mode: Mode
    has_batch: bool
    gate: Gate
    product: str = ""
    net_g: Decimal | None = None
    tare_g: Decimal = Decimal(0)
    is_tared: bool = False
    decimals: int = 1
    verdict: WeightVerdict | None = None
    low_g: Decimal | None = None
    target_g: Decimal | None = None
    high_g: Decimal | None = None
    size: int = 5
    no: int = 1
    is_complete: bool = False
    samples: tuple[SampleRow, ...] = ()
    average_g: Decimal | None = None
    scale: ScaleCard = ScaleCard("", False)
    may_record: bool = False
    is_taken: bool = False
    is_saving: bool = False
    held_g: Decimal | None = None
    held_verdict: WeightVerdict | None = None
    reasons: tuple[Choice, ...] = ()
    typed: str = ""
    typed_verdict: WeightVerdict | None = None
    test: TestPart | None = None
    pad: SignPad | None = None
    saved: SavedNote | None = None
    is_silenced: bool = False
    preset_tare_g: Decimal | None = None
