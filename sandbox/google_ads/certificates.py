"""A certificate authority of the sandbox's own, and a certificate for localhost."""

import fcntl
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SERVED = 397
"""Days that a server's certificate is valid; clients refuse longer ones."""


@dataclass(frozen=True)
class Certificates:
    """PEM bytes for the server, and the file that a client trusts: certifi's bundle with our authority added."""

    key: bytes
    chain: bytes
    bundle: Path


def issue(directory: Path, hosts: Sequence[str] = ()) -> Certificates:
    """Make a server certificate, valid for 397 days, under the directory's authority, and write ca.pem into it.

    The authority stays: who trusts ca.pem trusts every sandbox of the directory, restarted ones and one beside another.
    """
    directory.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    with (directory / ".authority.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        authority_key, authority = _authority(directory / "authority.pem", now)
    key = ec.generate_private_key(ec.SECP256R1())
    names = [
        x509.DNSName("localhost"),
        *(x509.DNSName(host) for host in hosts),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        x509.IPAddress(ipaddress.ip_address("::1")),
    ]
    certificate = (
        _builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]), authority.subject, key.public_key(), now)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    authority_pem = authority.public_bytes(serialization.Encoding.PEM)
    bundle = directory / "ca.pem"
    temporary = directory / f".ca.pem.{os.getpid()}"
    temporary.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + authority_pem)
    temporary.replace(bundle)
    return Certificates(_private(key), certificate.public_bytes(serialization.Encoding.PEM) + authority_pem, bundle)


def _authority(path: Path, now: datetime) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """Return the authority that a file holds, or make one for ten years; who calls holds the directory's lock."""
    if path.exists():
        kept = _read(path)
        if kept[1].not_valid_after_utc > now + timedelta(days=SERVED):
            return kept
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "MRM sandbox authority")])
    made = (
        _builder(name, name, key.public_key(), now, days=3650)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.touch(0o600)
    temporary.write_bytes(_private(key) + made.public_bytes(serialization.Encoding.PEM))
    temporary.replace(path)
    return key, made


def _read(path: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    held = path.read_bytes()
    key = serialization.load_pem_private_key(held, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key, x509.load_pem_x509_certificate(held)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, days: int = SERVED) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days - 1))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
