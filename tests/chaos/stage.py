"""A server with streams, viewers and a store, on which faults are caused."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx

from tests.chaos.census import Census, count
from tests.chaos.downtime import Downtime
from tests.chaos.encoder import Clip, Encoder, encoding
from tests.chaos.log_pipe import LogPipe, log_pipe
from tests.chaos.pages import Watched, watching
from tests.chaos.store import Store, running_store
from tests.chaos.viewer import Viewer
from tests.lab import broadcaster, processes
from tests.lab.errors import LabError
from tests.lab.ports import HOST, free_port
from tests.lab.server import Server, serving

CONFIG = """
[transcoder]
ladder = [ {{height = 180, bitrate = "200k"}} ]
[packager]
playlist_window = "30s"
[store]
{store}
"""
NAMES = ("alpha", "beta", "gamma", "delta")
PLAYERS = ("hls", "dash")
RUNG = "v180p"
CLIP_S = 8
START_S = 60.0
END_S = 90.0
# Media arrives for this long without a break before the next fault.
CALM_S = 4.0
CALM_WITHIN_S = 60.0
LOOK_S = 0.2
# A client plays if it has got something new within this time.
PLAYS_WITHIN_S = 2.0
FIRST_MINUTE_S = 60.0


@dataclass(slots=True)
class Stream:
    """``page`` is one of the players in Chromium, on some streams."""

    name: str
    key: str
    encoder: Encoder
    viewer: Viewer
    backup_key: str | None = None
    page: Watched | None = None


@dataclass(slots=True)
class Stage:
    """``data`` is the server's folder, ``down_s`` how long it was down each time, ``early`` what its last process
    held after its first minute, ``unsettled`` when viewers did not play again within the bound, in words."""

    store: Store
    log: LogPipe
    clips: Sequence[Clip]
    random: Random
    data: Path
    downtime: Downtime = field(default_factory=Downtime)
    streams: list[Stream] = field(default_factory=list)
    early: Census | None = None
    unsettled: list[str] = field(default_factory=list)
    down_s: list[float] = field(default_factory=list)
    _ports: tuple[int, int] = field(default_factory=lambda: (free_port(), free_port()))
    _server: Server | None = None
    _serving: ExitStack = field(default_factory=ExitStack)
    _encoders: AsyncExitStack = field(default_factory=AsyncExitStack)
    _started: float = 0.0
    _client: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(timeout=20))

    @property
    def server(self) -> Server:
        assert self._server is not None
        return self._server

    async def __aenter__(self) -> "Stage":
        await self.start_server()
        return self

    async def __aexit__(self, *error: object) -> None:
        """Disconnect the encoders, and stop the server."""
        await self._encoders.aclose()
        await self._client.aclose()
        await asyncio.to_thread(self._serving.close)

    # The server.

    async def start_server(self) -> None:
        """Start it with the same data and addresses as before."""
        rtmp, http = self._ports
        context = serving(
            self.data,
            *("--rtmp", f"{HOST}:{rtmp}", "--http", f"{HOST}:{http}"),
            config=CONFIG.format(store=self.store.config),
            environment=self.store.environment,
            redirection=f"2>/proc/self/fd/{self.log.writing}",
            inherited=(self.log.writing,),
        )
        self._serving = ExitStack()
        self._server = await asyncio.to_thread(self._serving.enter_context, context)
        self._started = time.monotonic()
        self.early = None
        if self.downtime.spans:
            self.downtime.end()
            begin, end = self.downtime.spans[-1]
            self.down_s.append(end - begin)

    async def kill_server(self) -> None:
        self.downtime.begin()
        os.kill(self.server.pid, signal.SIGKILL)
        await asyncio.to_thread(self._serving.close)

    async def stop_server(self) -> int:
        """Its exit code."""
        code = await asyncio.to_thread(self.server.stop)
        await asyncio.to_thread(self._serving.close)
        return code

    async def census(self) -> Census:
        text = (await self._client.get(f"{self.server.http}/metrics")).text
        return await asyncio.to_thread(count, self.server.pid, text)

    async def take_early_census(self) -> None:
        """What this process holds after its first minute; once for each process."""
        if self.early is None and time.monotonic() - self._started >= FIRST_MINUTE_S:
            self.early = await self.census()

    # Encoders.

    async def replace_encoder(self, stream: Stream) -> None:
        """Another encoder with the same key starts, and is the stream's from now on."""
        stream.encoder = await self._encoders.enter_async_context(
            encoding(self._ports[0], stream.key, self.clips[0])
        )

    def second_encoder(self, stream: Stream) -> AbstractAsyncContextManager[Encoder]:
        """A context with one more encoder with the same key."""
        return encoding(self._ports[0], stream.key, stream.encoder.clip)

    @asynccontextmanager
    async def backup(self, stream: Stream) -> AsyncIterator[Encoder]:
        """An encoder with the stream's backup key."""
        if stream.backup_key is None:
            stream.backup_key = (await asyncio.to_thread(self.server.json, "backup-key", stream.name))["key"]
        assert stream.backup_key is not None
        async with encoding(self._ports[0], stream.backup_key, stream.encoder.clip) as encoder:
            yield encoder

    async def has_left(self, encoder: Encoder) -> bool:
        return encoder.has_ended

    # Questions to the server.

    async def ask(self, path: str) -> Any:
        token = (self.data / "api-token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}"}
        return (await self._client.get(f"{self.server.http}/api/v1{path}", headers=headers)).json()

    async def is_on_air(self, stream: Stream, role: str) -> bool:
        shown = await self.ask(f"/streams/{stream.name}")
        return bool(shown["publisher"]) and shown["publisher"]["role"] == role

    async def is_on_standby(self, stream: Stream, role: str) -> bool:
        shown = await self.ask(f"/streams/{stream.name}")
        return bool(shown["standby"]) and shown["standby"]["role"] == role

    async def events(self, stream: Stream) -> list[dict[str, Any]]:
        answer = await self.ask(f"/streams/{stream.name}/events?limit=500")
        events: list[dict[str, Any]] = answer["events"]
        return events

    async def wait_for_event(self, code: str, timeout: float) -> bool:
        """Wait until any stream has an event ``code`` since now."""
        since = time.time()

        async def has_come() -> bool:
            found = [await self.events(stream) for stream in self.streams]
            return any(event["code"] == code and event["at"] > since for events in found for event in events)

        return await self.until(has_come, timeout)

    # Transcoders.

    def transcoders(self) -> list[int]:
        found = []
        for pid in processes.descendants(self.server.pid):
            try:
                if b"transcoder.worker\0" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(pid)
            except OSError:
                continue
        return sorted(found)

    def choose_transcoder(self) -> int:
        return self.random.choice(self.transcoders())

    async def is_replaced(self, child: int) -> bool:
        return child not in (found := self.transcoders()) and len(found) >= len(self.streams)

    # Waiting.

    async def until(self, condition: Callable[[], Awaitable[bool]], timeout: float) -> bool:
        """Whether it came true in time."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            try:
                if await condition():
                    return True
            except (httpx.TransportError, ValueError, KeyError):
                pass
            await asyncio.sleep(LOOK_S)
        return False

    async def calm(self, after: str) -> None:
        """Wait until all viewers have played for some seconds without a stall, or for a bounded time."""
        deadline = time.monotonic() + CALM_WITHIN_S
        since, waiting = time.monotonic(), []
        while time.monotonic() < deadline:
            await asyncio.sleep(1.0)
            now = time.monotonic()
            if waiting := await self._who_waits(now - PLAYS_WITHIN_S):
                since = now
            elif now - since >= CALM_S:
                return
        self.unsettled.append(
            f"viewers did not all play within {CALM_WITHIN_S:.0f} s after {after}: {', '.join(waiting)}"
        )

    async def _who_waits(self, since: float) -> list[str]:
        """The clients that have got nothing new."""
        found = []
        for stream in self.streams:
            if not stream.viewer.plays(since):
                found.append(f"the strict client of {stream.name}")
            if stream.page is not None:
                await stream.page.read()
                if stream.page.stands_since < since:
                    found.append(f"{stream.page.player}.js on {stream.name} ({stream.page.state})")
        return found

    # The end.

    async def end(self) -> None:
        """All broadcasters stop, and the server completes the recordings."""
        await asyncio.gather(*(stream.encoder.stop() for stream in self.streams))

        async def have_ended() -> bool:
            for stream in self.streams:
                broadcasts = await self.ask(f"/streams/{stream.name}/broadcasts")
                if any(broadcast["state"] != "ended" for broadcast in broadcasts):
                    return False
            return True

        if not await self.until(have_ended, END_S):
            raise LabError("not all broadcasts have ended")

    async def add_stream(self, name: str) -> None:
        url = await asyncio.to_thread(self.server.create, name)
        key = url.rpartition("/")[2]
        encoder = await self._encoders.enter_async_context(
            encoding(self._ports[0], key, self.clips[len(self.streams) % len(self.clips)])
        )
        stream = Stream(name, key, encoder, Viewer(self.server.http, name, self.downtime))
        if not await self.until(lambda: self.is_on_air(stream, "primary"), START_S):
            raise LabError(f"{name} is not on air")
        self.streams.append(stream)


@asynccontextmanager
async def prepared(folder: Path, random: Random, *, streams: int, pages: bool) -> AsyncIterator[Stage]:
    """A server whose viewers play when the block begins. Raises LabError."""
    clips = await asyncio.to_thread(make_clips, folder)
    async with AsyncExitStack() as stack:
        store = stack.enter_context(running_store(folder))
        log = stack.enter_context(log_pipe(folder / "server.log"))
        stage = await stack.enter_async_context(Stage(store, log, clips, random, folder / "data"))
        for name in NAMES[:streams]:
            await stage.add_stream(name)
        for shown in stage.streams:
            stack.push_async_callback(_cancel, asyncio.create_task(shown.viewer.run()))
        if pages:
            visits = [(stream.name, player) for stream, player in zip(stage.streams, PLAYERS, strict=False)]
            watched = await stack.enter_async_context(watching(stage.server.http, visits))
            for stream, page in zip(stage.streams, watched, strict=False):
                stream.page = page
        yield stage


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def make_clips(folder: Path) -> list[Clip]:
    """Two clips that differ in their sound. Each has a whole number of AAC frames, so it repeats without a gap."""
    made = []
    for rate in (48_000, 32_000):
        options = (("bf", 0), ("maxrate", "700k"), ("bufsize", "700k"), ("ar", rate))
        clip = broadcaster.Clip(CLIP_S, video_kbps=700, video_options=options)
        made.append(Clip(broadcaster.make_clip(clip, folder / f"{rate}.flv")))
    return made


def ended_records(folder: Path) -> list[dict[str, Any]]:
    """The catalogue's records of all broadcasts in a copy of the store."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("catalogue/broadcasts/*/*.json"))]
