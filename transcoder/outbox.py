"""The bounded queue of messages to a child; if the child is too slow, video is dropped first.

Audio is small, and viewers notice a gap in it. A rendition that lost one frame is useless up to the next key unit.
"""

from collections import deque
from dataclasses import dataclass

from media.units import AccessUnit, Kind
from transcoder.messages import CutAt, Finish, Start, Unit
from transcoder.protocol import encode


@dataclass(frozen=True, slots=True)
class OutboxLimits:
    """Video is dropped beyond either of these limits; audio beyond twice as much."""

    units: int = 256
    payload_bytes: int = 8 * 2**20


class Outbox:
    """Messages for the child, in order, as bytes on the pipe.

    Beyond the limits, video is refused until there is room and a cut has been requested. It continues with the
    first key unit from there.
    """

    def __init__(self, limits: OutboxLimits) -> None:
        self._limits = limits
        self._queue: deque[bytes] = deque()
        self._bytes = 0
        self._shedding = False
        self._late_cut: int | None = None
        self.dropped_video = 0
        self.dropped_audio = 0

    def __len__(self) -> int:
        return len(self._queue)

    def offer(self, unit: AccessUnit) -> bool:
        """Queue the unit; returns False if it was dropped instead, which is counted. Raises ProtocolViolation."""
        if unit.kind is Kind.AUDIO:
            accepted = not self._is_over(2)
            self.dropped_audio += not accepted
        else:
            accepted = self._accepts_video(unit)
            self.dropped_video += not accepted
        if accepted:
            self._append(encode(Unit(unit)))
        return accepted

    def cut(self, pts: int) -> None:
        if self._shedding or self._is_over(2):
            self._late_cut = pts
        else:
            self._append(encode(CutAt(pts)))

    def control(self, message: Start | Finish) -> None:
        self._append(encode(message))

    def take(self) -> bytes:
        """The oldest message. Raises IndexError if the queue is empty."""
        data = self._queue.popleft()
        self._bytes -= len(data)
        return data

    def _accepts_video(self, unit: AccessUnit) -> bool:
        if self._is_over(1):
            self._shedding = True
        elif self._shedding and unit.key and self._late_cut is not None and not self._is_over(0.5):
            self._shedding = False
            self._append(encode(CutAt(self._late_cut)))
            self._late_cut = None
        return not self._shedding

    def _is_over(self, share: float) -> bool:
        return len(self._queue) >= self._limits.units * share or self._bytes >= self._limits.payload_bytes * share

    def _append(self, data: bytes) -> None:
        self._queue.append(data)
        self._bytes += len(data)
