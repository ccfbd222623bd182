"""When segments were there: the modification time of the playlist file that first lists them, or their own if the
server writes playlists rarely.

Reading a file's time does not load the server, and is more exact than the polling interval.
"""

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from os import fstat
from pathlib import Path

LOOK_EVERY_S = 0.1
SEQUENCE = re.compile(r"^#EXT-X-MEDIA-SEQUENCE:(\d+)", re.MULTILINE)
SEGMENT = re.compile(r"^#EXTINF:([\d.]+)[^\n]*\n(?:#[^\n]*\n)*([^#\n]+)", re.MULTILINE)


@dataclass(slots=True)
class Listing:
    """A playlist's segments by number: their durations in seconds, and when (Unix time) they were first listed."""

    durations: dict[int, float] = field(default_factory=dict)
    listed: dict[int, float] = field(default_factory=dict)

    def take(self, text: str, written: Callable[[str], float]) -> None:
        """Read a playlist's text. ``written`` returns the Unix time at which the segment of a URI was there."""
        found = SEQUENCE.search(text)
        first = int(found[1]) if found else 0
        for number, (duration, uri) in enumerate(SEGMENT.findall(text), first):
            if number not in self.listed:
                self.listed[number] = written(uri)
            self.durations[number] = float(duration)

    def ends(self) -> Iterator[tuple[float, float]]:
        """The end of each segment in seconds since the beginning, and when it was listed. The first playlist has to
        list the beginning; its media sequence number may be 0 or 1."""
        end = 0.0
        for expected, number in enumerate(sorted(self.durations), min(self.durations, default=0)):
            if number != expected:
                return
            end += self.durations[number]
            yield end, self.listed[number]


def lateness(listing: Listing, frames: Sequence[float], fps: float, since: float, until: float) -> list[float]:
    """Seconds from sending a segment's last frame until it was listed, for segments listed in the given time span.

    ``frames`` are the times at which the frames were sent.
    """
    late = []
    for end, listed in listing.ends():
        last = round(end * fps) - 1
        if since <= listed < until and last < len(frames):
            late.append(listed - frames[last])
    return late


@contextmanager
def watching(directory: Path, patterns: Sequence[str], *, files: bool) -> Iterator[list[Listing]]:
    """The listings of the playlists that match ``patterns``; they are last read when the block ends. ``files``: the
    times are those of the segments' files."""
    listings = [Listing() for _ in patterns]
    ending = threading.Event()
    thread = threading.Thread(target=_watch, args=(directory, patterns, listings, ending, files))
    thread.start()
    try:
        yield listings
    finally:
        ending.set()
        thread.join()


def _watch(
    directory: Path, patterns: Sequence[str], listings: Sequence[Listing], ending: threading.Event, files: bool
) -> None:
    known: dict[int, tuple[Path, float]] = {}
    ended = False
    while not ended:
        ended = ending.wait(LOOK_EVERY_S)
        for place, pattern in enumerate(patterns):
            path, before = known.get(place, (None, 0.0))
            path = path or next(directory.glob(pattern), None)
            if path is not None:
                known[place] = path, _read_if_changed(path, before, listings[place], files)


def _read_if_changed(path: Path, before: float, listing: Listing, files: bool) -> float:
    try:
        with path.open() as file:
            written = fstat(file.fileno()).st_mtime
            if written != before:
                listing.take(file.read(), partial(_file_time, path.parent) if files else lambda uri: written)
    except FileNotFoundError:
        return before
    return written


def _file_time(directory: Path, uri: str) -> float:
    return (directory / uri).stat().st_mtime
