import pytest

from foodflow_kernel.errors import Invalid
from server.analytics.sscc import check_digit, sscc


def test_check_digit_is_the_worked_one() -> None:
    assert check_digit("061414100000") == 5


def test_an_sscc_has_eighteen_digits_and_its_own_check_digit() -> None:
    code = sscc("0614141", 123456789)
    assert code == "006141411234567890"
    assert len(code) == 18
    assert check_digit(code[:-1]) == int(code[-1])


def test_a_serial_that_does_not_fit_is_refused() -> None:
    with pytest.raises(Invalid) as refusal:
        sscc("061414100000", 10_000)
    assert refusal.value.code == "sscc_serial_too_long"


@pytest.mark.parametrize("prefix", ["", "12345", "06141410000000", "06141x1"])
def test_a_prefix_that_is_none_is_refused(prefix: str) -> None:
    with pytest.raises(Invalid) as refusal:
        sscc(prefix, 1)
    assert refusal.value.code == "gs1_prefix_missing"
