import biip.checksums
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foodflow_kernel.errors import Invalid
from foodflow_kernel.gs1 import check_digits


@given(st.text("0123456789", min_size=1, max_size=17))
def test_check_digit_is_the_one_of_an_independent_library(digits):
    assert check_digits.check_digit(digits) == str(biip.checksums.gs1_standard_check_digit(digits))


@pytest.mark.parametrize("key", ["40170725", "036000291452", "9501101530003", "09501101530003"])
def test_every_gtin_length_becomes_fourteen_digits(key):
    assert check_digits.gtin14(key) == key.zfill(14)


@pytest.mark.parametrize(
    ("key", "code"),
    [("12345", "gs1_wrong_length"), ("9501101530004", "gs1_check_digit"), ("95011015300x3", "gs1_not_digits")],
)
def test_wrong_gtin_is_refused(key, code):
    with pytest.raises(Invalid) as refused:
        check_digits.gtin14(key)
    assert refused.value.code == code


@given(st.integers(4, 12), st.integers(0, 9), st.data())
def test_built_keys_have_their_length_and_a_right_check_digit(length, lead, data):
    prefix = "9501101530009"[:length]
    number = data.draw(st.integers(0, 10 ** (12 - length) - 1))
    keys = {
        check_digits.build_gtin(prefix, number, indicator=lead): 14,
        check_digits.build_gln(prefix, number): 13,
        check_digits.build_sscc(prefix, data.draw(st.integers(0, 10 ** (16 - length) - 1)), extension=lead): 18,
    }
    for key, places in keys.items():
        assert len(key) == places
        assert check_digits.is_right(key)


@pytest.mark.parametrize("prefix", ["", "123", "1234567890123", "95011x"])
def test_company_prefix_must_be_one(prefix):
    with pytest.raises(Invalid) as refused:
        check_digits.build_sscc(prefix, 1)
    assert refused.value.code == "gs1_prefix_missing"


def test_number_that_does_not_fit_is_refused():
    with pytest.raises(Invalid) as refused:
        check_digits.build_sscc("0614141", 10**9)
    assert refused.value.code == "gs1_value_too_long"
    with pytest.raises(Invalid):
        check_digits.build_gln("0614141", -1)
