"""The physics of a simulated scale: a load settles, swings, and is rounded to a display step.

No bytes here: ``sim/scale.py`` puts the MT-SICS language around it.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

SETTLE_TAU_S = 0.18
"""A load's swing falls to a third in this time: steady after about one second."""
SWING_HZ = 3.0
NOISE_G = 0.01
SHAKE_G = 4.0
"""Amplitude of a scale that never comes to rest (a mixer beside it)."""


class Motion(StrEnum):
    """What the balance can say of its weight."""

    steady = "S"
    moving = "D"
    over = "+"
    under = "-"


@dataclass(frozen=True, slots=True)
class Weight:
    """What the balance shows at one moment; net and gross [g] rounded to the display step."""

    motion: Motion
    net_g: Decimal
    gross_g: Decimal


class Balance:
    """A pan with a load on it.

    Args:
        max_g: capacity [g]; more than nine steps above it is overload.
        step_g: display step [g].
    """

    def __init__(self, *, max_g: Decimal = Decimal(6000), step_g: Decimal = Decimal("0.1"), seed: int = 1) -> None:
        self.max_g = max_g
        self.step_g = step_g
        self.tare_g = Decimal(0)
        self.is_shaken = False
        self._zero_g = Decimal(0)
        self._load_g = 0.0
        self._from_g = 0.0
        self._since_ns = 0
        self._noise = random.Random(seed)  # noqa: S311 - repeatable noise, not a secret

    def put(self, load_g: Decimal, at_ns: int) -> None:
        """Change what lies on the pan, in total [g]."""
        self._from_g = self._swing(at_ns)
        self._load_g, self._since_ns = float(load_g), at_ns

    def weigh(self, at_ns: int) -> Weight:
        """What is shown at this moment."""
        swinging_g = self._swing(at_ns)
        is_steady = not self.is_shaken and abs(swinging_g - self._load_g) < float(self.step_g) / 2
        if self.is_shaken:
            swinging_g += SHAKE_G * math.sin(at_ns / 1e9 * 2 * math.pi * SWING_HZ)
        gross_g = self._rounded(Decimal(swinging_g + self._noise.gauss(0, NOISE_G)) - self._zero_g)
        motion = Motion.steady if is_steady else Motion.moving
        if gross_g > self.max_g + 9 * self.step_g:
            motion = Motion.over
        elif gross_g < -self.max_g / 50:
            motion = Motion.under
        return Weight(motion, self._rounded(gross_g - self.tare_g), gross_g)

    def zero(self, weight: Weight) -> Motion | None:
        """Take the present gross weight as zero; why not, if it is outside 2 % of the capacity."""
        total_g = weight.gross_g + self._zero_g
        if abs(total_g) > self.max_g / 50:
            return Motion.over if total_g > 0 else Motion.under
        self._zero_g, self.tare_g = total_g, Decimal(0)
        return None

    def _swing(self, at_ns: int) -> float:
        elapsed_s = (at_ns - self._since_ns) / 1e9
        swing = math.exp(-elapsed_s / SETTLE_TAU_S) * math.cos(2 * math.pi * SWING_HZ * elapsed_s)
        envelope = math.exp(-elapsed_s / SETTLE_TAU_S)
        if abs((self._from_g - self._load_g) * envelope) < float(self.step_g) / 2:
            return self._load_g
        swung_g = self._load_g + (self._from_g - self._load_g) * swing
        # Passing through the end value in mid-swing is not rest.
        return swung_g if abs(swung_g - self._load_g) >= float(self.step_g) else self._load_g + float(self.step_g)

    def _rounded(self, value_g: Decimal) -> Decimal:
        return (value_g / self.step_g).quantize(Decimal(1), rounding=ROUND_HALF_EVEN) * self.step_g + 0
