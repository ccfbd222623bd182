"""The messages that wait to be sent to the peer, as bytes."""

from ingest.rtmp import control
from ingest.rtmp.chunk_writer import DEFAULT_CHUNK_SIZE, encode_message
from ingest.rtmp.message import MessageType
from ingest.rtmp.replies import Reply


class Outgoing:
    """Encodes replies in order, with the chunk size that was sent last."""

    def __init__(self) -> None:
        self._data: list[bytes] = []
        self._chunk_size = DEFAULT_CHUNK_SIZE

    def send(self, *replies: Reply) -> None:
        for chunk_stream, message in replies:
            self._data.append(encode_message(chunk_stream, message, self._chunk_size))
            if message.type_id == MessageType.SET_CHUNK_SIZE:
                self._chunk_size = control.uint32(message)

    def send_bytes(self, data: bytes) -> None:
        self._data.append(data)

    def take(self) -> bytes:
        """All bytes that wait. Each byte is returned once."""
        if not self._data:
            return b""
        data = b"".join(self._data)
        self._data.clear()
        return data
