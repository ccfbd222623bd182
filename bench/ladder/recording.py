"""A stored rendition: the positions of its pictures in the source, and their sizes."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av

from bench.ladder.case import FPS
from tests.lab.errors import LabError


@dataclass(frozen=True, slots=True)
class Span:
    """Pictures of the source from ``first`` up to, but not including, ``end``."""

    first: int
    end: int

    @property
    def seconds(self) -> Fraction:
        return Fraction(self.end - self.first, FPS)


@dataclass(frozen=True, slots=True)
class Recording:
    """``first`` is the number in the source of the file's first picture; ``bits`` are the sizes of the pictures."""

    path: Path
    first: int
    bits: tuple[int, ...]

    @property
    def span(self) -> Span:
        return Span(self.first, self.first + len(self.bits))

    def kbps(self, span: Span) -> float:
        inside = self.bits[span.first - self.first : span.end - self.first]
        return float(sum(inside) / span.seconds / 1000)


def join(init: Path, segments: Iterable[Path], to: Path) -> Path:
    """Join a track's init segment and its segments, whose names are their numbers, into one fMP4 file.

    Raises LabError.
    """
    ordered = sorted(segments, key=lambda path: int(path.stem))
    if not ordered:
        raise LabError(f"no segments were written beside {init}")
    with to.open("wb") as joined:
        for path in (init, *ordered):
            joined.write(path.read_bytes())
    return to


def read(path: Path, origin: Fraction) -> Recording:
    """Read up to the first missing picture. ``origin`` is the presentation time of the source's first picture, in
    seconds.

    Raises LabError.
    """
    packets = sorted(_packets(path))
    places = [round((time - origin) * FPS) for time, _ in packets]
    whole = next((number for number, (one, two) in enumerate(pairwise(places), 1) if two != one + 1), len(places))
    return Recording(path, places[0], tuple(8 * size for _, size in packets[:whole]))


def origin(path: Path) -> Fraction:
    """The presentation time of the first picture, in seconds. Raises LabError."""
    return min(time for time, _ in _packets(path))


def _packets(path: Path) -> list[tuple[Fraction, int]]:
    with av.open(str(path)) as file:
        found = [
            (packet.pts * packet.time_base, packet.size)
            for packet in file.demux(video=0)
            if packet.pts is not None and packet.time_base is not None
        ]
    if not found:
        raise LabError(f"{path} has no pictures")
    return found
