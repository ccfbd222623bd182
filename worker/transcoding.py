"""Runs one transcoder child for a broadcast: starts it at a keyframe, feeds it, and replaces it when it dies.

A replacement begins with the next cut on a keyframe; until then, the renditions have gaps.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

import structlog

from media.configs import TrackConfig
from media.units import AccessUnit, Kind
from transcoder.client import OnDecoded, OnEnd, OnReady, OnUnit, Transcoder, TranscoderEnd
from transcoder.errors import WorkerUnavailable
from transcoder.messages import Job

log = structlog.get_logger("transcoding")

FIRST_RETRY_S = 0.5
LONGEST_RETRY_S = 30.0
# If a child ran for this many seconds before it died, the back-off is reset.
STABLE_AFTER_S = 60.0
# Units and cuts kept for a child that is starting; later ones are dropped.
MAX_WAITING = 1500


class TranscodingSink(Protocol):
    """Receives the children's output and is notified of their deaths."""

    def on_encoded_config(self, track: str, config: TrackConfig) -> None: ...

    def on_encoded_unit(self, track: str, unit: AccessUnit) -> None: ...

    def on_decoded(self, pts: int, at_ns: int) -> None: ...

    def on_transcoder_died(self, reason: str) -> None: ...

    def on_overrun_started(self) -> None:
        """The child is too slow, and frames are dropped."""
        ...

    def on_overrun_ended(self) -> None: ...


class TranscodingChild(Protocol):
    """The part of :class:`transcoder.client.Transcoder` that is used here."""

    def cut(self, pts: int) -> None: ...

    def feed(self, unit: AccessUnit) -> bool: ...

    async def finish(self, timeout: float) -> None: ...

    def kill(self) -> None: ...


class StartChild(Protocol):
    """Raises WorkerUnavailable (:meth:`transcoder.client.Transcoder.start`)."""

    async def __call__(
        self, job: Job, *, on_ready: OnReady, on_unit: OnUnit, on_end: OnEnd, on_decoded: OnDecoded
    ) -> TranscodingChild: ...


class Transcoding:
    """The children of one broadcast. All calls are on the event loop, and none blocks it. ``clock`` returns
    monotonic seconds."""

    def __init__(
        self,
        sink: TranscodingSink,
        *,
        clock: Callable[[], float],
        start: StartChild = Transcoder.start,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._sink = sink
        self._clock = clock
        self._start_child = start
        self._sleep = sleep
        self._job: Job | None = None
        self._generation = 0
        self._child: TranscodingChild | None = None
        self._waiting: list[AccessUnit | int] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._retiring: set[asyncio.Task[None]] = set()
        self._retry_s = FIRST_RETRY_S
        self._started_at = 0.0
        self._may_start = False
        self._newest_output: dict[str, int] = {}
        self._dropping = False
        self.restarts = 0

    def begin(self, job: Job) -> None:
        """Start ``job`` at the next cut on a keyframe, or at any cut if it has no video. A running child gets no
        more units and ends."""
        self._retire()
        self._job = job
        self._may_start = True

    def cut(self, pts: int, *, key: bool) -> None:
        """The next unit fed starts a segment at ``pts`` (90 kHz ticks)."""
        if self._job is None:
            return
        if self._may_start and (key or self._job.video is None):
            self._start(self._job)
        if self._child is not None:
            self._child.cut(pts)
        elif self._waiting is not None:
            self._waiting.append(pts)

    def feed(self, unit: AccessUnit) -> None:
        if self._child is not None:
            fits = self._child.feed(unit)
            if fits == self._dropping and unit.kind is Kind.VIDEO:
                self._dropping = not fits
                if self._dropping:
                    self._sink.on_overrun_started()
                else:
                    self._sink.on_overrun_ended()
        elif self._waiting is not None and len(self._waiting) < MAX_WAITING:
            self._waiting.append(unit)

    async def finish(self, timeout: float) -> None:
        """Wait at most ``timeout`` seconds for every frame that was fed, then end the child. Retired children have
        their own timeout."""
        self._job, self._may_start = None, False
        child, self._child, self._waiting = self._child, None, None
        if child is not None:
            await child.finish(timeout)
        await asyncio.gather(*self._retiring, return_exceptions=True)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, job: Job) -> None:
        self._may_start = False
        self._generation += 1
        self._started_at = self._clock()
        self._waiting = []
        self._spawn(self._launch(job, self._generation))

    async def _launch(self, job: Job, generation: int) -> None:
        try:
            child = await self._start_child(
                job,
                on_ready=lambda track, config: self._on_ready(generation, track, config),
                on_unit=lambda track, unit: self._on_unit(generation, track, unit),
                on_end=lambda end: self._on_end(generation, end),
                on_decoded=self._sink.on_decoded,
            )
        except WorkerUnavailable as error:
            self._died(generation, f"it could not be started: {error}")
            return
        if generation != self._generation or self._waiting is None:
            child.kill()
            return
        self._child = child
        waiting, self._waiting = self._waiting, None
        for item in waiting:
            if isinstance(item, int):
                child.cut(item)
            else:
                child.feed(item)

    def _retire(self) -> None:
        """Let the running child finish its frames while the next one may already run."""
        child, self._child, self._waiting = self._child, None, None
        if child is not None:
            task = self._spawn(child.finish(10.0))
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)

    def _on_ready(self, generation: int, track: str, config: TrackConfig) -> None:
        if generation >= self._newest_output.get(track, 0):
            self._sink.on_encoded_config(track, config)

    def _on_unit(self, generation: int, track: str, unit: AccessUnit) -> None:
        if generation < self._newest_output.get(track, 0):
            return
        self._newest_output[track] = generation
        self._sink.on_encoded_unit(track, unit)

    def _on_end(self, generation: int, end: TranscoderEnd) -> None:
        if generation == self._generation and self._job is not None and self._child is not None:
            self._died(generation, end.text)

    def _died(self, generation: int, reason: str) -> None:
        if generation != self._generation:
            return
        self._child, self._waiting = None, None
        self.restarts += 1
        if self._clock() - self._started_at > STABLE_AFTER_S:
            self._retry_s = FIRST_RETRY_S
        log.warning("transcoder died", reason=reason, retry_s=self._retry_s)
        self._sink.on_transcoder_died(reason)
        self._spawn(self._permit_start(self._retry_s, generation))
        self._retry_s = min(2 * self._retry_s, LONGEST_RETRY_S)

    async def _permit_start(self, delay: float, generation: int) -> None:
        """Permit a start after ``delay`` seconds, unless a new job has meanwhile replaced ``generation``."""
        await self._sleep(delay)
        if generation == self._generation:
            self._may_start = self._job is not None

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
