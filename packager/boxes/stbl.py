"""SampleTableBox (ISO/IEC 14496-12, 8.5.1): in a fragmented movie, the description and four empty tables."""

from media.configs import TrackConfig
from packager.boxes import stco, stsc, stsd, stsz, stts
from packager.boxes.box import box
from packager.cmaf.bitrate import TrackBitrate


def encode(config: TrackConfig, bitrate: TrackBitrate | None) -> bytes:
    return box(b"stbl", stsd.encode(config, bitrate), stts.encode(), stsc.encode(), stsz.encode(), stco.encode())
