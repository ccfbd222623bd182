"""The protocol on the pipe between parent and child: length-prefixed messages.

A message is a 5-byte header (length of the body, type; big-endian) and its body. An access unit is a fixed struct
and the payload; messages that are sent once per job (:class:`Start`, :class:`TrackReady`) are JSON.

It does no I/O: :class:`MessageReader` takes bytes and yields messages. It raises ProtocolViolation only.
"""

import struct
from collections.abc import Callable, Iterator

from media.units import AccessUnit, Kind
from transcoder.description import (
    config_from_text,
    config_to_text,
    job_from_text,
    job_to_text,
    video_config_from_text,
)
from transcoder.errors import ProtocolViolation
from transcoder.messages import (
    CutAt,
    Decoded,
    Encoded,
    Failed,
    Finish,
    Finished,
    Message,
    PictureAnswer,
    PictureRequest,
    Progress,
    Select,
    Start,
    Stopped,
    TrackReady,
    Unit,
)

HEADER = struct.Struct(">IB")
# Key or not, kind, track, DTS, composition offset.
UNIT = struct.Struct(">?BBqi")
CUT = struct.Struct(">q")
DECODED = struct.Struct(">qq")
PROGRESS = struct.Struct(">7Q")
NUMBER = struct.Struct(">Q")
LENGTH = struct.Struct(">I")

# An RTMP message, and so an access unit, is at most 16 MiB; the rest is room for headers and descriptions.
MAX_BODY = 16 * 2**20 + 2**18
MAX_TEXT = 2**17

# The kinds of media that a job can have, and their numbers on the pipe.
UNIT_KINDS = {Kind.VIDEO: 0, Kind.AUDIO: 1}
KINDS_OF_UNITS = tuple(UNIT_KINDS)

KINDS: dict[type[Message], int] = {
    Start: 1,
    Unit: 2,
    CutAt: 3,
    Finish: 4,
    PictureRequest: 5,
    Select: 6,
    TrackReady: 17,
    Encoded: 18,
    Progress: 19,
    Failed: 20,
    Finished: 21,
    PictureAnswer: 22,
    Decoded: 23,
    Stopped: 24,
}


def encode(message: Message) -> bytes:
    """The message's bytes on the pipe. Raises ProtocolViolation if a value exceeds its limit."""
    body = _encode_body(message)
    if len(body) > MAX_BODY:
        raise ProtocolViolation(f"a message of {len(body)} bytes is over the limit of {MAX_BODY}")
    return HEADER.pack(len(body), KINDS[type(message)]) + body


