"""The versions of the libraries that encode. Only worker processes load them, so one is asked."""

from dataclasses import dataclass
from functools import cache

from transcoder.errors import WorkerUnavailable
from transcoder.limits import WorkerLimits
from transcoder.spawn import ask_worker

TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Libraries:
    pyav: str
    ffmpeg: str


@cache
def find_libraries(limits: WorkerLimits) -> Libraries:
    """Blocks for a fraction of a second at the first call. Raises WorkerUnavailable."""
    try:
        return Libraries(**ask_worker("transcoder.worker.versions", limits, timeout_s=TIMEOUT_S))
    except (WorkerUnavailable, TypeError) as error:
        raise WorkerUnavailable(f"the versions of PyAV and FFmpeg are not known: {error}") from error
