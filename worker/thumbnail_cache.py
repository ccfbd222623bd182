"""A stream's thumbnail, decoded only on request: decoding one costs more than packaging a second of media."""

import asyncio
from collections.abc import Callable
from time import monotonic, time

from live.status import Thumbnail
from media.configs import VideoConfig
from media.log_context import NO_CONTEXT, LogContext
from media.units import AccessUnit
from transcoder.client import Thumbnailer

# Seconds for which a picture is reused.
FRESH_S = 4.0


class ThumbnailCache:
    """Keeps the newest ``keyframe``, with its configuration, and the last picture. Concurrent requests share one
    decoding, and so do requests within a few seconds, also of a failed one. ``context`` is part of each log line.
    ``clock`` returns monotonic seconds."""

    def __init__(
        self,
        thumbnailer: Thumbnailer,
        stream: str,
        context: LogContext = NO_CONTEXT,
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._thumbnailer = thumbnailer
        self._stream = stream
        self._context = context
        self._clock = clock
        self.keyframe: tuple[VideoConfig, AccessUnit] | None = None
        self._picture: Thumbnail | None = None
        self._tried_at: float | None = None
        self._lock = asyncio.Lock()

    def on_keyframe(self, config: VideoConfig, unit: AccessUnit) -> None:
        self.keyframe = (config, unit)

    async def picture(self) -> Thumbnail:
        """The newest picture; empty if the source has no video or its frames cannot be decoded."""
        async with self._lock:
            if self.keyframe is not None and self._is_due():
                jpeg = await self._thumbnailer.picture(self._stream, *self.keyframe, self._context)
                self._tried_at = self._clock()
                if jpeg is not None:
                    self._picture = Thumbnail(jpeg=jpeg, at=time())
            return self._picture or Thumbnail(jpeg=b"", at=0.0)

    def _is_due(self) -> bool:
        return self._tried_at is None or self._clock() - self._tried_at >= FRESH_S
