import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from apps.demo_org.certificates import make_certificates


@pytest.mark.parametrize("host", ["localhost", "login.salesforce.com", "test.salesforce.com", "demo.my.salesforce.com"])
def test_the_chain_passes_a_strict_web_pki_verifier(tmp_path: Path, host: str) -> None:
    # cryptography's verifier is not OpenSSL's: it follows the CA/Browser forum's profile.
    files = make_certificates(tmp_path)
    ca = x509.load_pem_x509_certificate(files.ca_file.read_bytes())
    leaf = x509.load_pem_x509_certificates(files.certificate_file.read_bytes())[0]
    verifier = PolicyBuilder().store(Store([ca])).build_server_verifier(x509.DNSName(host))
    assert verifier.verify(leaf, [])[0] == leaf


def test_openssl_in_strict_mode_accepts_the_handshake(tmp_path: Path) -> None:
    files = make_certificates(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.certificate_file, files.key_file)
    client = ssl.create_default_context(cafile=str(files.ca_file))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    handshake(server, client, "localhost")
    handshake(server, client, "127.0.0.1")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, client, "example.org")


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> None:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=host),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(6):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert ends[0].version() == "TLSv1.3"


def test_private_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    assert stat.S_IMODE(make_certificates(tmp_path).key_file.stat().st_mode) == 0o600
