import asyncio

from media.configs import VideoConfig
from media.log_context import NO_CONTEXT, LogContext
from media.units import AccessUnit, Kind
from tests.lab.clock import ManualClock
from tests.unit.transcoder.sources import video
from transcoder.client import Thumbnailer
from worker.thumbnail_cache import FRESH_S, ThumbnailCache

SOURCE = video(frames=2, keyframe_every=1)


class Decoder(Thumbnailer):
    """Returns the unit's own bytes once ``go`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.go = asyncio.Event()
        self.go.set()
        self.broken = False

    async def picture(
        self, stream: str, config: VideoConfig, unit: AccessUnit, context: LogContext = NO_CONTEXT
    ) -> bytes | None:
        self.calls += 1
        await self.go.wait()
        return None if self.broken else unit.payload


def key(payload: bytes) -> AccessUnit:
    return AccessUnit(Kind.VIDEO, 0, 0, True, payload)


async def test_nothing_is_decoded_before_a_request() -> None:
    decoder = Decoder()
    thumbnails = ThumbnailCache(decoder, "studio", clock=ManualClock())
    thumbnails.on_keyframe(SOURCE.config, key(b"1"))
    thumbnails.on_keyframe(SOURCE.config, key(b"2"))
    assert decoder.calls == 0
    assert (await thumbnails.picture()).jpeg == b"2"


async def test_simultaneous_requests_share_a_picture_which_is_cached_briefly() -> None:
    decoder, clock = Decoder(), ManualClock()
    thumbnails = ThumbnailCache(decoder, "studio", clock=clock)
    thumbnails.on_keyframe(SOURCE.config, key(b"1"))
    decoder.go.clear()
    asking = [asyncio.create_task(thumbnails.picture()) for _ in range(5)]
    await asyncio.sleep(0)
    decoder.go.set()
    assert {picture.jpeg for picture in await asyncio.gather(*asking)} == {b"1"}
    thumbnails.on_keyframe(SOURCE.config, key(b"2"))
    assert (await thumbnails.picture()).jpeg == b"1"
    assert decoder.calls == 1
    clock.now += FRESH_S
    assert (await thumbnails.picture()).jpeg == b"2"


async def test_without_a_picture_the_answer_is_empty_and_a_broken_frame_keeps_the_last() -> None:
    decoder, clock = Decoder(), ManualClock()
    thumbnails = ThumbnailCache(decoder, "studio", clock=clock)
    assert (await thumbnails.picture()).jpeg == b""
    thumbnails.on_keyframe(SOURCE.config, key(b"1"))
    await thumbnails.picture()
    decoder.broken = True
    clock.now += FRESH_S
    assert (await thumbnails.picture()).jpeg == b"1"
    calls = decoder.calls
    await thumbnails.picture()
    assert decoder.calls == calls
