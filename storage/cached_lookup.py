"""A cache of asynchronous look-ups: concurrent callers share one, and its answer is kept while it is fresh."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from math import inf
from typing import Generic, TypeVar

import structlog

from storage.interface import ObjectNotFound, StorageError, StoreUnavailable
from storage.sized_cache import SizedCache

log = structlog.get_logger("storage")

K = TypeVar("K")
V = TypeVar("V")

MAX_LOOKUPS = 256
MAX_MISSING = 4096


@dataclass(frozen=True, slots=True)
class Freshness:
    """The ages at which an answer is looked up again, in seconds since the start of its look-up.

    From ``refresh_s`` on, a call still returns the answer and starts a look-up in the background. From
    ``max_age_s`` on, a call waits for the new answer. With ``fallback_s``, it waits at most that long if there is
    an older answer, and returns the older one if the look-up fails or takes longer; the next attempt then follows
    after ``refresh_s``.
    """

    refresh_s: float = inf
    max_age_s: float = inf
    fallback_s: float | None = None


@dataclass(slots=True)
class _Answer(Generic[V]):
    value: V
    since: float


class CachedLookup(Generic[K, V]):
    """The number of answers, their total ``weight`` and the number of simultaneous look-ups are bounded.

    Cancelling a caller does not cancel the look-up, and all callers that wait get its error. ``ObjectNotFound``
    removes the answer and is itself cached for ``missing_s`` seconds. ``is_kept`` selects the keys whose answers
    are kept. ``clock`` returns monotonic seconds. Look-ups beyond ``max_lookups`` raise StoreUnavailable. Those of
    keys without an answer wait beyond ``max_running``, so that a flood of them does not occupy the event loop and
    the threads.
    """

    def __init__(
        self,
        look_up: Callable[[K], Awaitable[V]],
        *,
        max_count: int | None = None,
        max_weight: float = inf,
        weight: Callable[[V], int] = lambda _: 0,
        freshness: Freshness,
        missing_s: float = 0.0,
        is_kept: Callable[[K], bool] = lambda _: True,
        max_lookups: float = MAX_LOOKUPS,
        max_running: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look_up = look_up
        self._weight = weight
        self._freshness = freshness
        self._missing_s = missing_s
        self._is_kept = is_kept
        self._max_lookups = max_lookups
        self._running: AbstractAsyncContextManager[None] = (
            nullcontext() if max_running is None else asyncio.Semaphore(max_running)
        )
        self._clock = clock
        self._answers: SizedCache[K, _Answer[V]] = SizedCache(max_weight, max_values=max_count)
        self._missing_until: SizedCache[K, float] = SizedCache(0, max_values=MAX_MISSING)
        self._lookups: dict[K, asyncio.Task[V]] = {}
        self._tasks: set[asyncio.Task[V]] = set()

    @property
    def weight(self) -> float:
        """The total weight of all answers."""
        return self._answers.bytes

    def peek(self, key: K) -> V | None:
        """The answer in memory, fresh or not; otherwise None."""
        answer = self._answers.get(key)
        return None if answer is None else answer.value

    async def get(self, key: K) -> V:
        answer = self._answers.get(key)
        if answer is None:
            if self._is_missing(key):
                raise ObjectNotFound(f"there is no object {key}")
            return await asyncio.shield(self._lookup_task(key))
        age = self._clock() - answer.since
        if age < self._freshness.refresh_s:
            return answer.value
        if age >= self._freshness.max_age_s:
            return await self.refresh(key)
        try:
            self._lookup_task(key)
        except StoreUnavailable as error:
            self._keep(key, answer, error)
        return answer.value

    async def refresh(self, key: K) -> V:
        """Look ``key`` up even if there is a fresh answer; ``fallback_s`` of :class:`Freshness` applies."""
        older = self._answers.get(key)
        if older is None or self._freshness.fallback_s is None:
            return await asyncio.shield(self._lookup_task(key))
        try:
            async with asyncio.timeout(self._freshness.fallback_s):
                return await asyncio.shield(self._lookup_task(key))
        except ObjectNotFound:
            raise
        except TimeoutError:
            self._keep(key, older, StoreUnavailable("the store does not answer"))
        except StorageError:
            pass
        return older.value

    def put(self, key: K, value: V) -> None:
        """Keep ``value``, which is newer than the answer of any look-up in flight."""
        self._lookups.pop(key, None)
        self._store(key, value, self._clock())

    def outdate(self, key: K) -> None:
        """Something has changed: callers from now on do not share a look-up that has begun before."""
        self._lookups.pop(key, None)

    def forget(self, key: K) -> None:
        """Remove the answer for ``key``, and do not keep the answer of a look-up in flight."""
        self._lookups.pop(key, None)
        self._answers.drop(key)
        self._missing_until.drop(key)

    async def close(self) -> None:
        """Cancel the look-ups in flight and the callers that wait for them."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _lookup_task(self, key: K) -> "asyncio.Task[V]":
        task = self._lookups.get(key)
        if task is None:
            if len(self._tasks) >= self._max_lookups:
                raise StoreUnavailable("too many look-ups in the store at once: try again")
            since = self._clock()
            task = asyncio.create_task(self._run(key))
            self._lookups[key] = task
            self._tasks.add(task)
            task.add_done_callback(lambda done: self._finish(key, done, since))
        return task

    async def _run(self, key: K) -> V:
        if self._answers.get(key) is not None:
            return await self._look_up(key)
        async with self._running:
            return await self._look_up(key)

    def _finish(self, key: K, task: "asyncio.Task[V]", since: float) -> None:
        self._tasks.discard(task)
        # Read the error even if no caller waits: otherwise asyncio logs that it was never retrieved.
        error = None if task.cancelled() else task.exception()
        if self._lookups.get(key) is not task:
            return
        del self._lookups[key]
        if task.cancelled():
            return
        if error is None:
            if self._is_kept(key):
                self._store(key, task.result(), since)
        elif isinstance(error, ObjectNotFound):
            self._answers.drop(key)
            if self._missing_s:
                self._missing_until.put(key, self._clock() + self._missing_s, 0)
        elif (answer := self._answers.get(key)) is not None:
            self._keep(key, answer, error)

    def _store(self, key: K, value: V, since: float) -> None:
        self._missing_until.drop(key)
        self._answers.put(key, _Answer(value, since), self._weight(value))

    def _keep(self, key: K, answer: _Answer[V], error: BaseException) -> None:
        """Keep the answer for another ``refresh_s``, so that not every call looks up in a store that fails."""
        now = self._clock()
        if self._freshness.fallback_s is None or now - answer.since < self._freshness.refresh_s:
            return
        answer.since = now
        level = log.warning if isinstance(error, StorageError) else log.error
        level("a look-up failed, the last answer is used", key=str(key), error=str(error) or repr(error))

    def _is_missing(self, key: K) -> bool:
        until = self._missing_until.get(key)
        if until is None:
            return False
        if self._clock() < until:
            return True
        self._missing_until.drop(key)
        return False
