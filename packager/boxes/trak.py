"""TrackBox (ISO/IEC 14496-12, 8.3.1). No edit list: the media's timeline is the presentation's."""

from media.configs import TrackConfig
from packager.boxes import mdia, tkhd
from packager.boxes.box import box
from packager.cmaf.bitrate import TrackBitrate


def encode(config: TrackConfig, track_id: int, bitrate: TrackBitrate | None) -> bytes:
    return box(b"trak", tkhd.encode(config, track_id), mdia.encode(config, bitrate))
