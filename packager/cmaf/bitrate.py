"""A track's bitrate, as sample entries carry it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrackBitrate:
    """Bits a second: the most in any one second, and the average of the whole track."""

    max_bps: int
    avg_bps: int
