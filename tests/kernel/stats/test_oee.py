from decimal import Decimal

import pytest

from foodflow_kernel.missing import Missing
from foodflow_kernel.stats.oee import Oee, Shift, oee

D = Decimal


def minutes(pot: int, pdt: int, *, setup: int, down: int, delay: int, pq: int, gq: int, pri_s: Decimal) -> Shift:
    pbt = pot - pdt
    return Shift(
        pot_s=D(pot) * 60,
        pdt_s=D(pdt) * 60,
        pbt_s=D(pbt) * 60,
        apt_s=D(pbt - setup - down - delay) * 60,
        aust_s=D(setup) * 60,
        adot_s=D(down) * 60,
        adet_s=D(delay) * 60,
        pri_pq_s=pri_s * pq,
        pri_gq_s=pri_s * gq,
        pq=pq,
        gq=gq,
    )


ONE = minutes(480, 50, setup=15, down=28, delay=12, pq=20_250, gq=19_845, pri_s=D(1))
TWO = minutes(200, 0, setup=0, down=80, delay=0, pq=2_880, gq=2_736, pri_s=D(2))


def value(*shifts: Shift) -> Oee:
    result = oee(shifts)
    assert isinstance(result, Oee)
    return result


def test_shift_one_has_its_worked_figures() -> None:
    result = value(ONE)
    assert round(result.availability or 0, 6) == 0.872093
    assert result.effectiveness == 0.9
    assert result.quality == 0.98
    assert round(result.oee, 6) == 0.769186
    assert round(result.nee or 0, 6) == 0.799953
    assert round(result.teep or 0, 6) == 0.689063


def test_the_losses_add_up_to_the_busy_time_exactly() -> None:
    losses = value(ONE).losses
    split = [losses.availability_s, losses.speed_s, losses.quality_s, losses.productive_s]
    assert [part / 60 for part in split] == [D(55), D("37.5"), D("6.75"), D("330.75")]
    assert sum(split) == ONE.pbt_s


def test_shift_two_has_its_worked_figures() -> None:
    result = value(TWO)
    assert (result.availability, result.effectiveness, result.quality, result.oee) == (0.6, 0.8, 0.95, 0.456)


def test_two_shifts_are_summed_before_they_are_divided() -> None:
    result = value(ONE, TWO)
    assert round(result.availability or 0, 6) == 0.785714
    assert round(result.effectiveness or 0, 6) == 0.875758
    assert round(result.quality or 0, 6) == 0.973356
    assert round(result.oee, 6) == 0.669762
    assert round((value(ONE).oee + value(TWO).oee) / 2, 6) == 0.612593


def test_no_busy_time_is_missing() -> None:
    assert oee([Shift(pbt_s=D(0), apt_s=D(0), pri_pq_s=D(0), pri_gq_s=D(0))]) == Missing("no_busy_time")
    assert oee([]) == Missing("no_shift")


def test_running_without_a_piece_has_no_quality_and_zero_oee() -> None:
    result = value(Shift(pbt_s=D(600), apt_s=D(600), pri_pq_s=D(0), pri_gq_s=D(0)))
    assert (result.effectiveness, result.quality, result.oee) == (0.0, None, 0.0)


def test_never_running_has_no_effectiveness() -> None:
    result = value(Shift(pbt_s=D(600), apt_s=D(0), pri_pq_s=D(0), pri_gq_s=D(0)))
    assert (result.availability, result.effectiveness, result.nee) == (0.0, None, None)


@pytest.mark.parametrize(("pieces", "flags"), [(600, ()), (601, ("PRI_SUSPECT",))])
def test_faster_than_planned_is_kept_and_suspect(pieces: int, flags: tuple[str, ...]) -> None:
    result = value(Shift(pbt_s=D(600), apt_s=D(600), pri_pq_s=D(pieces), pri_gq_s=D(pieces)))
    assert result.flags == flags
    assert result.losses.speed_s == 600 - pieces
