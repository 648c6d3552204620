from decimal import Decimal

from server.analytics.balance import BalanceVerdict, batch_balance, lot_balance

D = Decimal


def test_a_batch_within_two_per_cent_closes() -> None:
    balance = batch_balance(
        {"issued": D(1000), "opening_wip": D(35)},
        {"good": D(930), "scrap": D(42), "rework": D(15), "samples": D(3), "known_loss": D(30)},
    )
    assert (balance.in_qty, balance.out_qty) == (1035, 1020)
    assert balance.variance is not None
    assert round(100 * balance.variance, 4) == D("-1.4493")
    assert balance.verdict is BalanceVerdict.ok


def test_a_batch_beyond_tolerance_is_off() -> None:
    assert batch_balance({"issued": D(1000)}, {"good": D(970)}).verdict is BalanceVerdict.off


def test_a_term_nobody_recorded_leaves_the_balance_open() -> None:
    balance = batch_balance({"issued": D(1000)}, {"good": D(1000), "scrap": None})
    assert (balance.verdict, balance.variance, balance.missing) == (BalanceVerdict.open, None, ("scrap",))


def test_the_lot_of_the_picture_misses_what_the_count_did_not_find() -> None:
    balance = lot_balance(
        received=D(480), used=D(408), waste=D("4.8"), counted=D(234), used_since_count=D(168), waste_since_count=D(0)
    )
    assert (balance.in_store, balance.not_found) == (66, D("1.2"))


def test_a_lot_never_counted_stands_as_in_the_books() -> None:
    balance = lot_balance(received=D(480), used=D(408), waste=D("4.8"), counted=None)
    assert (balance.in_store, balance.not_found) == (D("67.2"), 0)
