"""Taking the server out of service."""

import asyncio

from control.drain import Drain


class Station:
    def __init__(self) -> None:
        self.on_air = 2
        self.empty = asyncio.Event()

    async def drain(self) -> None:
        await self.empty.wait()
        self.on_air = 0

    def drained(self, grace_s: float) -> Drain:
        return Drain(self.drain, lambda: self.on_air, lambda: grace_s)


async def test_the_server_stops_when_nothing_is_on_air() -> None:
    station = Station()
    drain = station.drained(600)
    assert drain.state is None
    state = drain.begin()
    assert (state.on_air, state.grace_left_s) == (2, 600)
    station.empty.set()
    await asyncio.wait_for(drain.stop.wait(), 10)
    assert drain.state is not None and drain.state.on_air == 0
    await drain.close()


async def test_the_server_stops_at_the_end_of_the_grace_period() -> None:
    drain = Station().drained(0)
    drain.begin()
    await asyncio.wait_for(drain.stop.wait(), 10)
    await drain.close()


async def test_a_later_call_changes_the_time() -> None:
    drain = Station().drained(600)
    drain.begin()
    assert drain.begin(0).grace_left_s == 0
    await asyncio.wait_for(drain.stop.wait(), 10)
    await drain.close()
