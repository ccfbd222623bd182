"""Faults of encoding. The stream is that of the process; all streams are watched."""

import asyncio
import os
import signal
import time

from tests.chaos.faults.fault import fault
from tests.chaos.stage import Stage, Stream

# The child runs for a twentieth of the time. Whole stops are so short that it is not taken for one that hangs.
RUNS_S, STOPS_S = 0.02, 0.38
SLOW_S = 12.0
# A hung process is killed after 5 s, and its successor starts at a keyframe.
REPLACED_S = 20.0


@fault(2.5, "transcoder-replaced", everywhere=True)
async def kill_transcoder(stage: Stage, stream: Stream) -> None:
    """A transcoder is killed (SIGKILL)."""
    child = stage.choose_transcoder()
    os.kill(child, signal.SIGKILL)
    await stage.until(lambda: stage.is_replaced(child), REPLACED_S)


@fault(2.5, "transcoder-replaced", everywhere=True)
async def hang_transcoder(stage: Stage, stream: Stream) -> None:
    """A transcoder hangs (SIGSTOP); the server replaces it after 5 s."""
    child = stage.choose_transcoder()
    os.kill(child, signal.SIGSTOP)
    await stage.until(lambda: stage.is_replaced(child), REPLACED_S)


@fault(2.5, "rung-shed", "rung-returned", everywhere=True)
async def slow_encoding(stage: Stage, stream: Stream) -> None:
    """A transcoder gets a twentieth of its processor time for 12 s; a rendition is shed, and returns."""
    child, end = stage.choose_transcoder(), time.monotonic() + SLOW_S
    try:
        while time.monotonic() < end:
            os.kill(child, signal.SIGSTOP)
            await asyncio.sleep(STOPS_S)
            os.kill(child, signal.SIGCONT)
            await asyncio.sleep(RUNS_S)
    except ProcessLookupError:
        return
    await stage.wait_for_event("rung-returned", 60)
