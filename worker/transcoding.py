"""Runs one transcoder child for a broadcast: starts it at a keyframe, feeds it, and replaces it when it dies.

A replacement begins with the next cut on a keyframe; until then, the renditions have gaps. A child that begins
between keyframes first decodes the video since the last one.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import structlog

from media.configs import TrackConfig
from media.log_context import NO_CONTEXT, LogContext
from media.units import VIDEO_TIMESCALE, AccessUnit, Kind
from transcoder.client import OnDecoded, OnEnd, OnReady, OnStopped, OnUnit, Transcoder, TranscoderEnd
from transcoder.errors import WorkerUnavailable
from transcoder.messages import Job, Progress

log = structlog.get_logger("transcoding")

# The next keyframe is usually later.
FIRST_RETRY_S = 0.05
LONGEST_RETRY_S = 30.0
# If a child ran for this many seconds before it died, the back-off is reset.
STABLE_AFTER_S = 60.0
# Units and cuts kept for a child that is starting; later ones are dropped.
MAX_WAITING = 1500
MAX_WAITING_BYTES = 32 << 20
# Children that finish their last frames while the next one runs. A further one is killed.
MAX_RETIRING = 2


class TranscodingSink(Protocol):
    """Receives the children's output and is notified of their deaths."""

    def on_encoded_config(self, track: str, config: TrackConfig) -> None: ...

    def on_encoded_unit(self, track: str, unit: AccessUnit) -> None: ...

    def on_decoded(self, pts: int, at_ns: int) -> None: ...

    def on_rung_stopped(self, track: str) -> None:
        """The rung is not selected any more, and its last unit before a cut has been received."""
        ...

    def on_transcoder_died(self, reason: str) -> None: ...


class TranscodingChild(Protocol):
    """The part of :class:`transcoder.client.Transcoder` that is used here."""

    @property
    def progress(self) -> Progress: ...

    @property
    def behind(self) -> int: ...

    def select(self, tracks: frozenset[str]) -> None: ...

    def cut(self, pts: int) -> None: ...

    def preroll(self, units: Sequence[AccessUnit]) -> None: ...

    def feed(self, unit: AccessUnit) -> bool: ...

    async def finish(self, timeout: float) -> None: ...

    def kill(self) -> None: ...


class StartChild(Protocol):
    """Raises WorkerUnavailable (:meth:`transcoder.client.Transcoder.start`)."""

    async def __call__(
        self,
        job: Job,
        *,
        on_ready: OnReady,
        on_unit: OnUnit,
        on_end: OnEnd,
        on_decoded: OnDecoded,
        on_stopped: OnStopped,
        context: LogContext,
    ) -> TranscodingChild: ...


