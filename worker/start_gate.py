"""Decides when a source can join a broadcast: its set of tracks cannot change later."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from media.configs import AudioConfig, VideoConfig

# Milliseconds of media after which a source joins with the tracks that have arrived.
LONGEST_WAIT_MS = 1000


@dataclass(slots=True)
class StartGate:
    """Takes the publisher's configurations and metadata; call :meth:`opens` after each message."""

    video: VideoConfig | None = None
    audio: AudioConfig | None = None
    _metadata: Mapping[str, object] | None = field(default=None)

    def on_metadata(self, metadata: Mapping[str, object]) -> None:
        self._metadata = metadata

    @property
    def expects_video(self) -> bool:
        """Whether video has been announced, by its configuration or by onMetaData."""
        metadata = self._metadata or {}
        return self.video is not None or "videocodecid" in metadata or "width" in metadata

    @property
    def expects_audio(self) -> bool:
        return self.audio is not None or "audiocodecid" in (self._metadata or {})

    def opens(self, waited_ms: int) -> bool:
        """Whether the source can join. ``waited_ms`` is the length of the media that the source has sent so far."""
        if self.video is None and self.audio is None:
            return False
        if self.video is not None and self.audio is not None:
            return True
        return waited_ms >= LONGEST_WAIT_MS or self._has_announced_tracks(waited_ms)

    def _has_announced_tracks(self, waited_ms: int) -> bool:
        """Whether onMetaData names only the track that has arrived."""
        if self._metadata is None or waited_ms == 0:
            return False
        return (self.video is not None or not self.expects_video) and (
            self.audio is not None or not self.expects_audio
        )
