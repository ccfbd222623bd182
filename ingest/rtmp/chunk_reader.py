"""Parses chunks into messages (RTMP 1.0, section 5.3).

A message that is complete in the buffer is copied from there. Others are assembled in their chunk stream. The
headers of consecutive type 3 chunks of one chunk stream, as in a large video frame, are compared and removed all at
once.
"""

from struct import Struct

from ingest.rtmp.buffer import READ_SIZE, SMALL_READ_SIZE, ReceiveBuffer
from ingest.rtmp.chunk_stream import ChunkStream
from ingest.rtmp.chunk_writer import DEFAULT_CHUNK_SIZE, EXTENDED
from ingest.rtmp.errors import MalformedChunk, MessageTooLarge, TooManyChunkStreams, TooManyPartialMessages
from ingest.rtmp.limits import Limits
from ingest.rtmp.message import MEDIA_TYPES, MESSAGE_TYPES, UNFINISHED, Message

# Timestamp and length have 24 bits each: a 16-bit and an 8-bit part. Only the stream id is little-endian.
TYPE_1 = Struct(">HBHBB")
STREAM_ID = Struct("<I")
UINT32 = Struct(">I")
HEADER_SIZES = (11, 7, 3, 0)
MAX_CHUNK_SIZE = 0xFFFFFF
UINT32_MASK = 0xFFFFFFFF
# A call of next_message reads about this many chunks at most, so that chunks of a few bytes cannot make it long.
CHUNKS_PER_CALL = 512


