"""A session's messages as bytes on the socket, in the script's framing (RTMP 1.0, sections 5.3 and 7.1.6)."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from ingest.rtmp.amf0 import encode
from ingest.rtmp.command import Command
from ingest.rtmp.control import CHUNK_STREAM
from ingest.rtmp.message import Message as RtmpMessage
from ingest.rtmp.message import MessageType
from tests.lab.rtmp.flv import SCRIPT, VIDEO
from tests.torture.script import Ending, Framing, Message, Session
from tests.unit.ingest.wire import ChunkWriter, control

MESSAGE_STREAM = 1
COMMANDS = 3
MASK = 0xFFFFFFFF


class Writing(NamedTuple):
    """Bytes that are sent ``at`` milliseconds from the session's start."""

    at: int
    data: bytes


class Wire:
    """Frames one session."""

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._streams = dict(framing.streams)
        self._writer = ChunkWriter(repeat_extended=framing.repeat_extended)
        self._sizes = 0
        self._count = 0

    def writings(self, session: Session) -> Iterator[Writing]:
        framing = self._framing
        yield Writing(0, self._next_size())
        waiting: Message | None = None
        for message in self._aggregated(session.messages):
            self._count += 1
            if framing.change_every and self._count % framing.change_every == 0 and not framing.within:
                yield Writing(message.at, self._next_size())
            if framing.interleave and message.type_id == VIDEO and waiting is None:
                waiting = message
                continue
            if waiting is not None:
                yield self._both(waiting, message)
                waiting = None
            else:
                yield Writing(message.at, b"".join(self._chunks(message)))
        if waiting is not None:
            yield Writing(waiting.at, b"".join(self._chunks(waiting)))

    def farewell(self, ending: Ending) -> bytes:
        """The commands of a publisher that leaves."""
        commands = []
        if ending in (Ending.POLITE, Ending.FC_UNPUBLISH):
            commands.append(Command("FCUnpublish", 8.0, None, ("key",)))
        if ending is Ending.POLITE:
            commands.append(Command("deleteStream", 9.0, None, (float(MESSAGE_STREAM),)))
        return b"".join(self._writer.message(COMMANDS, command.encode(), 0) for command in commands)

    def _both(self, video: Message, other: Message) -> Writing:
        """Two messages, the chunks of the second one between those of the first if their chunk streams differ."""
        first = self._chunks(video)
        if self._stream(video) == self._stream(other):
            return Writing(other.at, b"".join((*first, *self._chunks(other))))
        pairs = zip_longest(first, self._chunks(other), fillvalue=b"")
        return Writing(other.at, b"".join(chunk for pair in pairs for chunk in pair))

    def _aggregated(self, messages: Iterable[Message]) -> Iterator[Message]:
        """The messages, or aggregates of them. Metadata is sent by itself."""
        group: list[Message] = []
        for message in messages:
            if self._framing.aggregate < 2 or message.type_id == SCRIPT:
                yield message
                continue
            group.append(message)
            if len(group) == self._framing.aggregate:
                yield _aggregate(group)
                group = []
        if group:
            yield _aggregate(group)

    def _next_size(self) -> bytes:
        """Set Chunk Size, with the next of the sizes."""
        size = self._framing.chunk_sizes[self._sizes % len(self._framing.chunk_sizes)]
        self._sizes += 1
        data = self._writer.message(CHUNK_STREAM, control(MessageType.SET_CHUNK_SIZE, size), 0)
        self._writer.chunk_size = size
        return data

    def _chunks(self, message: Message) -> list[bytes]:
        framing = self._framing
        chunk_stream = self._stream(message)
        rtmp = RtmpMessage(message.type_id, MESSAGE_STREAM, message.timestamp & MASK, _payload(message))
        fmt = None if framing.formats else 0
        size = self._writer.chunk_size
        chunks = self._writer.write(chunk_stream, rtmp, fmt)
        if len(chunks) == 1:
            return chunks
        if framing.abort_every and self._count % framing.abort_every == 0:
            abort = control(MessageType.ABORT, chunk_stream)
            aborted = [chunks[0], self._writer.message(CHUNK_STREAM, abort, 0)]
            return [*aborted, *self._writer.write(chunk_stream, rtmp, fmt)]
        if framing.within and framing.change_every and self._count % framing.change_every == 0:
            header = chunks[1][: len(chunks[1]) - len(rtmp.payload[size : 2 * size])]
            change, rest = self._next_size(), rtmp.payload[size:]
            size = self._writer.chunk_size
            return [chunks[0], change, *(header + rest[at : at + size] for at in range(0, len(rest), size))]
        return chunks

    def _stream(self, message: Message) -> int:
        return self._streams.get(message.type_id, self._streams[VIDEO])


def writings(session: Session, framing: Framing) -> Sequence[Writing]:
    """The writes of a session after its publish command. A session that is cut ends within its last message."""
    wire = Wire(framing)
    result = list(wire.writings(session))
    last = result[-1]
    if session.ending is Ending.CUT:
        return [*result[:-1], last._replace(data=last.data[: len(last.data) // 2])]
    return [*result, Writing(last.at, wire.farewell(session.ending))]


def _payload(message: Message) -> bytes:
    return encode("@setDataFrame") + message.data if message.type_id == SCRIPT else message.data


def _aggregate(group: Sequence[Message]) -> Message:
    data = bytearray()
    for message in group:
        timestamp = message.timestamp & MASK
        tag = bytes((message.type_id,)) + len(message.data).to_bytes(3, "big")
        tag += (timestamp & 0xFFFFFF).to_bytes(3, "big") + bytes((timestamp >> 24,)) + bytes(3)
        data += tag + message.data + (11 + len(message.data)).to_bytes(4, "big")
    return Message(group[-1].at, MessageType.AGGREGATE, group[0].timestamp, bytes(data))
