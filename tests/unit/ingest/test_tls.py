"""TLS on a publisher's connection, without a socket."""

import ssl
from collections.abc import Iterator

import pytest

from ingest.tls import TlsFailed, TlsSession
from tests.lab.certificates import Authority


class Peer:
    """A client that trusts the server's root, connected to a session."""

    def __init__(self, server: ssl.SSLContext, client: ssl.SSLContext) -> None:
        self.session = TlsSession(server)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = client.wrap_bio(self._incoming, self._outgoing, server_hostname="in.example.org")

    def shake_hands(self) -> bytes:
        """Returns what the session decrypted meanwhile."""
        read = b""
        while True:
            try:
                self._object.do_handshake()
                return read
            except ssl.SSLWantReadError:
                read += self.exchange()

    def exchange(self) -> bytes:
        """Pass the bytes both ways, in small pieces; returns what the session decrypted."""
        read, buffer = b"", bytearray(100)
        data = self._outgoing.read()
        for start in range(0, len(data), 7):
            self.session.receive(data[start : start + 7])
            while count := self.session.read_into(memoryview(buffer)):
                read += buffer[:count]
        self._incoming.write(self.session.data_to_send())
        return read

    def write(self, data: bytes) -> None:
        self._object.write(data)

    def read(self) -> bytes:
        return self._object.read()

    def close(self) -> None:
        self._object.unwrap()


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ssl.SSLContext, ssl.SSLContext]]:
    files = Authority().issue(tmp_path_factory.mktemp("certificates"), "in.example.org")
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    server.load_cert_chain(files.chain, files.key)
    client.load_verify_locations(files.root)
    yield server, client


def test_bytes_pass_both_ways(peers: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    peer = Peer(*peers)
    assert peer.shake_hands() == b""
    sent = bytes(range(256)) * 200
    peer.write(sent)
    assert peer.exchange() == sent
    peer.session.encrypt(b"an answer")
    peer.exchange()
    assert peer.read() == b"an answer"
    assert peer.session.received > len(sent)


def test_the_end_of_a_peer_is_answered(peers: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    peer = Peer(*peers)
    peer.shake_hands()
    assert not peer.session.closed
    with pytest.raises(ssl.SSLWantReadError):
        peer.close()
    assert peer.exchange() == b"" and peer.session.closed
    peer.close()


def test_nothing_is_sent_before_the_handshake(peers: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    session = TlsSession(peers[0])
    session.encrypt(b"a secret")
    assert session.data_to_send() == b""


@pytest.mark.parametrize("first", [b"\x03" + bytes(1536), b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 100])
def test_a_connection_that_is_not_encrypted_gets_the_reason(
    peers: tuple[ssl.SSLContext, ssl.SSLContext], first: bytes
) -> None:
    session = TlsSession(peers[0])
    session.receive(first)
    with pytest.raises(TlsFailed, match="use rtmps:// in the server's address"):
        session.read_into(memoryview(bytearray(100)))


def test_a_peer_that_does_not_trust_the_certificate_is_named(
    peers: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    peer = Peer(peers[0], ssl.create_default_context())
    with pytest.raises(ssl.SSLCertVerificationError):
        peer.shake_hands()
    with pytest.raises(TlsFailed, match=r"does not accept the server's certificate .*UNKNOWN_CA"):
        peer.exchange()
