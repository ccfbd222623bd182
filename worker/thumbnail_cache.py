"""A stream's thumbnail, decoded only on request: decoding one costs more than packaging a second of media."""

import asyncio
from collections.abc import Callable
from time import monotonic, time

from live.status import Thumbnail
from media.configs import VideoConfig
from media.units import AccessUnit
from transcoder.client import Thumbnailer

# Seconds for which a picture is reused.
FRESH_S = 4.0


class ThumbnailCache:
    """Keeps the newest keyframe and the last picture. Concurrent requests share one decoding. ``clock`` returns
    monotonic seconds."""

    def __init__(self, thumbnailer: Thumbnailer, clock: Callable[[], float] = monotonic) -> None:
        self._thumbnailer = thumbnailer
        self._clock = clock
        self._keyframe: tuple[VideoConfig, AccessUnit] | None = None
        self._picture: Thumbnail | None = None
        self._decoded_at = 0.0
        self._lock = asyncio.Lock()

    def on_keyframe(self, config: VideoConfig, unit: AccessUnit) -> None:
        self._keyframe = (config, unit)

    async def picture(self) -> Thumbnail:
        """The newest picture; empty if the source has no video or its frames cannot be decoded."""
        async with self._lock:
            if self._picture is None or self._clock() - self._decoded_at >= FRESH_S:
                jpeg = None
                if self._keyframe is not None:
                    jpeg = await self._thumbnailer.picture(*self._keyframe)
                if jpeg is None:
                    return self._picture or Thumbnail(jpeg=b"", at=0.0)
                self._picture, self._decoded_at = Thumbnail(jpeg=jpeg, at=time()), self._clock()
            return self._picture