class MessageReader:
    """Bytes in, messages out. The buffer holds at most one incomplete message after :meth:`messages`."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def receive_data(self, data: bytes) -> None:
        self._buffer += data

    def messages(self) -> Iterator[Message]:
        """Every complete message received so far. Raises ProtocolViolation; do not use the reader after that."""
        start = 0
        try:
            while len(self._buffer) - start >= HEADER.size:
                length, kind = HEADER.unpack_from(self._buffer, start)
                if length > MAX_BODY:
                    raise ProtocolViolation(f"a message of {length} bytes is over the limit of {MAX_BODY}")
                end = start + HEADER.size + length
                if len(self._buffer) < end:
                    break
                body = bytes(memoryview(self._buffer)[start + HEADER.size : end])
                start = end
                yield _decode(kind, body)
        finally:
            del self._buffer[:start]


def _encode_body(message: Message) -> bytes:
    match message:
        case Unit(unit):
            return _encode_unit(unit)
        case Encoded(track, unit):
            return _encode_name(track) + _encode_unit(unit)
        case CutAt(pts):
            return CUT.pack(pts)
        case Decoded(pts, at_ns):
            return DECODED.pack(pts, at_ns)
        case Progress(decoded, errors, encoded, backlog, cpu_ms, disordered, taken):
            return PROGRESS.pack(decoded, errors, encoded, backlog, cpu_ms, disordered, taken)
        case Select(tracks):
            return b"".join(_encode_name(track) for track in sorted(tracks))
        case Stopped(track):
            return _encode_name(track)
        case Finish() | Finished():
            return b""
        case Start(job):
            return job_to_text(job).encode()
        case TrackReady(track, config):
            return _encode_name(track) + config_to_text(config).encode()
        case Failed(code, text):
            return _encode_name(code) + text.encode()[:MAX_TEXT]
        case PictureRequest(number, config, unit):
            description = config_to_text(config).encode()
            return NUMBER.pack(number) + LENGTH.pack(len(description)) + description + _encode_unit(unit)
        case PictureAnswer(number, jpeg):
            return NUMBER.pack(number) + jpeg


def _encode_unit(unit: AccessUnit) -> bytes:
    kind, dts, cts, key, payload, track = unit
    number = UNIT_KINDS.get(kind)
    if number is None:
        raise ProtocolViolation(f"a unit of kind {kind}, which is not transcoded")
    try:
        return UNIT.pack(key, number, track, dts, cts) + payload
    except struct.error:
        raise ProtocolViolation(f"a unit out of range: track {track}, dts {dts}, cts {cts}") from None


def _encode_name(name: str) -> bytes:
    text = name.encode()
    if len(text) > 255:
        raise ProtocolViolation("a name is longer than 255 bytes")
    return bytes([len(text)]) + text


def _decode(kind: int, body: bytes) -> Message:
    decode = DECODERS.get(kind)
    if decode is None:
        raise ProtocolViolation(f"unknown message type {kind}")
    try:
        return decode(body)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise ProtocolViolation(f"malformed message of type {kind}: {error}") from None


def _decode_unit(body: bytes, offset: int = 0) -> AccessUnit:
    key, number, track, dts, cts = UNIT.unpack_from(body, offset)
    if number >= len(KINDS_OF_UNITS):
        raise ProtocolViolation(f"a unit of unknown kind {number}")
    return AccessUnit(KINDS_OF_UNITS[number], dts, cts, key, body[offset + UNIT.size :], track)


def _decode_name(body: bytes) -> tuple[str, int]:
    end = 1 + body[0]
    if len(body) < end:
        raise ProtocolViolation("a name runs past the end of its message")
    return body[1:end].decode(), end


def _decode_text(body: bytes) -> str:
    if len(body) > MAX_TEXT:
        raise ProtocolViolation(f"a description of {len(body)} bytes is over the limit of {MAX_TEXT}")
    return body.decode()


def _decode_track_ready(body: bytes) -> TrackReady:
    track, offset = _decode_name(body)
    return TrackReady(track, config_from_text(_decode_text(body[offset:])))


def _decode_encoded(body: bytes) -> Encoded:
    track, offset = _decode_name(body)
    return Encoded(track, _decode_unit(body, offset))


def _decode_select(body: bytes) -> Select:
    if len(body) > MAX_TEXT:
        raise ProtocolViolation(f"a selection of {len(body)} bytes is over the limit of {MAX_TEXT}")
    tracks = []
    while body:
        track, end = _decode_name(body)
        tracks.append(track)
        body = body[end:]
    return Select(frozenset(tracks))


def _decode_failed(body: bytes) -> Failed:
    code, offset = _decode_name(body)
    return Failed(code, body[offset:].decode(errors="replace"))


def _decode_picture_request(body: bytes) -> PictureRequest:
    (number,) = NUMBER.unpack_from(body)
    (length,) = LENGTH.unpack_from(body, NUMBER.size)
    start = NUMBER.size + LENGTH.size
    config = video_config_from_text(_decode_text(body[start : start + length]))
    return PictureRequest(number, config, _decode_unit(body, start + length))


def _decode_picture_answer(body: bytes) -> PictureAnswer:
    (number,) = NUMBER.unpack_from(body)
    return PictureAnswer(number, body[NUMBER.size :])


DECODERS: dict[int, Callable[[bytes], Message]] = {
    KINDS[Start]: lambda body: Start(job_from_text(_decode_text(body))),
    KINDS[Unit]: lambda body: Unit(_decode_unit(body)),
    KINDS[CutAt]: lambda body: CutAt(*CUT.unpack(body)),
    KINDS[Decoded]: lambda body: Decoded(*DECODED.unpack(body)),
    KINDS[Finish]: lambda body: Finish(),
    KINDS[PictureRequest]: _decode_picture_request,
    KINDS[TrackReady]: _decode_track_ready,
    KINDS[Select]: _decode_select,
    KINDS[Encoded]: _decode_encoded,
    KINDS[Stopped]: lambda body: Stopped(_decode_name(body)[0]),
    KINDS[Progress]: lambda body: Progress(*PROGRESS.unpack(body)),
    KINDS[Failed]: _decode_failed,
    KINDS[Finished]: lambda body: Finished(),
    KINDS[PictureAnswer]: _decode_picture_answer,
}
