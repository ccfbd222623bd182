"""AudioSampleEntry (ISO/IEC 14496-12, 12.2.3), which every audio codec's sample entry extends."""

import struct

from media.configs import AudioConfig
from packager.boxes import btrt
from packager.boxes.box import box
from packager.cmaf.bitrate import TrackBitrate

DATA_REFERENCE = 1
SAMPLE_SIZE = 16
# samplerate is 16.16 fixed point; a rate that does not fit is 0 here, and the media header carries it.
MAX_SAMPLE_RATE = 0xFFFF

# reserved, data_reference_index, reserved, channelcount, samplesize, pre_defined and reserved, samplerate.
_ENTRY = struct.Struct(">6xH8xHH4xI")


def encode(kind: bytes, config: AudioConfig, bitrate: TrackBitrate | None, configuration: bytes) -> bytes:
    """``configuration`` is the codec's own box."""
    sample_rate = config.sample_rate if config.sample_rate <= MAX_SAMPLE_RATE else 0
    return box(
        kind,
        _ENTRY.pack(DATA_REFERENCE, config.channels, SAMPLE_SIZE, sample_rate << 16),
        configuration,
        btrt.encode(bitrate) if bitrate else b"",
    )
