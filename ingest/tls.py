"""TLS on the publisher's connection, without a socket: RTMPS is RTMP in TLS.

The loop's own TLS does not fit, because a PROXY header precedes the handshake, and because a connection is counted
and timed from its first byte.
"""

import ssl
from contextlib import suppress
from typing import ClassVar

from ingest.errors import IngestError

# All connections read into it, one after the other: what was received is copied before the next read.
_RECEIVED = memoryview(bytearray(65_536))
# A publisher sends the handshake and a few commands; without a key, it may not make the server decrypt more.
MAX_BEFORE_PUBLISH = 512 * 1024
NOT_ENCRYPTED = "WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"


class TlsFailed(IngestError):
    """The text says what the peer has to change, if that is known."""

    code: ClassVar[str] = "tls-failed"


class TlsSession:
    """One connection. ``received`` counts its encrypted bytes, since it was last set to 0. ``closed``: the peer has
    said that it sends no more (close_notify; RFC 8446, 6.1)."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.received = 0
        self.closed = False
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._established = False

    def get_buffer(self) -> memoryview:
        """Memory for the next encrypted bytes. Write to it, then call :meth:`buffer_updated` at once."""
        return _RECEIVED

    def buffer_updated(self, count: int) -> None:
        self.receive(_RECEIVED[:count])

    def receive(self, data: bytes | memoryview) -> None:
        self.received += len(data)
        self._incoming.write(data)

    def read_into(self, buffer: memoryview) -> int:
        """Decrypt into ``buffer``; returns the number of bytes, 0 if more have to be received. Raises TlsFailed."""
        try:
            if not self._established:
                self._object.do_handshake()
                self._established = True
            count: int = self._object.read(len(buffer), buffer)  # type: ignore[assignment]
        except ssl.SSLWantReadError:
            return 0
        except ssl.SSLError as error:
            raise TlsFailed(_explain(error)) from None
        if not count:
            self.closed = True
            with suppress(ssl.SSLError):
                self._object.unwrap()
        return count

    def encrypt(self, data: bytes) -> None:
        """Encrypt ``data`` for the peer. Before the handshake is complete, it is dropped."""
        if self._established and data:
            self._object.write(data)

    def data_to_send(self) -> bytes:
        """The encrypted bytes to send to the peer. Each byte is returned once."""
        return self._outgoing.read()


def _explain(error: ssl.SSLError) -> str:
    reason = error.reason or str(error)
    if reason in NOT_ENCRYPTED:
        return "the connection is not encrypted: use rtmps:// in the server's address, or the port for RTMP"
    if "ALERT" in reason:
        return f"the publisher does not accept the server's certificate or its TLS ({reason})"
    return f"the TLS handshake failed ({reason})"
