"""MP4AudioSampleEntry (ISO/IEC 14496-14, 6.7.2), an AudioSampleEntry (ISO/IEC 14496-12, 12.2.3)."""

import struct

from media.configs import AudioConfig
from packager.boxes import btrt, esds
from packager.boxes.box import box
from packager.cmaf.bitrate import TrackBitrate

DATA_REFERENCE = 1
SAMPLE_SIZE = 16
# samplerate is 16.16 fixed point; 0 where the rate does not fit and the media header alone tells it.
MAX_SAMPLE_RATE = 0xFFFF

# reserved, data_reference_index, reserved, channelcount, samplesize, pre_defined and reserved, samplerate.
_ENTRY = struct.Struct(">6xH8xHH4xI")


def encode(config: AudioConfig, bitrate: TrackBitrate | None) -> bytes:
    sample_rate = config.sample_rate if config.sample_rate <= MAX_SAMPLE_RATE else 0
    return box(
        b"mp4a",
        _ENTRY.pack(DATA_REFERENCE, config.channels, SAMPLE_SIZE, sample_rate << 16),
        esds.encode(config.record, bitrate),
        btrt.encode(bitrate) if bitrate else b"",
    )
