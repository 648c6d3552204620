"""The server's own certificate authority, and the certificate it serves with until given another.

Terminals pin the CA at pairing, so the server's certificate may be renewed without a visit.
Both are backdated by two days: a terminal's clock may be behind.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from foodflow_kernel.clock import Clock

BACKDATE = timedelta(days=2)
CA_LIFE = timedelta(days=3650)
SERVER_LIFE = timedelta(days=398)


@dataclass(frozen=True)
class Certificates:
    """Files the server serves with, and the CA that terminals pin."""

    ca: Path
    certificate: Path
    key: Path

    @property
    def ca_der(self) -> bytes:
        """The CA certificate as the four pairing words see it."""
        return x509.load_pem_x509_certificate(self.ca.read_bytes()).public_bytes(serialization.Encoding.DER)


def ensure(folder: Path, names: Iterable[str], clock: Clock) -> Certificates:
    """The certificates in a folder, made or renewed where needed."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Certificates(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    ca_key_path = folder / "ca.key"
    if not made.ca.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        _write(ca_key_path, _private(key), secret=True)
        _write(made.ca, _ca(key, clock).public_bytes(serialization.Encoding.PEM))
    wanted = sorted({"localhost", "127.0.0.1", "::1", *names})
    if not _is_good(made.certificate, wanted, clock):
        ca_key = cast("ec.EllipticCurvePrivateKey", serialization.load_pem_private_key(ca_key_path.read_bytes(), None))
        ca = x509.load_pem_x509_certificate(made.ca.read_bytes())
        key = ec.generate_private_key(ec.SECP256R1())
        _write(made.key, _private(key), secret=True)
        signed = _server(key, ca, ca_key, wanted, clock)
        _write(made.certificate, signed.public_bytes(serialization.Encoding.PEM))
    return made


def _name(common: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "FoodFlow OS"), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def _start(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, clock: Clock, life: timedelta
) -> x509.CertificateBuilder:
    now = clock.now()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + life)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _ca(key: ec.EllipticCurvePrivateKey, clock: Clock) -> x509.Certificate:
    name = _name("FoodFlow OS plant hub CA")
    return (
        _start(name, name, key.public_key(), clock, CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _server(
    key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    names: list[str],
    clock: Clock,
) -> x509.Certificate:
    return (
        _start(_name("FoodFlow OS plant hub"), ca.subject, key.public_key(), clock, SERVER_LIFE)
        .add_extension(x509.SubjectAlternativeName([_san(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def _san(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _is_good(path: Path, names: list[str], clock: Clock) -> bool:
    if not path.exists():
        return False
    found = x509.load_pem_x509_certificate(path.read_bytes())
    named = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    has = {str(each.value) for each in named}
    return set(names) <= has and found.not_valid_after_utc - clock.now() > timedelta(days=30)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes, *, secret: bool = False) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if secret else 0o644)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