class Transcoding:
    """The children of one broadcast. All calls are on the event loop, and none blocks it. ``clock`` returns
    monotonic seconds; ``context`` is part of each log line."""

    def __init__(
        self,
        sink: TranscodingSink,
        *,
        clock: Callable[[], float],
        context: LogContext = NO_CONTEXT,
        start: StartChild = Transcoder.start,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._sink = sink
        self._clock = clock
        self._context = context
        self._log = log.bind(**context)
        self._start_child = start
        self._sleep = sleep
        self._job: Job | None = None
        self._history: Sequence[AccessUnit] = ()
        self._generation = 0
        self._child: TranscodingChild | None = None
        self._waiting: list[AccessUnit | int] | None = None
        self._waiting_bytes = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._launching: asyncio.Task[None] | None = None
        self._retiring: set[asyncio.Task[None]] = set()
        self._retry_s = FIRST_RETRY_S
        self._started_at = 0.0
        self._may_start = False
        self._newest_output: dict[str, int] = {}
        # The problems that earlier children found in the source.
        self._problems: Counter[str] = Counter()
        self.restarts = 0
        # Video units of the source that were not encoded, because a child was too slow.
        self.dropped = 0

    def begin(self, job: Job, history: Sequence[AccessUnit] = ()) -> None:
        """Start ``job`` at the next cut on a keyframe, or at any cut if it has no video. A running child gets no
        more units and ends. A job whose rungs are all off, and that has no audio, waits until one is selected.

        With ``history``, which is the source's video since its last keyframe, it starts at the next cut.
        """
        self._retire()
        self._job, self._history = job, history
        self._may_start = True
        for track in sorted(job.off):
            self._sink.on_rung_stopped(track)

    def select(self, tracks: frozenset[str]) -> None:
        """Encode the rungs of ``tracks`` only, from the next cut on that the child reaches."""
        job = self._job
        if job is None:
            return
        stopped = job.selected - tracks
        self._job = job = replace(job, off=frozenset(rung.track for rung in job.rungs) - tracks)
        if self._child is not None:
            self._child.select(job.selected)
        elif self._waiting is None:
            for track in sorted(stopped):
                self._sink.on_rung_stopped(track)

    def cut(self, pts: int, *, key: bool) -> None:
        """The next unit fed starts a segment at ``pts`` (90 kHz ticks). ``key``: a child can start with it."""
        if self._job is None:
            return
        all_off = self._job.rungs and not self._job.selected and not self._job.audio_outputs
        if self._may_start and not all_off and (key or self._history or self._job.video is None):
            self._start(self._job)
        if self._child is not None:
            self._child.cut(pts)
        elif self._waiting is not None:
            self._waiting.append(pts)

    def feed(self, unit: AccessUnit) -> None:
        if self._child is not None:
            if not self._child.feed(unit) and unit.kind is Kind.VIDEO:
                self.dropped += 1
        elif self._waiting is not None and len(self._waiting) < MAX_WAITING:
            size = len(unit.payload)
            if self._waiting_bytes + size <= MAX_WAITING_BYTES:
                self._waiting_bytes += size
                self._waiting.append(unit)

    @property
    def running(self) -> bool:
        """Whether a child runs or starts."""
        return self._child is not None or self._waiting is not None

    @property
    def behind_s(self) -> float:
        """How far encoding is behind the source's video, in seconds. It is 0 until a child reports."""
        return 0.0 if self._child is None else self._child.behind / VIDEO_TIMESCALE

    @property
    def problems(self) -> Mapping[str, int]:
        """The number of each problem that decoding has shown, by the codes of :mod:`worker.media_advice`."""
        return self._problems if self._child is None else self._problems + _problems(self._child.progress)

    async def finish(self, timeout: float) -> None:
        """Wait at most ``timeout`` seconds for every frame that was fed, then end the child. Retired children have
        their own timeout."""
        self._job, self._may_start = None, False
        if self._launching is not None:
            await asyncio.wait((self._launching,), timeout=timeout)
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
        self._waiting, self._waiting_bytes = [], 0
        self._launching = self._spawn(self._launch(job, self._generation))

    async def _launch(self, job: Job, generation: int) -> None:
        try:
            child = await self._start_child(
                job,
                on_ready=lambda track, config: self._on_ready(generation, track, config),
                on_unit=lambda track, unit: self._on_unit(generation, track, unit),
                on_end=lambda end: self._on_end(generation, end),
                on_decoded=self._sink.on_decoded,
                on_stopped=lambda track: self._on_stopped(generation, track),
                context=self._context,
            )
            if generation == self._generation and self._waiting is not None:
                self._hand_over(child, self._waiting, job)
            else:
                child.kill()
        except WorkerUnavailable as error:
            self._died(generation, f"it could not be started: {error}")
        except Exception as error:
            log.exception("the transcoder was not started")
            self._died(generation, f"it could not be started: {error!r}")

    def _hand_over(self, child: TranscodingChild, waiting: Sequence[AccessUnit | int], job: Job) -> None:
        """Feed ``child``, which was started with ``job``, from now on, first with what waited for it."""
        self._child, self._waiting = child, None
        history, self._history = self._history, ()
        if self._job is not None and self._job.off != job.off:
            child.select(self._job.selected)
        for item in waiting:
            if isinstance(item, int):
                child.cut(item)
                if history:
                    child.preroll(history)
                    history = ()
            else:
                child.feed(item)

    def _retire(self) -> None:
        """Let the running child finish its frames while the next one may already run."""
        child, self._child, self._waiting = self._child, None, None
        if child is not None:
            self._problems += _problems(child.progress)
            if len(self._retiring) >= MAX_RETIRING:
                child.kill()
                return
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

    def _on_stopped(self, generation: int, track: str) -> None:
        """Ignored if the rung has been selected again meanwhile, and from earlier children."""
        if generation == self._generation and self._job is not None and track in self._job.off:
            self._sink.on_rung_stopped(track)

    def _on_end(self, generation: int, end: TranscoderEnd) -> None:
        if self._job is not None:
            self._died(generation, end.text)

    def _died(self, generation: int, reason: str) -> None:
        """The child of ``generation`` has ended, or did not start. Nothing happens if it is not in use."""
        if generation != self._generation or not self.running:
            return
        child, self._child, self._waiting, self._history = self._child, None, None, ()
        if child is not None:
            self._problems += _problems(child.progress)
            child.kill()
        self.restarts += 1
        if self._clock() - self._started_at > STABLE_AFTER_S:
            self._retry_s = FIRST_RETRY_S
        self._log.warning("transcoder died", reason=reason, retry_s=self._retry_s)
        self._sink.on_transcoder_died(reason)
        for track in sorted(self._job.off if self._job is not None else ()):
            self._sink.on_rung_stopped(track)
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


def _problems(progress: Progress) -> Counter[str]:
    return Counter({"picture-order": progress.disordered, "undecodable": progress.errors})
