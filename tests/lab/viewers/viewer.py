"""A viewer: a video and an audio rendition, each followed separately, with an occasional switch of the video."""

import asyncio
from dataclasses import dataclass
from random import Random

from tests.lab.viewers.rendition import Rendition, World, load_master


@dataclass(frozen=True, slots=True)
class Habits:
    """``number`` selects the first rendition, so that a crowd spreads evenly over the ladder; ``switches`` is the
    average number of changes per second."""

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
