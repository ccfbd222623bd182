"""FLV audio tag bodies (Adobe FLV 10.1, E.4.2; Enhanced RTMP v2, "Enhanced Audio").

Both forms of header are parsed. A codec that is not in :mod:`ingest.flv.codecs` is refused by its name.
"""

from enum import IntEnum

from ingest.flv.codecs import AUDIO_FOURCCS, OTHER_AUDIO_FOURCCS, OTHER_SOUND_FORMATS, SOUND_FORMATS, printable
from ingest.flv.errors import EmptyFrame, TruncatedTag, UnknownPacket, UnsupportedCodec
from ingest.flv.multitrack import first_track
from ingest.flv.tags import NO_MEDIA, AudioFrame, NoMedia, SequenceHeader
from media.codecs import audio_codec
from media.units import Codec

EX_HEADER = 9
EX_HEADER_SIZE = 5


class Packet(IntEnum):
    """AACPacketType."""

    SEQUENCE_HEADER = 0
    FRAME = 1


# Used for every frame: reading a module global costs a tenth of reading an enumeration's member.
FRAME = Packet.FRAME


class ExPacket(IntEnum):
    """AudioPacketType of Enhanced RTMP."""

    SEQUENCE_START = 0
    CODED_FRAMES = 1
    SEQUENCE_END = 2
    MULTICHANNEL_CONFIG = 4
    MULTITRACK = 5
    MOD_EX = 7


def parse_audio_tag(body: bytes) -> AudioFrame | SequenceHeader | NoMedia:
    """Raises UnsupportedCodec and subclasses of OddFrame."""
    if not body:
        raise EmptyFrame("an empty audio tag")
    number = body[0] >> 4
    sound_format = SOUND_FORMATS.get(number)
    if sound_format is None:
        if number == EX_HEADER:
            return parse_ex_tag(body)
        raise unsupported(OTHER_SOUND_FORMATS.get(number, f"Number {number}"))
    codec, packet_type = sound_format
    if not packet_type:
        return frame(codec, body[1:])
    if len(body) < 2:
        raise TruncatedTag("an audio tag of one byte")
    packet = body[1]
    if packet == FRAME:
        return frame(codec, body[2:])
    if packet == Packet.SEQUENCE_HEADER:
        return SequenceHeader(codec, body[2:])
    raise UnknownPacket(f"audio packet type {packet}")


def parse_ex_tag(body: bytes) -> AudioFrame | SequenceHeader | NoMedia:
    packet = body[0] & 0x0F
    if packet == ExPacket.MULTITRACK:
        return parse_ex_tag(first_track(body, multitrack=ExPacket.MULTITRACK))
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
    codec = AUDIO_FOURCCS.get(fourcc)
    if codec is None:
        raise unsupported(OTHER_AUDIO_FOURCCS.get(fourcc) or printable(fourcc))
    if packet == ExPacket.CODED_FRAMES:
        return frame(codec, body[EX_HEADER_SIZE:])
    if packet == ExPacket.SEQUENCE_START and audio_codec(codec).in_band is None:
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
