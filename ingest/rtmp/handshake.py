"""The server's handshake (RTMP 1.0, section 5.2), simple or with digests as the client likes.

S0, S1 and S2 are sent at once when C1 is there, as every client expects. C2 is awaited and not checked: clients in
the field fill it as they please.
"""

from collections.abc import Callable

from ingest.rtmp.buffer import ReceiveBuffer
from ingest.rtmp.digest import DIGEST_SIZE, answer_digest, find_digest, put_digest
from ingest.rtmp.errors import NotRtmp

VERSION = 3
PACKET_SIZE = 1536
# What Flash Media Server 5 says; a version of zero would tell the client that there is no digest in S1.
DIGEST_VERSION = bytes((5, 0, 3, 1))
TLS_HANDSHAKE = 0x16


class ServerHandshake:
    """``entropy(n)`` gives n random bytes."""

    def __init__(self, entropy: Callable[[int], bytes]) -> None:
        self._entropy = entropy
        self._answered = False

    def advance(self, buffer: ReceiveBuffer) -> tuple[bytes, bool]:
        """What to send now, and whether the handshake is done. Raises NotRtmp."""
        answer = b""
        if not self._answered:
            if len(buffer):
                check_version(buffer.data[buffer.start])
            if len(buffer) < 1 + PACKET_SIZE:
                return b"", False
            buffer.take(1)
            answer = self._answer(buffer.take(PACKET_SIZE))
            self._answered = True
        if len(buffer) < PACKET_SIZE:
            return answer, False
        buffer.take(PACKET_SIZE)
        return answer, True

    def _answer(self, c1: bytes) -> bytes:
        found = find_digest(c1) if any(c1[4:8]) else None
        if found is None:
            s1 = bytes(8) + self._entropy(PACKET_SIZE - 8)
            return bytes((VERSION,)) + s1 + c1
        scheme, digest = found
        s1 = put_digest(bytes(4) + DIGEST_VERSION + self._entropy(PACKET_SIZE - 8), scheme)
        return bytes((VERSION,)) + s1 + answer_digest(digest, self._entropy(PACKET_SIZE - DIGEST_SIZE))


def check_version(version: int) -> None:
    if version == VERSION:
        return
    if version == TLS_HANDSHAKE:
        raise NotRtmp("the peer began with TLS: this port takes rtmp://, not rtmps://")
    if version in (6, 8):
        raise NotRtmp("the peer began with encrypted RTMP (rtmpe://): use rtmp://")
    raise NotRtmp(f"the peer's first byte is {version:#04x}: that is not RTMP version 3")
