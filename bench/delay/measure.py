"""Measures the delays of one server under one load."""

import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bench.delay.viewers import Plan, viewing
from bench.delay.witness import Arrival, Seen
from bench.runner.distribution import distribution
from bench.runner.load import Load
from bench.servers import Running, Server
from tests.lab.errors import LabError
from tests.lab.processes import cpu, tree
from tests.lab.rtmp.loop import read_loop
from tests.lab.rtmp.publishers import Sent, publishing

# The interval between the clip's keyframes.
KEYFRAMES_S = 2
# Time for the last frames sent to arrive.
ARRIVAL_S = 2.0


@dataclass(slots=True)
class Delays:
    """Seconds from sending a part's last frame until a playlist that lists the part, its first and its last byte
    arrive; ``missing`` counts the parts that did not arrive."""

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
    """``delays`` are by rendition name. ``server_cpu`` and ``viewers_cpu`` are shares of one core, ``lag`` is how
    many seconds late the viewers' own event loop was."""

    delays: Mapping[str, Delays]
    errors: Counter[str]
    server_cpu: float
    viewers_cpu: float
    lag: Sequence[float]
    sent: Sent

    def __str__(self) -> str:
        first = {rendition: distribution(delays.first_byte) for rendition, delays in self.delays.items()}
        found = "; ".join(f"{name} p50 {each.p50} ms, p99 {each.p99} ms" for name, each in first.items())
        return f"first byte of {found}; {self.server_cpu:.1%} of a core"


def measure(server: Server, load: Load) -> Measured:
    """Raises LabError."""
    with (
        tempfile.TemporaryDirectory(prefix="headwater-delay-") as directory,
        server.start(Path(directory)) as running,
    ):
        return _under_load(running, load)


def _under_load(running: Running, load: Load) -> Measured:
    names = [f"delay-{number}" for number in range(load.streams)]
    places = load.watched
    origin = urlsplit(running.http)
    assert origin.hostname is not None and origin.port is not None
    masters = {place: running.master.format(names[place]) for place in places}
    plan = Plan(origin.hostname, origin.port, masters, running.bearer)
    with (
        viewing(plan) as viewers,
        publishing(load.clip, list(map(running.publish, names)), watch=places, clock=time.monotonic) as publishers,
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
    """``frames`` are the times at which each stream's frames were sent; those within ``span`` count."""
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
    """The number of the frame with which a rendition begins: a server may omit the media before a later keyframe.
    It is the latest keyframe for which no part arrives before its last frame was sent."""
    ends = ((last_frame(arrival, fps), arrival.named) for arrival in arrivals)
    least = min((named - frames[last] for last, named in ends if 0 <= last < len(frames)), default=0.0)
    return max(0, int(least // KEYFRAMES_S)) * round(KEYFRAMES_S * fps)


def last_frame(arrival: Arrival, fps: float) -> int:
    """The number of a part's last frame, counted from the rendition's first frame."""
    return round(arrival.end_us * fps / 1_000_000) - 1
