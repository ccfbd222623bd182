"""Samples the memory and CPU of a server that runs under constant load for a long time."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.lab.processes import cpu, memory, tree
from tests.lab.rtmp.publishers import publishing
from tests.lab.server import serving

# A short window, which is soon full: from then on as much is deleted as is stored, so nothing may grow.
DVR_S = 120
SETTINGS = {"HEADWATER_TRANSCODER__LADDER": "source", "HEADWATER_PACKAGER__DVR": f"{DVR_S}s"}


@dataclass(frozen=True, slots=True)
class Load:
    """``warm_up`` seconds are not measured; then a sample is taken every ``every`` seconds."""

    publishers: int
    seconds: float
    warm_up: float
    every: float
    clip: Path


@dataclass(frozen=True, slots=True)
class Sample:
    """Taken ``at`` seconds after the warm-up: bytes of PSS, and the share of one core since the previous sample."""

    at: float
    pss: int
    cpu: float


@dataclass(frozen=True, slots=True)
class Hour:
    samples: tuple[Sample, ...]
    publishers: int
    lost: int

    def __str__(self) -> str:
        return f"{len(self.samples)} samples of memory and CPU"


def measure(load: Load, number: int) -> Hour:
    """Sample all processes of the server. Raises LabError."""
    names = tuple(f"growth-{number}" for number in range(load.publishers))
    with (
        tempfile.TemporaryDirectory(prefix="headwater-growth-") as directory,
        serving(Path(directory) / "data", environment=SETTINGS) as server,
        publishing(load.clip, tuple(map(server.create, names))) as publishers,
    ):
        time.sleep(load.warm_up)
        samples = _samples(server.pid, load)
        return Hour(samples, load.publishers, len(publishers.finish().lost))


def _samples(pid: int, load: Load) -> tuple[Sample, ...]:
    began = before = time.monotonic()
    spent = cpu(tree(pid)).total
    samples = []
    for number in range(1, int(load.seconds / load.every) + 1):
        time.sleep(max(0.0, began + number * load.every - time.monotonic()))
        processes, now = tree(pid), time.monotonic()
        total = cpu(processes).total
        samples.append(Sample(now - began, memory(processes).pss, (total - spent) / (now - before)))
        spent, before = total, now
    return tuple(samples)
