"""The chain and its signatures name every change; framing refuses every cut."""

from __future__ import annotations

import hashlib
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foodflow_kernel.errors import Invalid
from foodflow_kernel.wire import chain, push, signing
from foodflow_kernel.wire.protocol import MAX_LINE_BYTES, Lane
from foodflow_kernel.wire.words import WORDS

DEVICE, INCARNATION = UUID(int=1), UUID(int=2)
lines = st.binary(min_size=1, max_size=40).map(lambda raw: raw.replace(b"\n", b" "))


def test_first_link_binds_device_incarnation_and_lane() -> None:
    roots = {
        chain.genesis(DEVICE, INCARNATION, Lane.urgent),
        chain.genesis(DEVICE, INCARNATION, Lane.events),
        chain.genesis(INCARNATION, DEVICE, Lane.urgent),
        chain.genesis(DEVICE, UUID(int=3), Lane.urgent),
    }
    assert len(roots) == 4


def test_link_is_sha256_of_previous_hash_and_body() -> None:
    previous = chain.genesis(DEVICE, INCARNATION, Lane.urgent)
    assert chain.link(previous, b"{}") == hashlib.sha256(previous + b"{}").digest()


@given(st.lists(lines, min_size=2, max_size=8), st.data())
def test_any_change_changes_the_head(bodies: list[bytes], data: st.DataObject) -> None:
    root = chain.genesis(DEVICE, INCARNATION, Lane.events)
    at = data.draw(st.integers(0, len(bodies) - 1))
    flipped = [*bodies]
    flipped[at] = bytes([flipped[at][0] ^ 1]) + flipped[at][1:]
    head = chain.links(root, bodies)[-1]
    assert chain.links(root, flipped)[-1] != head
    assert chain.links(root, bodies[:at] + bodies[at + 1 :])[-1] != head
    assert chain.links(root, bodies[: at + 1] + bodies[at:])[-1] != head


def test_signature_holds_only_at_its_place() -> None:
    key = signing.generate_key()
    public, row_hash = signing.public_bytes(key), b"\x07" * 32
    signature = signing.sign_row(key, Lane.urgent, 9, row_hash)
    assert signing.verify_row(public, Lane.urgent, 9, row_hash, signature)
    assert not signing.verify_row(public, Lane.urgent, 10, row_hash, signature)
    assert not signing.verify_row(public, Lane.events, 9, row_hash, signature)
    assert not signing.verify_row(public, Lane.urgent, 9, b"\x08" * 32, signature)
    assert not signing.verify_row(signing.public_bytes(signing.generate_key()), Lane.urgent, 9, row_hash, signature)
    assert not signing.verify_row(public, Lane.urgent, 9, row_hash, b"short")


def test_pairing_words_change_with_either_key() -> None:
    words = signing.pairing_words(b"d" * 32, b"certificate", b"s" * 32, b"n" * 32)
    assert words == signing.pairing_words(b"d" * 32, b"certificate", b"s" * 32, b"n" * 32)
    assert set(words) <= set(WORDS)
    assert words != signing.pairing_words(b"e" * 32, b"certificate", b"s" * 32, b"n" * 32)
    assert words != signing.pairing_words(b"d" * 32, b"another certificate", b"s" * 32, b"n" * 32)


def test_there_are_256_different_words() -> None:
    assert (len(WORDS), len(set(WORDS))) == (256, 256)


def batch(bodies: list[bytes]) -> tuple[push.PushHeader, bytes]:
    root = chain.genesis(DEVICE, INCARNATION, Lane.events)
    header = push.PushHeader(
        device=DEVICE,
        incarnation=INCARNATION,
        lane=Lane.events,
        first=1,
        count=len(bodies),
        prev=root.hex(),
        last=chain.links(root, bodies)[-1].hex(),
        sig="00" * 64,
    )
    return header, push.pack(header, bodies)


@given(st.lists(lines, min_size=1, max_size=6))
def test_a_packed_batch_unpacks_to_the_same_bytes(bodies: list[bytes]) -> None:
    header, raw = batch(bodies)
    assert push.unpack(raw) == push.Push(header, bodies)


def test_a_batch_cut_at_any_byte_is_refused() -> None:
    _, raw = batch([b'{"a":1}', b'{"b":2}'])
    for cut in range(len(raw)):
        with pytest.raises(Invalid):
            push.unpack(raw[:cut])


def test_a_giant_line_is_named() -> None:
    _, raw = batch([b"x" * (MAX_LINE_BYTES + 1)])
    with pytest.raises(Invalid) as caught:
        push.unpack(raw)
    assert caught.value.code == "push_line_too_long"
