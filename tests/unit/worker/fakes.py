"""Test doubles: a manual clock, transcoder children that a test controls, and publishers' connections."""

import asyncio
from collections.abc import Callable, Sequence

from ingest.interface import EndReason
from media.configs import TrackConfig
from media.log_context import LogContext
from media.units import AccessUnit
from tests.lab.waiting import run_until_idle
from tests.unit.packager.recording import ZERO_MS
from transcoder.client import OnDecoded, OnEnd, OnReady, OnStopped, OnUnit, TranscoderEnd
from transcoder.client import TranscoderEndReason as ChildEnd
from transcoder.messages import Job, Progress
from worker.clock import Clock
from worker.publisher_session import PublisherSession


class FakeTimer:
    def __init__(self, at: float, callback: Callable[[], None]) -> None:
        self.at = at
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class FakeClock(Clock):
    """Stops between calls of :meth:`advance`. Its monotonic time starts far from 0, as on a real machine."""

    def __init__(self) -> None:
        self._now = 100_000.0
        self._unix_offset_ns = 0
        self._timers: list[FakeTimer] = []

    def monotonic(self) -> float:
        return self._now

    def unix(self) -> float:
        return self.unix_ns() / 1e9

    def unix_ns(self) -> int:
        return ZERO_MS * 1_000_000 + round(self._now * 1e9) - self._unix_offset_ns

    def set_back(self, seconds: float) -> None:
        """Set the wall clock back; monotonic time goes on."""
        self._unix_offset_ns += round(seconds * 1e9)

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        timer = self.call_later(seconds, lambda: woken.set_result(None))
        try:
            await woken
        finally:
            timer.cancel()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> FakeTimer:
        timer = FakeTimer(self._now + seconds, callback)
        self._timers.append(timer)
        return timer

    async def advance(self, seconds: float) -> None:
        """Advance, calling each timer's callback at its time."""
        await run_until_idle()
        until = self._now + seconds
        while due := [timer for timer in self._timers if timer.at <= until]:
            timer = min(due, key=lambda timer: timer.at)
            self._timers.remove(timer)
            if not timer.cancelled:
                self._now = timer.at
                timer.callback()
                await run_until_idle()
        self._now = until


class FakeChild:
    """A running child. ``given`` lists the cuts and units it received, in order; ``selected`` the selections."""

    def __init__(
        self,
        job: Job,
        on_ready: OnReady,
        on_unit: OnUnit,
        on_end: OnEnd,
        on_decoded: OnDecoded,
        on_stopped: OnStopped,
    ) -> None:
        self.job = job
        self.stopped = on_stopped
        self.selected: list[frozenset[str]] = []
        self.behind = 0
        self.produce_config = on_ready
        self.produce = on_unit
        self.decoded = on_decoded
        self.given: list[int | AccessUnit] = []
        self.prerolled = 0
        self.keeps_up = True
        self.progress = Progress()
        self.killed = False
        self.finishing = asyncio.Event()
        self.drained = asyncio.Event()
        self._on_end = on_end

    def select(self, tracks: frozenset[str]) -> None:
        self.selected.append(tracks)

    def cut(self, pts: int) -> None:
        self.given.append(pts)

    def preroll(self, units: Sequence[AccessUnit]) -> None:
        self.given.extend(units)
        self.prerolled += len(units)

    def feed(self, unit: AccessUnit) -> bool:
        self.given.append(unit)
        return self.keeps_up

    async def finish(self, timeout: float) -> None:
        """Wait until the test sets ``drained``."""
        self.finishing.set()
        await self.drained.wait()
        self._on_end(TranscoderEnd(ChildEnd.FINISHED, "finished", "every frame came out"))

    def kill(self) -> None:
        self.killed = True

    def die(self, text: str = "it died of SIGSEGV") -> None:
        self._on_end(TranscoderEnd(ChildEnd.CRASHED, "transcoder-crashed", text))


class FakeChildren:
    """Starts :class:`FakeChild` processes once ``gate`` is set; fails with ``error`` if it is set. A child that
    ``dies_at_once`` ends before its start returns. ``attempts`` counts all requested starts, including failed
    ones."""

    def __init__(self) -> None:
        self.started: list[FakeChild] = []
        self.attempts = 0
        self.error: Exception | None = None
        self.dies_at_once = False
        self.gate = asyncio.Event()
        self.gate.set()

    @property
    def last(self) -> FakeChild:
        return self.started[-1]

    async def start(
        self,
        job: Job,
        *,
        on_ready: OnReady,
        on_unit: OnUnit,
        on_end: OnEnd,
        on_decoded: OnDecoded,
        on_stopped: OnStopped,
        context: LogContext,
    ) -> FakeChild:
        self.attempts += 1
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        child = FakeChild(job, on_ready, on_unit, on_end, on_decoded, on_stopped)
        self.started.append(child)
        if self.dies_at_once:
            child.die()
        return child


class RecordingSink:
    """A :class:`worker.transcoding.TranscodingSink`."""

    def __init__(self) -> None:
        self.configs: list[tuple[str, TrackConfig]] = []
        self.units: list[tuple[str, AccessUnit]] = []
        self.decoded: list[tuple[int, int]] = []
        self.deaths: list[str] = []
        self.stopped: list[str] = []

    def on_encoded_config(self, track: str, config: TrackConfig) -> None:
        self.configs.append((track, config))

    def on_encoded_unit(self, track: str, unit: AccessUnit) -> None:
        self.units.append((track, unit))

    def on_decoded(self, pts: int, at_ns: int) -> None:
        self.decoded.append((pts, at_ns))

    def on_transcoder_died(self, reason: str) -> None:
        self.deaths.append(reason)

    def on_rung_stopped(self, track: str) -> None:
        self.stopped.append(track)


class FakeLink:
    """A publisher's connection. A kick ends the session at once unless ``ends_late``."""

    def __init__(self, address: str = "203.0.113.7:50114", *, ends_late: bool = False) -> None:
        self.address = address
        self.bytes_received = 0
        self.session: PublisherSession | None = None
        self.kicks: list[tuple[EndReason, str]] = []
        self.requests: list[str] = []
        self._ends_late = ends_late

    def kick(self, text: str, reason: EndReason = EndReason.KICKED) -> None:
        self.kicks.append((reason, text))
        if not self._ends_late:
            self.end(reason, text)

    def request_reconnect(self, text: str) -> bool:
        self.requests.append(text)
        return True

    def end(self, reason: EndReason, text: str = "") -> None:
        session, self.session = self.session, None
        if session is not None:
            session.on_end(reason, text)
