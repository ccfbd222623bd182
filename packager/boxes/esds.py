"""ESDBox (ISO/IEC 14496-14, 6.7.2) and the descriptors in it (ISO/IEC 14496-1, 7.2.6)."""

import struct

from packager.boxes.box import full_box
from packager.cmaf.bitrate import TrackBitrate

ES_DESCRIPTOR = 3
DECODER_CONFIG = 4
DECODER_SPECIFIC_INFO = 5
SL_CONFIG = 6

AUDIO_ISO_14496_3 = 0x40
# streamType audio, upStream 0, reserved 1.
AUDIO_STREAM = 5 << 2 | 1
MP4_SL_CONFIG = b"\x02"

# ES_ID, 0 in MP4 files, and flags.
ES_HEADER = bytes(3)
# objectTypeIndication, streamType, bufferSizeDB, maxBitrate, avgBitrate.
_DECODER_CONFIG = struct.Struct(">BB3xII")


def encode(record: bytes, bitrate: TrackBitrate | None) -> bytes:
    """``record`` is an AudioSpecificConfig."""
    rates = (bitrate.max_bps, bitrate.avg_bps) if bitrate else (0, 0)
    decoder_config = descriptor(
        DECODER_CONFIG,
        _DECODER_CONFIG.pack(AUDIO_ISO_14496_3, AUDIO_STREAM, *rates),
        descriptor(DECODER_SPECIFIC_INFO, record),
    )
    return full_box(
        b"esds", 0, 0, descriptor(ES_DESCRIPTOR, ES_HEADER, decoder_config, descriptor(SL_CONFIG, MP4_SL_CONFIG))
    )


def descriptor(tag: int, *contents: bytes) -> bytes:
    """A descriptor with an expandable size (ISO/IEC 14496-1, 8.3.3): seven bits a byte."""
    size = sum(map(len, contents))
    sizes = [size & 0x7F]
    while size := size >> 7:
        sizes.insert(0, 0x80 | size & 0x7F)
    return b"".join((bytes((tag, *sizes)), *contents))
