"""Who trusts a directory's ca.pem trusts every sandbox that runs from it."""

import ssl
from pathlib import Path

import pytest
from cryptography import x509

from sandbox.google_ads import certificates
from sandbox.google_ads.certificates import issue


def authority(chain: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificates(chain)[-1]


def test_a_restarted_sandbox_and_one_beside_it_stay_trusted(tmp_path: Path) -> None:
    first, second = issue(tmp_path), issue(tmp_path)
    assert first.key != second.key
    assert authority(first.chain) == authority(second.chain)
    trusted = ssl.create_default_context(cafile=str(first.bundle)).get_ca_certs(binary_form=True)
    server = x509.load_pem_x509_certificates(second.chain)[0]
    [issuer] = [one for one in map(x509.load_der_x509_certificate, trusted) if one.subject == server.issuer]
    server.verify_directly_issued_by(issuer)
    assert (tmp_path / "authority.pem").stat().st_mode & 0o777 == 0o600


def test_an_authority_that_would_not_outlive_its_certificate_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = issue(tmp_path)
    monkeypatch.setattr(certificates, "SERVED", 4000)
    assert authority(issue(tmp_path).chain) != authority(first.chain)
