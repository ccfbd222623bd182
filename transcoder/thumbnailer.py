"""JPEGs of random access points, by one long-lived child that all streams share.

The child decodes one picture at a time. If it dies or hangs, the picture that it had is the cause: that stream gets
no pictures for a while, and the next stream's picture goes to a new child.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import structlog
from structlog.typing import FilteringBoundLogger

from media.configs import VideoConfig
from media.log_context import NO_CONTEXT, LogContext
from media.units import AccessUnit
from transcoder.child import Child
from transcoder.errors import TranscoderError
from transcoder.limits import WorkerLimits
from transcoder.messages import Message, PictureAnswer, PictureRequest
from transcoder.protocol import encode

log = structlog.get_logger("transcoder")

MAX_PENDING = 32
MAX_PENDING_BYTES = 32 * 2**20
# Seconds without pictures for a stream whose picture ended the child; twice as long each time, up to LONGEST_BAN_S.
FIRST_BAN_S = 10.0
LONGEST_BAN_S = 3600.0
MAX_BANS = 1000


@dataclass(frozen=True, slots=True)
class Ban:
    until: float
    seconds: float


class Thumbnailer:
    """``timeout`` is the time for one picture in seconds, and also the longest wait for other streams' pictures.
    ``clock`` returns monotonic seconds."""

    def __init__(
        self,
        limits: WorkerLimits | None = None,
        *,
        timeout: float = 5.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._limits = limits or WorkerLimits()
        self._timeout = timeout
        self._clock = clock
        self._child: Child | None = None
        # Held by the request whose picture the child decodes.
        self._turn = asyncio.Lock()
        self._answer: asyncio.Future[bytes | None] | None = None
        self._tasks: set[asyncio.Task[bytes | None]] = set()
        self._pending_bytes = 0
        self._next_number = 0
        self._bans: dict[str, Ban] = {}
        self._closed = False

    @property
    def pid(self) -> int | None:
        return None if self._child is None else self._child.pid

    async def picture(
        self, stream: str, config: VideoConfig, unit: AccessUnit, context: LogContext = NO_CONTEXT
    ) -> bytes | None:
        """A JPEG of at most 640x640 square samples; None on any failure. Restarts the child if it died."""
        size = len(unit.payload)
        if len(self._tasks) >= MAX_PENDING or self._pending_bytes + size > MAX_PENDING_BYTES:
            return None
        # A caller that gives up must not leave the child with a picture that nobody watches.
        task = asyncio.create_task(self._take_turn(stream, config, unit, log.bind(**context)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def close(self) -> None:
        self._closed = True
        if self._child is not None:
            child = self._child
            child.kill("the server ends")
            await child.wait_ended()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _take_turn(
        self, stream: str, config: VideoConfig, unit: AccessUnit, log: FilteringBoundLogger
    ) -> bytes | None:
        self._pending_bytes += len(unit.payload)
        try:
            async with asyncio.timeout(self._timeout):
                await self._turn.acquire()
            try:
                return await self._decode(stream, config, unit, log)
            finally:
                self._turn.release()
        except TimeoutError:
            return None
        finally:
            self._pending_bytes -= len(unit.payload)

    async def _decode(
        self, stream: str, config: VideoConfig, unit: AccessUnit, log: FilteringBoundLogger
    ) -> bytes | None:
        ban = self._bans.get(stream)
        if self._closed or (ban is not None and self._clock() < ban.until):
            return None
        self._next_number += 1
        answer = self._answer = asyncio.get_running_loop().create_future()
        try:
            data = encode(PictureRequest(self._next_number, config, unit))
            if self._child is None:
                self._child = await Child.spawn("transcoder.worker.thumbnails", self, self._limits)
            child = self._child
            child.write(data)
            async with asyncio.timeout(self._timeout):
                jpeg = await answer
        except TranscoderError as error:
            log.warning("no thumbnail", code=error.code, reason=str(error))
            return None
        except TimeoutError:
            child.kill(f"it hung: it did not answer within {self._timeout:g} s")
            await child.wait_ended()
            jpeg = None
        finally:
            self._answer = None
        if jpeg is None and not self._closed:
            self._ban(stream, log)
        elif jpeg is not None:
            self._bans.pop(stream, None)
        return jpeg or None

    def _ban(self, stream: str, log: FilteringBoundLogger) -> None:
        before = self._bans.pop(stream, None)
        seconds = FIRST_BAN_S if before is None else min(2 * before.seconds, LONGEST_BAN_S)
        if len(self._bans) >= MAX_BANS:
            del self._bans[next(iter(self._bans))]
        self._bans[stream] = Ban(self._clock() + seconds, seconds)
        log.warning("a stream gets no thumbnails, because one ended their process", seconds=seconds)

    # ChildOwner

    def message_received(self, message: Message) -> None:
        answer = self._answer
        if isinstance(message, PictureAnswer) and message.number == self._next_number and answer is not None:
            self._set(answer, message.jpeg)

    def writable(self) -> None:
        """Does nothing: the child has one request at a time."""

    def child_ended(self, text: str) -> None:
        self._child = None
        if self._answer is not None:
            self._set(self._answer, None)
        if not self._closed:
            log.warning("the thumbnail process is gone", reason=text)

    def _set(self, answer: "asyncio.Future[bytes | None]", jpeg: bytes | None) -> None:
        if not answer.done():
            answer.set_result(jpeg)
