import asyncio
import time

from transcoder.heartbeat import Heartbeat, Patience

PATIENCE = Patience(start=4, later=2, tick_s=0.01)


async def silence(patience: Patience, *, beats: int = 0) -> float:
    """The seconds of silence that are reported, after so many beats."""
    reported: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    heartbeat = Heartbeat(reported.set_result, patience)
    for _ in range(beats):
        heartbeat.beat()
    return await asyncio.wait_for(reported, 5)


async def test_silence_is_longer_before_the_first_message_than_later() -> None:
    assert await silence(PATIENCE) == 0.04
    assert await silence(PATIENCE, beats=1) == 0.02


async def test_a_blocked_loop_is_no_silence() -> None:
    reported: list[float] = []
    heartbeat = Heartbeat(reported.append, PATIENCE)
    time.sleep(5 * PATIENCE.start * PATIENCE.tick_s)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert reported == []
    heartbeat.stop()


async def test_after_the_stop_nothing_is_reported() -> None:
    reported: list[float] = []
    Heartbeat(reported.append, PATIENCE).stop()
    await silence(PATIENCE)
    assert reported == []
