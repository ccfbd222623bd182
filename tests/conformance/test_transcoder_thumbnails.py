"""Thumbnails from a real child process, read with an independent JPEG decoder."""

import asyncio
import io
import os
import signal
from fractions import Fraction

import av
import pytest
from structlog.testing import capture_logs

from media.configs import Colour
from tests.lab.clock import ManualClock
from tests.unit.transcoder.sources import VideoSource, brightness, shade, video
from transcoder.client import Thumbnailer
from transcoder.thumbnailer import FIRST_BAN_S

SOURCE = video(frames=4, keyframe_every=1)
STREAM, OTHER = "studio", "other"


def decoded(jpeg: bytes | None) -> av.VideoFrame:
    assert jpeg is not None and jpeg.startswith(b"\xff\xd8") and jpeg.endswith(b"\xff\xd9")
    with av.open(io.BytesIO(jpeg), "r") as container:
        return next(container.decode(video=0))


@pytest.mark.parametrize(
    ("source", "size"),
    [
        (SOURCE, (320, 240)),
        (video(width=1280, height=720, frames=1), (640, 360)),
        (video(width=720, height=1280, frames=1), (360, 640)),
        (video(width=720, height=576, frames=1, sample_aspect_ratio=Fraction(64, 45)), (640, 360)),
        (video(width=640, height=360, frames=1, pixel_format="yuv422p10le"), (640, 360)),
    ],
)
async def test_thumbnail_fits_the_display_size(source: VideoSource, size: tuple[int, int]) -> None:
    thumbnailer = Thumbnailer()
    frame = decoded(await thumbnailer.picture(STREAM, source.config, source.units[0]))
    await thumbnailer.close()
    assert (frame.width, frame.height) == size


@pytest.mark.parametrize("full_range", [False, True])
async def test_picture_shows_the_unit_in_full_range(full_range: bool) -> None:
    source = video(frames=4, keyframe_every=1, colour=Colour(1, 1, 1, full_range))
    thumbnailer = Thumbnailer()
    for number, unit in enumerate(source.units):
        frame = decoded(await thumbnailer.picture(STREAM, source.config, unit))
        luma = shade(number) if full_range else (shade(number) - 16) * 255 / 219
        assert brightness(frame) == pytest.approx(luma, abs=4)
    await thumbnailer.close()


@pytest.mark.parametrize("payload", [b"", b"\x00\x00\x00\x05garba", b"\xff" * 5000])
async def test_undecodable_unit_gives_none_and_the_next_one_works(payload: bytes) -> None:
    thumbnailer = Thumbnailer()
    broken = SOURCE.units[0]._replace(payload=payload)
    assert await thumbnailer.picture(STREAM, SOURCE.config, broken) is None
    pid = thumbnailer.pid
    decoded(await thumbnailer.picture(STREAM, SOURCE.config, SOURCE.units[0]))
    assert thumbnailer.pid == pid
    await thumbnailer.close()


async def test_concurrent_requests_get_their_own_pictures() -> None:
    thumbnailer = Thumbnailer()
    pictures = await asyncio.gather(
        *(thumbnailer.picture(STREAM, SOURCE.config, SOURCE.units[n % 4]) for n in range(20))
    )
    for number, picture in enumerate(pictures):
        assert brightness(decoded(picture)) == pytest.approx((shade(number % 4) - 16) * 255 / 219, abs=4)
    await thumbnailer.close()


async def test_too_many_concurrent_requests_give_none() -> None:
    thumbnailer = Thumbnailer()
    pictures = await asyncio.gather(
        *(thumbnailer.picture(STREAM, SOURCE.config, SOURCE.units[0]) for _ in range(100))
    )
    assert 0 < sum(picture is None for picture in pictures) < 100
    await thumbnailer.close()


async def frozen_child(thumbnailer: Thumbnailer) -> int:
    """The process id of the child, which does not run any more."""
    decoded(await thumbnailer.picture(OTHER, SOURCE.config, SOURCE.units[0]))
    pid = thumbnailer.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    return pid


async def test_a_picture_that_ends_the_child_costs_no_other_stream_its_picture() -> None:
    clock = ManualClock()
    thumbnailer = Thumbnailer(clock=clock)
    pid = await frozen_child(thumbnailer)
    bad = asyncio.create_task(thumbnailer.picture(STREAM, SOURCE.config, SOURCE.units[0]))
    others = [asyncio.create_task(thumbnailer.picture(OTHER, SOURCE.config, SOURCE.units[n])) for n in range(3)]
    await asyncio.sleep(0)
    os.kill(pid, signal.SIGKILL)
    assert await bad is None
    for other in others:
        decoded(await other)
    assert thumbnailer.pid not in (pid, None)
    assert await thumbnailer.picture(STREAM, SOURCE.config, SOURCE.units[0]) is None
    clock.now += FIRST_BAN_S
    decoded(await thumbnailer.picture(STREAM, SOURCE.config, SOURCE.units[0]))
    await thumbnailer.close()


async def test_a_hanging_child_is_replaced_even_if_nobody_waits_for_its_picture() -> None:
    thumbnailer = Thumbnailer(timeout=2.0)
    pid = await frozen_child(thumbnailer)
    with capture_logs() as logged:
        bad = asyncio.create_task(thumbnailer.picture(STREAM, SOURCE.config, SOURCE.units[0]))
        await asyncio.sleep(0)
        bad.cancel()
        while thumbnailer.pid == pid:
            await asyncio.sleep(0.01)
    assert "hung: it did not answer within 2 s" in logged[0]["reason"]
    decoded(await thumbnailer.picture(OTHER, SOURCE.config, SOURCE.units[0]))
    assert await thumbnailer.picture(STREAM, SOURCE.config, SOURCE.units[0]) is None
    await thumbnailer.close()


async def test_closed_thumbnailer_gives_none() -> None:
    thumbnailer = Thumbnailer()
    await thumbnailer.close()
    assert await thumbnailer.picture(STREAM, SOURCE.config, SOURCE.units[0]) is None
