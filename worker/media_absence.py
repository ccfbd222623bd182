"""Measures how long a broadcast on air gets no media."""

PUBLISHER_LOST = "publisher-lost"
STALLED = "stalled"
"""A publisher is connected, and neither picture nor sound arrives."""


class MediaAbsence:
    """``seconds`` are totals of the broadcast by reason, precise to about a second for each absence."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._units = 0
        self._ticked: float | None = None

    def tick(self, units: int, now: float, *, lost: bool) -> None:
        """Call it about once a second. ``units`` is how many have arrived since the start of the broadcast, before
        which nothing is missed; ``now`` is monotonic seconds; ``lost``: a lost publisher is awaited."""
        before, self._units = self._units, units
        since, self._ticked = self._ticked, now
        if since is not None and units == before > 0:
            reason = PUBLISHER_LOST if lost else STALLED
            self.seconds[reason] = self.seconds.get(reason, 0.0) + now - since
