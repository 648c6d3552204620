"""A terminal pairs, says hello, pushes, reads: the recipes of what only a terminal may ask."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any
from uuid import UUID

from foodflow_kernel.clock import SystemClock
from foodflow_kernel.wire import signing
from foodflow_kernel.wire.bodies import max_versions
from foodflow_kernel.wire.exchange import HelloRequest
from tests.contract.seeds import Seeds
from tests.contract.served import Person
from tests.server.sync.terminal import Device, a_fact


def terminal(ask: Callable[..., Any], _person: Person, seeds: Seeds) -> None:
    """From the pairing code to a part of the snapshot; a fact that nobody can read waits for a person."""
    device, secret = Device(None), secrets.token_bytes(32)  # type: ignore[arg-type]  # the server knows whose it is
    commitment = signing.commitment(device.terminal_key, secret).hex()
    enrolled = ask("POST", "/devices:enroll", json={"commitment": commitment, "app": "0.1.0"}).json()
    device.device = UUID(enrolled["device"])
    one = {"device_id": enrolled["device"]}
    ask(
        "POST",
        "/devices/{device_id}:reveal",
        one,
        json={"public_key": device.terminal_key.hex(), "secret": secret.hex()},
    )
    nonce = secrets.token_bytes(16)
    proof = f"{nonce.hex()}.{signing.sign_nonce(device.key, device.device, nonce).hex()}"
    ask("GET", "/devices/{device_id}/status", one, headers={"X-Device-Signature": proof})
    place = {"plant_id": seeds.ids["plants"][0], "name": "T-99", "area": "Hall"}
    ask("POST", "/devices/{device_id}:approve", one, json=place)
    headers = {"Authorization": f"Bearer {hello(ask, device)}"}
    device.record(b"{}", a_fact({}), lane=1)
    ask("POST", "/sync/push", data=device.pack(lane=1), headers=headers)
    state = ask("POST", "/sync/snapshot", headers=headers).json()
    made = {"snapshot_id": state["id"]}
    ask("GET", "/sync/snapshot/{snapshot_id}", made, headers=headers)
    part = state["parts"][0]["sha256"]
    ask("GET", "/sync/snapshot/{snapshot_id}/parts/{sha256}", made | {"sha256": part}, headers=headers)
    ask("GET", "/sync/feed", params={"epoch": state["epoch"], "after": state["seq"]}, headers=headers)
    ask("GET", "/sync/verify/{device_id}", one)
    dead = ask("GET", "/sync/inbox/dead").json()
    for verb in ("replay", "waive"):
        place = {name: dead[0][name] for name in ("incarnation", "lane", "seq")} if dead else {}
        ask("POST", f"/sync/inbox/dead:{verb}", json=place | {"device": enrolled["device"], "reason": "no record"})
    ask("POST", "/devices/{device_id}:revoke", one, json={"reason": "the contract is over"})
    seeds.ids["devices"] = [enrolled["device"]]


def hello(ask: Callable[..., Any], device: Device) -> str:
    """The token of a terminal that proved its key."""
    nonce, clock = ask("POST", "/sync/nonce").json()["nonce"], SystemClock()
    message = HelloRequest(
        device=device.device,
        incarnation=device.incarnation,
        nonce=nonce,
        sig=signing.sign_nonce(device.key, device.device, bytes.fromhex(nonce)).hex(),
        protocol=1,
        app="contract",
        kinds=max_versions(),
        heads={},
        now=clock.now(),
        mono_ns=clock.mono_ns(),
        boot_id="contract",
    )
    token: str = ask("POST", "/sync/hello", json=message.model_dump(mode="json")).json()["token"]
    return token
