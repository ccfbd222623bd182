"""A cascade of threads, one for each rung: it scales, encodes, and passes its picture to the next smaller rung."""

import os
import queue
import threading
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from av import Packet, VideoFrame
from av.error import FFmpegError
from av.video.frame import PictureType
from av.video.reformatter import Interpolation, VideoReformatter

from media.codecs import video_codec
from media.configs import VideoConfig
from media.units import AccessUnit, Kind
from transcoder.ladder import Rendition
from transcoder.messages import Encoded, Message, TrackReady
from transcoder.options import VIDEO_OUTPUTS, LatencyMode, TranscodeOptions
from transcoder.worker.encoders import PictureShape, open_encoder, shape_of, threads_per_rung

QUEUED_PICTURES = {LatencyMode.LOW: 4, LatencyMode.NORMAL: 16}
MAX_UNCONFIRMED_CUTS = 64


@dataclass(frozen=True, slots=True)
class Picture:
    """``index`` is the number of frames since the last cut."""

    frame: VideoFrame
    index: int
    cut: bool


class GiveUp(Protocol):
    """Ends the process; does not return."""

    def __call__(self, code: str, text: str) -> None: ...


class RungThread:
    """``below`` is the next smaller rung. It gets every picture that it or a smaller rung encodes. ``threads`` is
    the number of the encoder's threads."""

    def __init__(
        self,
        rung: Rendition,
        shape: PictureShape,
        options: TranscodeOptions,
        threads: int,
        below: "RungThread | None",
        emit: Callable[[Message], None],
        give_up: GiveUp,
    ) -> None:
        self.encoded = 0
        self._rung = rung
        self._shape = shape
        self._below = below
        self._emit = emit
        self._give_up = give_up
        self._codec = video_codec(VIDEO_OUTPUTS[options.encoder])
        self._encoder = open_encoder(rung, shape, options, threads)
        self._ready = False
        self._unconfirmed: list[int] = []
        self._reformatter = VideoReformatter()
        self._queue: queue.Queue[Picture | None] = queue.Queue(QUEUED_PICTURES[options.latency])
        self._thread = threading.Thread(target=self._run, name=rung.track, daemon=True)
        if self._encoder.extradata:
            self._announce(self._encoder.extradata)
        self._thread.start()

    @property
    def backlog(self) -> int:
        return self._queue.qsize()

    def needs(self, index: int) -> bool:
        """Whether this rung or a smaller one encodes the picture with this ``index``."""
        return index % self._rung.frame_divisor == 0 or (self._below is not None and self._below.needs(index))

    def put(self, picture: Picture | None) -> None:
        """Queue a picture; None ends the rung. Blocks while the queue is full."""
        if picture is None or self.needs(picture.index):
            self._queue.put(picture)

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        try:
            while (picture := self._queue.get()) is not None:
                self._process(picture)
            if self._below is not None:
                self._below.put(None)
            self._send(self._encoder.encode(None))
        except BrokenPipeError:
            os._exit(1)
        except FFmpegError as error:
            self._give_up("encoder-failed", f"the encoder of {self._rung.track} failed: {error}")
        except Exception as error:
            traceback.print_exc()
            self._give_up("transcoder", f"the transcoder failed at {self._rung.track}: {error}")

    def _process(self, picture: Picture) -> None:
        frame = self._scale(picture.frame)
        # A decoded frame keeps its picture type, which an encoder would treat as a request.
        frame.pict_type = PictureType.I if picture.cut else PictureType.NONE
        if self._below is not None:
            self._below.put(replace(picture, frame=frame))
        if picture.index % self._rung.frame_divisor:
            return
        if picture.cut and frame.pts is not None:
            self._unconfirmed.append(frame.pts)
            del self._unconfirmed[:-MAX_UNCONFIRMED_CUTS]
        self._send(self._encoder.encode(frame))

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
    source: VideoConfig,
    rungs: tuple[Rendition, ...],
    options: TranscodeOptions,
    emit: Callable[[Message], None],
    give_up: GiveUp,
) -> tuple[RungThread, ...]:
    """The threads in the order of ``rungs``, which are largest first. Raises EncoderUnavailable."""
    threads = threads_per_rung(options, len(rungs))
    started: list[RungThread] = []
    below: RungThread | None = None
    for rung in reversed(rungs):
        below = RungThread(rung, shape_of(source, rung), options, threads, below, emit, give_up)
        started.append(below)
    return tuple(reversed(started))
