"""Converts one publisher's FLV messages to access units on its timeline, and passes them to its publication.

An odd frame does not end a broadcast: it is dropped, and the reason is counted. Only an unsupported codec ends it,
and once media has been received, only after ``PERSISTENT`` consecutive messages. A :class:`media.errors.MediaLimit`
ends it at once.
"""

from collections.abc import Callable

from ingest.audio_feed import AudioFeed
from ingest.interface import Publication
from ingest.timeline import Timeline
from ingest.track_feed import ConfigChanges
from ingest.video_feed import VideoFeed
from media.limits import MAX_PIXELS


class MediaFeed:
    """``video`` and ``audio`` take the messages of their kind. Both are track 0."""

    def __init__(
        self,
        publication: Publication,
        clock: Callable[[], float] = lambda: 0.0,
        *,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        """``clock`` returns monotonic seconds. Pictures may have ``max_pixels`` luma samples."""
        timeline = Timeline(publication.on_timing, clock)
        changes = ConfigChanges(clock)
        self.video = VideoFeed(publication, timeline, changes, max_pixels)
        self.audio = AudioFeed(publication, timeline, changes, self.video)
        self.video.share_timeline(self.audio)

    def close(self) -> None:
        """Pass on the messages and the picture that are held. Raises MediaLimit."""
        self.video.close()
        self.audio.close()
        self.video.release()
