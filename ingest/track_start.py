"""Watches how the two tracks of a publication start, if one of them arrives more than a second before the other.

Timestamps share one base, so the tracks are placed by them. If both tracks start at zero, they may also have a zero
each. Then the later track stays behind by as much as it arrived late. If the encoder only sent it late, it catches
up.
"""

from typing import NamedTuple

from ingest.track_clock import TrackClock
from media.timescale import MILLISECONDS

# Milliseconds by which interleaved tracks may be apart when they start.
APART_MS = 1_000
# The time of the earlier track after which the later one has caught up by a quarter of its delay, or does not.
DECIDE_MS = 1_000
# The code of the problem.
APART = "tracks-apart"
# A first timestamp that counts as zero: one long audio frame.
ZERO_MS = 100


class TimingProblem(NamedTuple):
    """``code`` is stable; ``text`` is for the operator."""

    code: str
    text: str


class TrackStart:
    """``video`` and ``audio`` are the clocks. Call :meth:`look` after each unit until it returns ``done``."""

    __slots__ = ("_audio", "_delay", "_earlier", "_earlier_at", "_firsts", "_later", "_names", "_video", "done")

    def __init__(self, video: TrackClock, audio: TrackClock) -> None:
        self._video, self._audio = video, audio
        self._firsts: dict[TrackClock, int] = {}
        self._names = {video: "video", audio: "audio"}
        self._earlier = self._later = video
        self._earlier_at = self._delay = 0
        self.done = False

    def look(self, clock: TrackClock, timestamp: int) -> TimingProblem | None:
        """``clock`` has placed ``timestamp``."""
        if len(self._firsts) == 2:
            return self._decide()
        if clock in self._firsts:
            return None
        self._firsts[clock] = timestamp
        if len(self._firsts) < 2:
            return None
        self._later = clock
        self._earlier = self._video if clock is self._audio else self._audio
        base, at = self._earlier.position
        own_base, own_at = clock.position
        self._earlier_at, self._delay = at, at - own_at
        late, early = self._names[clock], self._names[self._earlier]
        if own_base != base:
            self.done = True
            return TimingProblem(
                APART,
                f"the timestamps of {late} and {early} have different origins: they are placed as they arrive; if "
                "picture and sound are apart, restart the encoder",
            )
        if self._delay <= APART_MS:
            self.done = True
            return None
        return TimingProblem(
            APART,
            f"{late} started {self._delay / MILLISECONDS:.1f} s after {early} and is placed by its timestamps; if "
            "picture and sound are apart, let the encoder interleave them, or restart it",
        )

    def _decide(self) -> TimingProblem | None:
        _, earlier_at = self._earlier.position
        if earlier_at - self._earlier_at < DECIDE_MS:
            return None
        self.done = True
        delay = earlier_at - self._later.position[1]
        if 4 * delay <= 3 * self._delay or any(first > ZERO_MS for first in self._firsts.values()):
            return None
        self._later.leave_base()
        late, early = self._names[self._later], self._names[self._earlier]
        return TimingProblem(
            APART,
            f"the timestamps of {late} started at zero {delay / MILLISECONDS:.1f} s after those of {early}: they "
            "are placed as they arrive; if picture and sound are apart, restart the encoder",
        )
