"""CMAF headers (ISO/IEC 23000-19, 7.3.1): players read them before the first fragment of a track."""

import struct

from media.configs import TrackConfig
from packager.boxes import ftyp, moov
from packager.cmaf.bitrate import TrackBitrate
from packager.errors import Unwritable


def init_segment(config: TrackConfig, *, track_id: int = 1, bitrate: TrackBitrate | None = None) -> bytes:
    """ftyp and moov of one track. Raises UnsupportedTrack, Unwritable."""
    try:
        return ftyp.encode() + moov.encode(config, track_id, bitrate)
    except struct.error as error:
        raise Unwritable(f"the track's configuration does not fit an init segment: {error}") from error
