"""The bounded queue of messages to a child; if the child is too slow, video is dropped first.

Audio is small, and viewers notice a gap in it. A rendition that lost one frame is useless up to the next key unit.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from media.units import VIDEO_TIMESCALE, AccessUnit, Kind
from transcoder.backlog import Backlog
from transcoder.messages import CutAt, Finish, Select, Start, Unit
from transcoder.protocol import encode

# A source without keyframes for this long (90 kHz ticks) has none to resume at: any unit will do, because decoders
# recover from lost frames where the encoder refreshes the picture bit by bit.
LONGEST_REFUSAL = 6 * VIDEO_TIMESCALE


@dataclass(frozen=True, slots=True)
class OutboxLimits:
    """Video is dropped beyond any of these limits; audio beyond twice as much of the queue.

    ``pending`` is 90 kHz ticks of video that the child has not taken. Frames that are later come out too late for
    segments of two seconds (:data:`worker.track_set.LONGEST_LAG`), so encoding them would be wasted.
    """

    units: int = 256
    payload_bytes: int = 8 * 2**20
    pending: int = 4 * VIDEO_TIMESCALE


class Outbox:
    """Messages for the child, in order, as bytes on the pipe.

    Beyond the limits, video is refused until there is room and a cut has been requested. It continues with the
    first key unit from there, or after LONGEST_REFUSAL with any unit.
    """

    def __init__(self, limits: OutboxLimits) -> None:
        self._limits = limits
        self._queue: deque[bytes] = deque()
        self._bytes = 0
        # The messages at the head of the queue that are outside the limits, and their bytes.
        self._exempt = self._exempt_bytes = 0
        # The decoding time from which on video was refused; None while it is accepted.
        self._refused_from: int | None = None
        self._late_cut: int | None = None
        self._backlog = Backlog()
        self.dropped_video = 0
        self.dropped_audio = 0

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def behind(self) -> int:
        """How far the child is behind the source's video, in 90 kHz ticks."""
        return self._backlog.behind

    def taken(self, units: int) -> None:
        """The child has taken ``units`` of video since its start."""
        self._backlog.take(units)

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
        if unit.kind is Kind.VIDEO:
            self._backlog.offer(unit.dts, accepted=accepted)
        return accepted

    def preroll(self, units: Sequence[AccessUnit]) -> None:
        """Queue units outside the limits. Call it before :meth:`offer`. Raises ProtocolViolation."""
        for unit in units:
            self._append(encode(Unit(unit)))
            self._backlog.preroll()
        self._exempt, self._exempt_bytes = len(self._queue), self._bytes

    def cut(self, pts: int) -> None:
        if self._refused_from is not None or self._is_over(2):
            self._late_cut = pts
        else:
            self._append(encode(CutAt(pts)))

    def control(self, message: Start | Finish) -> None:
        self._append(encode(message))

    def select(self, message: Select) -> None:
        """Queue ``message`` before everything else, because a child that is behind should act on it soon."""
        data = encode(message)
        self._queue.appendleft(data)
        self._bytes += len(data)
        self._exempt += 1
        self._exempt_bytes += len(data)

    def take(self) -> bytes:
        """The oldest message. Raises IndexError if the queue is empty."""
        data = self._queue.popleft()
        self._bytes -= len(data)
        if self._exempt:
            self._exempt -= 1
            self._exempt_bytes -= len(data)
        return data

    def _accepts_video(self, unit: AccessUnit) -> bool:
        if self._is_over(1) or self._is_late(1):
            if self._refused_from is None:
                self._refused_from = unit.dts
        elif (
            self._refused_from is not None
            and self._late_cut is not None
            and not self._is_over(0.5)
            and not self._is_late(0.5)
        ):
            self._resume(unit, self._refused_from, self._late_cut)
        return self._refused_from is None

    def _resume(self, unit: AccessUnit, refused_from: int, cut: int) -> None:
        """Accept video again if ``unit`` is one to continue with, beginning with the cut."""
        if unit.key or unit.dts - refused_from > LONGEST_REFUSAL:
            self._refused_from = self._late_cut = None
            self._append(encode(CutAt(cut)))

    def _is_late(self, share: float) -> bool:
        return self._backlog.pending >= self._limits.pending * share

    def _is_over(self, share: float) -> bool:
        units, payload_bytes = len(self._queue) - self._exempt, self._bytes - self._exempt_bytes
        return units >= self._limits.units * share or payload_bytes >= self._limits.payload_bytes * share

    def _append(self, data: bytes) -> None:
        self._queue.append(data)
        self._bytes += len(data)
