"""FLV video tag bodies (Adobe FLV 10.1, E.4.3; Enhanced RTMP v2, "Enhanced Video").

H.264 is read from either form of header; every other codec is refused by its name.
"""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from ingest.flv.errors import EmptyFrame, ImplausibleOffset, TruncatedTag, UnknownPacket, UnsupportedCodec
from ingest.flv.tags import NO_MEDIA, NoMedia, SequenceHeader, VideoFrame
from media.units import Codec

EX_HEADER = 0x80
KEY_FRAME = 1
COMMAND_FRAME = 5
AVC = 7
AVC_FOURCC = b"avc1"
# The header that nearly every video tag of a broadcast has: codec, packet type, composition time.
AVC_HEADER_SIZE = 5
EX_HEADER_SIZE = 5

# Composition times come as SI24 and reach 2 h 20 min; no encoder holds frames back for this long.
MAX_COMPOSITION_MS = 10_000

CODEC_NAMES: Mapping[int, str] = MappingProxyType(
    {
        2: "Sorenson H.263",
        3: "Screen Video",
        4: "On2 VP6",
        5: "On2 VP6 with alpha",
        6: "Screen Video 2",
        8: "RealH263",
        9: "MPEG-4 Part 2",
        # Not in the specification: what encoders sent before Enhanced RTMP.
        12: "HEVC",
        13: "AV1",
    }
)
FOURCC_NAMES: Mapping[bytes, str] = MappingProxyType(
    {b"hvc1": "HEVC", b"hev1": "HEVC", b"vvc1": "VVC", b"av01": "AV1", b"vp08": "VP8", b"vp09": "VP9"}
)


class AvcPacket(IntEnum):
    """AVCPacketType."""

    SEQUENCE_HEADER = 0
    NAL_UNITS = 1
    END_OF_SEQUENCE = 2


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
    """Raises UnsupportedCodec and the leaves of OddFrame."""
    if not body:
        raise EmptyFrame("an empty video tag")
    first = body[0]
    if first & EX_HEADER:
        return parse_ex_tag(body)
    frame_type = first >> 4
    if frame_type == COMMAND_FRAME:
        return NO_MEDIA
    if first & 0x0F != AVC:
        raise unsupported(CODEC_NAMES.get(first & 0x0F, f"number {first & 0x0F}"))
    if len(body) < AVC_HEADER_SIZE:
        raise TruncatedTag(f"an H.264 tag of {len(body)} bytes")
    packet = body[1]
    if packet == AvcPacket.NAL_UNITS:
        return coded(frame_type, composition_time(body, 2), body[AVC_HEADER_SIZE:])
    if packet == AvcPacket.SEQUENCE_HEADER:
        return SequenceHeader(Codec.H264, body[AVC_HEADER_SIZE:])
    if packet == AvcPacket.END_OF_SEQUENCE:
        return NO_MEDIA
    raise UnknownPacket(f"AVC packet type {packet}")


def parse_ex_tag(body: bytes) -> VideoFrame | SequenceHeader | NoMedia:
    packet = body[0] & 0x0F
    frame_type = body[0] >> 4 & 0x07
    if packet == ExPacket.MULTITRACK:
        raise UnsupportedCodec("Multitrack video is not supported: send a single video track")
    if packet > ExPacket.METADATA:
        raise UnknownPacket(f"enhanced video packet type {packet}")
    if frame_type == COMMAND_FRAME and packet != ExPacket.METADATA:
        return NO_MEDIA
    if len(body) < EX_HEADER_SIZE:
        raise TruncatedTag(f"an enhanced video tag of {len(body)} bytes")
    fourcc = body[1:5]
    if fourcc != AVC_FOURCC:
        raise unsupported(FOURCC_NAMES.get(fourcc) or printable(fourcc))
    if packet == ExPacket.SEQUENCE_START:
        return SequenceHeader(Codec.H264, body[EX_HEADER_SIZE:])
    if packet == ExPacket.CODED_FRAMES:
        if len(body) < EX_HEADER_SIZE + 3:
            raise TruncatedTag(f"an enhanced video tag of {len(body)} bytes")
        return coded(frame_type, composition_time(body, EX_HEADER_SIZE), body[EX_HEADER_SIZE + 3 :])
    if packet == ExPacket.CODED_FRAMES_X:
        return coded(frame_type, 0, body[EX_HEADER_SIZE:])
    return NO_MEDIA


def coded(frame_type: int, composition_ms: int, data: bytes) -> VideoFrame:
    if not data:
        raise EmptyFrame("a video tag without a frame")
    if not -MAX_COMPOSITION_MS <= composition_ms <= MAX_COMPOSITION_MS:
        raise ImplausibleOffset(f"a composition time of {composition_ms} ms")
    return VideoFrame(frame_type == KEY_FRAME, composition_ms, data)


def composition_time(body: bytes, at: int) -> int:
    """An SI24."""
    value = body[at] << 16 | body[at + 1] << 8 | body[at + 2]
    return value - 0x1000000 if value & 0x800000 else value


def unsupported(name: str) -> UnsupportedCodec:
    return UnsupportedCodec(
        f"{name} video is not supported yet: choose H.264 (x264, NVENC H.264, QuickSync H.264 ...) "
        "as the video encoder; in OBS: Settings, Output, Video Encoder"
    )


def printable(fourcc: bytes) -> str:
    return "".join(chr(byte) if 0x20 < byte < 0x7F else "?" for byte in fourcc)
