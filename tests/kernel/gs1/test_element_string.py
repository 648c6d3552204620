from datetime import date, time
from decimal import Decimal

import biip.gs1_messages
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foodflow_kernel.errors import Invalid
from foodflow_kernel.gs1 import ai as ais
from foodflow_kernel.gs1 import check_digits, element_string
from foodflow_kernel.gs1.ai import Ai, Carries
from foodflow_kernel.gs1.element_string import CSET_82, GS, parse
from foodflow_kernel.units import Uom

TODAY = date(2026, 11, 23)
GTIN = "09501101530003"
SSCC = "006141410000000012"
LABEL = f"01{GTIN}15261214310301250010BP-261117-A"


def test_material_label_is_read_in_full():
    label = parse(LABEL, today=TODAY)
    assert (label.gtin, label.lot, label.best_before_on) == (GTIN, "BP-261117-A", date(2026, 12, 14))
    assert label.net_weight is not None
    assert label.net_weight.uom is Uom.KGM
    assert label.net_weight_g == 12_500
    assert [element.ai for element in label.elements] == ["01", "15", "3103", "10"]


@pytest.mark.parametrize("lead", ["", "]C1", "]d2", "]Q3", "]e0", "]J1", GS, "]C1" + GS])
def test_symbology_identifier_and_leading_fnc1_change_nothing(lead):
    assert parse(lead + LABEL, today=TODAY) == parse(LABEL, today=TODAY)


def test_bracketed_form_equals_scanned_form():
    bracketed = f"(01){GTIN}(15)261214(3103)012500(10)BP-261117-A"
    label = parse(LABEL, today=TODAY)
    assert parse(bracketed, today=TODAY) == label
    assert label.bracketed() == bracketed


def test_separator_ends_a_variable_value():
    label = parse(f"10AB-12{GS}21SER-7{GS}17261130", today=TODAY)
    assert (label.lot, label.serial, label.expires_on) == ("AB-12", "SER-7", date(2026, 11, 30))


def test_separator_after_a_predefined_length_is_allowed():
    assert parse(f"01{GTIN}{GS}10A", today=TODAY).lot == "A"


def test_pallet_label_gives_content_count_and_order():
    label = parse(f"00{SSCC}02{GTIN}3748{GS}400PO-77", today=TODAY)
    assert (label.sscc, label.gtin, label.count) == (SSCC, GTIN, 48)
    assert label.text("400") == "PO-77"


def test_pounds_and_ounces_become_grams():
    assert parse("3202001250", today=TODAY).net_weight_g == Decimal("12.5") * Decimal("453.59237")
    assert parse("3571000016", today=TODAY).net_weight_g == Decimal("1.6") * Decimal("28.349523125")


def test_price_with_and_without_currency():
    local, euro = parse("3922001995", today=TODAY).elements[0], parse("3932978001995", today=TODAY).elements[0]
    assert (local.number, local.currency) == (Decimal("19.95"), "")
    assert (euro.number, euro.currency) == (Decimal("19.95"), "978")


def test_day_zero_is_the_end_of_the_month():
    assert parse("17270200", today=TODAY).expires_on == date(2027, 2, 28)
    assert parse("17280200", today=TODAY).expires_on == date(2028, 2, 29)


@pytest.mark.parametrize(
    ("today", "yy", "year"),
    [
        (date(2026, 1, 1), 76, 2076),
        (date(2026, 1, 1), 77, 1977),
        (date(1999, 1, 1), 48, 2048),
        (date(1999, 1, 1), 49, 2049),
        (date(1999, 1, 1), 50, 1950),
        (date(2051, 1, 1), 0, 2100),
        (date(2051, 1, 1), 1, 2101),
        (date(2051, 1, 1), 2, 2002),
    ],
)
def test_century_of_a_two_digit_year(today, yy, year):
    assert element_string.year_of(yy, today) == year


