"""Counts the discontinuities of a broadcast by their cause, and adds each to the event log."""

from enum import StrEnum

from storage.catalogue.events import EventCode
from worker.event_log import EventSink


class Cause(StrEnum):
    """A label of the metric ``headwater_discontinuities_total``."""

    PUBLISHER_RETURNED = "publisher-returned"
    SOURCE_CHANGED = "source-changed"
    HOLE = "hole"
    KEYFRAMES_MISSING = "keyframes-missing"
    """The top rendition is encoded from here on."""
    PICTURE_BEGAN = "picture-began"
    """The sound was alone until the picture's first keyframe."""
    SLATE = "slate"


WORDS = {
    Cause.PUBLISHER_RETURNED: "the publisher returned, or another one took over",
    Cause.SOURCE_CHANGED: "the source changed",
    Cause.HOLE: "media of the source is missing",
    Cause.KEYFRAMES_MISSING: "keyframes are too far apart, so the top rendition is encoded from here on",
    Cause.PICTURE_BEGAN: "the picture's first keyframe arrived, after sound alone",
    Cause.SLATE: "the publisher is away, and the slate begins",
}


class Discontinuities:
    """``counts`` are totals of the broadcast."""

    def __init__(self, events: EventSink) -> None:
        self.counts: dict[str, int] = {}
        self._events = events
        self._expected: Cause | None = None
        self._hole_s = 0.0

    def expect(self, cause: Cause, *, hole_s: float = 0.0) -> None:
        """A cut that follows starts a discontinuity. Until then, the first cause counts. ``hole_s`` are seconds of
        media that are missing."""
        if self._expected is None:
            self._expected, self._hole_s = cause, hole_s

    def begin(self, msn: int) -> None:
        """Segment ``msn`` starts a discontinuity. Without an expected one, the picture has begun."""
        cause, self._expected = self._expected or Cause.PICTURE_BEGAN, None
        self.counts[cause] = self.counts.get(cause, 0) + 1
        fields: dict[str, int | float] = {"msn": msn}
        words = WORDS[cause]
        if cause is Cause.HOLE and self._hole_s > 0:
            fields["hole_s"] = round(self._hole_s, 1)
            words = f"{self._hole_s:.1f} s of the source's media are missing"
        text = f"the media has a discontinuity, at which players may jump: {words}"
        self._events.add(EventCode.DISCONTINUITY, text, cause=cause.value, **fields)
