"""Encodes the pictures of a slate: one that stands still, once for each rendition.

A transcoder's child decodes the source's last keyframe and encodes it, with the limits of every other child. It has
ended before the slate begins. An image becomes a keyframe first, in a child of its own.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import ClassVar

from media.configs import TrackConfig, VideoConfig
from media.errors import HeadwaterError
from media.log_context import NO_CONTEXT, LogContext
from media.units import VIDEO_TIMESCALE, AccessUnit
from transcoder.client import Transcoder, TranscoderEnd, TranscoderEndReason
from transcoder.errors import ImageUnusable, WorkerUnavailable
from transcoder.image import Image, image_keyframe
from transcoder.limits import WorkerLimits
from transcoder.messages import Job
from transcoder.options import Encoder, LatencyMode, TranscodeOptions
from worker.transcoding import StartChild

# Children that run at once: an outage of a network may take many publishers.
AT_ONCE = 2
# Seconds for the pictures of one slate.
LONGEST_ENCODING_S = 10.0
# The keyframe is encoded this often: as an IDR, and as frames that repeat it for a few bytes.
FRAMES = 24
INTERVAL = VIDEO_TIMESCALE // 30


# :func:`transcoder.image.image_keyframe`
MakeKeyframe = Callable[[Image, int, int, Fraction, WorkerLimits], tuple[VideoConfig, AccessUnit]]


class SlateUnavailable(HeadwaterError):
    """The broadcast goes on without a slate."""

    code: ClassVar[str] = "slate-unavailable"


@dataclass(frozen=True, slots=True)
class SlatePicture:
    """``payloads`` are an IDR and the frames that follow it; all of them show the same picture."""

    config: VideoConfig
    payloads: tuple[bytes, ...]


class SlateEncoder:
    """Encodes the slates of all streams on this node."""

    def __init__(self, start: StartChild = Transcoder.start, make_keyframe: MakeKeyframe = image_keyframe) -> None:
        self._start = start
        self._make_keyframe = make_keyframe
        self._room = asyncio.Semaphore(AT_ONCE)

    async def encode(
        self, job: Job, keyframe: AccessUnit, context: LogContext = NO_CONTEXT
    ) -> Mapping[str, SlatePicture]:
        """The picture of ``keyframe`` for each rung of ``job``, by track. Raises SlateUnavailable."""
        try:
            async with self._room, asyncio.timeout(LONGEST_ENCODING_S):
                return await self._encode(job, keyframe, context)
        except TimeoutError:
            raise SlateUnavailable(f"it was not encoded within {LONGEST_ENCODING_S:g} s") from None
        except WorkerUnavailable as error:
            raise SlateUnavailable(f"the transcoder could not be started: {error}") from error

    async def encode_image(
        self, job: Job, image: Image, context: LogContext = NO_CONTEXT
    ) -> Mapping[str, SlatePicture]:
        """``image`` for each rung of ``job``, in the shape of the job's video. Raises SlateUnavailable."""
        video, limits = job.video, job.options.limits
        assert video is not None, "a broadcast of sound alone has no picture"
        width, height = video.width - video.width % 2, video.height - video.height % 2
        try:
            async with self._room:
                config, keyframe = await asyncio.to_thread(
                    self._make_keyframe, image, width, height, video.sample_aspect_ratio, limits
                )
        except ImageUnusable as error:
            raise SlateUnavailable(str(error)) from error
        config = replace(config, frame_rate=video.frame_rate)
        return await self.encode(replace(job, video=config), keyframe, context)

    async def _encode(self, job: Job, keyframe: AccessUnit, context: LogContext) -> Mapping[str, SlatePicture]:
        pictures = _Pictures()
        child = await self._start(
            replace(job, options=_options(job.options)),
            on_ready=pictures.on_ready,
            on_unit=pictures.on_unit,
            on_end=pictures.on_end,
            on_decoded=lambda pts, at_ns: None,
            on_stopped=lambda track: None,
            context=context,
        )
        try:
            child.cut(0)
            for number in range(FRAMES):
                # A large keyframe exceeds the limits of the queue: fewer frames repeat it.
                if not child.feed(keyframe._replace(dts=number * INTERVAL, cts=0)):
                    break
            await child.finish(LONGEST_ENCODING_S)
        finally:
            child.kill()
        return pictures.of({rung.track for rung in job.rungs})


class _Pictures:
    """What a child has encoded."""

    def __init__(self) -> None:
        self._configs: dict[str, VideoConfig] = {}
        self._payloads: dict[str, list[bytes]] = {}
        self._failure = "the picture cannot be decoded"

    def on_ready(self, track: str, config: TrackConfig) -> None:
        if isinstance(config, VideoConfig):
            # Its frame rate is no encoder's. It makes the slate a configuration of its own, whose rate is measured.
            self._configs[track] = replace(config, frame_rate=None)

    def on_unit(self, track: str, unit: AccessUnit) -> None:
        self._payloads.setdefault(track, []).append(unit.payload)

    def on_end(self, end: TranscoderEnd) -> None:
        if end.reason is not TranscoderEndReason.FINISHED:
            self._failure = end.text

    def of(self, tracks: set[str]) -> Mapping[str, SlatePicture]:
        if not tracks <= self._configs.keys() & self._payloads.keys():
            raise SlateUnavailable(self._failure)
        return {track: SlatePicture(self._configs[track], tuple(self._payloads[track])) for track in tracks}


def _options(options: TranscodeOptions) -> TranscodeOptions:
    """A processor encodes one picture as fast as a GPU, whose sessions are few. Without B-frames, the frames after
    the IDR may end at any of them."""
    return replace(options, encoder=Encoder.LIBX264, device=None, latency=LatencyMode.LOW)
