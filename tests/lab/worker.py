"""Runs a function in another process that answers through a pipe."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from tests.lab.errors import LabError


@dataclass(frozen=True, slots=True)
class Worker:
    """``name`` appears in errors."""

    name: str
    pid: int
    _pipe: "Connection[str, Any]"

    def finish(self, timeout_s: float) -> Any:
        """Ask the process to finish; returns what it then sends. Raises LabError."""
        with suppress(BrokenPipeError):
            self._pipe.send("finish")
        return self.receive(timeout_s)

    def receive(self, timeout_s: float | None) -> Any:
        """The next object that the process sends; waits for ever if ``timeout_s`` is None. Raises LabError, and any
        LabError that the process sends."""
        try:
            answer = self._pipe.recv() if self._pipe.poll(timeout_s) else None
        except (EOFError, ConnectionResetError):
            answer = None
        if isinstance(answer, LabError):
            raise answer
        if answer is None:
            raise LabError(f"the process of {self.name} ended without an answer")
        return answer


@contextmanager
def working(name: str, function: Callable[..., None], *arguments: object) -> Iterator[Worker]:
    """Run ``function(*arguments, pipe)`` in a new process until the block ends. It sends its answers through
    ``pipe``, and finishes when something can be read from it."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=function, args=(*arguments, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Worker(name, process.pid or 0, ours)
    finally:
        ours.close()
        process.terminate()
        process.join()
