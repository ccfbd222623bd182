"""The transcoder from the parent's side: one child process for each job, on asyncio."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from media.configs import TrackConfig
from media.log_context import NO_CONTEXT, LogContext
from media.units import AccessUnit
from transcoder.child import Child
from transcoder.errors import ProtocolViolation
from transcoder.heartbeat import Heartbeat, Patience
from transcoder.messages import (
    Decoded,
    Encoded,
    Failed,
    Finish,
    Finished,
    Job,
    Message,
    Progress,
    Select,
    Start,
    Stopped,
    TrackReady,
)
from transcoder.outbox import Outbox, OutboxLimits
from transcoder.thumbnailer import Thumbnailer

__all__ = ["Thumbnailer", "Transcoder", "TranscoderEnd", "TranscoderEndReason"]

OnReady = Callable[[str, TrackConfig], None]
OnUnit = Callable[[str, AccessUnit], None]
OnDecoded = Callable[[int, int], None]
OnStopped = Callable[[str], None]
DEFAULT_LIMITS = OutboxLimits()
DEFAULT_PATIENCE = Patience()


class TranscoderEndReason(StrEnum):
    """``FINISHED``: every frame was encoded. ``KILLED``: on request, or because it did not finish in time.
    ``FAILED``: the child sent a reason and exited. ``CRASHED``: it died without a reason. ``HUNG``: it was killed,
    because it sent nothing for too long."""

    FINISHED = "finished"
    KILLED = "killed"
    FAILED = "failed"
    CRASHED = "crashed"
    HUNG = "hung"


@dataclass(frozen=True, slots=True)
class TranscoderEnd:
    """``code`` is stable: the reason, or the code that a failed child sent. ``text`` is for people."""

    reason: TranscoderEndReason
    code: str
    text: str


OnEnd = Callable[["TranscoderEnd"], None]


class Transcoder:
    """One child. Callbacks run on the event loop's thread: ``on_end`` exactly once, as the last, ``on_decoded``
    with the values of a :class:`~transcoder.messages.Decoded`, and ``on_stopped`` with the track of a rung that is
    not selected any more, after its last unit."""

    def __init__(
        self,
        on_ready: OnReady,
        on_unit: OnUnit,
        on_end: OnEnd,
        on_decoded: OnDecoded,
        on_stopped: OnStopped,
        limits: OutboxLimits,
    ) -> None:
        self._on_ready = on_ready
        self._on_unit = on_unit
        self._on_end = on_end
        self._on_decoded = on_decoded
        self._on_stopped = on_stopped
        self._outbox = Outbox(limits)
        self._child: Child | None = None
        self._heartbeat: Heartbeat | None = None
        self._progress = Progress()
        self._behind = 0
        self._end: TranscoderEnd | None = None
        self._verdict: TranscoderEnd | None = None
        self._finishing = False

    @classmethod
    async def start(
        cls,
        job: Job,
        *,
        on_ready: OnReady,
        on_unit: OnUnit,
        on_end: OnEnd,
        on_decoded: OnDecoded = lambda pts, at_ns: None,
        on_stopped: OnStopped = lambda track: None,
        limits: OutboxLimits = DEFAULT_LIMITS,
        patience: Patience = DEFAULT_PATIENCE,
        context: LogContext = NO_CONTEXT,
    ) -> "Transcoder":
        """Returns as soon as the process exists; units may be fed immediately. If the process dies at once,
        ``on_end`` may be called before this returns. Raises WorkerUnavailable."""
        transcoder = cls(on_ready, on_unit, on_end, on_decoded, on_stopped, limits)
        transcoder._outbox.control(Start(job))
        transcoder._child = await Child.spawn(
            "transcoder.worker", transcoder, job.options.limits, keep_pictures=True, context=context
        )
        if transcoder._end is None:
            transcoder._heartbeat = Heartbeat(transcoder._on_silence, patience)
        transcoder.writable()
        return transcoder

    @property
    def pid(self) -> int | None:
        return None if self._child is None else self._child.pid

    @property
    def end(self) -> TranscoderEnd | None:
        """The child's end; None while it runs."""
        return self._end

    @property
    def progress(self) -> Progress:
        return self._progress

    @property
    def backlog(self) -> int:
        """Messages queued for the child, and frames queued inside it."""
        return len(self._outbox) + self._progress.backlog

    @property
    def behind(self) -> int:
        """How far the child was behind the source's video at its newest report, in 90 kHz ticks. A child that hangs
        is not slow: it reports nothing."""
        return self._behind

    @property
    def dropped_video(self) -> int:
        return self._outbox.dropped_video

    @property
    def dropped_audio(self) -> int:
        return self._outbox.dropped_audio

    def feed(self, unit: AccessUnit) -> bool:
        """Send the next unit in decoding order; False if it was dropped. Never blocks, and memory is bounded.

        A child that falls behind loses video up to the key unit of a later cut (:class:`Outbox`).
        """
        if self._end is not None or self._finishing:
            return False
        try:
            accepted = self._outbox.offer(unit)
        except ProtocolViolation:
            return False
        self.writable()
        return accepted

    def preroll(self, units: Sequence[AccessUnit]) -> None:
        """Send units that precede the first cut, after that cut and before :meth:`feed`: they are only decoded."""
        if self._end is None and not self._finishing:
            with contextlib.suppress(ProtocolViolation):
                self._outbox.preroll(units)
            self.writable()

    def cut(self, pts: int) -> None:
        """The first frame at or after ``pts`` is an IDR of every rung. Call this before that frame is fed. Frames
        before the first cut are not encoded."""
        if self._end is None and not self._finishing:
            self._outbox.cut(pts)
            self.writable()

    def select(self, tracks: frozenset[str]) -> None:
        """Encode the rungs of ``tracks`` only, from the next cut on that the child reaches."""
        if self._end is None and not self._finishing:
            self._outbox.select(Select(tracks))
            self.writable()

    async def finish(self, timeout: float) -> None:
        """Wait until every frame is encoded and the child has exited; after ``timeout`` seconds it is killed."""
        if self._child is None:
            return
        if self._end is None and not self._finishing:
            self._finishing = True
            self._outbox.control(Finish())
            self.writable()
        try:
            async with asyncio.timeout(timeout):
                await self._child.wait_ended()
        except TimeoutError:
            self._stop(f"it did not finish within {timeout:g} s")
            await self._child.wait_ended()

    def kill(self) -> None:
        """Kill the child; frames inside it are lost."""
        self._stop("it was stopped")

    # ChildOwner

    def message_received(self, message: Message) -> None:
        if self._heartbeat is not None:
            self._heartbeat.beat()
        match message:
            case Encoded(track, unit):
                self._on_unit(track, unit)
            case Decoded(pts, at_ns):
                self._on_decoded(pts, at_ns)
            case Progress():
                self._progress = message
                self._outbox.taken(message.taken)
                self._behind = self._outbox.behind
            case Stopped(track):
                self._on_stopped(track)
            case TrackReady(track, config):
                self._on_ready(track, config)
            case Failed(code, text):
                self._set_verdict(TranscoderEndReason.FAILED, code, text)
            case Finished():
                self._set_verdict(
                    TranscoderEndReason.FINISHED, TranscoderEndReason.FINISHED.value, "every frame came out"
                )

    def writable(self) -> None:
        child = self._child
        if child is None:
            return
        with contextlib.suppress(IndexError):
            while child.can_write:
                child.write(self._outbox.take())

    def child_ended(self, text: str) -> None:
        if self._heartbeat is not None:
            self._heartbeat.stop()
        self._set_verdict(
            TranscoderEndReason.CRASHED, "transcoder-crashed", f"the transcoder process is gone: {text}"
        )
        self._end = self._verdict
        assert self._end is not None
        self._on_end(self._end)

    def _stop(self, text: str) -> None:
        if self._child is not None and self._end is None:
            self._set_verdict(
                TranscoderEndReason.KILLED, TranscoderEndReason.KILLED.value, f"the transcoder was killed: {text}"
            )
            self._child.kill(text)

    def _on_silence(self, seconds: float) -> None:
        if self._child is not None and self._end is None:
            text = f"it hung: it sent nothing for {seconds:g} s"
            self._set_verdict(TranscoderEndReason.HUNG, "transcoder-hung", f"the transcoder was killed: {text}")
            self._child.kill(text)

    def _set_verdict(self, reason: TranscoderEndReason, code: str, text: str) -> None:
        """Set the reason of the end, unless one is set already."""
        if self._verdict is None:
            self._verdict = TranscoderEnd(reason, code, text)
