"""One job: source units in, encoded units out.

The thread that reads standard input also decodes. Each rung has a thread that scales and encodes, and passes the
scaled picture to the next smaller rung. Every queue between them is bounded, so if the machine is too slow, the
pipe fills up and the parent drops video. While no rung is selected, video is not decoded either.
"""

import time
from collections.abc import Callable, Iterable

from av import VideoFrame

from media.limits import MAX_PIXELS
from media.units import AccessUnit, Kind
from transcoder.errors import ProtocolViolation
from transcoder.messages import Decoded, Job, Message, Progress
from transcoder.worker.audio import AudioTranscoder
from transcoder.worker.cuts import CutSchedule
from transcoder.worker.decoder import VideoDecoder
from transcoder.worker.lower_rate import LowerRate
from transcoder.worker.picture_times import PictureTimes
from transcoder.worker.rungs import GiveUp, Picture, RungThread, start_rungs

# The parent measures by the reports how far encoding is behind.
PROGRESS_SECONDS = 0.25
# One of this many frames is reported to the parent with the time of its decoding.
REPORT_DECODED_EVERY = 8
# A job has the first track of each kind.
TRACK = 0


class TranscodeSession:
    """``emit`` is called from several threads; ``give_up`` ends the process and does not return.

    Raises EncoderUnavailable or DecoderUnavailable if an encoder or decoder of the job cannot be opened.
    """

    def __init__(
        self,
        job: Job,
        emit: Callable[[Message], None],
        give_up: GiveUp,
        *,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        self._emit = emit
        self._cuts = CutSchedule()
        self._lower_rate = LowerRate()
        self._decoder: VideoDecoder | None = None
        self._rungs: tuple[RungThread, ...] = ()
        self._audio: tuple[AudioTranscoder, ...] = ()
        if job.video is not None and job.rungs:
            self._decoder = VideoDecoder(job.video, job.options.latency, max_pixels)
            self._rungs = start_rungs(job.video, job, emit, give_up)
        if job.audio is not None:
            self._audio = tuple(AudioTranscoder(job.audio, rung, emit) for rung in job.audio_outputs)
        self._selected = job.selected
        # The rungs from the next cut on.
        self._next_selected = job.selected
        self._resting = not job.selected
        self._taken = 0
        self._decoded = 0
        # Frames before the first cut are preroll, unless frames came before that cut.
        self._begin: int | None = None
        self._begun = False
        self._times = PictureTimes()
        self._next_progress = time.monotonic() + PROGRESS_SECONDS

    def feed(self, unit: AccessUnit) -> None:
        """Blocks while a rung's queue is full. Raises ProtocolViolation for a track that the job does not have."""
        if unit.track != TRACK:
            raise ProtocolViolation(f"a unit of {unit.kind} track {unit.track}, which the job does not have")
        self._begun = True
        if unit.kind is Kind.AUDIO:
            for output in self._audio:
                output.feed(unit)
        elif self._decoder is not None:
            if not self._rests(unit):
                self._times.on_packet(unit.pts)
                self._encode(self._decoder.decode(unit))
            self._taken += 1
        if time.monotonic() >= self._next_progress:
            self.report()

    def cut(self, pts: int) -> None:
        if not self._begun:
            self._begin, self._begun = pts, True
        self._cuts.add(pts)

    def select(self, tracks: frozenset[str]) -> None:
        """Encode the rungs of ``tracks`` only, from the next cut on."""
        self._next_selected = tracks

    def finish(self) -> None:
        """Returns when every frame has been encoded."""
        if self._decoder is not None:
            self._encode(self._decoder.flush())
            self._rungs[0].put(None)
        for output in self._audio:
            output.flush()
        for rung in self._rungs:
            rung.join()
        self.report()

    def _encode(self, frames: Iterable[VideoFrame]) -> None:
        for frame in frames:
            pts = None if frame.pts is None else self._times.on_picture(frame.pts)
            if pts is None or (self._begin is not None and pts < self._begin):
                continue
            frame.pts = pts
            if self._decoded % REPORT_DECODED_EVERY == 0:
                self._emit(Decoded(pts, time.monotonic_ns()))
            self._decoded += 1
            cut = self._cuts.is_cut(pts)
            if cut:
                self._selected = self._next_selected
                self._resting = not self._selected
            self._rungs[0].put(Picture(frame, cut, self._lower_rate.takes(pts, cut=cut), self._selected))

    def _rests(self, unit: AccessUnit) -> bool:
        """Whether ``unit`` need not be decoded: no rung is selected. It ends with a key unit after one is."""
        if self._resting and self._next_selected and unit.key:
            self._resting = False
        return self._resting

    def report(self) -> None:
        """Send the totals. Call it about once a second while nothing is fed: the parent kills a silent child."""
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
                disordered=self._times.disordered,
                taken=self._taken,
            )
        )
