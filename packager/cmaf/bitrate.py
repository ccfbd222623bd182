"""A track's bitrate, as sample entries carry it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrackBitrate:
    """Bits per second: the highest in any second, and the average of the track."""

    max_bps: int
    avg_bps: int
