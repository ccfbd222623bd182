"""A broadcaster: ffmpeg publishes a clip that never ends, over a link, and connects again as OBS does."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.chaos.link import Link, linked
from tests.lab.ffmpeg import ffmpeg_path
from tests.lab.ports import HOST
from tests.lab.rtmp.flv import VIDEO, Tag, read_tags

# OBS waits 2 s after it has lost its connection.
RETRY_S = 2.0
END_S = 15.0
FLV_HEADER = b"FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00"
# A track that pauses holds up the other one in ffmpeg's interleaving for this many microseconds.
INTERLEAVE_US = "500000"


class Clip:
    """The tags of a clip; ``length_ms`` is its duration."""

    def __init__(self, path: Path) -> None:
        tags = [tag for tag in read_tags(path) if not tag.is_end]
        self.headers: Sequence[Tag] = [tag for tag in tags if tag.is_header]
        self.media: Sequence[Tag] = [tag for tag in tags if not tag.is_header]
        times = [tag.timestamp for tag in self.media if tag.type_id == VIDEO]
        self.length_ms = round((times[-1] - times[0]) * len(times) / (len(times) - 1))
        self.bytes_per_second = sum(len(tag.data) for tag in self.media) / self.length_ms * 1000


class Encoder:
    """Publishes ``clip`` to ``url``'s key over ``link``. Timestamps start again at each connection. A new ``clip``
    begins when the one before has been sent to its end, within the same connection."""

    def __init__(self, link: Link, key: str, clip: Clip) -> None:
        self.link = link
        self.clip = clip
        # Whether it connects again. A broadcaster that stopped, or whose place another one took, does not.
        self.returns = True
        self._url = f"rtmp://{HOST}:{link.port}/live/{key}"
        self._process: asyncio.subprocess.Process | None = None

    def send_signal(self, number: signal.Signals) -> None:
        """Not by the method of asyncio's processes: that may reap the process before asyncio's watcher does."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, number)

    @property
    def has_ended(self) -> bool:
        return self._process is None or self._process.returncode is not None

    async def run(self) -> None:
        """Publish until ``returns`` is False and the connection has ended."""
        while self.returns:
            await self._publish()
            if self.returns:
                await asyncio.sleep(RETRY_S)

    async def stop(self) -> None:
        """End the broadcast, as "Stop Streaming" does."""
        self.returns = False
        process = self._process
        if process is not None and process.stdin is not None:
            process.stdin.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(END_S):
                    await process.wait()
        self.kill()

    def kill(self) -> None:
        """Lose the connection for good."""
        self.returns = False
        self.send_signal(signal.SIGKILL)

    async def _publish(self) -> None:
        process = self._process = await asyncio.create_subprocess_exec(
            *(ffmpeg_path(), "-hide_banner", "-nostats", "-loglevel", "error", "-re", "-f", "flv", "-i", "pipe:0"),
            *("-c", "copy", "-f", "flv", "-flvflags", "no_duration_filesize"),
            *("-max_interleave_delta", INTERLEAVE_US, self._url),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        feeding = asyncio.create_task(self._feed(process))
        try:
            await process.wait()
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
            if process.returncode is None:
                self.send_signal(signal.SIGKILL)
                await process.wait()

    async def _feed(self, process: asyncio.subprocess.Process) -> None:
        """Write the clip again and again; the pipe is as fast as ffmpeg reads, which is real time."""
        assert process.stdin is not None
        process.stdin.transport.set_write_buffer_limits(high=0)
        with suppress(OSError):
            process.stdin.write(FLV_HEADER)
            start_ms, sent = 0, None
            while not process.stdin.is_closing():
                clip = self.clip
                for tag in clip.headers if clip is not sent else ():
                    process.stdin.write(_encode(tag, start_ms))
                sent = clip
                for tag in clip.media:
                    if process.stdin.is_closing():
                        return
                    process.stdin.write(_encode(tag, start_ms + tag.timestamp))
                    await process.stdin.drain()
                start_ms += clip.length_ms


def _encode(tag: Tag, timestamp: int) -> bytes:
    size = len(tag.data)
    return b"".join(
        (
            bytes((tag.type_id,)),
            size.to_bytes(3, "big"),
            (timestamp & 0xFFFFFF).to_bytes(3, "big"),
            bytes((timestamp >> 24 & 0xFF,)),
            b"\0\0\0",
            tag.data,
            (size + 11).to_bytes(4, "big"),
        )
    )


@asynccontextmanager
async def encoding(rtmp_port: int, key: str, clip: Clip) -> AsyncIterator[Encoder]:
    """An encoder that publishes until the block ends, then loses its connection unless it was stopped."""
    async with linked(rtmp_port) as link:
        encoder = Encoder(link, key, clip)
        task = asyncio.create_task(encoder.run())
        try:
            yield encoder
        finally:
            encoder.kill()
            await asyncio.gather(task, return_exceptions=True)
