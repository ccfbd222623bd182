"""The transcoder from the parent's side: one child process for each job, on asyncio."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from media.configs import TrackConfig
from media.units import AccessUnit
from transcoder.child import Child
from transcoder.errors import ProtocolViolation
from transcoder.messages import (
    Decoded,
    Encoded,
    Failed,
    Finish,
    Finished,
    Job,
    Message,
    Progress,
    Start,
    TrackReady,
)
from transcoder.outbox import Outbox, OutboxLimits
from transcoder.thumbnailer import Thumbnailer

__all__ = ["Thumbnailer", "Transcoder", "TranscoderEnd", "TranscoderEndReason"]

OnReady = Callable[[str, TrackConfig], None]
OnUnit = Callable[[str, AccessUnit], None]
OnDecoded = Callable[[int, int], None]
DEFAULT_LIMITS = OutboxLimits()


class TranscoderEndReason(StrEnum):
    """``FINISHED``: every frame was encoded. ``KILLED``: on request, or because it did not finish in time.
    ``FAILED``: the child sent a reason and exited. ``CRASHED``: it died without a reason."""

    FINISHED = "finished"
    KILLED = "killed"
    FAILED = "failed"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class TranscoderEnd:
    """``code`` is stable: the reason, or the code that a failed child sent. ``text`` is for people."""

    reason: TranscoderEndReason
    code: str
    text: str


OnEnd = Callable[["TranscoderEnd"], None]


class Transcoder:
    """One child. Callbacks run on the event loop's thread: ``on_end`` exactly once, as the last, and ``on_decoded``
    with the values of a :class:`~transcoder.messages.Decoded`."""

    def __init__(
        self, on_ready: OnReady, on_unit: OnUnit, on_end: OnEnd, on_decoded: OnDecoded, limits: OutboxLimits
    ) -> None:
        self._on_ready = on_ready
        self._on_unit = on_unit
        self._on_end = on_end
        self._on_decoded = on_decoded
        self._outbox = Outbox(limits)
        self._child: Child | None = None
        self._progress = Progress()
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
        limits: OutboxLimits = DEFAULT_LIMITS,
    ) -> "Transcoder":
        """Returns as soon as the process exists; units may be fed immediately. Raises WorkerUnavailable."""
        transcoder = cls(on_ready, on_unit, on_end, on_decoded, limits)
        transcoder._outbox.control(Start(job))
        transcoder._child = await Child.spawn("transcoder.worker", transcoder, keep_pictures=True)
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
    def backlog(self) -> int:
        """Messages queued for the child, and frames queued inside it."""
        return len(self._outbox) + self._progress.backlog

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

    def cut(self, pts: int) -> None:
        """The first frame at or after ``pts`` is an IDR of every rung. Call this before that frame is fed."""
        if self._end is None and not self._finishing:
            self._outbox.cut(pts)
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
        match message:
            case Encoded(track, unit):
                self._on_unit(track, unit)
            case Decoded(pts, at_ns):
                self._on_decoded(pts, at_ns)
            case Progress():
                self._progress = message
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
            self._child.kill()

    def _set_verdict(self, reason: TranscoderEndReason, code: str, text: str) -> None:
        """Set the reason of the end, unless one is set already."""
        if self._verdict is None:
            self._verdict = TranscoderEnd(reason, code, text)
