import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from tests.lab.viewers.playlist import MediaReader
from tests.lab.viewers.record import Record
from tests.lab.viewers.rendition import World
from tests.lab.viewers.viewer import Habits, Viewer
from tests.lab.waiting import run_until_idle
from tests.unit.lab.fake_origin import BASE, MASTER, PARTS, FakeLane, FakeOrigin


@asynccontextmanager
async def watching(origin: FakeOrigin, *, number: int = 0, switches: float = 0.0) -> AsyncIterator[Record]:
    record = Record()

    async def pause(seconds: float) -> None:
        origin.now += seconds
        await asyncio.sleep(0)

    world = World(record, MediaReader(), lambda: FakeLane(origin), lambda: origin.now, pause)
    task = asyncio.create_task(Viewer(world, MASTER, Habits(number, switches), Random(1)).run())
    await run_until_idle()
    try:
        yield record
        if origin.ended:
            await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_every_part_is_fetched_once_when_it_is_made() -> None:
    origin = FakeOrigin()
    async with watching(origin) as record:
        for _ in range(2 * PARTS):
            await origin.make_part()
        for track in ("v720p", "a128k"):
            for msn in (12, 13):
                for part in range(PARTS):
                    path = f"{BASE}/{track}/{msn}.{part}.m4s"
                    assert origin.requests[path] == 1
                    assert len(record.arrivals[path]) == 2
        assert not any("v360p" in path for path in origin.requests)
        assert (record.errors, record.misled) == ({}, 0)
        # The request for the hinted part after the last one is waiting.
        assert f"{BASE}/v720p/14.0.m4s" not in record.arrivals
        assert origin.requests[f"{BASE}/v720p/14.0.m4s"] == 1


async def test_each_reload_requests_the_next_part() -> None:
    origin = FakeOrigin()
    async with watching(origin):
        await origin.make_part()
    queries = [path.partition("media.m3u8")[2] for path in origin.requests if "v720p/media" in path]
    assert queries == ["", "?_HLS_msn=12&_HLS_part=0&_HLS_skip=YES", "?_HLS_msn=12&_HLS_part=1&_HLS_skip=YES"]


async def test_parts_from_before_the_viewer_arrived_are_recorded_as_such() -> None:
    origin = FakeOrigin()
    async with watching(origin) as record:
        await origin.make_part()
        assert list(record.arrivals[f"{BASE}/v720p/11.0.m4s"]) == [100.0, 100.0]
        assert list(record.arrivals[f"{BASE}/v720p/12.0.m4s"]) == [100.0, origin.now]


async def test_a_crowd_spreads_over_the_ladder() -> None:
    origin = FakeOrigin()
    async with watching(origin, number=1):
        assert origin.requests[f"{BASE}/v360p/media.m3u8"] == 1
        assert origin.requests[f"{BASE}/v720p/media.m3u8"] == 0


async def test_a_switch_uses_the_rendition_report_and_abandons_the_waiting_request() -> None:
    origin = FakeOrigin()
    async with watching(origin, switches=0.2) as record:
        while not record.switches:
            await origin.make_part()
        msn, part = origin.edges["v360p"].place(origin.edges["v360p"].made - 1)
        assert origin.requests[f"{BASE}/v360p/media.m3u8?_HLS_msn={msn}&_HLS_part={part}"] == 1
        assert origin.requests[f"{BASE}/v360p/init-0.mp4"] == 1
        await origin.make_part()
        assert record.switches == 1
        assert f"{BASE}/v720p/{msn}.{part + 1}.m4s" not in record.arrivals
        assert record.errors == {}


async def test_a_request_for_a_withdrawn_hint_is_abandoned() -> None:
    origin = FakeOrigin()
    origin.hints[12, 0] = "15.0.m4s"
    async with watching(origin) as record:
        assert origin.requests[f"{BASE}/v720p/15.0.m4s"] == 1
        await origin.make_part()
        assert record.misled == 2
        assert f"{BASE}/v720p/12.0.m4s" in record.arrivals
        assert record.errors == {}


async def test_errors_are_counted_and_survived() -> None:
    origin = FakeOrigin()
    origin.status[f"{BASE}/v720p/12.0.m4s"] = 404
    origin.status[f"{BASE}/a128k/12.0.m4s"] = 0
    async with watching(origin) as record:
        await origin.make_part()
        await origin.make_part()
        assert record.errors == {"part: status 404": 1, "part: connection lost": 1}
        assert f"{BASE}/v720p/12.1.m4s" in record.arrivals


async def test_the_end_of_the_broadcast_ends_the_viewer() -> None:
    origin = FakeOrigin()
    async with asyncio.timeout(5), watching(origin):
        await origin.make_part()
        await origin.end()
