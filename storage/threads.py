"""Blocking calls off the event loop, in a few threads of the caller's own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Threads:
    """At most ``count`` blocking calls at once; a call whose waiter is cancelled before it began never runs."""

    def __init__(self, name: str, count: int) -> None:
        self._executor = ThreadPoolExecutor(count, thread_name_prefix=name)

    async def run(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)

    async def close(self) -> None:
        """Wait for the calls that are under way."""
        await asyncio.to_thread(self._executor.shutdown, wait=True, cancel_futures=True)
