"""One job: source units in, encoded units out.

The thread that reads standard input also decodes. Each rung has a thread that scales and encodes, and passes the
scaled picture to the next smaller rung. Every queue between them is bounded, so if the machine is too slow, the
pipe fills up and the parent drops video.
"""

import time
from collections.abc import Callable, Iterable

from av import VideoFrame

from media.units import AccessUnit, Kind
from transcoder.errors import ProtocolViolation
from transcoder.messages import Decoded, Job, Message, Progress
from transcoder.worker.audio import AudioTranscoder
from transcoder.worker.cuts import CutSchedule
from transcoder.worker.decoder import VideoDecoder
from transcoder.worker.rungs import GiveUp, Picture, RungThread, start_rungs

PROGRESS_SECONDS = 1.0
# One of this many frames is reported to the parent with the time of its decoding.
REPORT_DECODED_EVERY = 8
# A job has the first track of each kind.
TRACK = 0


class TranscodeSession:
    """``emit`` is called from several threads; ``give_up`` ends the process and does not return.

    Raises EncoderUnavailable or DecoderUnavailable if an encoder or decoder of the job cannot be opened.
    """

    def __init__(self, job: Job, emit: Callable[[Message], None], give_up: GiveUp) -> None:
        self._emit = emit
        self._cuts = CutSchedule()
        self._decoder: VideoDecoder | None = None
        self._rungs: tuple[RungThread, ...] = ()
        self._audio: tuple[AudioTranscoder, ...] = ()
        if job.video is not None and job.rungs:
            self._decoder = VideoDecoder(job.video, job.options.latency)
            self._rungs = start_rungs(job.video, job.rungs, job.options, emit, give_up)
        if job.audio is not None:
            self._audio = tuple(AudioTranscoder(job.audio, rung, emit) for rung in job.audio_outputs)
        self._decoded = 0
        self._last_pts: int | None = None
        self._next_progress = time.monotonic() + PROGRESS_SECONDS

    def feed(self, unit: AccessUnit) -> None:
        """Blocks while a rung's queue is full. Raises ProtocolViolation for a track that the job does not have."""
        if unit.track != TRACK:
            raise ProtocolViolation(f"a unit of {unit.kind} track {unit.track}, which the job does not have")
        if unit.kind is Kind.AUDIO:
            for output in self._audio:
                output.feed(unit)
        elif self._decoder is not None:
            self._encode(self._decoder.decode(unit))
        if time.monotonic() >= self._next_progress:
            self._report()

    def cut(self, pts: int) -> None:
        self._cuts.add(pts)

    def finish(self) -> None:
        """Returns when every frame has been encoded."""
        if self._decoder is not None:
            self._encode(self._decoder.flush())
            self._rungs[0].put(None)
        for output in self._audio:
            output.flush()
        for rung in self._rungs:
            rung.join()
        self._report()

    def _encode(self, frames: Iterable[VideoFrame]) -> None:
        for frame in frames:
            # Timestamps can decrease if the decoder detects a deeper reordering or the source's clock jumps.
            if frame.pts is None or (self._last_pts is not None and frame.pts <= self._last_pts):
                continue
            self._last_pts = frame.pts
            if self._decoded % REPORT_DECODED_EVERY == 0:
                self._emit(Decoded(frame.pts, time.monotonic_ns()))
            self._decoded += 1
            index, cut = self._cuts.next_frame(frame.pts)
            self._rungs[0].put(Picture(frame, index, cut))

    def _report(self) -> None:
        self._next_progress = time.monotonic() + PROGRESS_SECONDS
        errors = sum(output.errors for output in self._audio)
        if self._decoder is not None:
            errors += self._decoder.errors
        self._emit(
            Progress(
                decoded=self._decoded,
                errors=errors,
                encoded=sum(rung.encoded for rung in self._rungs),
                backlog=sum(rung.backlog for rung in self._rungs),
                cpu_ms=int(time.process_time() * 1000),
            )
        )
