"""Follows one rendition by the rules of low-latency HLS, with one connection for playlists and one for media, as a
player in a browser does; a witness records the events."""

import asyncio
from array import array
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from tests.lab.viewers.follower import Follower
from tests.lab.viewers.lane import Abandoned, HttpLane, Lane, LaneError
from tests.lab.viewers.playlist import (
    MICROSECONDS,
    MediaPlaylist,
    MediaReader,
    MultivariantPlaylist,
    Part,
    PlaylistError,
    decode,
    parse_multivariant,
)

OK = 200
PAUSE_AFTER_ERROR_S = 0.5
# The interval of reloads from a server that cannot block.
PLAIN_RELOAD_S = 1.0
LAG_EVERY_S = 0.02


class Witness(Protocol):
    """Records events. ``switches`` counts changes of rendition, ``misled`` the hints whose part never existed."""

    switches: int
    misled: int

    def answered(self, kind: str, path: str, size: int, now: float) -> None:
        """A request was answered."""
        ...

    def arrived(self, path: str, since: float, first_byte: float, last_byte: float) -> None:
        """A part arrived; ``since`` is when the viewer began to fetch its rendition."""
        ...

    def playlist_read(self, playlist: MediaPlaylist, new: Sequence[Part], now: float) -> None:
        """A playlist arrived that lists the parts ``new`` for the first time."""
        ...

    def failed(self, kind: str, what: str) -> None: ...


@dataclass(frozen=True, slots=True)
class World:
    """What viewers share: ``clock`` returns seconds, ``pause`` waits, ``open_lane`` opens a connection."""

    record: Witness
    reader: MediaReader
    open_lane: Callable[[], Lane]
    clock: Callable[[], float]
    pause: Callable[[float], Awaitable[None]]

    async def get(self, lane: Lane, kind: str, path: str, *, keep: bool = False) -> bytes | None:
        """The body; None for a status other than 200, which is recorded as a failure."""
        try:
            answer = await lane.get(path, keep=keep)
        except LaneError as error:
            self.record.failed(kind, str(error))
            return None
        except Abandoned:
            return None
        self.record.answered(kind, path, answer.size, self.clock())
        if answer.status == OK:
            return answer.body
        self.record.failed(kind, f"status {answer.status}")
        return None


class Rendition:
    """Follows one rendition at a time, to the end of the broadcast or until it is cancelled.

    ``switch`` is called before each reload; it returns the playlist to change to, or None to stay.
    """

    def __init__(self, world: World, path: str, switch: Callable[[], str | None] = lambda: None) -> None:
        self._world = world
        self._switch = switch
        self._follower = Follower(path)
        self._changed = asyncio.Event()
        self._media = world.open_lane()
        self._asking: str | None = None

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._reload())
            group.create_task(self._fetch())

    async def _reload(self) -> None:
        world, lane = self._world, self._world.open_lane()
        try:
            while not self._follower.ended:
                self._consider_switch()
                follower = self._follower
                path = follower.reload_path(_us(world.clock()))
                body = await world.get(lane, "playlist", path, keep=True)
                if body is None or not self._take(follower, body, path):
                    await world.pause(PAUSE_AFTER_ERROR_S)
                elif "_HLS_msn" not in path and "_HLS_msn" not in follower.reload_path(_us(world.clock())):
                    await world.pause(PLAIN_RELOAD_S)
        finally:
            self._changed.set()
            lane.close()

    def _take(self, follower: Follower, body: bytes, path: str) -> bool:
        world, now = self._world, self._world.clock()
        try:
            playlist = world.reader.read(body, path)
        except PlaylistError:
            world.record.failed("playlist", "unreadable")
            return False
        misled, hinted = follower.misled, follower.hinted
        world.record.playlist_read(playlist, follower.take(playlist, _us(now)), now)
        if follower.misled > misled:
            world.record.misled += 1
            # The playlist no longer hints at this part, so its request is abandoned.
            self._abandon(hinted)
        self._changed.set()
        return True

    def _consider_switch(self) -> None:
        path, before = self._switch(), self._follower
        if path is None:
            return
        self._world.record.switches += 1
        self._follower = Follower(path, expected=before.report_on(path), resume=before.reached)
        self._abandon(self._asking)

    def _abandon(self, path: str | None) -> None:
        if path is not None and path == self._asking:
            self._media.abandon()

    async def _fetch(self) -> None:
        world, lane = self._world, self._media
        followed, since = None, 0.0
        map_path: str | None = None
        try:
            while True:
                follower = self._follower
                part = follower.next_part()
                if part is None:
                    if follower.ended:
                        return
                    self._changed.clear()
                    await self._changed.wait()
                    continue
                if follower is not followed:
                    followed, since = follower, world.clock()
                if follower.map_path is not None and follower.map_path != map_path:
                    map_path = follower.map_path
                    await world.get(lane, "init", map_path)
                self._asking = part
                if await world.get(lane, "part", part) is not None:
                    world.record.arrived(part, since, lane.began, world.clock())
                self._asking = None
        finally:
            lane.close()


def http_world(host: str, port: int, record: Witness, *, bearer: str | None = None) -> World:
    """Real connections, which send the token ``bearer`` if given, and the system's monotonic clock."""
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    return World(record, MediaReader(), lambda: HttpLane(host, port, bearer=bearer), monotonic, pause)


async def watch_lag(lag: "array[float]") -> None:
    """Record how many seconds late this process's event loop is: the measurement adds that to a delay."""
    while True:
        due = monotonic() + LAG_EVERY_S
        await asyncio.sleep(LAG_EVERY_S)
        lag.append(monotonic() - due)


async def load_master(world: World, path: str) -> MultivariantPlaylist:
    """The multivariant playlist; retries until it can be read."""
    lane = world.open_lane()
    try:
        while True:
            body = await world.get(lane, "master", path, keep=True)
            if body is not None:
                try:
                    return parse_multivariant(decode(body), path)
                except PlaylistError:
                    world.record.failed("master", "unreadable")
            await world.pause(PAUSE_AFTER_ERROR_S)
    finally:
        lane.close()


def _us(seconds: float) -> int:
    return int(seconds * MICROSECONDS)