class ChunkReader:
    """Reads messages from ``buffer``. ``chunks`` counts chunks of less than the default size, and those that do not
    complete a message: a peer can send many of these in few bytes."""

    def __init__(self, buffer: ReceiveBuffer, limits: Limits) -> None:
        self.chunk_size = DEFAULT_CHUNK_SIZE
        self.chunks = 0
        self._pause_at = CHUNKS_PER_CALL
        self._buffer = buffer
        self._limits = limits
        self._streams: dict[int, ChunkStream] = {}
        self._current: ChunkStream | None = None
        self._chunk_left = 0
        self._partial_size = 0
        self.set_publishing(False)

    def set_publishing(self, publishing: bool) -> None:
        """Use the limits for a peer that may publish, or for one that may not."""
        limits = self._limits
        self._media_limit = limits.max_message_size if publishing else limits.max_command_size
        self._partial_limit = limits.max_partial_size if publishing else limits.partial_before_publish
        self._longest_buffered = READ_SIZE if publishing else SMALL_READ_SIZE

    def clear(self) -> None:
        """Free the partial messages. The reader is not used after that."""
        self._streams.clear()
        self._current = None
        self._partial_size = 0

    def next_message(self) -> Message | None:
        """The next complete message; None if more bytes are needed; UNFINISHED after many chunks without one.

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
                if left > self._longest_buffered:
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
            if stream.partial is None and (payload := self._whole_payload(stream)) is not None:
                return Message(stream.type_id, stream.stream_id, stream.timestamp, payload)
            self._gather(stream, left)
            if stream.missing and not stream.extended:
                self._gather_run(stream)
            if not stream.missing:
                return self._complete(stream)
            self.chunks += 1
            if self.chunks >= self._pause_at:
                self._pause_at = self.chunks + CHUNKS_PER_CALL
                return UNFINISHED

    def set_chunk_size(self, size: int) -> None:
        """Section 5.4.1. Messages have at most 16777215 bytes, so larger chunk sizes have the same effect.

        Raises MalformedChunk.
        """
        if not 1 <= size <= 0x7FFFFFFF:
            raise MalformedChunk(f"a chunk size of {size} is outside 1 to 2147483647")
        self.chunk_size = min(size, MAX_CHUNK_SIZE)

    def abort(self, chunk_stream: int) -> None:
        """Section 5.4.2: discard the partial message of ``chunk_stream``, if any."""
        stream = self._streams.get(chunk_stream)
        if stream is None:
            return
        if stream.partial is not None:
            self._partial_size -= stream.length
            stream.partial = None
        stream.missing = 0

    def _begin_chunk(self) -> ChunkStream | None:
        """Read a chunk's headers and return its chunk stream, or None (and read nothing) if they are incomplete."""
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
        fmt = first >> 6
        size = HEADER_SIZES[fmt]
        if end - at < size:
            return None
        stream = self._streams.get(number) or self._open_stream(number, fmt)
        if fmt == 3:
            return self._repeat_header(stream, at)
        if stream.missing:
            raise MalformedChunk(f"chunk stream {number} starts a message before the last one is complete")
        if fmt == 2:
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
        if fmt < 2:
            stream.length, stream.type_id = length_high << 8 | length_low, type_id
        if fmt == 0:
            (stream.stream_id,) = STREAM_ID.unpack_from(data, at + 7)
            stream.timestamp = field
        else:
            stream.timestamp = (stream.timestamp + field) & UINT32_MASK
        stream.delta, stream.extended = field, extended
        buffer.start = after
        return self._begin_message(stream)

    def _repeat_header(self, stream: ChunkStream, at: int) -> ChunkStream | None:
        """A type 3 chunk: it continues a message, or starts one with the header of the message before.

        Section 5.3.1.3 repeats the extended timestamp here. Some encoders omit it inside a message, so there it is
        read only if it has the same value again.
        """
        buffer = self._buffer
        starts = not stream.missing
        if stream.extended:
            if buffer.end - at < 4:
                return None
            (value,) = UINT32.unpack_from(buffer.data, at)
            if starts:
                stream.delta = value
            if starts or value == stream.delta:
                at += 4
        buffer.start = at
        if starts:
            stream.timestamp = (stream.timestamp + stream.delta) & UINT32_MASK
            return self._begin_message(stream)
        self._chunk_left = min(self.chunk_size, stream.missing)
        return stream

    def _begin_message(self, stream: ChunkStream) -> ChunkStream:
        stream.missing = length = stream.length
        if length > self._media_limit or stream.type_id not in MEDIA_TYPES:
            self._check(stream.type_id, length)
        self._chunk_left = length if length < self.chunk_size else self.chunk_size
        return stream

    def _open_stream(self, number: int, fmt: int) -> ChunkStream:
        # Type 1 is accepted, because some encoders start their control stream with it.
        if fmt > 1:
            raise MalformedChunk(
                f"chunk stream {number} starts with a chunk of type {fmt}, but has no header to repeat"
            )
        if len(self._streams) >= self._limits.max_chunk_streams:
            raise TooManyChunkStreams(f"more than {self._limits.max_chunk_streams} chunk streams")
        stream = self._streams[number] = ChunkStream(number)
        return stream

    def _check(self, type_id: int, length: int) -> None:
        if type_id not in MESSAGE_TYPES:
            raise MalformedChunk(f"unknown message type {type_id}")
        limit = self._media_limit if type_id in MEDIA_TYPES else self._limits.max_command_size
        if length > limit:
            raise MessageTooLarge(f"a message of type {type_id} has {length} bytes; the limit is {limit}")

    def _gather(self, stream: ChunkStream, count: int) -> None:
        """Move ``count`` bytes of payload from the buffer to the stream's message."""
        buffer = self._buffer
        start = buffer.start
        buffer.start = stop = start + count
        if stream.partial is None:
            if self._partial_size + stream.length > self._partial_limit:
                raise TooManyPartialMessages(
                    f"the partial messages exceed the limit of {self._partial_limit} bytes"
                )
            self._partial_size += stream.length
            stream.partial = bytearray(buffer.view[start:stop])
        else:
            stream.partial += buffer.view[start:stop]
        stream.missing -= count

    def _whole_payload(self, stream: ChunkStream) -> bytes | None:
        """Remove and return the payload of a message of several chunks, if all of them lie next in the buffer."""
        buffer, size = self._buffer, self.chunk_size
        start, length = buffer.start, stream.length
        stop = start + length + (length - 1) // size
        if stop > buffer.end or size < DEFAULT_CHUNK_SIZE or stream.extended:
            return None
        payload = buffer.data[start:stop]
        headers = payload[size :: size + 1]
        if headers.count(stream.continuation) != len(headers):
            return None
        del payload[size :: size + 1]
        buffer.start = stop
        stream.missing = 0
        return bytes(payload)

    def _gather_run(self, stream: ChunkStream) -> None:
        """Move the payload of the complete type 3 chunks of ``stream`` that come next in the buffer."""
        buffer, partial, size = self._buffer, stream.partial, self.chunk_size
        assert partial is not None
        start, whole = buffer.start, stream.missing // size
        is_small = size < DEFAULT_CHUNK_SIZE
        count = min((buffer.end - start) // (size + 1), whole, CHUNKS_PER_CALL if is_small else whole)
        headers = buffer.data[start : start + count * (size + 1) : size + 1]
        if headers.count(stream.continuation) != count:
            count -= len(headers.lstrip(stream.continuation))
        run = buffer.data[start : start + count * (size + 1)]
        del run[:: size + 1]
        partial += run
        buffer.start += count * (size + 1)
        stream.missing -= count * size
        if is_small:
            self.chunks += count

    def _complete(self, stream: ChunkStream) -> Message:
        """Return the message of ``stream`` and free its partial payload."""
        assert stream.partial is not None
        payload = bytes(stream.partial)
        stream.partial = None
        self._partial_size -= stream.length
        return Message(stream.type_id, stream.stream_id, stream.timestamp, payload)
