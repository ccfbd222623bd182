"""SampleDescriptionBox (ISO/IEC 14496-12, 8.5.2): one entry, the codec's."""

from media.configs import TrackConfig, VideoConfig
from packager.boxes import avc1, mp4a
from packager.boxes.box import full_box
from packager.cmaf.bitrate import TrackBitrate

ENTRY_COUNT = b"\x00\x00\x00\x01"


def encode(config: TrackConfig, bitrate: TrackBitrate | None) -> bytes:
    entry = avc1.encode(config, bitrate) if isinstance(config, VideoConfig) else mp4a.encode(config, bitrate)
    return full_box(b"stsd", 0, 0, ENTRY_COUNT, entry)
