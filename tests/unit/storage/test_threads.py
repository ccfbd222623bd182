import asyncio
import threading
from functools import partial

import pytest

from storage.threads import Threads


async def test_gathered_calls_share_one_thread_call_and_keep_their_order() -> None:
    threads = Threads("test", 4)
    seen: list[tuple[int, int]] = []

    def record(number: int) -> int:
        seen.append((number, threading.get_ident()))
        return number

    calls = [threads.run_gathered(partial(record, number)) for number in range(20)]
    assert await asyncio.gather(*calls) == list(range(20))
    assert [number for number, _ in seen] == list(range(20))
    assert len({thread for _, thread in seen}) == 1
    assert threading.get_ident() not in {thread for _, thread in seen}
    await threads.close()


async def test_a_failing_call_does_not_affect_others() -> None:
    threads = Threads("test", 1)

    def fail() -> None:
        raise OSError("no space")

    good, bad, other = await asyncio.gather(
        threads.run_gathered(lambda: 1), threads.run_gathered(fail), threads.run_gathered(lambda: 2),
        return_exceptions=True,
    )  # fmt: skip
    assert (good, other) == (1, 2)
    assert isinstance(bad, OSError)
    await threads.close()


async def test_a_cancelled_call_never_runs() -> None:
    threads, ran = Threads("test", 1), []
    kept = asyncio.create_task(threads.run_gathered(lambda: ran.append("kept")))
    dropped = asyncio.create_task(threads.run_gathered(lambda: ran.append("dropped")))
    await asyncio.sleep(0)
    dropped.cancel()
    await kept
    assert ran == ["kept"]
    await threads.close()


async def test_close_ends_all_waiting_calls() -> None:
    threads, started, go = Threads("test", 1, gather=0), threading.Event(), threading.Event()

    def block() -> str:
        started.set()
        go.wait(10)
        return "done"

    running = asyncio.create_task(threads.run_gathered(block))
    await asyncio.to_thread(started.wait, 10)
    queued = asyncio.create_task(threads.run_gathered(lambda: None))
    await asyncio.sleep(0.01)
    gathered = asyncio.create_task(threads.run_gathered(lambda: None))
    await asyncio.sleep(0)
    closing = asyncio.create_task(threads.close())
    await asyncio.sleep(0.01)
    go.set()
    await closing
    assert await running == "done"
    for task in (queued, gathered):
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 5)
