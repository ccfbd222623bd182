"""One publisher's session, an :class:`ingest.interface.Publication`: it feeds a broadcast until it ends."""

from collections.abc import Callable, Mapping

from ingest.interface import EndReason, PublisherLink, PublishRequest
from ingest.track_start import TimingProblem
from media.configs import AudioConfig, VideoConfig
from media.units import AccessUnit
from worker.broadcast import Broadcast


class PublisherSession:
    """``since`` is monotonic seconds; ``on_ended`` is called exactly once. After the end all media is ignored."""

    def __init__(
        self,
        broadcast: Broadcast,
        request: PublishRequest,
        link: PublisherLink,
        *,
        since: float,
        on_ended: Callable[["PublisherSession", EndReason, str], None],
    ) -> None:
        self.link = link
        self.software = request.software
        self.since = since
        self._broadcast = broadcast
        self._on_ended = on_ended
        self._active = True
        # The broadcast's own method, without a wrapper: it is called for every frame.
        self.on_unit: Callable[[AccessUnit], None] = broadcast.on_unit

    def on_metadata(self, metadata: Mapping[str, object]) -> None:
        if not self._active:
            return
        if isinstance(encoder := metadata.get("encoder"), str) and encoder:
            self.software = encoder[:200]
        self._broadcast.on_metadata(metadata)

    def on_video_config(self, config: VideoConfig) -> None:
        if self._active:
            self._broadcast.on_config(config)

    def on_audio_config(self, config: AudioConfig) -> None:
        if self._active:
            self._broadcast.on_config(config)

    def on_discontinuity(self) -> None:
        self.on_dropped("timestamp-jump")

    def on_timing(self, problem: TimingProblem) -> None:
        if self._active:
            self._broadcast.on_timing(problem)

    def on_dropped(self, reason: str) -> None:
        if self._active:
            self._broadcast.on_dropped(reason)

    def on_repaired(self, reason: str) -> None:
        if self._active:
            self._broadcast.on_repaired(reason)

    def on_end(self, reason: EndReason, text: str) -> None:
        if not self._active:
            return
        self._active = False
        self.on_unit = _ignore
        self._on_ended(self, reason, text)


def _ignore(unit: AccessUnit) -> None:
    pass
