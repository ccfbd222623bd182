"""Faults of the server's process, its log and its store."""

import asyncio
import os
import signal

from tests.chaos.faults.fault import fault
from tests.chaos.stage import Stage, Stream

DOWN_S = 1.0
OUTAGE_S = 6.0
HANG_S = 8.0
HELD_S = 6.0
BACK_S = 40.0


@fault(8.0, "recovered", everywhere=True)
async def kill_server(stage: Stage, stream: Stream) -> None:
    """The whole server is killed (kill -9) and starts again within 3 s."""
    await stage.kill_server()
    await asyncio.sleep(DOWN_S)
    await stage.start_server()


@fault(2.5, "transcoder-replaced", everywhere=True)
async def full_log(stage: Stage, stream: Stream) -> None:
    """Nobody reads the server's log for 6 s, so the pipe is full; meanwhile a transcoder is killed."""
    stage.log.hold()
    try:
        child = stage.choose_transcoder()
        os.kill(child, signal.SIGKILL)
        await asyncio.sleep(HELD_S)
        await stage.until(lambda: stage.is_replaced(child), 20)
    finally:
        stage.log.release()


@fault(2.5, "store-away", "store-back", everywhere=True)
async def store_stops(stage: Stage, stream: Stream) -> None:
    """The store is stopped for 6 s, and starts again."""
    await asyncio.to_thread(stage.store.stop)
    await asyncio.sleep(OUTAGE_S)
    await asyncio.to_thread(stage.store.start)
    await stage.wait_for_event("store-back", BACK_S)


@fault(2.5, everywhere=True, needs="process")
async def store_hangs(stage: Stage, stream: Stream) -> None:
    """The store hangs (SIGSTOP) for 8 s."""
    stage.store.hang()
    await asyncio.sleep(HANG_S)
    stage.store.resume()
