from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foodflow_desktop.hardware.drivers import mt_sics_frames as frames
from foodflow_kernel.errors import DeviceError, Garbled, Overload


@pytest.mark.parametrize(
    ("raw", "command", "status", "grams"),
    [
        (b"S S      603.4 g", "S", "S", "603.4"),
        (b"S D     -12.05 g", "S", "D", "-12.05"),
        (b"S S     0.6034 kg", "S", "S", "603.4"),
        (b"S S     1.2500 lb", "S", "S", "566.9905"),
        (b"S S     21.284 oz", "S", "S", "603.3913"),
        (b"S S  - 12.0 g", "S", "S", "-12.0"),
        (b"S S       -0.0 g", "S", "S", "0"),
        (b"T S       12.0 g", "T", "S", "12.0"),
        (b"TI D      12.0 g", "TI", "D", "12.0"),
        (b"TA A      12.0 g", "TA", "A", "12.0"),
        (b"S +", "S", "+", None),
        (b"S -", "S", "-", None),
        (b"S I", "S", "I", None),
        (b"Z A", "Z", "A", None),
        (b"TAC A", "TAC", "A", None),
        (b"TA L", "TA", "L", None),
        (b"ES", "ES", "", None),
        (b"EL", "EL", "", None),
        (b"ET", "ET", "", None),
    ],
)
def test_line_is_read(raw, command, status, grams):
    line = frames.parse(raw)
    assert (line.command, line.status) == (command, status)
    assert line.weight_g == (None if grams is None else Decimal(grams))


def test_identification_is_read():
    assert frames.parse(b'I4 A "B012345678"').quoted == ("B012345678",)


def test_fault_in_place_of_a_weight_is_a_fault():
    error = frames.error_of(frames.parse(b"S S Error 10b"))
    assert (error.code, error.data) == ("scale_fault", {"fault": "10b"})


@pytest.mark.parametrize(
    ("raw", "kind", "code"),
    [
        (b"Z I", DeviceError, "scale_busy"),
        (b"TA L", DeviceError, "scale_parameter_wrong"),
        (b"T +", Overload, "scale_overload"),
        (b"Z -", Overload, "scale_underload"),
        (b"S E", DeviceError, "scale_fault"),
        (b"ES", DeviceError, "scale_command_unknown"),
        (b"EL", DeviceError, "scale_command_refused"),
        (b"ET", Garbled, "scale_line_noise"),
    ],
)
def test_refusal_is_a_typed_error_with_a_sentence(raw, kind, code):
    error = frames.error_of(frames.parse(raw))
    assert type(error) is kind
    assert error.code == code
    assert error.sentence != code.replace("_", " ").capitalize() + "."


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (bytes.fromhex("53c8fe009d173fff"), "scale_frame_garbled"),
        (b"S S", "scale_frame_garbled"),
        (b"S S 12.0", "scale_frame_garbled"),
        (b"S S 1x.0 g", "scale_frame_garbled"),
        (b"hello", "scale_frame_garbled"),
        (b"S S 12 pcs", "scale_unit_unknown"),
        (b"S S 12.5 %", "scale_unit_unknown"),
    ],
)
def test_what_is_no_weight_is_garbled(raw, code):
    with pytest.raises(Garbled) as refused:
        frames.parse(raw)
    assert refused.value.code == code


@given(st.binary(max_size=40))
def test_any_bytes_are_a_line_or_garbled(raw):
    try:
        frames.parse(raw)
    except Garbled:
        return


@given(st.decimals(-99999, 99999, places=1), st.sampled_from("SD"))
def test_every_weight_survives_the_wire(value, status):
    line = frames.parse(f"S {status} {value:>10} g".encode())
    assert (line.status, line.weight_g) == (status, value)
