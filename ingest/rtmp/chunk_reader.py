"""Chunks in, messages out (RTMP 1.0, section 5.3).

A message whose chunk is whole in the buffer is cut out with one copy. Longer ones are gathered in their chunk
stream, and a run of type 3 chunks of one stream, which is what a long video frame is, costs one short loop.
"""

from struct import Struct

from ingest.rtmp.buffer import READ_SIZE, ReceiveBuffer
from ingest.rtmp.chunk_stream import ChunkStream
from ingest.rtmp.chunk_writer import DEFAULT_CHUNK_SIZE, EXTENDED
from ingest.rtmp.errors import MalformedChunk, MessageTooLarge, TooManyChunkStreams, TooManyPartialMessages
from ingest.rtmp.limits import Limits
from ingest.rtmp.message import MEDIA_TYPES, MESSAGE_TYPES, Message

# Timestamp and length are 24 bits each: a 16-bit and an 8-bit part. Of all fields the stream id is little-endian.
TYPE_1 = Struct(">HBHBB")
STREAM_ID = Struct("<I")
UINT32 = Struct(">I")
HEADER_SIZES = (11, 7, 3, 0)
MAX_CHUNK_SIZE = 0xFFFFFF
UINT32_MASK = 0xFFFFFFFF


class ChunkReader:
    """Reads messages from ``buffer``. ``media_limit`` is the longest audio or video message taken at present."""

    def __init__(self, buffer: ReceiveBuffer, limits: Limits) -> None:
        self.chunk_size = DEFAULT_CHUNK_SIZE
        self.media_limit = limits.max_command_size
        self._buffer = buffer
        self._limits = limits
        self._streams: dict[int, ChunkStream] = {}
        self._current: ChunkStream | None = None
        self._chunk_left = 0
        self._partial_size = 0

    def next_message(self) -> Message | None:
        """The next whole message, or None where more bytes are needed.

        Raises MalformedChunk, MessageTooLarge, TooManyChunkStreams, TooManyPartialMessages.
        """
        buffer = self._buffer
        while True:
            stream = self._current or self._begin_chunk()
            if stream is None:
                return None
            left = self._chunk_left
            start = buffer.start
            available = buffer.end - start
            if available < left:
                self._current = stream
                if left > READ_SIZE:
                    self._gather(stream, available)
                    self._chunk_left = left - available
                return None
            self._current = None
            if stream.partial is None and left == stream.length:
                stream.missing = 0
                buffer.start = stop = start + left
                return Message(
                    stream.type_id, stream.stream_id, stream.timestamp, buffer.view[start:stop].tobytes()
                )
            self._gather(stream, left)
            if stream.missing and not stream.extended:
                self._gather_run(stream)
            if not stream.missing:
                return self._gathered(stream)

    def set_chunk_size(self, size: int) -> None:
        """Section 5.4.1: no message is longer than 16777215 bytes, so neither need a chunk be."""
        if not 1 <= size <= 0x7FFFFFFF:
            raise MalformedChunk(f"a chunk size of {size} is outside 1 to 2147483647")
        self.chunk_size = min(size, MAX_CHUNK_SIZE)

    def abort(self, chunk_stream: int) -> None:
        """Section 5.4.2: forget the message that has begun on that chunk stream, if any."""
        stream = self._streams.get(chunk_stream)
        if stream is None:
            return
        if stream.partial is not None:
            self._partial_size -= stream.length
            stream.partial = None
        stream.missing = 0

    def _begin_chunk(self) -> ChunkStream | None:
        """Read a chunk's headers, whole or not at all."""
        buffer = self._buffer
        data, start, end = buffer.data, buffer.start, buffer.end
        if start == end:
            return None
        first = data[start]
        at = start + 1
        number = first & 0x3F
        if number < 2:
            if end - at <= number:
                return None
            number, at = (64 + data[at] + (data[at + 1] << 8 if number else 0)), at + 1 + number
        form = first >> 6
        size = HEADER_SIZES[form]
        if end - at < size:
            return None
        stream = self._streams.get(number) or self._open_stream(number, form)
        if form == 3:
            return self._repeat_header(stream, at)
        if stream.missing:
            raise MalformedChunk(f"chunk stream {number} begins a message before it has ended the one before")
        if form == 2:
            field = data[at] << 16 | data[at + 1] << 8 | data[at + 2]
        else:
            high, low, length_high, length_low, type_id = TYPE_1.unpack_from(data, at)
            field = high << 8 | low
        after = at + size
        extended = field == EXTENDED
        if extended:
            if end - after < 4:
                return None
            (field,) = UINT32.unpack_from(data, after)
            after += 4
        if form < 2:
            stream.length, stream.type_id = length_high << 8 | length_low, type_id
        if form == 0:
            (stream.stream_id,) = STREAM_ID.unpack_from(data, at + 7)
            stream.timestamp = field
        else:
            stream.timestamp = (stream.timestamp + field) & UINT32_MASK
        stream.delta, stream.extended = field, extended
        buffer.start = after
        return self._begin_message(stream)

    def _repeat_header(self, stream: ChunkStream, at: int) -> ChunkStream | None:
        """A type 3 chunk: it goes on with a message, or begins one with the header of the one before.

        Section 5.3.1.3 has the extended timestamp repeated here. Some encoders leave it out in the middle of a
        message, so there it counts only where it is the same again.
        """
        buffer = self._buffer
        begins = not stream.missing
        if stream.extended:
            if buffer.end - at < 4:
                return None
            (value,) = UINT32.unpack_from(buffer.data, at)
            if begins:
                stream.delta = value
            if begins or value == stream.delta:
                at += 4
        buffer.start = at
        if begins:
            stream.timestamp = (stream.timestamp + stream.delta) & UINT32_MASK
            return self._begin_message(stream)
        self._chunk_left = min(self.chunk_size, stream.missing)
        return stream

    def _begin_message(self, stream: ChunkStream) -> ChunkStream:
        stream.missing = length = stream.length
        if length > self.media_limit or stream.type_id not in MEDIA_TYPES:
            self._check(stream.type_id, length)
        self._chunk_left = length if length < self.chunk_size else self.chunk_size
        return stream

    def _open_stream(self, number: int, form: int) -> ChunkStream:
        # Type 1 is forgiven: some encoders open their control stream with it.
        if form > 1:
            raise MalformedChunk(f"chunk stream {number} begins with a type {form} chunk, which repeats nothing")
        if len(self._streams) >= self._limits.max_chunk_streams:
            raise TooManyChunkStreams(f"more than {self._limits.max_chunk_streams} chunk streams")
        stream = self._streams[number] = ChunkStream(number)
        return stream

    def _check(self, type_id: int, length: int) -> None:
        if type_id not in MESSAGE_TYPES:
            raise MalformedChunk(f"message type {type_id} does not exist")
        limit = self.media_limit if type_id in MEDIA_TYPES else self._limits.max_command_size
        if length > limit:
            raise MessageTooLarge(f"a message of {length} bytes and type {type_id} is over the limit of {limit}")

    def _gather(self, stream: ChunkStream, count: int) -> None:
        """Move ``count`` bytes of payload from the buffer to the stream's message."""
        buffer = self._buffer
        start = buffer.start
        buffer.start = stop = start + count
        if stream.partial is None:
            if self._partial_size + stream.length > self._limits.max_partial_size:
                raise TooManyPartialMessages(
                    f"unfinished messages are over the limit of {self._limits.max_partial_size} bytes"
                )
            self._partial_size += stream.length
            stream.partial = bytearray(buffer.view[start:stop])
        else:
            stream.partial += buffer.view[start:stop]
        stream.missing -= count

    def _gather_run(self, stream: ChunkStream) -> None:
        """Take the type 3 chunks of this stream that lie whole in the buffer, one behind the other."""
        buffer, partial = self._buffer, stream.partial
        assert partial is not None
        data, view, at, end = buffer.data, buffer.view, buffer.start, buffer.end
        size, missing, continuation = self.chunk_size, stream.missing, stream.continuation
        while missing:
            take = size if size < missing else missing
            if end - at <= take or data[at] != continuation:
                break
            at += 1
            partial += view[at : at + take]
            at += take
            missing -= take
        buffer.start, stream.missing = at, missing

    def _gathered(self, stream: ChunkStream) -> Message:
        assert stream.partial is not None
        payload = bytes(stream.partial)
        stream.partial = None
        self._partial_size -= stream.length
        return Message(stream.type_id, stream.stream_id, stream.timestamp, payload)
