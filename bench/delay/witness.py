"""A record of what one viewer of one rendition received."""

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bench.delay.timeline import Timeline
from tests.lab.viewers.playlist import MediaPlaylist, Part


class Arrival(NamedTuple):
    """A part; times are seconds of the system's monotonic clock. ``end_us`` is its end in the broadcast; ``named``
    is when a playlist that lists it arrived. The other times are None if the part itself did not arrive."""

    end_us: int
    named: float
    first_byte: float | None
    last_byte: float | None


@dataclass(frozen=True, slots=True)
class Followed:
    """One rendition of the stream with the index ``place``; ``path`` is that of its playlist."""

    place: int
    path: str
    arrivals: tuple[Arrival, ...]
    errors: Counter[str]


@dataclass(frozen=True, slots=True)
class Seen:
    """``lag`` is how many seconds late the viewers' own event loop was."""

    followed: tuple[Followed, ...]
    lag: "array[float]"


@dataclass(slots=True)
class Witness:
    """A :class:`tests.lab.viewers.rendition.Witness` of one rendition."""

    switches: int = 0
    misled: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    _timeline: Timeline = field(default_factory=Timeline)
    _named: dict[str, float] = field(default_factory=dict)
    _bytes: dict[str, tuple[float, float]] = field(default_factory=dict)

    def answered(self, kind: str, path: str, size: int, now: float) -> None:
        """Not recorded: the other methods record the times."""

    def arrived(self, path: str, since: float, first_byte: float, last_byte: float) -> None:
        self._bytes[path] = first_byte, last_byte

    def playlist_read(self, playlist: MediaPlaylist, new: Sequence[Part], now: float) -> None:
        self._timeline.take(playlist)
        for part in new:
            self._named[part.path] = now

    def failed(self, kind: str, what: str) -> None:
        self.errors[f"{kind}: {what}"] += 1

    def arrivals(self) -> tuple[Arrival, ...]:
        """The arrivals of the parts that a playlist listed."""
        ends = self._timeline.ends()
        return tuple(
            Arrival(ends[path], named, *self._bytes.get(path, (None, None)))
            for path, named in self._named.items()
            if path in ends
        )
