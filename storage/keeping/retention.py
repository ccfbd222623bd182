"""Which recordings go, and why: pure."""

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from storage.catalogue.records import Retention
from storage.keeping.recordings import BroadcastName, Recording

MARGIN_S = 600.0


class Cause(StrEnum):
    """Why a recording is deleted."""

    MAX_AGE = "max-age"
    MAX_COUNT = "max-count"
    MAX_SIZE = "max-size"
    REQUEST = "request"
    PURGE = "purge"


@dataclass(frozen=True, slots=True)
class PlayableFor:
    """How far back a player of a live broadcast may be, in seconds. ``dvr_s`` None is the complete broadcast."""

    playlist_s: float
    dvr_s: float | None = None

    def after_end(self, recording: Recording) -> float:
        """The seconds after the end in which a player that was live may still ask for media."""
        reach = recording.duration_s if self.dvr_s is None else min(self.dvr_s, recording.duration_s)
        return max(self.playlist_s, reach) + MARGIN_S


@dataclass(frozen=True, slots=True)
class Departure:
    recording: Recording
    cause: Cause


def departures(
    recordings: Iterable[Recording],
    *,
    retention: Callable[[str], Retention],
    in_use: Container[BroadcastName],
    playable: PlayableFor,
    now: float,
) -> list[Departure]:
    """The recordings that go, oldest first in each stream. ``recordings`` are in the order of streams.

    Those that are kept do not count towards the limits. Those in ``in_use`` or without an end stay, and those that
    a player may still be behind stay for now, but they count.
    """
    leaving: list[Departure] = []
    for stream, group in groupby(recordings, key=lambda recording: recording.stream):
        limits = retention(stream)
        candidates = [each for each in group if not each.kept and each.deleted_at is None]
        newest_first = sorted(candidates, key=lambda each: each.broadcast, reverse=True)
        chosen: list[Departure] = []
        count, size = 0, 0
        for recording in newest_first:
            count, size = count + 1, size + recording.bytes
            cause = _cause(recording, limits, count=count, size=size, now=now)
            if cause is not None and _may_go(recording, in_use, playable, now):
                chosen.append(Departure(recording, cause))
        leaving += reversed(chosen)
    return leaving


def _cause(recording: Recording, limits: Retention, *, count: int, size: int, now: float) -> Cause | None:
    """``count`` and ``size`` are of this recording and all newer ones."""
    ended_at = recording.ended_at
    if limits.max_age_s is not None and ended_at is not None and now - ended_at > limits.max_age_s:
        return Cause.MAX_AGE
    if limits.max_count is not None and count > limits.max_count:
        return Cause.MAX_COUNT
    if limits.max_size is not None and size > limits.max_size:
        return Cause.MAX_SIZE
    return None


def _may_go(recording: Recording, in_use: Container[BroadcastName], playable: PlayableFor, now: float) -> bool:
    if recording.ended_at is None or recording.name in in_use:
        return False
    return now - recording.ended_at > playable.after_end(recording)
