"""The sample entry of each codec that is packaged as CMAF. A new codec adds a box and a line here."""

from collections.abc import Callable
from typing import TypeVar

from media.configs import AudioConfig, TrackConfig, VideoConfig
from media.units import Codec
from packager.boxes import avc1, mp4a
from packager.cmaf.bitrate import TrackBitrate
from packager.errors import UnsupportedTrack

Entry = TypeVar("Entry")

VIDEO_ENTRIES: dict[Codec, Callable[[VideoConfig, TrackBitrate | None], bytes]] = {Codec.H264: avc1.encode}
AUDIO_ENTRIES: dict[Codec, Callable[[AudioConfig, TrackBitrate | None], bytes]] = {Codec.AAC: mp4a.encode}


def has_sample_entry(codec: Codec) -> bool:
    return codec in VIDEO_ENTRIES or codec in AUDIO_ENTRIES


def encode(config: TrackConfig, bitrate: TrackBitrate | None) -> bytes:
    """The sample entry of the track's codec. Raises UnsupportedTrack."""
    if isinstance(config, VideoConfig):
        return _lookup(VIDEO_ENTRIES, config.codec)(config, bitrate)
    return _lookup(AUDIO_ENTRIES, config.codec)(config, bitrate)


def _lookup(entries: dict[Codec, Entry], codec: Codec) -> Entry:
    entry = entries.get(codec)
    if entry is None:
        choices = " or ".join(name.upper() for name in entries)
        raise UnsupportedTrack(f"{codec} is not packaged as CMAF; transcode it to {choices}")
    return entry