def test_expiration_with_time():
    element = parse("70032611301430", today=TODAY).elements[0]
    assert (element.on, element.time) == (date(2026, 11, 30), time(14, 30))


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("", "gs1_empty"),
        ("]C1", "gs1_empty"),
        (GS, "gs1_empty"),
        ("FFB-1041", "gs1_unknown_ai"),
        ("05123", "gs1_unknown_ai"),
        ("310", "gs1_unknown_ai"),
        ("(99999)1", "gs1_unknown_ai"),
        ("(", "gs1_unknown_ai"),
        ("x(10)A", "gs1_unknown_ai"),
        (f"01{GTIN[:-1]}4", "gs1_check_digit"),
        ("00006141410000000013", "gs1_check_digit"),
        ("4100614141000028", "gs1_check_digit"),
        (f"01{GTIN[:10]}", "gs1_value_too_short"),
        ("10", "gs1_value_too_short"),
        (f"10{GS}17261130", "gs1_value_too_short"),
        ("01ABCDEFGHIJKLMN", "gs1_not_digits"),
        ("30²", "gs1_not_digits"),
        ("17261301", "gs1_date"),
        ("17260230", "gs1_date"),
        ("17260000", "gs1_date"),
        ("70032611302530", "gs1_date"),
        ("10" + "A" * 21, "gs1_separator_missing"),
        ("10" + "A" * 21 + GS + "17261130", "gs1_value_too_long"),
        ("(10)" + "A" * 21, "gs1_value_too_long"),
        ("42227617261130", "gs1_separator_missing"),
        ("10A B", "gs1_character"),
        ("10Ä", "gs1_character"),
        (f"10A{GS}10B", "gs1_repeated"),
    ],
)
def test_bad_label_is_refused_with_its_reason(raw, code):
    with pytest.raises(Invalid) as refused:
        parse(raw, today=TODAY)
    assert refused.value.code == code
    assert "?" not in refused.value.sentence


def test_same_element_twice_with_the_same_value_is_allowed():
    assert parse(f"10A{GS}10A", today=TODAY).lot == "A"


def test_build_refuses_what_a_scan_would_refuse():
    with pytest.raises(Invalid, match="gs1_check_digit"):
        element_string.build([("01", "09501101530004")], today=TODAY)


def test_ai_table_is_prefix_free_and_agrees_with_the_predefined_lengths():
    for one in ais.AIS:
        assert not [other for other in ais.AIS if other is not one and other.code.startswith(one.code)]
        if one.is_predefined:
            assert one.shortest == one.longest == ais.PREDEFINED[one.code[:2]]


# --- any label ------------------------------------------------------------------------------


def _values(one: Ai) -> st.SearchStrategy[str]:
    digits = st.text("0123456789", min_size=one.shortest, max_size=one.longest)
    match one.carries:
        case Carries.text:
            return st.text(sorted(CSET_82 - set("()")), min_size=1, max_size=one.longest)
        case Carries.gtin | Carries.sscc | Carries.gln:
            return digits.map(lambda key: check_digits.with_check(key[:-1]))
        case Carries.date:
            return st.dates(date(2000, 1, 1), date(2049, 12, 31)).map(lambda on: f"{on:%y%m%d}")
        case Carries.date_time:
            return st.dates(date(2000, 1, 1), date(2049, 12, 31)).map(lambda on: f"{on:%y%m%d}2359")
        case _:
            return digits


@st.composite
def pairs(draw):
    chosen = draw(st.lists(st.sampled_from(ais.AIS), min_size=1, max_size=6, unique=True))
    return [(one.code + (str(draw(st.integers(0, 5))) if one.is_decimal else ""), draw(_values(one))) for one in chosen]


@given(pairs())
def test_what_is_built_is_read_back_in_both_forms(given_pairs):
    label = element_string.build(given_pairs, today=TODAY)
    assert parse("]C1" + label.raw(), today=TODAY) == label
    assert parse(label.bracketed(), today=TODAY) == label
    assert [(element.ai, element.value) for element in label.elements] == given_pairs


@given(st.text(st.characters(max_codepoint=0x2FF), max_size=60))
def test_any_text_is_read_or_refused_but_never_breaks(text):
    try:
        label = parse(text, today=TODAY)
    except Invalid:
        return
    assert label.elements


@given(pairs(), st.data())
def test_a_changed_digit_of_a_key_is_found(given_pairs, data):
    keys = [
        i
        for i, (ai, _) in enumerate(given_pairs)
        if (found := ais.find(ai)) and found[0].carries in (Carries.gtin, Carries.sscc, Carries.gln)
    ]
    if not keys:
        return
    index = data.draw(st.sampled_from(keys))
    ai, value = given_pairs[index]
    place = data.draw(st.integers(0, len(value) - 1))
    changed = value[:place] + str((int(value[place]) + data.draw(st.integers(1, 9))) % 10) + value[place + 1 :]
    with pytest.raises(Invalid, match="gs1_check_digit"):
        element_string.build([*given_pairs[:index], (ai, changed), *given_pairs[index + 1 :]], today=TODAY)


# --- an independent reader says the same ------------------------------------------------------


@given(pairs())
def test_biip_reads_the_same_label(given_pairs):
    ours = element_string.build(given_pairs, today=TODAY)
    theirs = biip.gs1_messages.GS1Message.parse(ours.raw())
    assert [(e.ai.ai, e.value) for e in theirs.element_strings] == [(e.ai, e.value) for e in ours.elements]
    for their_element, our_element in zip(theirs.element_strings, ours.elements, strict=True):
        assert their_element.date == our_element.on
        if our_element.uom is not None:
            assert their_element.decimal == our_element.number
