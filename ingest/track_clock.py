"""Unwraps a track's 32-bit millisecond timestamps and maps them to the timeline of the publication."""

from media.timescale import MILLISECONDS

WRAP = 1 << 32

# A larger step between two timestamps of a track starts a new base.
MAX_FORWARD_MS = 10_000
MAX_BACKWARD_MS = 1_000
# The two tracks may be this far apart at the start and still share one base: encoders that do not interleave send
# one track seconds before the other.
MAX_START_APART_MS = 10_000
# After this many repetitions of a timestamp it stands still. A picture in slices, or several audio frames of one
# message, may have one timestamp.
STANDING = 12
# A smaller step never returns to the base that was left.
SMALL_STEP_MS = 500
# Interleaved tracks are at most this far apart.
MAX_INTERLEAVE_MS = 100
# The duration of a frame until the timestamps show one.
DEFAULT_FRAME_MS = 33


def difference(later: int, earlier: int) -> int:
    """``later - earlier`` for timestamps modulo 2^32, from -2^31 to 2^31 - 1."""
    return (later - earlier + WRAP // 2) % WRAP - WRAP // 2


class SharedBase:
    """The newest base, which maps timestamps to the timeline: ``timestamp`` is at ``at_ms`` on the timeline.

    ``generation`` counts the bases; ``end_ms`` is the end of all units placed so far.
    """

    __slots__ = ("at_ms", "end_ms", "generation", "timestamp")

    def __init__(self) -> None:
        self.generation = 0
        self.timestamp = 0
        self.at_ms = 0
        self.end_ms = 0

    def extend(self, end_ms: int) -> None:
        if end_ms > self.end_ms:
            self.end_ms = end_ms


class TrackClock:
    """Maps the timestamps of one track to milliseconds on the timeline. ``at_ms`` is the newest unit's time.

    After a jump, the track may return to the base that it left: a single timestamp, or some, may have been wrong.
    """

    __slots__ = ("_base", "_generation", "_left", "_repeats", "_timestamp", "at_ms", "frame_ms")

    def __init__(self, base: SharedBase) -> None:
        self._base = base
        self._generation = 0
        self._timestamp = 0
        self.at_ms = 0
        self._repeats = 0
        # The newest timestamp in the base that was left, and its time.
        self._left: tuple[int, int] | None = None
        self.frame_ms = DEFAULT_FRAME_MS

    def place(self, timestamp: int) -> tuple[int, bool, bool]:
        """Return (time on the timeline, rebased, discontinuity) for ``timestamp``.

        ``rebased`` is true if the track changes to another base, or has its first. ``discontinuity`` is true if
        this timestamp starts a new base after an earlier one.
        """
        rebased = discontinuity = False
        step = difference(timestamp, self._timestamp)
        if self._left is not None and self._returns(timestamp, step):
            rebased, self._repeats = True, 0
        elif self._generation and -MAX_BACKWARD_MS <= step <= MAX_FORWARD_MS:
            self.at_ms += step
            if step == 0:
                self._repeats += 1
            else:
                self._repeats = 0
            if 0 < step <= MILLISECONDS:
                self.frame_ms = step
        else:
            rebased, discontinuity = True, self._rebase(timestamp)
            self._repeats = 0
        self._timestamp = timestamp
        base = self._base
        if self._generation == base.generation:
            base.timestamp, base.at_ms = timestamp, self.at_ms
        return self.at_ms, rebased, discontinuity

    def leave_base(self) -> None:
        """Start a base of its own: the next unit follows all units placed so far."""
        base = self._base
        base.generation += 1
        self._generation = base.generation
        base.timestamp, base.at_ms = self._timestamp, base.end_ms
        self.at_ms = base.end_ms

    @property
    def stands(self) -> bool:
        """Whether the timestamps stand still."""
        return self._repeats >= STANDING

    def hold(self, at_ms: int) -> None:
        """The newest unit is at ``at_ms``, although its timestamp stands still."""
        self.at_ms = at_ms
        if self._generation == self._base.generation:
            self._base.at_ms = at_ms

    @property
    def position(self) -> tuple[int, int]:
        """The generation of the track's base (0 before its first unit), and the newest unit's time."""
        return self._generation, self.at_ms

    def _returns(self, timestamp: int, step: int) -> bool:
        """Whether ``timestamp`` continues the base that was left better than the newest one. Then it is placed
        there."""
        if self._left is None or -SMALL_STEP_MS <= step <= SMALL_STEP_MS:
            return False
        left, before_ms = self._left
        at_ms = before_ms + difference(timestamp, left)
        if abs(at_ms - self.at_ms) > min(abs(step) // 2, MAX_BACKWARD_MS):
            return False
        self.at_ms, self._left = at_ms, None
        return True

    def _rebase(self, timestamp: int) -> bool:
        base = self._base
        first = self._generation == 0
        if not first:
            self._left = self._timestamp, self.at_ms
        if base.generation > self._generation:
            # The other track started or jumped first. If this timestamp fits its base, both tracks stay in sync.
            at_ms = base.at_ms + difference(timestamp, base.timestamp)
            # A track cannot begin long before the timeline does: its units would have no time of their own.
            late = MAX_START_APART_MS if first and at_ms >= -MAX_BACKWARD_MS else MAX_BACKWARD_MS
            if -late <= at_ms - base.end_ms <= MAX_FORWARD_MS:
                self.at_ms, self._generation = at_ms, base.generation
                return False
        base.generation += 1
        self.at_ms, self._generation = base.end_ms if first else self._continued(), base.generation
        return not first

    def _continued(self) -> int:
        """The time of the first unit after a jump: directly behind this track, and behind the other one if that is
        further ahead than tracks are interleaved."""
        next_ms, end_ms = self.at_ms + self.frame_ms, self._base.end_ms
        return next_ms if end_ms - next_ms <= MAX_INTERLEAVE_MS else end_ms
