"""The result of a burst of requests, and bursts made by wrk."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.programs import find_program

WRK = "wrk"
MISSING = "wrk is not installed (Debian: apt-get install wrk): a slower client of our own made the load."
SCRIPT = Path(__file__).parent / "report.lua"
MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Burst:
    """``received`` is in bytes; ``p50_ms`` and ``p99_ms`` are percentiles of the response times, None if requests
    waited. ``failed`` counts requests without an answer or with an error response."""

    requests: int
    received: int
    seconds: float
    failed: int
    p50_ms: float | None = None
    p99_ms: float | None = None


def missing() -> str | None:
    """Why wrk cannot be used, or None if it can."""
    return MISSING if find_program(WRK) is None else None


def wrk(url: str, connections: int, seconds: float) -> Burst:
    """Raises LabError."""
    path = find_program(WRK)
    assert path is not None
    command = [path, "--threads", "1", "--connections", str(connections), "--duration", f"{round(seconds)}s"]
    done = subprocess.run([*command, "--script", str(SCRIPT), url], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"wrk failed: {done.stderr.strip() or done.stdout.strip()}")
    return parse_wrk(done.stdout)


def parse_wrk(output: str) -> Burst:
    """Parse the output of wrk with :data:`SCRIPT`. Raises LabError."""
    try:
        found = json.loads(output.strip().splitlines()[-1])
        return Burst(
            requests=found["requests"],
            received=found["bytes"],
            seconds=found["duration_us"] / MICROSECONDS,
            failed=found["failed"],
            p50_ms=found["p50_us"] / 1000,
            p99_ms=found["p99_us"] / 1000,
        )
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise LabError(f"wrk reported no result: {output[-500:]}") from error
