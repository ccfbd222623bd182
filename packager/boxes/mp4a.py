"""MP4AudioSampleEntry (ISO/IEC 14496-14, 6.7.2)."""

from media.configs import AudioConfig
from packager.boxes import esds
from packager.boxes.sample_entries import audio
from packager.cmaf.bitrate import TrackBitrate


def encode(config: AudioConfig, bitrate: TrackBitrate | None) -> bytes:
    return audio.encode(b"mp4a", config, bitrate, esds.encode(config.record, bitrate))
