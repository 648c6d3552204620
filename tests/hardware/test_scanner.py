import pytest

from foodflow_desktop.hardware.drivers.scanner_serial import strip
from foodflow_desktop.hardware.readings import DeviceState, Scan
from foodflow_desktop.hardware.sim.scanner import ScannerSim
from foodflow_desktop.hardware.sim.wire import PtyWire
from tests.hardware.rigs import Rig, fast_clock, until

GS = "\x1d"
LABEL = f"010950110153000310BP-261117-A{GS}15261214"


def scanner(folder, **options):
    clock = fast_clock()
    return Rig(ScannerSim(PtyWire(folder / "scanner", clock), clock), "scanner", "scanner_serial", clock, **options)


@pytest.fixture
def rig(tmp_path):
    with scanner(tmp_path) as made:
        made.until_state(DeviceState.connected)
        yield made


def scans(rig, count):
    until(lambda: len(rig.came[Scan]) >= count)
    return [(scan.raw, scan.symbology) for scan in rig.came[Scan]]


def test_codes_come_in_order_with_their_symbology(rig):
    rig.sim.scan("FFB-1041")
    rig.sim.scan(LABEL, "]C1")
    rig.sim.scan(LABEL, "]d2")
    assert scans(rig, 3) == [("FFB-1041", None), (LABEL, "]C1"), (LABEL, "]d2")]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\r\r\n"])
def test_any_line_end_ends_a_code_once(rig, end):
    rig.sim.wire.write(b"FFB-1041" + end + b"FFB-1057" + end)
    assert scans(rig, 2) == [("FFB-1041", None), ("FFB-1057", None)]


def test_code_that_comes_in_pieces_is_one_code(rig):
    for piece in (b"FF", b"B-10", b"41", b"\r"):
        rig.sim.wire.write(piece)
        until(lambda: True)
    assert scans(rig, 1) == [("FFB-1041", None)]


def test_what_the_scanner_adds_is_taken_off(tmp_path):
    with scanner(tmp_path, prefix="\x02", suffix="\x03", gs="|") as rig:
        rig.until_state(DeviceState.connected)
        rig.sim.wire.write(b"\x02]C110A|17261130\x03\r\n")
        assert scans(rig, 1) == [(f"10A{GS}17261130", "]C1")]


@pytest.mark.parametrize("bad", [b"\xff\xfe\x00\r\n", b"FFB\x07-1041\r\n", b"x" * 3000])
def test_garbage_is_told_and_the_next_code_is_read(rig, bad):
    rig.sim.wire.write(bad)
    until(lambda: rig.status.error is not None)
    assert rig.status.error.code == "scan_garbled"
    rig.sim.scan("\r\nFFB-1041")
    assert scans(rig, 1)[-1] == ("FFB-1041", None)


def test_silence_is_no_fault(rig):
    assert rig.states() == [(DeviceState.connected, None)]


@pytest.mark.parametrize(
    ("text", "code", "symbology"),
    [
        ("]E09501101530003", "9501101530003", "]E0"),
        ("]Q3(01)1", "(01)1", "]Q3"),
        ("]", "]", None),
        ("]C", "]C", None),
        ("", "", None),
    ],
)
def test_symbology_identifier_is_split_off(text, code, symbology):
    assert strip(text) == (code, symbology)
