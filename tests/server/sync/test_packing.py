"""T21 and T6, as far as bytes go: bombs, giant lines, and bodies cut anywhere."""

from __future__ import annotations

import gzip
import tracemalloc

import pytest
import zstandard

from foodflow_kernel.errors import Invalid
from foodflow_kernel.wire.protocol import MAX_BATCH_PACKED_BYTES, MAX_BATCH_RAW_BYTES, MAX_LINE_BYTES
from server.sync import batch, packing
from tests.server.sync.terminal import Device, a_fact


def a_device() -> Device:
    return Device(tenant=None)  # type: ignore[arg-type]


def zipped(raw: bytes, encoding: str) -> bytes:
    return zstandard.ZstdCompressor().compress(raw) if encoding == "zstd" else gzip.compress(raw)


@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
def test_a_batch_comes_out_as_it_went_in(encoding):
    device = a_device()
    device.record(a_fact(), a_fact())
    assert packing.unpack(zipped(device.pack(), encoding), encoding).bodies == device.logs[0]


@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
def test_t21_a_bomb_stops_at_the_limit_and_takes_no_memory(encoding):
    bomb = zipped(bytes(400 << 20), encoding)
    assert len(bomb) < MAX_BATCH_PACKED_BYTES
    tracemalloc.start()
    with pytest.raises(packing.TooLarge) as refused:
        packing.unpack(bomb, encoding)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.value.code == "push_too_large"
    assert peak < 6 * MAX_BATCH_RAW_BYTES


def test_t21_a_giant_line_is_too_large_and_named():
    device = a_device()
    device.record(a_fact(), b"{" + b" " * MAX_LINE_BYTES + b"}")
    with pytest.raises(packing.TooLarge) as refused:
        packing.unpack(zipped(device.pack(), "zstd"), "zstd")
    assert refused.value.code == "push_line_too_long"
    assert refused.value.data["seq"] == 2


def test_more_packed_bytes_than_allowed_are_too_large():
    with pytest.raises(packing.TooLarge):
        packing.unpack(bytes(MAX_BATCH_PACKED_BYTES + 1), None)


def test_an_unknown_encoding_is_refused_by_name():
    with pytest.raises(Invalid) as refused:
        packing.unpack(b"", "br")
    assert refused.value.code == "push_encoding_unknown"


@pytest.mark.parametrize("encoding", [None, "zstd", "gzip"])
def test_t6_a_body_cut_at_any_byte_is_refused(encoding):
    device = a_device()
    device.record(a_fact(), a_fact(), a_fact())
    whole = device.pack() if encoding is None else zipped(device.pack(), encoding)
    for length in range(len(whole)):
        with pytest.raises(Invalid) as refused:
            packing.unpack(whole[:length], encoding)
        assert refused.value.code in {"push_torn", "push_header_bad"}


@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
def test_bytes_behind_the_end_of_a_frame_are_refused(encoding):
    device = a_device()
    device.record(a_fact())
    with pytest.raises(Invalid):
        packing.unpack(zipped(device.pack(), encoding) + b"x", encoding)


def test_any_byte_of_a_body_changed_breaks_the_chain():
    device = a_device()
    device.record(a_fact(), a_fact())
    raw = device.pack()
    start = raw.index(b"\n") + 1
    public = device.terminal_key
    for place in range(start, len(raw), 7):
        if raw[place] in b"\n":
            continue
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        if changed.count(b"\n") != raw.count(b"\n"):
            continue
        with pytest.raises(Invalid) as refused:
            batch.prove(packing.unpack(changed, None), public)
        assert refused.value.code == "push_chain_broken"


def test_another_key_cannot_sign():
    device, other = a_device(), a_device()
    device.record(a_fact())
    with pytest.raises(Invalid) as refused:
        batch.prove(packing.unpack(device.pack(), None), other.terminal_key)
    assert refused.value.code == "push_signature_bad"


def test_rows_of_another_lane_do_not_fit():
    device = a_device()
    device.record(a_fact(), lane=1)
    with pytest.raises(Invalid) as refused:
        batch.prove(packing.unpack(device.pack(lane=1).replace(b'"lane":1', b'"lane":0'), None), device.terminal_key)
    assert refused.value.code == "push_chain_broken"


def test_known_rows_are_trimmed():
    device = a_device()
    device.record(*(a_fact() for _ in range(5)))
    proven = batch.prove(packing.unpack(device.pack(), None), device.terminal_key)
    assert [(proven.after(n).first, len(proven.after(n).bodies)) for n in (0, 2, 5, 9)] == [
        (1, 5),
        (3, 3),
        (6, 0),
        (6, 0),
    ]
    assert proven.after(2).prev == device.hashes()[2]
