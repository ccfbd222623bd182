"""The CPU time and memory of processes and their descendants, from /proc (proc(5)).

A process that has ended no longer counts by itself, but its CPU time is part of its parent's once that has waited
for it.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")
KIB = 1024
GONE = (FileNotFoundError, ProcessLookupError)


@dataclass(frozen=True, slots=True)
class Cpu:
    """Seconds."""

    user: float = 0.0
    system: float = 0.0

    @property
    def total(self) -> float:
        return self.user + self.system

    def __add__(self, other: "Cpu") -> "Cpu":
        return Cpu(self.user + other.user, self.system + other.system)

    def __sub__(self, other: "Cpu") -> "Cpu":
        return Cpu(self.user - other.user, self.system - other.system)


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes. ``pss`` counts a page that n processes share as one n-th in each; ``private`` omits shared pages."""

    pss: int = 0
    private: int = 0

    def __add__(self, other: "Memory") -> "Memory":
        return Memory(self.pss + other.pss, self.private + other.private)


def tree(pid: int, proc: Path = PROC) -> tuple[int, ...]:
    """The process and its descendants that still run."""
    return (pid, *descendants(pid, proc))


def descendants(pid: int, proc: Path = PROC) -> Iterator[int]:
    """The children of all threads of ``pid``, and their descendants."""
    for children in (proc / str(pid) / "task").glob("*/children"):
        try:
            pids = children.read_text().split()
        except GONE:
            continue
        for child in map(int, pids):
            yield child
            yield from descendants(child, proc)


def cpu(pids: Iterable[int], proc: Path = PROC) -> Cpu:
    """CPU time of the processes, and of the children that they have waited for."""
    return sum((_cpu(pid, proc) for pid in pids), Cpu())


def memory(pids: Iterable[int], proc: Path = PROC) -> Memory:
    """The current memory of the processes. Another user's processes count as 0."""
    return sum((_memory(pid, proc) for pid in pids), Memory())


def written(pids: Iterable[int], proc: Path = PROC) -> int:
    """Bytes that the processes have passed to write(2) and similar calls: to files, pipes and logs."""
    return sum(_number(proc / str(pid) / "io", r"^wchar: (\d+)") for pid in pids)


def sample(groups: Mapping[str, tuple[int, ...]]) -> dict[str, float]:
    """CPU seconds of each group of processes."""
    return {name: cpu(pids).total for name, pids in groups.items()}


def _cpu(pid: int, proc: Path) -> Cpu:
    try:
        stat = (proc / str(pid) / "stat").read_text()
    except GONE:
        return Cpu()
    # The fields after the command's name, which may contain any character and ends with the last parenthesis.
    fields = stat[stat.rindex(")") + 2 :].split()
    user, system, waited_user, waited_system = (int(field) / TICKS for field in fields[11:15])
    return Cpu(user + waited_user, system + waited_system)


def _memory(pid: int, proc: Path) -> Memory:
    try:
        text = (proc / str(pid) / "smaps_rollup").read_text()
    except (*GONE, PermissionError):
        return Memory()
    kib = {name: int(size) for name, size in re.findall(r"^(\w+): +(\d+) kB", text, re.MULTILINE)}
    private = kib.get("Private_Clean", 0) + kib.get("Private_Dirty", 0)
    return Memory(kib.get("Pss", 0) * KIB, private * KIB)


def _number(path: Path, pattern: str) -> int:
    try:
        found = re.search(pattern, path.read_text(), re.MULTILINE)
    except (*GONE, PermissionError):
        return 0
    return int(found[1]) if found else 0
