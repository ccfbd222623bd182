"""MediaInformationBox (ISO/IEC 14496-12, 8.4.4)."""

from media.configs import TrackConfig
from media.units import Kind
from packager.boxes import dinf, smhd, stbl, vmhd
from packager.boxes.box import box
from packager.cmaf.bitrate import TrackBitrate

MEDIA_HEADERS = {Kind.VIDEO: vmhd.encode, Kind.AUDIO: smhd.encode}


def encode(config: TrackConfig, bitrate: TrackBitrate | None) -> bytes:
    media_header = MEDIA_HEADERS[config.kind]()
    return box(b"minf", media_header, dinf.encode(), stbl.encode(config, bitrate))
