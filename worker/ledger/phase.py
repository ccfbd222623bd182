"""The phases of a broadcast, in order."""

from enum import StrEnum


class Phase(StrEnum):
    """``STARTING``: some announced track has no media yet, so nothing is playable. ``LIVE``: playable.
    ``ENDED``: no more media follows."""

    STARTING = "starting"
    LIVE = "live"
    ENDED = "ended"
