"""Recognises encoders that disconnect each other again and again, because they have the same stream key, or two for
the same role."""

from collections import deque

from worker.warnings import Warnings

CODE = "two-publishers"
# This many takeovers within WITHIN_S seconds are no accident.
MANY = 3
WITHIN_S = 60.0


class Takeovers:
    """Reports to ``warnings``. ``now`` is monotonic seconds."""

    def __init__(self, warnings: Warnings) -> None:
        self._warnings = warnings
        self._times: deque[float] = deque()

    def add(self, now: float) -> None:
        """A publisher has taken over from another one."""
        self._times.append(now)
        self.review(now)

    def review(self, now: float) -> None:
        while self._times and now - self._times[0] > WITHIN_S:
            self._times.popleft()
        count = len(self._times)
        if count < MANY:
            self._warnings.clear(CODE)
            return
        text = (
            f"two encoders publish to this stream and disconnect each other, {count} times in the last minute: "
            'stop one, or give it a stream of its own; [rtmp] on_conflict = "refuse" keeps the first'
        )
        self._warnings.report(CODE, text, now)
