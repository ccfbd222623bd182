"""The way of some segments from the socket to the stored playlist, for traces.

It begins when the first frame of the source that the segment shows was received, and ends when the stored playlist
names the segment. What is known is kept until then, and recorded at once.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from live.topics import BroadcastRef
from media.names import MEDIA_PLAYLIST, segment_name, track_prefix
from packager.cmaf.segment_writer import Part, Segment
from storage.interface import StorageError
from telemetry.timeline import Moment, Step, Timeline

# Segments that are followed at once. While the store is away, the oldest of them are recorded as they are.
MOST_SEGMENTS = 256
# Moments of one segment: its store may fail for hours.
MOST_MOMENTS = 16

LISTED, LOST, UNFINISHED = "listed", "lost", "unfinished"


class SegmentRecord(Protocol):
    """Chooses the segments and takes what happened to them; :class:`telemetry.tracing.Tracing` does both."""

    def samples(self) -> bool: ...

    def record(self, timeline: Timeline) -> None: ...


@dataclass(slots=True)
class _Followed:
    """``packaged_ns`` is when the packager got the segment's first frame. All times are Unix nanoseconds."""

    track: str
    msn: int
    received_ns: int
    packaged_ns: int
    encoded: bool
    moments: list[Moment]
    complete_ns: int | None = None
    size: int = 0
    stored_ns: int | None = None
    # An upload of the playlist, which names the segment, has begun.
    named: bool = False
    attempts: int = 0


class SegmentTraces:
    """A :class:`storage.upload_observer.UploadObserver` of one broadcast; it gets its parts and segments too.

    ``last_listed`` returns the MSN of the last segment of a track that a stored playlist may name now; -1 if there
    is none. ``source_age_ns`` returns the nanoseconds since the source's frame arrived from which an encoder made a
    frame of the track; None if the track is not encoded, or the frame is not known. ``unix_ns`` returns Unix
    nanoseconds.
    """

    def __init__(
        self,
        ref: BroadcastRef,
        record: SegmentRecord,
        *,
        last_listed: Callable[[str], int],
        source_age_ns: Callable[[str, int], int | None],
        unix_ns: Callable[[], int],
    ) -> None:
        self._ref = ref
        self._record = record
        self._last_listed = last_listed
        self._source_age_ns = source_age_ns
        self._unix_ns = unix_ns
        self._followed: OrderedDict[str, _Followed] = OrderedDict()

    def on_part(self, part: Part) -> None:
        if part.index or not self._record.samples():
            return
        now = self._unix_ns()
        packaged = part.received_ns if part.received_ns is not None else now
        age = self._source_age_ns(part.track, part.opened.start)
        received = packaged if age is None else min(packaged, now - age)
        moments = [Moment("first part published", now)]
        followed = _Followed(part.track, part.msn, received, packaged, age is not None, moments)
        self._followed[self._key(part.track, segment_name(part.msn))] = followed
        if len(self._followed) > MOST_SEGMENTS:
            self._end(next(iter(self._followed)), UNFINISHED)

    def on_segment(self, segment: Segment) -> None:
        followed = self._followed.get(self._key(segment.track, segment_name(segment.entry.msn)))
        if followed is not None:
            followed.complete_ns, followed.size = self._unix_ns(), segment.entry.size

    def trying(self, key: str) -> None:
        if not self._followed:
            return
        followed = self._followed.get(key)
        if followed is not None:
            followed.attempts += 1
            return
        stored = self._stored_before(key)
        if stored:
            reached = self._last_listed(stored[0].track)
            for each in stored:
                each.named = each.msn <= reached

    def failed(self, key: str, error: StorageError) -> None:
        followed = self._followed.get(key)
        if followed is not None:
            self._add(followed, Moment("upload failed", self._unix_ns(), {"error.type": error.code}))

    def spooled(self, key: str) -> None:
        followed = self._followed.get(key)
        if followed is not None:
            self._add(followed, Moment("spooled", self._unix_ns()))

    def put(self, key: str) -> None:
        if not self._followed:
            return
        followed = self._followed.get(key)
        if followed is not None:
            followed.stored_ns = self._unix_ns()
            return
        for each in self._stored_before(key):
            if each.named:
                self._end(self._key(each.track, segment_name(each.msn)), LISTED)

    def lost(self, key: str, code: str) -> None:
        """The segment does not reach the store, for the reason ``code``."""
        if key in self._followed:
            self._end(key, LOST, code)

    def close(self) -> None:
        """Record the segments whose end is not known."""
        for key in tuple(self._followed):
            self._end(key, UNFINISHED)

    def _stored_before(self, playlist: str) -> list[_Followed]:
        """The segments of the track with the media playlist ``playlist`` that are stored, but not in a playlist."""
        return [
            each
            for each in self._followed.values()
            if each.stored_ns is not None and playlist == self._key(each.track, MEDIA_PLAYLIST)
        ]

    def _end(self, key: str, outcome: str, failed: str | None = None) -> None:
        followed, now = self._followed.pop(key), self._unix_ns()
        self._record.record(
            Timeline(
                "segment",
                followed.received_ns,
                now,
                {
                    "headwater.stream": self._ref.stream,
                    "headwater.broadcast": self._ref.broadcast,
                    "headwater.track": followed.track,
                    "headwater.msn": followed.msn,
                    "headwater.bytes": followed.size,
                    "headwater.uploads": followed.attempts,
                    "headwater.outcome": outcome,
                },
                _steps(followed, now),
                followed.moments,
                failed,
            )
        )

    def _add(self, followed: _Followed, moment: Moment) -> None:
        if len(followed.moments) < MOST_MOMENTS:
            followed.moments.append(moment)

    def _key(self, track: str, name: str) -> str:
        return f"{track_prefix(self._ref.stream, self._ref.broadcast, track)}/{name}"


def _steps(followed: _Followed, now: int) -> list[Step]:
    """One step begins where the one before ends; the last one may be unfinished ``now``."""
    steps = []
    if followed.encoded:
        steps.append(Step("encode", followed.received_ns, followed.packaged_ns))
    ends = (("package", followed.complete_ns), ("upload", followed.stored_ns), ("list", None))
    began = followed.packaged_ns
    for name, ended in ends:
        steps.append(Step(name, began, ended if ended is not None else now))
        if ended is None:
            break
        began = ended
    return steps
