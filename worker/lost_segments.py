"""Adds lost segments to the event log: many that are lost together are one event for each track."""

from collections import Counter

from packager.facts import SegmentEntry
from storage.catalogue.events import EventCode
from storage.interface import StorageError
from worker.event_log import EventSink
from worker.recorder import RecorderObserver

# Seconds for which losses are collected.
COLLECT_S = 10.0
TOO_SLOW = "too-slow"
TEXTS = {TOO_SLOW: "the store is too slow, or was emptied"}


class LostSegments:
    """A :class:`~worker.recorder.RecorderObserver` that passes everything on to ``observer``."""

    def __init__(self, observer: RecorderObserver, events: EventSink) -> None:
        self._observer = observer
        self._events = events
        self._lost: Counter[tuple[str, str]] = Counter()
        self._texts = dict(TEXTS)
        self._since: float | None = None

    def segment_made(self, track: str, entry: SegmentEntry) -> None:
        self._observer.segment_made(track, entry)

    def segment_lost(self, track: str, error: StorageError | None) -> None:
        self._observer.segment_lost(track, error)
        reason = TOO_SLOW if error is None else error.code
        if error is not None:
            self._texts[reason] = str(error)
        self._lost[track, reason] += 1

    def review(self, now: float) -> None:
        """Call it about once a second; ``now`` is monotonic seconds."""
        if not self._lost:
            return
        if self._since is None:
            self._since = now
        if now - self._since >= COLLECT_S:
            self.flush()

    def flush(self) -> None:
        """Add what was collected."""
        self._since = None
        lost, self._lost = self._lost, Counter()
        for (track, reason), count in lost.items():
            segments = "1 segment" if count == 1 else f"{count} segments"
            text = f"{segments} of {track} did not reach the store, and the recording has a gap: "
            text += self._texts[reason]
            self._events.add(EventCode.SEGMENT_LOST, text, track=track, count=count, reason=reason)
