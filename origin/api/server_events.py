"""What happens on the whole server, as server-sent events.

One task asks for the streams and their events, for all readers together, and writes each message once. A slow
reader gets the newest state of each stream, and not all states before it.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from fastapi.sse import ServerSentEvent
from pydantic import BaseModel, TypeAdapter

from cluster.errors import ClusterError
from media.errors import HeadwaterError
from origin.api.errors import TooManyFollowers
from origin.api.models import (
    BroadcastState,
    EventPage,
    RemovedStream,
    ServerState,
    ServerTrouble,
    StreamEvent,
    StreamView,
)
from storage.catalogue import BroadcastNotFound
from storage.interface import StorageError

log = structlog.get_logger("api")

INTERVAL_S = 1.0
# Readers of one origin.
MAX_READERS = 200
# Events of broadcasts that wait for a reader. The oldest are left out.
MAX_WAITING = 1000
# The log of a broadcast that has left the air without an end is read this often, and then no more.
PATIENCE = 30

_STREAMS = TypeAdapter(list[StreamView])


def _message(event: str, data: BaseModel) -> ServerSentEvent:
    return ServerSentEvent(event=event, raw_data=data.model_dump_json())


def _all(views: Sequence[StreamView]) -> ServerSentEvent:
    return ServerSentEvent(event="streams", raw_data=_STREAMS.dump_json(list(views)).decode())


class Reader:
    """What one client has not been sent yet."""

    def __init__(self) -> None:
        self._states: dict[str, ServerSentEvent] = {}
        self._events: deque[ServerSentEvent] = deque(maxlen=MAX_WAITING)
        self._closed = False
        self._news = asyncio.Event()

    def begin(self, streams: ServerSentEvent) -> None:
        """All streams, which every other state follows."""
        self._states = {"": streams}

    def put(self, about: str, message: ServerSentEvent) -> None:
        """A state of ``about``, which replaces the one before."""
        self._states.pop(about, None)
        self._states[about] = message

    def add(self, message: ServerSentEvent) -> None:
        self._events.append(message)

    def wake(self) -> None:
        """Let :meth:`messages` go on, once all of a moment is here."""
        self._news.set()

    def close(self) -> None:
        self._closed = True
        self.wake()

    async def messages(self) -> AsyncIterator[ServerSentEvent]:
        while not self._closed:
            await self._news.wait()
            self._news.clear()
            # Taken before the first is sent, because more may come meanwhile.
            messages = [*self._states.values(), *self._events]
            self._states.clear()
            self._events.clear()
            for message in messages:
                yield message


@dataclass(slots=True)
class _Followed:
    """A broadcast whose events are sent. ``last`` is the number of the newest one that was; ``misses`` counts the
    times that it was off the air and its log had no end; after ``done``, no more are sent."""

    last: int = 0
    misses: int = 0
    done: bool = False


class ServerEvents:
    """``streams`` returns all streams, and ``page`` the events of a stream's broadcast after a number. ``state`` is
    the server's own. ``sleep`` waits between two rounds."""

    def __init__(
        self,
        streams: Callable[[], Awaitable[Sequence[StreamView]]],
        page: Callable[[str, str, int], Awaitable[EventPage]],
        state: Callable[[], ServerState],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._find_streams = streams
        self._find_page = page
        self._state = state
        self._sleep = sleep
        self._readers: set[Reader] = set()
        self._views: dict[str, StreamView] | None = None
        self._followed: dict[tuple[str, str], _Followed] = {}
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """A reader that gets all streams first. Raises TooManyFollowers."""
        if len(self._readers) >= MAX_READERS:
            raise TooManyFollowers("too many programs follow the server: try again in a moment")
        reader = Reader()
        if self._closed:
            reader.close()
            yield reader
            return
        if self._views is not None:
            reader.begin(_all(list(self._views.values())))
            reader.wake()
        self._readers.add(reader)
        if self._task is None:
            self._task = asyncio.create_task(self._watch())
        try:
            yield reader
        finally:
            self._readers.discard(reader)
            if not self._readers:
                self._stop()

    def close(self) -> None:
        """End all answers, also those to come."""
        self._closed = True
        self._stop()
        for reader in self._readers:
            reader.close()

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._task, self._views = None, None
        self._followed.clear()

    async def _watch(self) -> None:
        while True:
            try:
                await self._compare(await self._find_streams())
            except (ClusterError, StorageError) as error:
                self._tell("trouble", _message("trouble", ServerTrouble(code=error.code, detail=str(error))))
            except Exception:
                log.exception("the server's events failed")
                trouble = ServerTrouble(code=HeadwaterError.code, detail="the server's log has the reason")
                self._tell("trouble", _message("trouble", trouble))
            self._tell("server", _message("server", self._state()))
            for reader in self._readers:
                reader.wake()
            await self._sleep(INTERVAL_S)

    async def _compare(self, streams: Sequence[StreamView]) -> None:
        before, self._views = self._views, {view.stream: view for view in streams}
        if before is None:
            message = _all(streams)
            for reader in self._readers:
                reader.begin(message)
        else:
            for name in before.keys() - self._views.keys():
                self._tell(f"stream {name}", _message("removed", RemovedStream(stream=name)))
            for name, view in self._views.items():
                if view != before.get(name):
                    self._tell(f"stream {name}", _message("stream", view))
        on_air = {(view.stream, view.broadcast) for view in streams if view.broadcast is not None}
        for stream, broadcast in on_air - self._followed.keys():
            followed = self._followed[stream, broadcast] = _Followed()
            if before is None:
                # What happened before the first reader came is not news.
                followed.last = (await self._page(stream, broadcast, 0)).last
        for (stream, broadcast), followed in list(self._followed.items()):
            if not followed.done:
                await self._read(stream, broadcast, followed)
            elif (stream, broadcast) not in on_air:
                del self._followed[stream, broadcast]

    def _tell(self, about: str, message: ServerSentEvent) -> None:
        for reader in self._readers:
            reader.put(about, message)

    async def _read(self, stream: str, broadcast: str, followed: _Followed) -> None:
        """Send the new events of a broadcast."""
        page = await self._page(stream, broadcast, followed.last)
        for event in page.events:
            sent = StreamEvent(stream=stream, broadcast=broadcast, **event.model_dump())
            message = _message("event", sent)
            for reader in self._readers:
                reader.add(message)
        followed.last = page.last
        followed.misses += page.state is BroadcastState.INTERRUPTED
        followed.done = page.state is BroadcastState.ENDED or followed.misses > PATIENCE

    async def _page(self, stream: str, broadcast: str, after: int) -> EventPage:
        try:
            return await self._find_page(stream, broadcast, after)
        except (BroadcastNotFound, ClusterError, StorageError):
            state = BroadcastState.INTERRUPTED
            return EventPage(stream=stream, broadcast=broadcast, state=state, events=(), last=after, dropped=0)
