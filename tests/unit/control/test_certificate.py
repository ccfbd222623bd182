"""The files of the RTMPS certificate: what is wrong with them, and how they are replaced."""

import ssl
from pathlib import Path

import pytest

from control.certificate import DAY_S, BadCertificate, Certificate, CertificateFacts, check_certificate
from control.handshake import shake_hands
from tests.lab.certificates import PAST, Authority
from tests.lab.certificates import Certificate as Files

HOSTS = ("in.example.org", "127.0.0.1")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def files(authority: Authority, tmp_path: Path) -> Files:
    return authority.issue(tmp_path, *HOSTS)


def presented(context: ssl.SSLContext) -> bytes:
    """The certificate that a client gets, in DER form."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    return shake_hands(context, client).getpeercert(binary_form=True) or b""


def test_the_facts_are_those_of_the_certificate(files: Files) -> None:
    facts = check_certificate(files.chain, files.key)
    assert (facts.hosts, facts.name) == (HOSTS, "in.example.org")
    assert facts.begins_at < facts.expires_at


def test_a_file_that_is_missing_is_named(files: Files) -> None:
    files.key.unlink()
    with pytest.raises(BadCertificate, match=r"privkey.pem cannot be read: no such file"):
        check_certificate(files.chain, files.key)


def test_another_certificates_key_is_refused(authority: Authority, files: Files, tmp_path: Path) -> None:
    other = authority.issue(tmp_path / "other", "in.example.org")
    with pytest.raises(BadCertificate, match=r"privkey.pem is not the key of the certificate"):
        check_certificate(files.chain, other.key)


def test_a_file_in_another_form_is_refused(files: Files) -> None:
    files.chain.write_bytes(
        ssl.PEM_cert_to_DER_cert(files.chain.read_text().split("-----END")[0] + "-----END CERTIFICATE-----")
    )
    with pytest.raises(BadCertificate, match="no certificate and key in PEM form"):
        check_certificate(files.chain, files.key)


def test_an_expired_certificate_is_used_and_warned_about(authority: Authority, tmp_path: Path) -> None:
    """Not every encoder checks it, and without it nobody could publish."""
    files = authority.issue(tmp_path, "in.example.org", expires=PAST)
    facts = check_certificate(files.chain, files.key)
    assert "is not valid" in (facts.warning(0) or "")


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        ("in.example.org", True),
        ("a.tv.example.org", True),
        ("a.b.tv.example.org", False),
        ("tv.example.org", False),
        ("other.org", False),
    ],
)
def test_a_certificate_covers_its_names(host: str, covered: bool) -> None:
    assert CertificateFacts(hosts=("in.example.org", "*.tv.example.org")).covers(host) is covered


@pytest.mark.parametrize(("days", "left"), [(90, 14), (6, 0.9)])
def test_it_warns_in_the_last_sixth_of_the_time(days: float, left: float) -> None:
    facts = CertificateFacts(0, days * DAY_S)
    assert facts.warning((days - left) * DAY_S) == (
        f"the RTMPS certificate expires in {left:.1f} days: renew it; it is read again by itself"
    )
    assert facts.warning((days - 1.2 * days / 6) * DAY_S) is None


async def test_new_files_are_used_for_the_next_connections(authority: Authority, files: Files) -> None:
    loaded: list[CertificateFacts] = []
    certificate = Certificate(files.chain, files.key, on_loaded=loaded.append)
    context, first = certificate.context, presented(certificate.context)
    await certificate.refresh()
    assert len(loaded) == 1
    authority.issue(files.chain.parent, "new.example.org")
    await certificate.refresh()
    assert certificate.context is context
    assert presented(context) != first
    assert [facts.name for facts in loaded] == ["in.example.org", "new.example.org"]


async def test_half_of_new_files_changes_nothing(authority: Authority, files: Files, tmp_path: Path) -> None:
    certificate = Certificate(files.chain, files.key)
    first = presented(certificate.context)
    new = authority.issue(tmp_path / "new", "new.example.org")
    new.chain.rename(files.chain)
    await certificate.refresh()
    assert (presented(certificate.context), certificate.facts.name) == (first, "in.example.org")
    new.key.rename(files.key)
    await certificate.refresh()
    assert certificate.facts.name == "new.example.org"
