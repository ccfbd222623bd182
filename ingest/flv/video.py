"""FLV video tag bodies (Adobe FLV 10.1, E.4.3; Enhanced RTMP v2, "Enhanced Video").

Both forms of header are parsed. A codec that is not in :mod:`ingest.flv.codecs` is refused by its name.
"""

from enum import IntEnum

from ingest.flv.codecs import OTHER_VIDEO_FOURCCS, OTHER_VIDEO_IDS, VIDEO_FOURCCS, VIDEO_IDS, printable
from ingest.flv.errors import EmptyFrame, ImplausibleOffset, TruncatedTag, UnknownPacket, UnsupportedCodec
from ingest.flv.multitrack import first_track
from ingest.flv.tags import NO_MEDIA, NoMedia, SequenceHeader, VideoFrame
from media.units import Codec

EX_HEADER = 0x80
KEY_FRAME = 1
COMMAND_FRAME = 5
# Frame type and codec, packet type, composition time.
HEADER_SIZE = 5
# Frame type and packet type, FourCC.
EX_HEADER_SIZE = 5
COMPOSITION_TIME_SIZE = 3

# An SI24 composition time can be up to 2 h 20 min; no encoder reorders frames over more than this.
MAX_COMPOSITION_MS = 10_000
# Encoders that send negative ones delay the decoding by the frames that they reorder, which are at most 16.
MIN_COMPOSITION_MS = -2_000


class Packet(IntEnum):
    """AVCPacketType."""

    SEQUENCE_HEADER = 0
    FRAME = 1
    END_OF_SEQUENCE = 2


# Used for every frame: reading a module global costs a tenth of reading an enumeration's member.
FRAME = Packet.FRAME


class ExPacket(IntEnum):
    """VideoPacketType of Enhanced RTMP."""

    SEQUENCE_START = 0
    CODED_FRAMES = 1
    SEQUENCE_END = 2
    CODED_FRAMES_X = 3
    METADATA = 4
    MPEG2_TS_SEQUENCE_START = 5
    MULTITRACK = 6
    MOD_EX = 7


def parse_video_tag(body: bytes) -> VideoFrame | SequenceHeader | NoMedia:
    """Raises UnsupportedCodec and subclasses of OddFrame."""
    if not body:
        raise EmptyFrame("an empty video tag")
    first = body[0]
    if first & EX_HEADER:
        return parse_ex_tag(body)
    frame_type = first >> 4
    if frame_type == COMMAND_FRAME:
        return NO_MEDIA
    codec = VIDEO_IDS.get(first & 0x0F)
    if codec is None:
        raise unsupported(OTHER_VIDEO_IDS.get(first & 0x0F, f"number {first & 0x0F}"))
    if len(body) < HEADER_SIZE:
        raise TruncatedTag(f"a video tag of {len(body)} bytes")
    packet = body[1]
    if packet == FRAME:
        return coded(codec, frame_type, composition_time(body, 2), body[HEADER_SIZE:])
    if packet == Packet.SEQUENCE_HEADER:
        return SequenceHeader(codec, body[HEADER_SIZE:])
    if packet == Packet.END_OF_SEQUENCE:
        return NO_MEDIA
    raise UnknownPacket(f"video packet type {packet}")


def parse_ex_tag(body: bytes) -> VideoFrame | SequenceHeader | NoMedia:
    packet = body[0] & 0x0F
    frame_type = body[0] >> 4 & 0x07
    if packet == ExPacket.MULTITRACK:
        return parse_ex_tag(first_track(body, multitrack=ExPacket.MULTITRACK))
    if packet > ExPacket.METADATA:
        raise UnknownPacket(f"enhanced video packet type {packet}")
    if frame_type == COMMAND_FRAME and packet != ExPacket.METADATA:
        return NO_MEDIA
    if len(body) < EX_HEADER_SIZE:
        raise TruncatedTag(f"an enhanced video tag of {len(body)} bytes")
    fourcc = body[1:5]
    mapped = VIDEO_FOURCCS.get(fourcc)
    if mapped is None:
        raise unsupported(OTHER_VIDEO_FOURCCS.get(fourcc) or printable(fourcc))
    if packet == ExPacket.SEQUENCE_START:
        return SequenceHeader(mapped.codec, body[EX_HEADER_SIZE:])
    if packet == ExPacket.CODED_FRAMES and mapped.composition_time:
        frame_at = EX_HEADER_SIZE + COMPOSITION_TIME_SIZE
        if len(body) < frame_at:
            raise TruncatedTag(f"an enhanced video tag of {len(body)} bytes")
        return coded(mapped.codec, frame_type, composition_time(body, EX_HEADER_SIZE), body[frame_at:])
    if packet in (ExPacket.CODED_FRAMES, ExPacket.CODED_FRAMES_X):
        return coded(mapped.codec, frame_type, 0, body[EX_HEADER_SIZE:])
    return NO_MEDIA


def coded(codec: Codec, frame_type: int, composition_ms: int, data: bytes) -> VideoFrame:
    if not data:
        raise EmptyFrame("a video tag without a frame")
    if not MIN_COMPOSITION_MS <= composition_ms <= MAX_COMPOSITION_MS:
        raise ImplausibleOffset(f"a composition time of {composition_ms} ms")
    return VideoFrame(codec, frame_type == KEY_FRAME, composition_ms, data)


def composition_time(body: bytes, at: int) -> int:
    """The SI24 at ``at``: a signed 24-bit integer."""
    value = body[at] << 16 | body[at + 1] << 8 | body[at + 2]
    return value - 0x1000000 if value & 0x800000 else value


def unsupported(name: str) -> UnsupportedCodec:
    return UnsupportedCodec(
        f"{name} video is not supported yet: choose H.264 (x264, NVENC H.264, QuickSync H.264 ...) "
        "as the video encoder; in OBS: Settings, Output, Video Encoder"
    )
