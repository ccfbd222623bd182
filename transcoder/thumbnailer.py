"""JPEGs of random access points, by one long-lived child that all streams share."""

import asyncio

import structlog

from media.configs import VideoConfig
from media.units import AccessUnit
from transcoder.child import Child
from transcoder.errors import TranscoderError
from transcoder.messages import Message, PictureAnswer, PictureRequest
from transcoder.protocol import encode

log = structlog.get_logger("transcoder")

MAX_PENDING = 32
MAX_PENDING_BYTES = 32 * 2**20


class Thumbnailer:
    """``timeout`` is the time for one picture in seconds."""

    def __init__(self, *, timeout: float = 10.0) -> None:
        self._timeout = timeout
        self._child: Child | None = None
        self._spawning = asyncio.Lock()
        self._pending: dict[int, asyncio.Future[bytes]] = {}
        self._pending_bytes = 0
        self._next_number = 0
        self._closed = False

    @property
    def pid(self) -> int | None:
        return None if self._child is None else self._child.pid

    async def start(self) -> None:
        """Raises WorkerUnavailable."""
        async with self._spawning:
            if self._child is None and not self._closed:
                self._child = await Child.spawn("transcoder.worker.thumbnails", self)

    async def picture(self, config: VideoConfig, unit: AccessUnit) -> bytes | None:
        """A JPEG of at most 640x640 square samples; None on any failure. Restarts the child if it died."""
        size = len(unit.payload)
        if len(self._pending) >= MAX_PENDING or self._pending_bytes + size > MAX_PENDING_BYTES:
            return None
        self._next_number += 1
        number = self._next_number
        answer = self._pending[number] = asyncio.get_running_loop().create_future()
        self._pending_bytes += size
        try:
            data = encode(PictureRequest(number, config, unit))
            await self.start()
            if self._child is None:
                return None
            self._child.write(data)
            async with asyncio.timeout(self._timeout):
                return await answer or None
        except TimeoutError:
            log.warning("the thumbnail process hangs and is restarted", pid=self.pid)
            if self._child is not None:
                self._child.kill()
            return None
        except TranscoderError as error:
            log.warning("no thumbnail", code=error.code, reason=str(error))
            return None
        finally:
            self._pending_bytes -= size
            del self._pending[number]

    async def close(self) -> None:
        self._closed = True
        if self._child is not None:
            child = self._child
            child.kill()
            await child.wait_ended()

    # ChildOwner

    def message_received(self, message: Message) -> None:
        if isinstance(message, PictureAnswer):
            self._answer(message.number, message.jpeg)

    def writable(self) -> None:
        """Does nothing: pending requests are bounded before they are written."""

    def child_ended(self, text: str) -> None:
        self._child = None
        for number in self._pending:
            self._answer(number, b"")
        if not self._closed:
            log.warning("the thumbnail process is gone", reason=text)

    def _answer(self, number: int, jpeg: bytes) -> None:
        answer = self._pending.get(number)
        if answer is not None and not answer.done():
            answer.set_result(jpeg)
