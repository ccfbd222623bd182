"""One server under one load: what it cost while the publishers were at it."""

import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bench.density.candidates import Candidate, Running
from bench.density.listings import lateness, watching
from bench.stage.processes import Cpu, Memory, cpu, memory, tree, written
from tests.lab.errors import LabError
from tests.lab.rtmp.loop import read_loop
from tests.lab.rtmp.publishers import Sent, publishing

WATCHED = 4
# A segment later than the next one takes.
BEHIND_S = 2.0
MEMORY_EVERY_S = 2.0
# A server that has just started is still at it.
SETTLE_S = 1.0


@dataclass(frozen=True, slots=True)
class Load:
    """``warm_up`` seconds are not counted, ``seconds`` are."""

    publishers: int
    seconds: float
    warm_up: float
    clip: Path


@dataclass(frozen=True, slots=True)
class Measured:
    """``cpu`` is of ``seconds``, all streams together. ``base`` is the memory before the first publisher came, and
    ``peak`` the most that was seen. ``late`` are the sampled segments' seconds, None of a server whose playlists
    are not on the disk. ``written`` is in bytes, ``files`` are what lay on the disk at the end, by suffix."""

    publishers: int
    seconds: float
    cpu: Cpu
    base: Memory
    peak: Memory
    late: tuple[float, ...] | None
    written: int
    files: dict[str, int]
    sent: Sent

    @property
    def cpu_share(self) -> Cpu:
        """CPU seconds of a stream-second."""
        stream_seconds = self.seconds * self.publishers
        return Cpu(self.cpu.user / stream_seconds, self.cpu.system / stream_seconds)

    @property
    def kept_up(self) -> bool:
        """Whether it did all of the work in the time; its CPU says nothing otherwise."""
        in_time = self.late is None or (bool(self.late) and max(self.late) < BEHIND_S)
        return in_time and not self.sent.lost

    @property
    def memory_per_stream(self) -> float:
        """Bytes."""
        return (self.peak.pss - self.base.pss) / self.publishers


def measure(candidate: Candidate, load: Load) -> Measured:
    """Raises LabError."""
    with (
        tempfile.TemporaryDirectory(prefix="headwater-density-") as directory,
        candidate.start(Path(directory), load.publishers) as running,
    ):
        return _under_load(running, load)


def _under_load(running: Running, load: Load) -> Measured:
    time.sleep(SETTLE_S)
    base = memory(tree(running.pid))
    # Spread over all, so that those that come first and last in a turn are among them.
    places = sorted({number * (load.publishers - 1) // max(1, WATCHED - 1) for number in range(WATCHED)})
    listed = places if running.playlists else []
    with (
        watching([running.playlists[place] for place in listed]) as listings,
        publishing(load.clip, running.urls, watch=places) as publishers,
    ):
        time.sleep(load.warm_up)
        began, since = time.monotonic(), time.time()
        first, first_written = cpu(tree(running.pid)), written(tree(running.pid))
        peak = base
        while (left := began + load.seconds - time.monotonic()) > 0:
            time.sleep(min(left, MEMORY_EVERY_S))
            peak = max(peak, memory(tree(running.pid)), key=lambda found: found.pss)
        processes = tree(running.pid)
        spent, elapsed, until = cpu(processes) - first, time.monotonic() - began, time.time()
        wrote = written(processes) - first_written
        files = Counter(path.suffix for path in running.directory.rglob("*") if path.is_file())
        sent = publishers.finish()
    if len(sent.lost) == load.publishers:
        place, why = next(iter(sent.lost.items()))
        raise LabError(f"all {load.publishers} publishers were cut off; number {place}: {why}")
    fps = read_loop(load.clip).fps
    late = [
        seconds
        for place, listing in zip(listed, listings, strict=True)
        for seconds in lateness(listing, sent.frames[place], fps, since, until)
    ]
    return Measured(
        load.publishers,
        elapsed,
        spent,
        base,
        peak,
        tuple(late) if running.playlists else None,
        wrote,
        dict(sorted(files.items())),
        sent,
    )
