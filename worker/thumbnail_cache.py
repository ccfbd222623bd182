"""A stream's picture, made when somebody asks for it: decoding one costs more than packaging a second of it."""

import asyncio
from collections.abc import Callable
from time import monotonic, time

from live.status import Thumbnail
from media.configs import VideoConfig
from media.units import AccessUnit
from transcoder.client import Thumbnailer

# A picture this young is shown again.
FRESH_S = 4.0


class ThumbnailCache:
    """Keeps the newest keyframe. Any number of askers share one decoding."""

    def __init__(self, thumbnailer: Thumbnailer, clock: Callable[[], float] = monotonic) -> None:
        self._thumbnailer = thumbnailer
        self._clock = clock
        self._keyframe: tuple[VideoConfig, AccessUnit] | None = None
        self._made: Thumbnail | None = None
        self._made_at = 0.0
        self._lock = asyncio.Lock()

    def on_keyframe(self, config: VideoConfig, unit: AccessUnit) -> None:
        self._keyframe = (config, unit)

    async def picture(self) -> Thumbnail:
        """Empty where there is none: the source has no video, or its frames cannot be decoded."""
        async with self._lock:
            if self._made is None or self._clock() - self._made_at >= FRESH_S:
                jpeg = None
                if self._keyframe is not None:
                    jpeg = await self._thumbnailer.picture(*self._keyframe)
                if jpeg is None:
                    return self._made or Thumbnail(jpeg=b"", at=0.0)
                self._made, self._made_at = Thumbnail(jpeg=jpeg, at=time()), self._clock()
            return self._made
