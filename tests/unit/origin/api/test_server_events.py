"""What one task tells all readers of the server's events."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi.sse import ServerSentEvent

from cluster.errors import ClusterUnavailable
from live.status import StreamState
from origin.api import server_events
from origin.api.errors import TooManyFollowers
from origin.api.models import BroadcastState, EventPage, ServerState, StreamView
from origin.api.server_events import Reader, ServerEvents
from storage.catalogue.events import Event
from tests.unit.origin.api.live import BROADCAST

NOW = 1_795_257_665.0


def view(name: str, title: str = "", broadcast: str | None = None) -> StreamView:
    state = StreamState.IDLE if broadcast is None else StreamState.LIVE
    return StreamView(
        stream=name,
        state=state,
        broadcast=broadcast,
        title=title,
        watch=f"http://a/watch/{name}",
        server="rtmp://a/live",
    )


class World:
    """Streams and logs that a test changes, then lets a round take place."""

    def __init__(self) -> None:
        self.streams: list[StreamView] = []
        self.log: list[Event] = []
        self.ended = False
        self.failure: Exception | None = None
        self.rounds = 0
        self._go = asyncio.Semaphore(0)
        self._done = asyncio.Event()
        self.events = ServerEvents(self._find, self._page, self._state, self._sleep)

    async def round(self) -> None:
        """The first begins with the first reader."""
        if self.rounds:
            self._go.release()
        self._done.clear()
        await self._done.wait()

    def happens(self, code: str) -> None:
        self.log.append(Event(number=len(self.log) + 1, at=NOW, code=code, text="what happened"))

    async def _find(self) -> list[StreamView]:
        if self.failure is not None:
            raise self.failure
        return list(self.streams)

    async def _page(self, stream: str, broadcast: str, after: int) -> EventPage:
        events = tuple(event for event in self.log if event.number > after)
        state = BroadcastState.ENDED if self.ended else BroadcastState.LIVE
        last = events[-1].number if events else after
        return EventPage(stream=stream, broadcast=broadcast, state=state, events=events, last=last, dropped=0)

    def _state(self) -> ServerState:
        return ServerState(at=NOW, draining=None, warnings=("the disk is full",))

    async def _sleep(self, seconds: float) -> None:
        self.rounds += 1
        self._done.set()
        await self._go.acquire()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    world.events.close()


async def take(reader: Reader, count: int) -> list[tuple[str | None, Any]]:
    """The next messages by name and content, without those of the server itself."""
    found: list[tuple[str | None, Any]] = []
    async with asyncio.timeout(5):
        async for message in reader.messages():
            if message.event != "server":
                found.append((message.event, content(message)))
            if len(found) == count:
                break
    return found


def content(message: ServerSentEvent) -> Any:
    assert message.raw_data is not None
    return json.loads(message.raw_data)


async def test_a_reader_gets_all_streams_and_then_what_changes(world: World) -> None:
    world.streams = [view("a"), view("b")]
    with world.events.reading() as reader:
        await world.round()
        ((name, streams),) = await take(reader, 1)
        assert name == "streams" and [stream["stream"] for stream in streams] == ["a", "b"]
        world.streams = [view("a", title="Studio A"), view("c")]
        await world.round()
        changes = sorted((name or "", data["stream"]) for name, data in await take(reader, 3))
        assert changes == [("removed", "b"), ("stream", "a"), ("stream", "c")]


async def test_the_server_tells_of_itself_in_each_round(world: World) -> None:
    with world.events.reading() as reader:
        for _ in range(2):
            await world.round()
            messages = [message async for message in first_round(reader)]
            assert content(messages[-1]) == {"at": NOW, "draining": None, "warnings": ["the disk is full"]}


async def first_round(reader: Reader) -> AsyncIterator[ServerSentEvent]:
    async for message in reader.messages():
        yield message
        if message.event == "server":
            return


async def test_events_of_broadcasts_are_sent_once_and_only_if_they_are_new(world: World) -> None:
    world.streams = [view("a", broadcast=BROADCAST)]
    world.happens("started")
    with world.events.reading() as reader:
        await world.round()
        assert [name for name, _ in await take(reader, 1)] == ["streams"]
        world.happens("publisher-lost")
        await world.round()
        ((name, event),) = await take(reader, 1)
        assert (name, event["stream"], event["broadcast"], event["code"]) == (
            "event",
            "a",
            BROADCAST,
            "publisher-lost",
        )
        world.happens("ended")
        world.ended = True
        world.streams = [view("a")]
        await world.round()
        found = await take(reader, 2)
        assert [name for name, _ in found] == ["stream", "event"] and found[1][1]["code"] == "ended"
        world.streams = [view("a", title="later")]
        await world.round()
        assert [name for name, _ in await take(reader, 1)] == ["stream"]


async def test_an_ended_broadcast_that_is_still_listed_is_not_told_twice(world: World) -> None:
    with world.events.reading() as reader:
        await world.round()
        await take(reader, 1)
        world.streams = [view("a", broadcast=BROADCAST)]
        world.happens("started")
        world.happens("ended")
        world.ended = True
        await world.round()
        assert [name for name, _ in await take(reader, 3)] == ["stream", "event", "event"]
        await world.round()
        world.streams = [view("a", title="later")]
        await world.round()
        assert [name for name, _ in await take(reader, 1)] == ["stream"]


async def test_a_slow_reader_gets_the_newest_state_of_each_stream(world: World) -> None:
    with world.events.reading() as reader:
        for title in ("one", "two", "three"):
            world.streams = [view("a", title=title)]
            await world.round()
        found = await take(reader, 2)
        assert [(name, data["title"]) for name, data in found[1:]] == [("stream", "three")]


async def test_the_events_that_wait_for_a_reader_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_events, "MAX_WAITING", 2)
    world.streams = [view("a", broadcast=BROADCAST)]
    with world.events.reading() as reader:
        await world.round()
        for code in ("one", "two", "three"):
            world.happens(code)
        await world.round()
        found = await take(reader, 3)
        assert [data["code"] for name, data in found if name == "event"] == ["two", "three"]


async def test_a_later_reader_gets_all_streams_at_once(world: World) -> None:
    world.streams = [view("a")]
    with world.events.reading():
        await world.round()
        with world.events.reading() as second:
            assert [name for name, _ in await take(second, 1)] == ["streams"]


async def test_trouble_is_told_in_words_and_what_follows_it(world: World) -> None:
    world.failure = ClusterUnavailable("the cluster does not answer")
    with world.events.reading() as reader:
        await world.round()
        assert await take(reader, 1) == [
            ("trouble", {"code": "cluster-unavailable", "detail": "the cluster does not answer"})
        ]
        world.failure = None
        await world.round()
        assert [name for name, _ in await take(reader, 1)] == ["streams"]


async def test_an_unexpected_failure_ends_nothing(world: World) -> None:
    world.failure = RuntimeError("secret")
    with world.events.reading() as reader:
        await world.round()
        ((name, trouble),) = await take(reader, 1)
        assert name == "trouble" and "secret" not in trouble["detail"]
        world.failure = None
        await world.round()
        assert [name for name, _ in await take(reader, 1)] == ["streams"]


async def test_nothing_is_asked_without_a_reader(world: World) -> None:
    with world.events.reading():
        await world.round()
    world.streams = [view("b")]
    with world.events.reading() as reader:
        world.rounds = 0
        await world.round()
        ((_, streams),) = await take(reader, 1)
        assert [stream["stream"] for stream in streams] == ["b"]


async def test_readers_are_limited(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_events, "MAX_READERS", 1)
    with world.events.reading(), pytest.raises(TooManyFollowers), world.events.reading():
        pass
    with world.events.reading():
        pass


async def test_readers_end_when_the_server_stops(world: World) -> None:
    with world.events.reading() as reader:
        await world.round()
        await take(reader, 1)
        world.events.close()
        assert [message async for message in reader.messages()] == []
    with world.events.reading() as late:
        assert [message async for message in late.messages()] == []
