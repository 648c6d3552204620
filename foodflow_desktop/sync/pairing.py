"""Pairing a terminal with a hub: commitment, nonce, reveal, four words, approval.

The CA is fetched without verification, once, and only to be shown as words: they agree on both
screens only if both see the same two keys (decision 0012). Everything after that trusts this CA alone.
"""

from __future__ import annotations

import base64
import os
import platform
import ssl
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from foodflow_desktop.keys import Keys
from foodflow_desktop.store import Store, Terminal
from foodflow_desktop.sync import transport
from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import Invalid
from foodflow_kernel.wire import signing
from foodflow_kernel.wire.exchange import EnrolAnswer, EnrolRequest, EnrolReveal, EnrolStatus

PREFIX = "/api/v1/devices"


@dataclass(frozen=True, slots=True)
class Offer:
    """What the pairing screen shows: the code a supervisor types and the words both compare."""

    device: UUID
    code: str
    words: tuple[str, str, str, str]
    expires_at: datetime


def fetch_ca(hub: str) -> str:
    """The hub's CA certificate (PEM): the one request made without verification.

    Raises:
        Unreachable: `hub_unreachable`. Invalid: `ca_unreadable`.
    """
    import httpx  # noqa: PLC0415  # late, as in ``transport``

    with (
        transport.named_errors(),
        httpx.Client(verify=False, timeout=transport.limits_of(), trust_env=False) as http,  # noqa: S501  # see above
    ):
        answer = transport.check(http.get(f"{hub}/api/v1/ca"))
    pem = answer.text
    if "BEGIN CERTIFICATE" not in pem:
        raise Invalid("ca_unreadable")
    return pem


class Pairing:
    """One attempt to pair. Blocking: call it off the UI thread."""

    def __init__(self, hub: str, clock: Clock, keys: Keys, app: str = "0.1.0") -> None:
        self.hub = hub.rstrip("/")
        self._clock = clock
        self._keys = keys
        self._app = app
        self._key: Ed25519PrivateKey = keys.device_key()
        self._ca_pem = ""
        self._offer: Offer | None = None

    def begin(self) -> Offer:
        """Ask for a code; returns what both people compare.

        Raises:
            Unreachable, Untrusted, Invalid: no pairing was begun.
        """
        self._ca_pem = fetch_ca(self.hub)
        secret = os.urandom(32)
        public = signing.public_bytes(self._key)
        request = EnrolRequest(
            commitment=signing.commitment(public, secret).hex(), machine_name=platform.node(), app=self._app
        )
        with transport.named_errors(), transport.client(self.hub, self._ca_pem) as http:
            answer = EnrolAnswer.model_validate_json(
                transport.check(http.post(f"{PREFIX}:enroll", json=request.model_dump(mode="json"))).content
            )
            reveal = EnrolReveal(public_key=public.hex(), secret=secret.hex())
            transport.check(http.post(f"{PREFIX}/{answer.device}:reveal", json=reveal.model_dump(mode="json")))
        words = signing.pairing_words(public, _der(self._ca_pem), secret, bytes.fromhex(answer.server_nonce))
        self._offer = Offer(answer.device, answer.code, words, answer.expires_at)
        return self._offer

    def poll(self) -> EnrolStatus:
        """Whether the supervisor has approved.

        Raises:
            Unreachable, Untrusted, NotFound: not known now; ask again.
        """
        offer = self._offer
        if offer is None:
            raise Invalid("pairing_not_begun")
        nonce = os.urandom(32)
        proof = signing.sign_nonce(self._key, offer.device, nonce)
        headers = {"X-Device-Signature": f"{nonce.hex()}.{proof.hex()}"}
        with transport.named_errors(), transport.client(self.hub, self._ca_pem) as http:
            answer = transport.check(http.get(f"{PREFIX}/{offer.device}/status", headers=headers))
        return EnrolStatus.model_validate_json(answer.content)

    def finish(self, store: Store, status: EnrolStatus) -> Terminal:
        """Keep the approved pairing: pepper into the key store, hub and CA beside the files.

        Raises:
            Invalid: `pairing_not_approved`. Refused: `pair_unsent`.
        """
        offer = self._offer
        if offer is None or status.state != "approved":
            raise Invalid("pairing_not_approved", state=status.state)
        paired = Terminal(
            device=offer.device,
            hub=self.hub,
            ca_pem=self._ca_pem,
            paired_at=self._clock.now(),
            tenant_name=status.tenant_name,
            plant_id=status.plant_id,
            plant_name=status.plant_name,
            line_id=status.line_id,
            name=status.terminal_name,
        )
        if status.pepper:
            self._keys.set_pepper(bytes.fromhex(status.pepper))
        store.pair(paired, self._key)
        return paired


def _der(pem: str) -> bytes:
    try:
        return ssl.PEM_cert_to_DER_cert(pem.strip())
    except (ValueError, base64.binascii.Error) as error:  # type: ignore[attr-defined]
        raise Invalid("ca_unreadable") from error
