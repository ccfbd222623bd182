"""The server's handshake (RTMP 1.0, section 5.2). The client's C1 decides whether it is simple or has digests.

S0, S1 and S2 are sent as soon as C1 has arrived, as all clients expect. The content of C2 is not checked, because
it varies between clients.
"""

from collections.abc import Callable

from ingest.rtmp.buffer import ReceiveBuffer
from ingest.rtmp.digest import DIGEST_SIZE, answer_digest, find_digest, put_digest
from ingest.rtmp.errors import NotRtmp

VERSION = 3
PACKET_SIZE = 1536
# The version of Flash Media Server 5. Version 0 would mean that S1 has no digest.
DIGEST_VERSION = bytes((5, 0, 3, 1))
TLS_HANDSHAKE = 0x16


class ServerHandshake:
    """``entropy(n)`` returns n random bytes."""

    def __init__(self, entropy: Callable[[int], bytes]) -> None:
        self._entropy = entropy
        self._answered = False

    def advance(self, buffer: ReceiveBuffer) -> tuple[bytes, bool]:
        """Read from ``buffer``; return the bytes to send and whether the handshake is complete. Raises NotRtmp."""
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
        client_digest = find_digest(c1) if any(c1[4:8]) else None
        if client_digest is None:
            s1 = bytes(8) + self._entropy(PACKET_SIZE - 8)
            return bytes((VERSION,)) + s1 + c1
        scheme, digest = client_digest
        s1 = put_digest(bytes(4) + DIGEST_VERSION + self._entropy(PACKET_SIZE - 8), scheme)
        return bytes((VERSION,)) + s1 + answer_digest(digest, self._entropy(PACKET_SIZE - DIGEST_SIZE))


def check_version(version: int) -> None:
    """Raises NotRtmp, with a hint to what the peer may use instead."""
    if version == VERSION:
        return
    if version == TLS_HANDSHAKE:
        raise NotRtmp("the peer uses TLS: this port accepts rtmp://, not rtmps://")
    if version in (6, 8):
        raise NotRtmp("the peer uses encrypted RTMP (rtmpe://): use rtmp://")
    raise NotRtmp(f"the peer's first byte is {version:#04x}, which is not RTMP version 3")
