"""Measures in a child process what a ladder costs on this machine."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from transcoder.errors import WorkerUnavailable
from transcoder.ladder import Rendition
from transcoder.options import TranscodeOptions
from transcoder.spawn import ask_worker

TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Speed:
    """``cpu_s`` seconds of processor time for ``media_s`` seconds of media."""

    cpu_s: float
    media_s: float

    @property
    def cores(self) -> float:
        """The processors that the ladder keeps busy in real time."""
        return self.cpu_s / self.media_s


def measure_speed(source: Rendition, rungs: Sequence[Rendition], options: TranscodeOptions) -> Speed:
    """Decode a moving picture of the size of ``source`` at 30 frames per second, and encode it as ``rungs``. Blocks
    for several seconds. Raises WorkerUnavailable."""
    given = {
        "encoder": options.encoder,
        "preset": options.preset,
        "profile": options.profile,
        "latency": options.latency,
        "source": asdict(source),
        "rungs": [asdict(rung) for rung in rungs],
    }
    try:
        answer = ask_worker(
            "transcoder.worker.speed", options.limits, json.dumps(given), timeout_s=TIMEOUT_S, keep_pictures=True
        )
        return Speed(**answer)
    except (WorkerUnavailable, TypeError) as error:
        raise WorkerUnavailable(f"the speed of encoding is not known: {error}") from error
