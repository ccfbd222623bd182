"""What recordings occupy, as their records have it."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from storage.keeping.recordings import Recording


@dataclass(frozen=True, slots=True)
class Space:
    """Of the disk of a directory, in bytes."""

    free: int
    capacity: int


@dataclass(frozen=True, slots=True)
class StreamUsage:
    """``bytes`` are of all ``recordings``, of which ``kept`` are marked to be kept."""

    stream: str
    bytes: int
    recordings: int
    kept: int


@dataclass(frozen=True, slots=True)
class Usage:
    """``space`` is None in a bucket."""

    streams: tuple[StreamUsage, ...] = ()
    space: Space | None = None

    @property
    def bytes(self) -> int:
        return sum(stream.bytes for stream in self.streams)

    @property
    def recordings(self) -> int:
        return sum(stream.recordings for stream in self.streams)


def usage_of(recordings: Iterable[Recording], space: Space | None) -> Usage:
    """``recordings`` are in the order of streams."""
    streams = []
    for stream, group in groupby(recordings, key=lambda recording: recording.stream):
        found = list(group)
        streams.append(
            StreamUsage(stream, sum(each.bytes for each in found), len(found), sum(each.kept for each in found))
        )
    return Usage(tuple(streams), space)
