"""MovieBox (ISO/IEC 14496-12, 8.2.1) of a fragmented movie with one track."""

from media.configs import TrackConfig
from packager.boxes import mvex, mvhd, trak
from packager.boxes.box import box
from packager.cmaf.bitrate import TrackBitrate


def encode(config: TrackConfig, track_id: int, bitrate: TrackBitrate | None) -> bytes:
    return box(
        b"moov",
        mvhd.encode(config.timescale, next_track_id=track_id + 1),
        trak.encode(config, track_id, bitrate),
        mvex.encode(track_id),
    )
