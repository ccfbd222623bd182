"""The client side of RTMP for tests: chunks with any header format, commands, and ways to split the input."""

from collections.abc import Callable, Iterator

from ingest.rtmp import NEED_DATA, PAUSED, ServerConnection
from ingest.rtmp.amf0 import Value
from ingest.rtmp.buffer import ReceiveBuffer
from ingest.rtmp.chunk_reader import ChunkReader
from ingest.rtmp.chunk_writer import EXTENDED, basic_header
from ingest.rtmp.command import Command
from ingest.rtmp.events import Event, Signal
from ingest.rtmp.limits import Limits
from ingest.rtmp.message import UNFINISHED, Message, MessageType

# C0, C1 and C2 of the simple handshake.
HANDSHAKE = b"\x03" + bytes(1536) + bytes(1536)
SERVER_HANDSHAKE_SIZE = 1 + 2 * 1536

Split = Callable[[bytes], Iterator[bytes]]


class ChunkWriter:
    """Writes messages as chunks with a chosen header format.

    ``repeat_extended``: whether type 3 chunks repeat the extended timestamp.
    """

    def __init__(self, chunk_size: int = 128, *, repeat_extended: bool = True) -> None:
        self.chunk_size = chunk_size
        self._repeat_extended = repeat_extended
        self._last: dict[int, tuple[Message, int]] = {}

    def formats(self, chunk_stream: int, message: Message) -> list[int]:
        """The header formats that can start ``message`` now, the shortest last."""
        if chunk_stream not in self._last:
            return [0]
        last, field = self._last[chunk_stream]
        formats = [0]
        if last.stream_id == message.stream_id:
            formats.append(1)
            if (last.type_id, len(last.payload)) == (message.type_id, len(message.payload)):
                formats.append(2)
                if field == delta(message, last):
                    formats.append(3)
        return formats

    def write(self, chunk_stream: int, message: Message, fmt: int | None = None) -> list[bytes]:
        fmt = self.formats(chunk_stream, message)[-1] if fmt is None else fmt
        field = message.timestamp
        if fmt:
            field = delta(message, self._last[chunk_stream][0])
        self._last[chunk_stream] = message, field
        extended = field.to_bytes(4, "big") if field >= EXTENDED else b""
        header = basic_header(fmt, chunk_stream)
        if fmt < 3:
            header += min(field, EXTENDED).to_bytes(3, "big")
        if fmt < 2:
            header += len(message.payload).to_bytes(3, "big") + bytes((message.type_id,))
        if fmt < 1:
            header += message.stream_id.to_bytes(4, "little")
        size = self.chunk_size
        pieces = [message.payload[at : at + size] for at in range(0, len(message.payload), size)] or [b""]
        repeated = extended if self._repeat_extended else b""
        return [
            header + extended + pieces[0],
            *(basic_header(3, chunk_stream) + repeated + piece for piece in pieces[1:]),
        ]

    def message(self, chunk_stream: int, message: Message, fmt: int | None = None) -> bytes:
        return b"".join(self.write(chunk_stream, message, fmt))


def delta(message: Message, last: Message) -> int:
    return (message.timestamp - last.timestamp) & 0xFFFFFFFF


def command(name: str, transaction: float, command_object: Value = None, *arguments: Value, on: int = 0) -> Message:
    return Command(name, transaction, command_object, arguments, on).encode()


def control(type_id: MessageType, value: int) -> Message:
    return Message(type_id, 0, 0, value.to_bytes(4, "big"))


def unsplit(data: bytes) -> Iterator[bytes]:
    yield data


def byte_by_byte(data: bytes) -> Iterator[bytes]:
    return (data[at : at + 1] for at in range(len(data)))


def pieces_of(*sizes: int) -> Split:
    """Splits the input into pieces of ``sizes``, repeated cyclically."""

    def split(data: bytes) -> Iterator[bytes]:
        at = index = 0
        while at < len(data):
            size = sizes[index % len(sizes)]
            yield data[at : at + size]
            at += size
            index += 1

    return split


SPLITS = [unsplit, byte_by_byte, pieces_of(2), pieces_of(1, 130, 7), pieces_of(1537)]


def read_messages(data: bytes, split: Split = unsplit, limits: Limits | None = None) -> list[Message]:
    """The messages that a ChunkReader parses from ``data``. Set Chunk Size and Abort are applied."""
    limits = limits or Limits()
    buffer = ReceiveBuffer()
    reader = ChunkReader(buffer, limits)
    reader.set_publishing(True)
    messages = []
    for piece in split(data):
        buffer.append(piece)
        while (message := reader.next_message()) is not None:
            if message is UNFINISHED:
                continue
            messages.append(message)
            if message.type_id == MessageType.SET_CHUNK_SIZE:
                reader.set_chunk_size(int.from_bytes(message.payload, "big"))
            elif message.type_id == MessageType.ABORT:
                reader.abort(int.from_bytes(message.payload, "big"))
    return messages


def events_of(connection: ServerConnection, data: bytes = b"", split: Split = unsplit) -> list[Event]:
    """Feed ``data`` in pieces, and return the events up to NEED_DATA or PAUSED."""
    events: list[Event] = []
    for piece in split(data):
        connection.receive_data(piece)
        while (event := connection.next_event()) is not NEED_DATA and event is not PAUSED:
            if not isinstance(event, Signal):
                events.append(event)
    return events


class ReplyReader:
    """Parses the messages that the server sends after its handshake."""

    def __init__(self) -> None:
        self._buffer = ReceiveBuffer()
        self._reader = ChunkReader(self._buffer, Limits())
        self._handshake_left = SERVER_HANDSHAKE_SIZE

    def messages(self, data: bytes) -> list[Message]:
        skipped = min(self._handshake_left, len(data))
        self._handshake_left -= skipped
        self._buffer.append(data[skipped:])
        messages = []
        while (message := self._reader.next_message()) is not None:
            messages.append(message)
            if message.type_id == MessageType.SET_CHUNK_SIZE:
                self._reader.set_chunk_size(int.from_bytes(message.payload, "big"))
        return messages
