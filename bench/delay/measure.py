"""One server under one load: how long its viewers waited for what had been sent."""

import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bench.delay.candidates import Candidate, Running
from bench.delay.viewers import Plan, viewing
from bench.delay.witness import Arrival, Seen
from bench.stage.processes import cpu, tree
from tests.lab.errors import LabError
from tests.lab.rtmp.loop import read_loop
from tests.lab.rtmp.publishers import Sent, publishing

WATCHED = 4
# How far the clip's keyframes are apart.
KEYFRAMES_S = 2
# What was sent last still has to arrive.
ARRIVAL_S = 2.0


@dataclass(frozen=True, slots=True)
class Load:
    """``warm_up`` seconds are not counted, ``seconds`` are."""

    streams: int
    seconds: float
    warm_up: float
    clip: Path


@dataclass(slots=True)
class Delays:
    """Seconds from a part's last frame having been sent to a playlist that names it, and to its own first and last
    byte; ``missing`` are the parts that did not come."""

    named: list[float] = field(default_factory=list)
    first_byte: list[float] = field(default_factory=list)
    last_byte: list[float] = field(default_factory=list)
    missing: int = 0

    def __add__(self, other: "Delays") -> "Delays":
        return Delays(
            self.named + other.named,
            self.first_byte + other.first_byte,
            self.last_byte + other.last_byte,
            self.missing + other.missing,
        )


@dataclass(frozen=True, slots=True)
class Measured:
    """``delays`` are by the renditions' names. ``server_cpu`` and ``viewers_cpu`` are shares of one core, ``lag``
    are the seconds by which the viewers' own event loop was late."""

    delays: Mapping[str, Delays]
    errors: Counter[str]
    server_cpu: float
    viewers_cpu: float
    lag: Sequence[float]
    sent: Sent


def measure(candidate: Candidate, load: Load) -> Measured:
    """Raises LabError."""
    with (
        tempfile.TemporaryDirectory(prefix="headwater-delay-") as directory,
        candidate(Path(directory), load.streams) as running,
    ):
        return _under_load(running, load)


def _under_load(running: Running, load: Load) -> Measured:
    # Spread over all, so that those that come first and last in a turn are among them.
    places = sorted({number * (load.streams - 1) // max(1, WATCHED - 1) for number in range(WATCHED)})
    origin = urlsplit(running.origin)
    assert origin.hostname is not None and origin.port is not None
    plan = Plan(origin.hostname, origin.port, {place: running.masters[place] for place in places}, running.bearer)
    with (
        viewing(plan) as viewers,
        publishing(load.clip, running.urls, watch=places, clock=time.monotonic) as publishers,
    ):
        time.sleep(load.warm_up)
        since = time.monotonic()
        server, own = cpu(tree(running.pid)), cpu(tree(viewers.pid))
        time.sleep(load.seconds)
        until = time.monotonic()
        server, own = cpu(tree(running.pid)) - server, cpu(tree(viewers.pid)) - own
        time.sleep(ARRIVAL_S)
        seen, sent = viewers.finish(), publishers.finish()
    if sent.lost:
        place, why = next(iter(sent.lost.items()))
        raise LabError(f"{len(sent.lost)} of {load.streams} publishers were cut off; number {place}: {why}")
    elapsed = until - since
    found = by_rendition(running, seen, sent.frames, read_loop(load.clip).fps, (since, until))
    if not any(delays.first_byte for delays in found.values()):
        raise LabError(f"the viewers got nothing in {load.warm_up + load.seconds:g} s")
    errors = sum((followed.errors for followed in seen.followed), Counter[str]())
    return Measured(found, errors, server.total / elapsed, own.total / elapsed, seen.lag, sent)


def by_rendition(
    running: Running, seen: Seen, frames: Mapping[int, Sequence[float]], fps: float, span: tuple[float, float]
) -> dict[str, Delays]:
    """``frames`` are the moments at which each stream's frames were sent; those within ``span`` count."""
    found: dict[str, Delays] = {}
    for followed in seen.followed:
        name = running.rendition(followed.path)
        own = delays(followed.arrivals, frames[followed.place], fps, span)
        found[name] = found.get(name, Delays()) + own
    return found


def delays(arrivals: Iterable[Arrival], frames: Sequence[float], fps: float, span: tuple[float, float]) -> Delays:
    since, until = span
    found = Delays()
    arrivals = tuple(arrivals)
    begin = beginning(arrivals, frames, fps)
    for arrival in arrivals:
        last = begin + last_frame(arrival, fps)
        if not (0 <= last < len(frames) and since <= frames[last] < until):
            continue
        found.named.append(arrival.named - frames[last])
        if arrival.first_byte is None or arrival.last_byte is None:
            found.missing += 1
            continue
        found.first_byte.append(arrival.first_byte - frames[last])
        found.last_byte.append(arrival.last_byte - frames[last])
    return found


def beginning(arrivals: Iterable[Arrival], frames: Sequence[float], fps: float) -> int:
    """The number of the frame that a rendition begins with: a server may leave out what came before a later
    keyframe. The latest that will do is taken, for no part is there before its last frame was sent."""
    ends = ((last_frame(arrival, fps), arrival.named) for arrival in arrivals)
    least = min((named - frames[last] for last, named in ends if 0 <= last < len(frames)), default=0.0)
    return max(0, int(least // KEYFRAMES_S)) * round(KEYFRAMES_S * fps)


def last_frame(arrival: Arrival, fps: float) -> int:
    """A part's, counted from the rendition's first one."""
    return round(arrival.end_us * fps / 1_000_000) - 1
