"""The codecs of numbers and FourCCs in FLV tags (Adobe FLV 10.1, E.4.2.1 and E.4.3.1; Enhanced RTMP v2).

A new codec adds a line to each table. Unsupported codecs have names here for the refusal.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from media.units import Codec


class VideoFourCC(NamedTuple):
    """``composition_time``: a packet of coded frames starts with an SI24 (for codecs that reorder frames)."""

    codec: Codec
    composition_time: bool


class SoundFormat(NamedTuple):
    """``packet_type``: a byte after the format distinguishes the sequence header from frames."""

    codec: Codec
    packet_type: bool


# By CodecID. All of these have AVCVIDEOPACKET's header: packet type and composition time.
VIDEO_IDS: dict[int, Codec] = {7: Codec.H264}
VIDEO_FOURCCS: dict[bytes, VideoFourCC] = {b"avc1": VideoFourCC(Codec.H264, composition_time=True)}
# 14 is MP3 at 8 kHz.
SOUND_FORMATS: dict[int, SoundFormat] = {
    2: SoundFormat(Codec.MP3, packet_type=False),
    10: SoundFormat(Codec.AAC, packet_type=True),
    14: SoundFormat(Codec.MP3, packet_type=False),
}
AUDIO_FOURCCS: dict[bytes, Codec] = {b"mp4a": Codec.AAC, b".mp3": Codec.MP3}

OTHER_VIDEO_IDS: Mapping[int, str] = MappingProxyType(
    {
        2: "Sorenson H.263",
        3: "Screen Video",
        4: "On2 VP6",
        5: "On2 VP6 with alpha",
        6: "Screen Video 2",
        8: "RealH263",
        9: "MPEG-4 Part 2",
        # Not in the specification, but sent by encoders before Enhanced RTMP.
        12: "HEVC",
        13: "AV1",
    }
)
OTHER_VIDEO_FOURCCS: Mapping[bytes, str] = MappingProxyType(
    {b"hvc1": "HEVC", b"hev1": "HEVC", b"vvc1": "VVC", b"av01": "AV1", b"vp08": "VP8", b"vp09": "VP9"}
)
OTHER_SOUND_FORMATS: Mapping[int, str] = MappingProxyType(
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
OTHER_AUDIO_FOURCCS: Mapping[bytes, str] = MappingProxyType(
    {b"Opus": "Opus", b"fLaC": "FLAC", b"ac-3": "AC-3", b"ec-3": "E-AC-3"}
)


def printable(fourcc: bytes) -> str:
    return "".join(chr(byte) if 0x20 < byte < 0x7F else "?" for byte in fourcc)
