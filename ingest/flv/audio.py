"""FLV audio tag bodies (Adobe FLV 10.1, E.4.2; Enhanced RTMP v2, "Enhanced Audio").

AAC and MP3 are read from either form of header; every other codec is refused by its name.
"""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from ingest.flv.errors import EmptyFrame, TruncatedTag, UnknownPacket, UnsupportedCodec
from ingest.flv.tags import NO_MEDIA, AudioFrame, NoMedia, SequenceHeader
from ingest.flv.video import printable
from media.units import Codec

MP3 = 2
EX_HEADER = 9
AAC = 10
MP3_8_KHZ = 14
EX_HEADER_SIZE = 5

FORMAT_NAMES: Mapping[int, str] = MappingProxyType(
    {
        0: "PCM",
        1: "ADPCM",
        3: "PCM",
        4: "Nellymoser",
        5: "Nellymoser",
        6: "Nellymoser",
        7: "G.711 A-law",
        8: "G.711 mu-law",
        11: "Speex",
        13: "Opus",
        15: "Device-specific",
    }
)
FOURCC_CODECS: Mapping[bytes, Codec] = MappingProxyType({b"mp4a": Codec.AAC, b".mp3": Codec.MP3})
FOURCC_NAMES: Mapping[bytes, str] = MappingProxyType(
    {b"Opus": "Opus", b"fLaC": "FLAC", b"ac-3": "AC-3", b"ec-3": "E-AC-3"}
)


class AacPacket(IntEnum):
    """AACPacketType."""

    SEQUENCE_HEADER = 0
    RAW = 1


class ExPacket(IntEnum):
    """AudioPacketType of Enhanced RTMP."""

    SEQUENCE_START = 0
    CODED_FRAMES = 1
    SEQUENCE_END = 2
    MULTICHANNEL_CONFIG = 4
    MULTITRACK = 5
    MOD_EX = 7


def parse_audio_tag(body: bytes) -> AudioFrame | SequenceHeader | NoMedia:
    """Raises UnsupportedCodec and the leaves of OddFrame."""
    if not body:
        raise EmptyFrame("an empty audio tag")
    sound_format = body[0] >> 4
    if sound_format == AAC:
        if len(body) < 2:
            raise TruncatedTag("an AAC tag of one byte")
        packet = body[1]
        if packet == AacPacket.RAW:
            return frame(Codec.AAC, body[2:])
        if packet == AacPacket.SEQUENCE_HEADER:
            return SequenceHeader(Codec.AAC, body[2:])
        raise UnknownPacket(f"AAC packet type {packet}")
    if sound_format in (MP3, MP3_8_KHZ):
        return frame(Codec.MP3, body[1:])
    if sound_format == EX_HEADER:
        return parse_ex_tag(body)
    raise unsupported(FORMAT_NAMES.get(sound_format, f"Number {sound_format}"))


def parse_ex_tag(body: bytes) -> AudioFrame | SequenceHeader | NoMedia:
    packet = body[0] & 0x0F
    if packet == ExPacket.MULTITRACK:
        raise UnsupportedCodec("Multitrack audio is not supported: send a single audio track")
    if packet not in (
        ExPacket.SEQUENCE_START,
        ExPacket.CODED_FRAMES,
        ExPacket.SEQUENCE_END,
        ExPacket.MULTICHANNEL_CONFIG,
    ):
        raise UnknownPacket(f"enhanced audio packet type {packet}")
    if len(body) < EX_HEADER_SIZE:
        raise TruncatedTag(f"an enhanced audio tag of {len(body)} bytes")
    fourcc = body[1:5]
    codec = FOURCC_CODECS.get(fourcc)
    if codec is None:
        raise unsupported(FOURCC_NAMES.get(fourcc) or printable(fourcc))
    if packet == ExPacket.CODED_FRAMES:
        return frame(codec, body[EX_HEADER_SIZE:])
    if packet == ExPacket.SEQUENCE_START and codec is Codec.AAC:
        return SequenceHeader(codec, body[EX_HEADER_SIZE:])
    return NO_MEDIA


def frame(codec: Codec, data: bytes) -> AudioFrame:
    if not data:
        raise EmptyFrame("an audio tag without a frame")
    return AudioFrame(codec, data)


def unsupported(name: str) -> UnsupportedCodec:
    return UnsupportedCodec(
        f"{name} audio is not supported: choose AAC as the audio encoder; in OBS: Settings, Output, Audio Encoder"
    )
