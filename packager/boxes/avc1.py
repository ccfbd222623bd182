"""AVCSampleEntry (ISO/IEC 14496-15, 5.4.2.1)."""

from media.configs import VideoConfig
from packager.boxes import avcC
from packager.boxes.sample_entries import visual
from packager.cmaf.bitrate import TrackBitrate


def encode(config: VideoConfig, bitrate: TrackBitrate | None) -> bytes:
    return visual.encode(b"avc1", config, bitrate, avcC.encode(config.record))
