"""The phases of a broadcast, each of which follows the one before it."""

from enum import StrEnum


class Phase(StrEnum):
    """``STARTING``: some announced track has no media yet, so nothing is playable. ``LIVE``: playable.
    ``ENDED``: no more media comes."""

    STARTING = "starting"
    LIVE = "live"
    ENDED = "ended"
