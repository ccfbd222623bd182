"""CPU time of processes and of what they have started, from /proc (proc(5))."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of one process; zero for one that is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    # The fields after the command's name, which may hold anything but ends with the last parenthesis.
    fields = stat[stat.rindex(")") + 2 :].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def descendants(pid: int) -> Iterator[int]:
    """Children of any thread of ``pid``, and theirs."""
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            pids = children.read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in map(int, pids):
            yield child
            yield from descendants(child)


def sample(groups: Mapping[str, tuple[int, ...]]) -> dict[str, float]:
    """CPU seconds of each group of processes."""
    return {name: sum(map(cpu_seconds, pids)) for name, pids in groups.items()}
