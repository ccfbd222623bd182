"""SampleDescriptionBox (ISO/IEC 14496-12, 8.5.2): one entry, the codec's."""

from media.configs import TrackConfig
from packager.boxes.box import full_box
from packager.boxes.sample_entries import table
from packager.cmaf.bitrate import TrackBitrate

ENTRY_COUNT = b"\x00\x00\x00\x01"


def encode(config: TrackConfig, bitrate: TrackBitrate | None) -> bytes:
    """Raises UnsupportedTrack."""
    return full_box(b"stsd", 0, 0, ENTRY_COUNT, table.encode(config, bitrate))
