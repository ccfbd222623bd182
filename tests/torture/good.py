"""The good stream beside the bad publishers: nothing of it may be lost, late or warned about."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from tests.lab.rtmp.publishers import Publishers, Sent, publishing
from tests.lab.server import Server
from tests.torture import footage
from tests.torture.reader import read
from tests.torture.recording import read_recordings
from tests.torture.watch import Watch

NAME = "good"
END_S = 60.0
SEGMENT_S = 2.0
LATE_S = 3.0


class GoodStream:
    """Publishes one clip again and again while the block runs. ``failures`` are known when it has ended."""

    def __init__(self, server: Server, watch: Watch, work: Path) -> None:
        self.failures: list[str] = []
        self._server = server
        self._watch = watch
        self._clip = footage.make(footage.PLAIN, work)
        self._stack = ExitStack()
        self._publishers: Publishers

    async def __aenter__(self) -> "GoodStream":
        url = await asyncio.to_thread(self._server.create, NAME)
        context = publishing(self._clip, [url], watch=[0])
        self._publishers = await asyncio.to_thread(self._stack.enter_context, context)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            sent = await asyncio.to_thread(self._publishers.finish)
        finally:
            await asyncio.to_thread(self._stack.close)
        ended = await self._watch.ended(NAME, END_S)
        folder = self._server.data / "store" / "live" / NAME
        self.failures += [f"the good stream: {text}" for text in await asyncio.to_thread(judge, folder, sent)]
        self.failures += [f"the good stream: {text}" for text in self._watch.failures(NAME)]
        for text in self._watch.warnings(NAME).values():
            self.failures.append(f"the good stream got a warning: {text}")
        # A part is listed when it has ended; the next one lasts a third of a second.
        late_s, load_s = self._watch.late_s(NAME), max(sent.late_ms, default=0) / 1000
        if late_s > LATE_S + load_s:
            self.failures.append(f"the good stream was {late_s:.1f} s late, and its publisher {load_s:.1f} s")
        if not ended:
            self.failures.append("the good stream did not end")
        await asyncio.to_thread(self._server.delete, NAME)
        self._watch.forget(NAME)


def judge(folder: Path, sent: Sent) -> Iterator[str]:
    """What the recording in ``folder`` lacks of the clip that was ``sent``, in words."""
    if sent.lost:
        yield f"its publisher was cut off: {sent.lost}"
    recordings = read_recordings(folder)
    if len(recordings) != 1:
        yield f"it has {len(recordings)} recordings"
        return
    frames = len(sent.frames[0])
    for track in recordings[0].tracks:
        for segment in track.segments[1:]:
            if segment.discontinuity or not segment.fragments:
                yield f"{track.name} has a discontinuity or a gap at segment {segment.msn}"
        for segment in track.segments[:-1]:
            if abs(segment.extinf_s - SEGMENT_S) > 0.1:
                yield f"segment {segment.msn} of {track.name} lasts {segment.extinf_s} s"
        decoded = read(track)
        if decoded.errors:
            yield f"{track.name} has errors: {decoded.errors[:3]}"
        if track.is_video:
            numbers = [number for _, number in decoded.pictures]
            if numbers != [number % footage.PICTURES for number in range(frames)]:
                yield f"{len(numbers)} of {frames} pictures arrived, or not in order"
