"""MediaBox (ISO/IEC 14496-12, 8.4.1)."""

from media.configs import TrackConfig
from packager.boxes import hdlr, mdhd, minf
from packager.boxes.box import box
from packager.cmaf.bitrate import TrackBitrate


def encode(config: TrackConfig, bitrate: TrackBitrate | None) -> bytes:
    return box(b"mdia", mdhd.encode(config.timescale), hdlr.encode(config), minf.encode(config, bitrate))
