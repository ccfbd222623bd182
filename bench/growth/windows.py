"""The cost of a segment at the end of a long broadcast, by the length of the window."""

import asyncio
import gc
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from statistics import median

import uvloop

from bench.growth.broadcast import AUDIO, SEGMENT_S, VIDEO, Broadcast
from tests.lab.processes import memory
from tests.lab.worker import working

DRAIN_S = 60.0
WARM_UP = 60
GROUP = 10
TRACKS = (VIDEO, AUDIO)


@dataclass(frozen=True, slots=True)
class Case:
    """All in seconds: ``dvr`` are kept (None: all), live playlists list ``playlist``, the broadcast lasts
    ``length``, and its last ``measured`` are measured."""

    dvr: int | None
    playlist: int
    length: int
    measured: int

    def __str__(self) -> str:
        return f"window {'all' if self.dvr is None else f'{self.dvr}s'}, playlists of {self.playlist}s"

    @property
    def kept(self) -> int:
        return self.length if self.dvr is None else min(self.dvr, self.length)


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of CPU per segment of both tracks: to make it and its parts, to store it with all texts, and for
    the window to render the live playlists (once per segment) and the manifest. ``memory`` is the growth in bytes
    since the first two minutes; ``entries`` counts those of both tracks. ``end_ms`` is how long the end of the
    broadcast takes, which writes texts of ``end_bytes`` in total."""

    case: Case
    make: float
    store: float
    playlists: float
    manifest: float
    memory: int
    entries: int
    end_ms: float
    end_bytes: int

    def __str__(self) -> str:
        return f"{self.total:.3f} ms a segment, {self.entries} entries in {self.memory / 2**20:.2f} MiB"

    @property
    def total(self) -> float:
        return self.make + self.store + self.playlists + self.manifest


def measure(case: Case, number: int) -> Cost:
    """Measure in a separate process, whose memory has no other use. Raises LabError."""
    with working("the simulated broadcast", _run, case) as worker:
        cost: Cost = worker.receive(None)
        return cost


def _run(case: Case, pipe: "Connection[Cost, None]") -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        pipe.send(runner.run(_measure(case)))


async def _measure(case: Case) -> Cost:
    broadcast = Broadcast(dvr_s=case.dvr, playlist_s=case.playlist)
    segments, looked_at = case.length // SEGMENT_S, case.measured // SEGMENT_S
    phases: dict[str, list[float]] = {"make": [], "store": [], "playlists": [], "manifest": []}
    before = 0
    for number in range(segments):
        if number == min(WARM_UP, segments - 1):
            before = _memory()
        if number < segments - looked_at:
            broadcast.make_segment()
            await broadcast.recorder.drain(DRAIN_S)
            continue
        _timed(phases["make"], broadcast.make_segment)
        began = time.process_time()
        await broadcast.recorder.drain(DRAIN_S)
        phases["store"].append(time.process_time() - began)
        _timed(phases["playlists"], lambda: [broadcast.window.playlist(track) for track in TRACKS])
        _timed(phases["manifest"], lambda: broadcast.window.manifest(now_ms=0))
    grown = _memory() - before
    indexes = broadcast.recorder.ledger.tracks.values()
    entries = sum(len(index.entries) for index in indexes)
    began = time.process_time()
    await broadcast.recorder.finish()
    end = time.process_time() - began
    costs = {phase: 1000 * _typical(seconds) for phase, seconds in phases.items()}
    texts = sum(broadcast.store.text_bytes.values())
    return Cost(case, memory=grown, entries=entries, end_ms=1000 * end, end_bytes=texts, **costs)


def _timed(seconds: list[float], call: Callable[[], object]) -> None:
    began = time.process_time()
    call()
    seconds.append(time.process_time() - began)


def _typical(seconds: list[float]) -> float:
    """The median of the means of groups of consecutive values: single values can be long on a shared machine, and
    work that is done only every few segments has to count."""
    groups = [seconds[start : start + GROUP] for start in range(0, len(seconds), GROUP)]
    return median(sum(group) / len(group) for group in groups)


def _memory() -> int:
    gc.collect()
    return memory((os.getpid(),)).private
