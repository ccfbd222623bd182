"""What a burst of requests came to, and the bursts that wrk makes."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.programs import find_program

WRK = "wrk"
MISSING = "wrk is not installed (Debian: apt-get install wrk): the load was made by a slower client of our own."
SCRIPT = Path(__file__).parent / "report.lua"
MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Burst:
    """``received`` is in bytes; ``p50_ms`` and ``p99_ms`` are of the answers' times, None where requests waited.
    ``failed`` are those without an answer, or with an error as one."""

    requests: int
    received: int
    seconds: float
    failed: int
    p50_ms: float | None = None
    p99_ms: float | None = None


def missing() -> str | None:
    """Why wrk cannot take part, or None."""
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
    """Of what wrk with :data:`SCRIPT` printed. Raises LabError."""
    try:
        told = json.loads(output.strip().splitlines()[-1])
        return Burst(
            requests=told["requests"],
            received=told["bytes"],
            seconds=told["duration_us"] / MICROSECONDS,
            failed=told["failed"],
            p50_ms=told["p50_us"] / 1000,
            p99_ms=told["p99_us"] / 1000,
        )
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise LabError(f"wrk told nothing: {output[-500:]}") from error
