"""What a peer may send outside a publication: it has shown no valid key then, and encoders send little."""

from ingest.rtmp.amf0 import ValueBudget
from ingest.rtmp.errors import TooMuchBeforePublish
from ingest.rtmp.limits import Limits


class Allowance:
    """Totals of one connection, over all the time that it does not publish. ``read`` and ``chunks`` are the
    connection's bytes and chunks so far. ``values`` is for the AMF values of its commands."""

    __slots__ = ("_bytes", "_chunks", "_limits", "_messages", "_published_from", "values")

    def __init__(self, limits: Limits) -> None:
        self.values = ValueBudget(limits.amf_values_before_publish)
        self._limits = limits
        self._messages = limits.messages_before_publish
        self._bytes = limits.bytes_before_publish
        self._chunks = limits.chunks_before_publish
        self._published_from = (0, 0)

    def check(self, read: int, chunks: int) -> None:
        """Raises TooMuchBeforePublish."""
        if read > self._bytes:
            raise _too_much(f"{self._limits.bytes_before_publish} bytes")
        if chunks > self._chunks:
            raise _too_much(f"{self._limits.chunks_before_publish} chunks")

    def take_message(self) -> None:
        """Raises TooMuchBeforePublish."""
        self._messages -= 1
        if self._messages < 0:
            raise _too_much(f"{self._limits.messages_before_publish} messages")

    def begin_publication(self, read: int, chunks: int) -> None:
        self._published_from = (read, chunks)

    def end_publication(self, read: int, chunks: int) -> None:
        """What was sent since the publication began does not count."""
        read_before, chunks_before = self._published_from
        self._bytes += read - read_before
        self._chunks += chunks - chunks_before


def _too_much(what: str) -> TooMuchBeforePublish:
    return TooMuchBeforePublish(f"more than {what} arrived without a publication: this port is for RTMP encoders")
