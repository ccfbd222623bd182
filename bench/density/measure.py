"""Measures the cost of one server under one load."""

import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bench.density.listings import lateness, watching
from bench.runner.load import Load
from bench.servers import Running, Server
from tests.lab.errors import LabError
from tests.lab.processes import Cpu, Memory, cpu, memory, tree, written
from tests.lab.rtmp.loop import read_loop
from tests.lab.rtmp.publishers import Sent, publishing

# A segment is too late once the next one is complete: a segment's duration.
BEHIND_S = 2.0
MEMORY_EVERY_S = 2.0
# A server that has just started is still busy.
SETTLE_S = 1.0


@dataclass(frozen=True, slots=True)
class Measured:
    """``cpu`` is for ``seconds`` and all streams. ``base`` is the memory before the first publisher connected,
    ``peak`` the maximum. ``late`` is the lateness of the watched segments in seconds, None for a server whose
    playlists are not on disk. ``written`` is in bytes, ``files`` counts the files at the end by suffix."""

    publishers: int
    seconds: float
    cpu: Cpu
    base: Memory
    peak: Memory
    late: tuple[float, ...] | None
    written: int
    files: dict[str, int]
    sent: Sent

    def __str__(self) -> str:
        share = self.cpu_share
        return (
            f"{100 * share.total:.3f} % of a core a stream (user {100 * share.user:.3f}, system "
            f"{100 * share.system:.3f}); frames were up to {max(self.sent.late_ms, default=0)} ms late"
        )

    @property
    def cpu_share(self) -> Cpu:
        """CPU seconds per stream-second."""
        stream_seconds = self.seconds * self.publishers
        return Cpu(self.cpu.user / stream_seconds, self.cpu.system / stream_seconds)

    @property
    def kept_up(self) -> bool:
        """Whether it did all the work in time; otherwise its CPU is not comparable."""
        in_time = self.late is None or (bool(self.late) and max(self.late) < BEHIND_S)
        return in_time and not self.sent.lost

    @property
    def memory_per_stream(self) -> float:
        """Bytes."""
        return (self.peak.pss - self.base.pss) / self.publishers


def measure(server: Server, load: Load) -> Measured:
    """Raises LabError."""
    with (
        tempfile.TemporaryDirectory(prefix="headwater-density-") as directory,
        server.start(Path(directory)) as running,
    ):
        return _under_load(running, load)


def _under_load(running: Running, load: Load) -> Measured:
    time.sleep(SETTLE_S)
    base = memory(tree(running.pid))
    names = [f"density-{number}" for number in range(load.streams)]
    watched = load.watched
    listed = watched if running.playlist is not None else []
    patterns = [(running.playlist or "").format(names[place]) for place in listed]
    with (
        watching(running.directory, patterns, files=running.lists_late) as listings,
        publishing(
            load.clip, list(map(running.publish, names)), watch=watched, chunk_size=load.chunk_size
        ) as publishers,
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
    if len(sent.lost) == load.streams:
        place, why = next(iter(sent.lost.items()))
        raise LabError(f"all {load.streams} publishers were cut off; number {place}: {why}")
    fps = read_loop(load.clip).fps
    late = [
        seconds
        for place, listing in zip(listed, listings, strict=True)
        for seconds in lateness(listing, sent.frames[place], fps, since, until)
    ]
    return Measured(
        load.streams,
        elapsed,
        spent,
        base,
        peak,
        tuple(late) if listed else None,
        wrote,
        dict(sorted(files.items())),
        sent,
    )
