"""MediaInformationBox (ISO/IEC 14496-12, 8.4.4)."""

from media.configs import TrackConfig, VideoConfig
from packager.boxes import dinf, smhd, stbl, vmhd
from packager.boxes.box import box
from packager.cmaf.bitrate import TrackBitrate


def encode(config: TrackConfig, bitrate: TrackBitrate | None) -> bytes:
    media_header = vmhd.encode() if isinstance(config, VideoConfig) else smhd.encode()
    return box(b"minf", media_header, dinf.encode(), stbl.encode(config, bitrate))
