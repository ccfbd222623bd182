"""The delay of frames from their arrival to their first viewer, in stages, over the last minute.

A frame is *received* when its last byte was read; *decoded* when it left the decoder; *encoded* when a
rendition's frame with the same timestamp came out of the transcoder; *in a part* when the part that ends with it
was published; *fetched* when a viewer first requested that part. Times are nanoseconds of one monotonic clock.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from live.messages import LiveMessage, PartFetched
from live.status import LatencyStatus
from live.topics import BroadcastRef
from media.units import AccessUnit
from packager.cmaf.segment_writer import Part
from transcoder.ladder import SOURCE_TRACK

REMEMBERED_FRAMES = 1024
REMEMBERED_PARTS = 256
SAMPLES = 600
MILLISECOND = 1_000_000
SECOND = 1_000_000_000

OnPart = Callable[[bool, float], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of one track's frames. ``name`` is as the API shows it."""

    track: str
    name: str


class LatencyTrace:
    """``clock_ns`` returns monotonic nanoseconds. ``on_part`` is called for each part of video with whether its
    track is encoded, and with the seconds since its last frame was received."""

    def __init__(self, clock_ns: Callable[[], int], on_part: OnPart = lambda encoded, seconds: None) -> None:
        self._clock_ns = clock_ns
        self._on_part_published = on_part
        self._received: OrderedDict[int, int] = OrderedDict()
        self._newest: dict[str, int] = {}
        self._parts: OrderedDict[tuple[str, int, int], int] = OrderedDict()
        self._samples: dict[Stage, deque[int]] = {}

    def received(self, pts: int, *, passed: bool, encoded: bool) -> None:
        """A frame of the source has arrived (``pts`` in 90 kHz ticks). ``passed``: for the passthrough track;
        ``encoded``: for renditions."""
        now = self._clock_ns()
        if encoded:
            self._received[pts] = now
            if len(self._received) > REMEMBERED_FRAMES:
                self._received.popitem(last=False)
        if passed:
            self._newest[SOURCE_TRACK] = now

    def age_ns(self, pts: int) -> int | None:
        """Nanoseconds since the source's frame with this ``pts`` arrived; None if it is not remembered."""
        received = self._received.get(pts)
        return None if received is None else self._clock_ns() - received

    def decoded(self, track: str, pts: int, at_ns: int) -> None:
        """The source's frame with this ``pts`` left the decoder."""
        received = self._received.get(pts)
        if received is not None:
            self._add(track, "decoded", at_ns - received)

    def encoded(self, track: str, unit: AccessUnit) -> None:
        """A rendition's frame came out of the transcoder."""
        received = self._received.get(unit.pts)
        if received is not None:
            self._add(track, "encoded", self._clock_ns() - received)
            self._newest[track] = received

    def on_message(self, ref: BroadcastRef, message: LiveMessage) -> None:
        """Subscriber to :data:`live.topics.MEDIA`."""
        if isinstance(message, Part):
            self._on_part(message)

    def on_fetched(self, ref: BroadcastRef, fetched: PartFetched) -> None:
        """Subscriber to :data:`live.topics.FEEDBACK`."""
        published_ns = self._parts.pop((fetched.track, fetched.msn, fetched.part), None)
        if published_ns is not None:
            self._add(fetched.track, "fetched", self._clock_ns() - published_ns)

    def status(self) -> tuple[LatencyStatus, ...]:
        return tuple(
            LatencyStatus(
                track=stage.track,
                stage=stage.name,
                p50_ms=round(percentile(samples, 50) / MILLISECOND, 2),
                p95_ms=round(percentile(samples, 95) / MILLISECOND, 2),
            )
            for stage, samples in self._samples.items()
        )

    def _on_part(self, part: Part) -> None:
        now = self._clock_ns()
        self._parts[part.track, part.msn, part.index] = now
        if len(self._parts) > REMEMBERED_PARTS:
            self._parts.popitem(last=False)
        # Without a new frame, the part repeats the last picture.
        received = self._newest.pop(part.track, None)
        if received is not None:
            self._add(part.track, "in a part", now - received)
            self._on_part_published(part.track != SOURCE_TRACK, (now - received) / SECOND)

    def _add(self, track: str, name: str, taken_ns: int) -> None:
        self._samples.setdefault(Stage(track, name), deque(maxlen=SAMPLES)).append(taken_ns)


def percentile(samples: deque[int], percent: int) -> int:
    """The nearest-rank percentile."""
    ordered = sorted(samples)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
