"""What a real child process may do: its environment, its limits, and the pictures that its decoders accept."""

import os
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from media.codecs.h264 import H264
from tests.unit.transcoder.sources import VideoSource, video
from transcoder.client import Thumbnailer, Transcoder, TranscoderEnd
from transcoder.ladder import Rendition
from transcoder.limits import WorkerLimits
from transcoder.messages import Job
from transcoder.options import LatencyMode, TranscodeOptions, check_encoder
from transcoder.worker.decoder import VideoDecoder

GIB = 1 << 30
LIMITS = WorkerLimits(GIB, 1280 * 720)
LARGE, SMALL = video(width=1280, height=736, frames=2, keyframe_every=1), video(frames=2, keyframe_every=1)


def of_process(pid: int, name: str) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/{name}").read_text().splitlines()
    if name == "limits":
        return {line[:26].strip(): line[26:47].strip() for line in lines[1:]}
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


@asynccontextmanager
async def thumbnail_child(limits: WorkerLimits = LIMITS) -> AsyncIterator[int]:
    """A child that has read its first message."""
    thumbnailer = Thumbnailer(limits)
    assert await thumbnailer.picture("studio", SMALL.config, SMALL.units[0])
    assert thumbnailer.pid is not None
    try:
        yield thumbnailer.pid
    finally:
        await thumbnailer.close()


async def test_a_child_has_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "HEADWATER_CLUSTER__SECRET", "DATABASE_URL"):
        monkeypatch.setenv(name, "s3cret")
    async with thumbnail_child() as pid:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    assert b"PATH=" in environment
    assert b"s3cret" not in environment


async def test_a_child_has_limits() -> None:
    async with thumbnail_child() as pid:
        limits, status = of_process(pid, "limits"), of_process(pid, "status")
        group = os.getpgid(pid)
    assert limits["Max core file size"] == "0"
    assert limits["Max address space"] == str(GIB)
    assert status["NoNewPrivs"] == "1"
    assert group == pid != os.getpgid(0)


async def test_a_limit_of_memory_is_optional() -> None:
    async with thumbnail_child(WorkerLimits()) as pid:
        limit = of_process(pid, "limits")["Max address space"]
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    assert limit == ("unlimited" if hard == resource.RLIM_INFINITY else str(hard))


@pytest.mark.parametrize("source", [LARGE, video(width=720, height=1296, frames=2, keyframe_every=1)])
async def test_a_larger_picture_is_not_decoded(source: VideoSource) -> None:
    thumbnailer = Thumbnailer(LIMITS)
    assert await thumbnailer.picture("studio", source.config, source.units[0]) is None
    pid = thumbnailer.pid
    assert await thumbnailer.picture("studio", SMALL.config, SMALL.units[0])
    assert thumbnailer.pid == pid
    await thumbnailer.close()


def test_parameter_sets_within_the_media_have_the_limit_too() -> None:
    payload = H264.parameter_sets(LARGE.config.record) + LARGE.units[1].payload
    for max_pixels, width in ((1280 * 736, 1280), (1280 * 736 - 1, None)):
        decoder = VideoDecoder(SMALL.config, LatencyMode.LOW, max_pixels)
        assert [frame.width for frame in decoder.decode(SMALL.units[0])] == [320]
        shown = [frame.width for frame in decoder.decode(LARGE.units[1]._replace(payload=payload))]
        assert shown == ([] if width is None else [width])
        assert decoder.errors == (width is None)


async def test_a_child_that_needs_more_memory_ends_and_says_why() -> None:
    ends: list[TranscoderEnd] = []
    options = TranscodeOptions(limits=WorkerLimits(200 << 20))
    rungs = tuple(Rendition(f"v{n}", 3840, 2160, 1, 2_000_000, 2_400_000, 3_000_000) for n in range(2))
    transcoder = await Transcoder.start(
        Job(LARGE.config, rungs, options=options),
        on_ready=lambda track, config: None,
        on_unit=lambda track, unit: None,
        on_end=ends.append,
    )
    for unit in LARGE.units:
        transcoder.feed(unit)
    await transcoder.finish(30.0)
    assert [end.code for end in ends] in (["out-of-memory"], ["encoder-unavailable"], ["encoder-failed"])


def test_the_check_of_the_encoder_has_the_limits() -> None:
    check_encoder(TranscodeOptions(limits=WorkerLimits(2 * GIB)))
