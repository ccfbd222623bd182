"""What a server holds: memory, descriptors, threads, children, and series of metrics."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from tests.lab import processes

# How much more a server may hold when all streams have ended than after its first minute. Memory: the allocator
# keeps freed memory, and the origin's caches fill. Descriptors: connections of viewers that are kept open. Threads:
# a pool makes them when they are needed. Series: one begins with the first event of its kind, as an answer 5xx.
TOLERANCE = {"memory": 48 << 20, "descriptors": 8, "threads": 8, "children": 0, "series": 60}


@dataclass(frozen=True, slots=True)
class Census:
    """``memory`` is the proportional set size of the server and its children in bytes."""

    memory: int
    descriptors: int
    threads: int
    children: int
    series: int


def count(pid: int, metrics: str) -> Census:
    """``metrics`` is the text of /metrics."""
    proc = Path(f"/proc/{pid}")
    return Census(
        processes.memory(processes.tree(pid)).pss,
        len(list((proc / "fd").iterdir())),
        len(list((proc / "task").iterdir())),
        len(list(processes.descendants(pid))),
        sum(1 for line in metrics.splitlines() if line and not line.startswith("#")),
    )


def leaks(early: Census, late: Census) -> Iterator[str]:
    """What the server holds at the end beyond the tolerance, in words."""
    for field in fields(Census):
        before, after = getattr(early, field.name), getattr(late, field.name)
        if after > before + TOLERANCE[field.name]:
            yield f"{field.name} grew from {before} to {after}"
