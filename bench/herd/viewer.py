"""A viewer: a playlist and a media connection for each of its renditions, as a player in a browser has them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from bench.herd.follower import Follower
from bench.herd.lane import Abandoned, Lane, LaneError
from bench.herd.playlist import (
    MICROSECONDS,
    MediaReader,
    MultivariantPlaylist,
    PlaylistError,
    decode,
    parse_multivariant,
)
from bench.herd.record import Record

OK = 200
PAUSE_AFTER_ERROR_S = 0.5
# A server that cannot block is asked again after this long.
PLAIN_RELOAD_S = 1.0


@dataclass(frozen=True, slots=True)
class World:
    """What viewers share: ``clock`` tells seconds, ``pause`` waits for some, ``open_lane`` makes a connection."""

    record: Record
    reader: MediaReader
    open_lane: Callable[[], Lane]
    clock: Callable[[], float]
    pause: Callable[[float], Awaitable[None]]

    async def get(self, lane: Lane, kind: str, path: str, *, keep: bool = False) -> bytes | None:
        """The body; None for what is no 200, which is counted."""
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

    ``switch`` is asked before each reload for the playlist to change to, or None to stay.
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
        for part in follower.take(playlist, _us(now)):
            world.record.named(part.path, now)
        if follower.misled > misled:
            world.record.misled += 1
            # A hint that is no longer given is no longer asked for.
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
                    world.record.arrived(part, since, world.clock())
                self._asking = None
        finally:
            lane.close()


@dataclass(frozen=True, slots=True)
class Habits:
    """``number`` chooses the first rendition, so that a crowd spreads evenly over the ladder; ``switches`` are how
    often it changes, on average, in a second."""

    number: int
    switches: float


class Viewer:
    def __init__(self, world: World, master: str, habits: Habits, random: Random) -> None:
        self._world = world
        self._master = master
        self._habits = habits
        self._random = random
        self._choices: tuple[str, ...] = ()
        self._chosen = ""
        self._next_switch = 0.0

    async def run(self) -> None:
        playlist = await load_master(self._world, self._master)
        self._choices = playlist.video
        self._chosen = playlist.video[self._habits.number % len(playlist.video)]
        self._plan_switch()
        async with asyncio.TaskGroup() as group:
            group.create_task(Rendition(self._world, self._chosen, self._switch).run())
            if playlist.audio is not None:
                group.create_task(Rendition(self._world, playlist.audio).run())

    def _switch(self) -> str | None:
        if self._world.clock() < self._next_switch:
            return None
        self._plan_switch()
        self._chosen = self._random.choice([path for path in self._choices if path != self._chosen])
        return self._chosen

    def _plan_switch(self) -> None:
        rate = self._habits.switches if len(self._choices) > 1 else 0.0
        self._next_switch = self._world.clock() + self._random.expovariate(rate) if rate else float("inf")


async def load_master(world: World, path: str) -> MultivariantPlaylist:
    """Asks until there is one."""
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
