from datetime import date

import pytest

from foodflow_kernel.gs1 import plant
from foodflow_kernel.gs1.plant import ScanKind, Seen, classify, is_repeat

TODAY = date(2026, 11, 23)
MATERIAL = "0109501101530003152612143103012500" + "10BP-261117-A"


@pytest.mark.parametrize(
    ("raw", "kind", "code"),
    [
        ("FFB-1041", ScanKind.badge, "FFB-1041"),
        ("FFW-WO-261123-02", ScanKind.work_order, "WO-261123-02"),
        ("WO-261123-02", ScanKind.work_order, "WO-261123-02"),
        ("FFL-TBS-261123-02", ScanKind.lot, "TBS-261123-02"),
        ("TBS-261123-02", ScanKind.lot, "TBS-261123-02"),
        (MATERIAL, ScanKind.material, "09501101530003"),
        ("]d2" + MATERIAL, ScanKind.material, "09501101530003"),
        ("(01)09501101530003(10)A1", ScanKind.material, "09501101530003"),
        ("(10)A1", ScanKind.material, "A1"),
        ("9501101530003", ScanKind.material, "09501101530003"),
        ("00006141410000000012", ScanKind.pallet, "006141410000000012"),
        ("FFB-", ScanKind.unknown, "FFB-"),
        ("hello", ScanKind.unknown, "hello"),
        ("", ScanKind.unknown, ""),
        ("9501101530004", ScanKind.unknown, "9501101530004"),
        ("https://example.com/1234567890", ScanKind.unknown, "https://example.com/1234567890"),
    ],
)
def test_each_code_goes_to_who_wants_it(raw, kind, code):
    scan = classify(raw, today=TODAY, work_orders={"WO-261123-02"}, lots={"TBS-261123-02"})
    assert (scan.kind, scan.code, scan.raw) == (kind, code, raw)


def test_label_that_promised_gs1_and_broke_it_says_why():
    scan = classify("0109501101530004", symbology="]C1", today=TODAY)
    assert scan.kind is ScanKind.unknown
    assert scan.error is not None
    assert scan.error.code == "gs1_check_digit"


def test_label_that_only_dates_something_belongs_to_nobody():
    scan = classify("17261130", symbology="]C1", today=TODAY)
    assert scan.kind is ScanKind.unknown
    assert scan.label is not None


def test_same_code_within_three_seconds_is_a_repeat():
    last = Seen("FFB-1041", 1_000_000_000)
    assert is_repeat(last, "FFB-1041", 3_999_999_999)
    assert not is_repeat(last, "FFB-1041", 4_000_000_000)
    assert not is_repeat(last, "FFB-1057", 1_000_000_001)
    assert not is_repeat(None, "FFB-1041", 0)


def test_code_held_before_the_scanner_stays_one_scan():
    last, scans = None, 0
    for second in range(10):
        scans += not is_repeat(last, "A", second * 1_000_000_000)
        last = Seen("A", second * 1_000_000_000)
    assert scans == 1
    assert plant.REPEAT_S == 3
