"""Watches that the two tracks of a publication stay together.

If the timestamps of one track alone jump, the other track stays behind from then on. A track that is only sent late
catches up.
"""

from media.timescale import MILLISECONDS

# Milliseconds by which one track may be behind the other: encoders do not interleave precisely.
BEHIND_MS = 1_500
# The time of the track behind after which it has caught up by a quarter, or does not.
DECIDE_MS = 1_000


class TrackDistance:
    """Call :meth:`look` with each unit of a track that is more than BEHIND_MS behind the other one."""

    __slots__ = ("_distance_ms", "_newest_ms", "_since_ms", "_track")

    def __init__(self) -> None:
        self._track = ""
        self._since_ms = self._newest_ms = self._distance_ms = 0

    def look(self, track: str, at_ms: int, distance_ms: int) -> str | None:
        """The problem in words if the track stays behind. ``track`` is its name, ``at_ms`` the unit's time."""
        before, self._newest_ms = self._newest_ms, at_ms
        goes_on = track == self._track and 0 <= at_ms - before < DECIDE_MS
        if not goes_on or 4 * distance_ms < 3 * self._distance_ms:
            self._track, self._since_ms, self._distance_ms = track, at_ms, distance_ms
        if at_ms - self._since_ms < DECIDE_MS:
            return None
        other = "audio" if track == "video" else "video"
        return (
            f"{track} is {distance_ms / MILLISECONDS:.1f} s behind {other}: if picture and sound are apart, "
            "restart the encoder; if not, let it interleave them"
        )
