"""The server's handshake, simple and with digests, against a test client."""

import pytest

from ingest.rtmp.buffer import ReceiveBuffer
from ingest.rtmp.digest import (
    PLAYER_KEY,
    SERVER_KEY,
    Scheme,
    answer_digest,
    digest_offset,
    packet_digest,
    put_digest,
)
from ingest.rtmp.errors import NotRtmp
from ingest.rtmp.handshake import ServerHandshake
from tests.unit.ingest.wire import SPLITS, Split

CLIENT_VERSION = bytes((9, 0, 124, 2))


def entropy(count: int) -> bytes:
    return bytes(at * 7 & 0xFF for at in range(count))


def handshake_with(data: bytes, split: Split) -> tuple[bytes, bool, int]:
    """What the server sends, whether it is complete, and the number of unread bytes."""
    handshake, buffer = ServerHandshake(entropy), ReceiveBuffer()
    sent, done = b"", False
    for piece in split(data):
        buffer.append(piece)
        if not done:
            answer, done = handshake.advance(buffer)
            sent += answer
    return sent, done, len(buffer)


@pytest.mark.parametrize("split", SPLITS)
def test_simple(split: Split) -> None:
    c1 = bytes(8) + entropy(1528)
    sent, done, left = handshake_with(b"\x03" + c1 + bytes(1536) + b"rest", split)
    assert done
    assert left == 4
    assert sent[0] == 3
    assert sent[5:9] == bytes(4)
    assert sent[1537:] == c1


def test_server_answers_before_c2() -> None:
    sent, done, _ = handshake_with(b"\x03" + bytes(1536), SPLITS[0])
    assert len(sent) == 1 + 2 * 1536
    assert not done


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("scheme", list(Scheme))
def test_with_digests(scheme: Scheme, split: Split) -> None:
    c1 = put_digest(bytes(4) + CLIENT_VERSION + entropy(1528), scheme, PLAYER_KEY)
    sent, done, _ = handshake_with(b"\x03" + c1 + bytes(1536), split)
    assert done
    s1, s2 = sent[1:1537], sent[1537:]
    at = digest_offset(s1, scheme)
    assert s1[4] >= 3
    assert s1[at : at + 32] == packet_digest(s1, at, SERVER_KEY)
    client_at = digest_offset(c1, scheme)
    assert s2 == answer_digest(c1[client_at : client_at + 32], s2[:1504])


def test_version_without_a_digest_gets_the_simple_handshake() -> None:
    c1 = bytes(4) + CLIENT_VERSION + entropy(1528)
    sent, _, _ = handshake_with(b"\x03" + c1, SPLITS[0])
    assert sent[1537:] == c1


@pytest.mark.parametrize(
    ("first", "word"),
    [(b"GET / HTTP/1.1\r\n", "RTMP"), (b"\x16\x03\x01", "TLS"), (b"\x06", "rtmpe"), (b"\x00", "RTMP")],
)
def test_other_protocols_are_rejected_by_their_first_byte(first: bytes, word: str) -> None:
    with pytest.raises(NotRtmp, match=word):
        handshake_with(first, SPLITS[0])
