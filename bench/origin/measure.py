"""Measures the cost of one burst of requests at one server."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.origin.broadcast import Broadcast, Kind
from bench.origin.burst import Burst, wrk
from bench.origin.candidates import Candidate
from bench.origin.crowd import Asking, Plan, blocking_reloads, request_repeatedly
from tests.lab.errors import LabError
from tests.lab.ports import HOST
from tests.lab.processes import Cpu, cpu, tree

# A new viewer first catches up with the live edge; only then do its requests wait.
WAITING_TIMES = 4


@dataclass(frozen=True, slots=True)
class Load:
    """``waiting`` is the number of connections with blocking reloads, which continue for longer than
    ``seconds``."""

    seconds: float
    connections: int
    waiting: int
    with_wrk: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """``cpu`` is for all processes involved in the answers, ``origin_cpu`` for Headwater's among them."""

    burst: Burst
    cpu: Cpu
    origin_cpu: Cpu

    def __str__(self) -> str:
        rate = self.burst.requests / self.burst.seconds
        return f"{self.requests_per_cpu_second:.0f} requests a CPU second, {rate:.0f} a second"

    @property
    def requests_per_cpu_second(self) -> float:
        return self.burst.requests / self.cpu.total

    @property
    def bytes_per_cpu_second(self) -> float:
        return self.burst.received / self.cpu.total


def measure(
    broadcast: Broadcast,
    candidate: Candidate,
    kind: Kind,
    path: str,
    load: Load,
    ask: Callable[[Asking, Plan], Burst],
) -> Measured:
    """Request ``path`` with wrk, or with ``ask`` if wrk cannot be used. Raises LabError."""
    candidate.prepare(path)
    before, origin_before = _cpu(candidate.pids), _cpu((broadcast.pid,))
    if kind is Kind.RELOAD:
        seconds = WAITING_TIMES * load.seconds
        burst = ask(blocking_reloads, Plan(HOST, candidate.port, path, load.waiting, seconds))
    elif load.with_wrk:
        burst = wrk(f"http://{HOST}:{candidate.port}{path}", load.connections, load.seconds)
    else:
        burst = ask(request_repeatedly, Plan(HOST, candidate.port, path, load.connections, load.seconds))
    spent, origin_spent = _cpu(candidate.pids) - before, _cpu((broadcast.pid,)) - origin_before
    if not (burst.requests and spent.total):
        raise LabError(f"{path} was not answered in {load.seconds:g} s")
    return Measured(burst, spent, origin_spent if broadcast.pid in candidate.pids else Cpu())


def _cpu(pids: tuple[int, ...]) -> Cpu:
    return sum((cpu(tree(pid)) for pid in pids), Cpu())
