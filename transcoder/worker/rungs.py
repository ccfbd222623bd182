"""A cascade of threads, one for each rung: it scales, encodes, and passes its picture to the next smaller rung.

Rungs are selected at cuts. A rung that is not selected has no encoder, and passes pictures on without scaling them.
"""

import os
import queue
import threading
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from av import Packet, VideoCodecContext, VideoFrame
from av.error import FFmpegError
from av.video.frame import PictureType
from av.video.reformatter import Interpolation, VideoReformatter

from media.codecs import video_codec
from media.configs import VideoConfig
from media.units import AccessUnit, Kind
from transcoder.errors import EncoderUnavailable
from transcoder.ladder import Rendition
from transcoder.messages import Encoded, Job, Message, Stopped, TrackReady
from transcoder.options import VIDEO_OUTPUTS, LatencyMode, TranscodeOptions
from transcoder.worker.encoders import PictureShape, open_encoder, shape_of, threads_per_rung

QUEUED_PICTURES = {LatencyMode.LOW: 4, LatencyMode.NORMAL: 16}
MAX_UNCONFIRMED_CUTS = 64


@dataclass(frozen=True, slots=True)
class Picture:
    """``in_lower_rate``: renditions with a lower frame rate have it too. ``selected`` are the tracks of the
    rungs that encode it; it changes only at a ``cut``."""

    frame: VideoFrame
    cut: bool
    in_lower_rate: bool
    selected: frozenset[str]


class GiveUp(Protocol):
    """Ends the process; does not return."""

    def __call__(self, code: str, text: str) -> None: ...


class RungThread:
    """``below`` is the next smaller rung. It gets every picture that it or a smaller rung encodes, and every cut.
    ``threads`` is the number of the encoder's threads. ``selected``: it encodes from its first picture on."""

    def __init__(
        self,
        rung: Rendition,
        shape: PictureShape,
        options: TranscodeOptions,
        threads: int,
        below: "RungThread | None",
        emit: Callable[[Message], None],
        give_up: GiveUp,
        *,
        selected: bool,
    ) -> None:
        self.encoded = 0
        self._rung = rung
        self._shape = shape
        self._below = below
        self._emit = emit
        self._give_up = give_up
        self._options = options
        self._threads = threads
        self._codec = video_codec(VIDEO_OUTPUTS[options.encoder])
        self._encoder: VideoCodecContext | None = None
        self._ready = False
        self._unconfirmed: list[int] = []
        self._reformatter = VideoReformatter()
        self._queue: queue.Queue[Picture | None] = queue.Queue(QUEUED_PICTURES[options.latency])
        self._thread = threading.Thread(target=self._run, name=rung.track, daemon=True)
        if selected:
            self._encoder = self._open_encoder()
        self._thread.start()

    @property
    def backlog(self) -> int:
        return self._queue.qsize()

    def encodes(self, picture: Picture) -> bool:
        in_rate = picture.in_lower_rate or self._rung.frame_divisor == 1
        return in_rate and self._rung.track in picture.selected

    def needs(self, picture: Picture) -> bool:
        """Whether this rung or a smaller one encodes ``picture``."""
        return self.encodes(picture) or (self._below is not None and self._below.needs(picture))

    def put(self, picture: Picture | None) -> None:
        """Queue a picture; None ends the rung. Blocks while the queue is full."""
        if picture is None or picture.cut or self.needs(picture):
            self._queue.put(picture)

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        try:
            while (picture := self._queue.get()) is not None:
                self._process(picture)
            if self._below is not None:
                self._below.put(None)
            if self._encoder is not None:
                self._send(self._encoder.encode(None))
        except BrokenPipeError:
            os._exit(1)
        except EncoderUnavailable as error:
            self._give_up(error.code, str(error))
        except FFmpegError as error:
            self._give_up("encoder-failed", f"the encoder of {self._rung.track} failed: {error}")
        except Exception as error:
            traceback.print_exc()
            self._give_up("transcoder", f"the transcoder failed at {self._rung.track}: {error}")

    def _process(self, picture: Picture) -> None:
        if picture.cut:
            self._switch(on=self._rung.track in picture.selected)
        encoder = self._encoder
        if encoder is None:
            if self._below is not None:
                self._below.put(picture)
            return
        frame = self._scale(picture.frame)
        # A decoded frame keeps its picture type, which an encoder would treat as a request.
        frame.pict_type = PictureType.I if picture.cut else PictureType.NONE
        if self._below is not None:
            self._below.put(replace(picture, frame=frame))
        if not self.encodes(picture):
            return
        if picture.cut and frame.pts is not None:
            self._unconfirmed.append(frame.pts)
            del self._unconfirmed[:-MAX_UNCONFIRMED_CUTS]
        self._send(encoder.encode(frame))

    def _switch(self, *, on: bool) -> None:
        """Begin or end encoding at a cut. Raises EncoderUnavailable."""
        if on and self._encoder is None:
            self._ready = False
            self._encoder = self._open_encoder()
        elif not on and self._encoder is not None:
            self._send(self._encoder.encode(None))
            self._encoder = None
            self._unconfirmed.clear()
            self._emit(Stopped(self._rung.track))

    def _open_encoder(self) -> VideoCodecContext:
        """Raises EncoderUnavailable."""
        encoder = open_encoder(self._rung, self._shape, self._options, self._threads)
        if encoder.extradata:
            self._announce(encoder.extradata)
        return encoder

    def _scale(self, frame: VideoFrame) -> VideoFrame:
        return self._reformatter.reformat(
            frame,
            self._rung.width,
            self._rung.height,
            "yuv420p",
            # Sharper than bicubic, especially in a cascade, and cheaper than a finer motion search.
            interpolation=Interpolation.LANCZOS,
            threads=1,
        )

    def _send(self, packets: "Iterable[Packet[Any]]") -> None:
        for packet in packets:
            if packet.pts is None or packet.dts is None:
                continue
            data = bytes(packet)
            if packet.pts in self._unconfirmed:
                self._unconfirmed.remove(packet.pts)
                if not packet.is_keyframe:
                    self._give_up("cut-refused", f"the encoder of {self._rung.track} ignored a cut")
            if not self._ready:
                self._announce(data)
            self.encoded += 1
            payload = self._codec.parse_encoder_packet(data)
            unit = AccessUnit(Kind.VIDEO, packet.dts, packet.pts - packet.dts, packet.is_keyframe, payload)
            self._emit(Encoded(self._rung.track, unit))

    def _announce(self, headers: bytes) -> None:
        """``headers`` is the extradata, or the first packet of an encoder that writes its headers only there."""
        config = self._codec.parse_encoder_headers(headers)
        self._emit(TrackReady(self._rung.track, replace(config, frame_rate=self._shape.frame_rate)))
        self._ready = True


def start_rungs(
    source: VideoConfig, job: Job, emit: Callable[[Message], None], give_up: GiveUp
) -> tuple[RungThread, ...]:
    """The threads in the order of the job's rungs, which are largest first. Raises EncoderUnavailable."""
    options, selected = job.options, job.selected
    threads = threads_per_rung(options, len(job.rungs))
    started: list[RungThread] = []
    below: RungThread | None = None
    for rung in reversed(job.rungs):
        shape, on = shape_of(source, rung), rung.track in selected
        below = RungThread(rung, shape, options, threads, below, emit, give_up, selected=on)
        started.append(below)
    return tuple(reversed(started))
