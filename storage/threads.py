"""Blocking calls in a few dedicated threads, away from the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")

# Seconds for which gathered calls are collected.
GATHER_S = 0.02

_Call = tuple["asyncio.Future[Any]", Callable[[], Any]]
_Outcome = tuple["asyncio.Future[Any]", Any, BaseException | None]


class Threads:
    """At most ``count`` blocking calls at once; a call that is cancelled before its start never runs."""

    def __init__(self, name: str, count: int, *, gather: float = GATHER_S) -> None:
        self._executor = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._gather = gather
        self._gathered: list[_Call] = []

    async def run(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)

    async def run_gathered(self, call: Callable[[], T]) -> T:
        """Like :meth:`run`, but collects the calls of a few milliseconds and runs them in order in one thread.

        Waking a thread, and handing over the interpreter lock while the loop is busy, costs more than writing a
        small file.
        """
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[T] = loop.create_future()
        self._gathered.append((outcome, call))
        if len(self._gathered) == 1:
            loop.call_later(self._gather, self._submit, loop)
        return await outcome

    async def close(self) -> None:
        """Wait for the calls that are running and cancel the others."""
        gathered, self._gathered = self._gathered, []
        for outcome, _ in gathered:
            outcome.cancel()
        await asyncio.to_thread(self._executor.shutdown, wait=True, cancel_futures=True)

    def _submit(self, loop: asyncio.AbstractEventLoop) -> None:
        calls, self._gathered = self._gathered, []
        if calls:
            submitted = self._executor.submit(_run_all, calls, loop)
            submitted.add_done_callback(lambda done: _cancel(calls) if done.cancelled() else None)


def _run_all(calls: list[_Call], loop: asyncio.AbstractEventLoop) -> None:
    outcomes: list[_Outcome] = []
    for outcome, call in calls:
        if outcome.cancelled():
            continue
        try:
            outcomes.append((outcome, call(), None))
        except BaseException as error:
            outcomes.append((outcome, None, error))
    loop.call_soon_threadsafe(_notify, outcomes)


def _notify(outcomes: list[_Outcome]) -> None:
    for outcome, result, error in outcomes:
        if outcome.done():
            continue
        if error is None:
            outcome.set_result(result)
        else:
            outcome.set_exception(error)


def _cancel(calls: list[_Call]) -> None:
    for outcome, _ in calls:
        outcome.cancel()
