"""Measures from the start of `headwater serve` to its ready line."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.lab.processes import cpu, memory, tree
from tests.lab.server import serving

SETTINGS = {"HEADWATER_TRANSCODER__LADDER": "source"}


@dataclass(frozen=True, slots=True)
class Start:
    """``seconds`` until the ready line, which is printed once RTMP and HTTP listen, and the CPU seconds until then;
    ``pss`` is the memory at that moment, in bytes."""

    seconds: float
    cpu: float
    pss: int

    def __str__(self) -> str:
        return f"{self.seconds:.2f} s"


def measure(number: int) -> Start:
    """Measure with an empty data directory. Raises LabError."""
    with tempfile.TemporaryDirectory(prefix="headwater-startup-") as directory:
        began = time.perf_counter()
        with serving(Path(directory) / "data", environment=SETTINGS) as server:
            seconds, processes = time.perf_counter() - began, tree(server.pid)
            return Start(seconds, cpu(processes).total, memory(processes).pss)
