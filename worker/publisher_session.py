"""One publisher's session, an :class:`ingest.interface.Publication`: it feeds a broadcast, or a standby's buffer,
until it ends."""

from collections.abc import Callable, Mapping
from typing import Protocol

from ingest.interface import EndReason, PublisherLink, PublishRequest
from ingest.track_start import TimingProblem
from media.configs import AudioConfig, TrackConfig, VideoConfig
from media.log_context import NO_CONTEXT, LogContext
from media.roles import Role
from media.units import AccessUnit
from storage.catalogue.named_keys import NamedKey


class MediaReceiver(Protocol):
    """Takes a publisher's media: a :class:`worker.broadcast.Broadcast` or a :class:`worker.standby.Standby`."""

    def on_metadata(self, metadata: Mapping[str, object]) -> None: ...

    def on_config(self, config: TrackConfig) -> None: ...

    def on_unit(self, unit: AccessUnit) -> None:
        """Raises MediaLimit."""
        ...

    def on_timing(self, problem: TimingProblem) -> None: ...

    def on_dropped(self, reason: str) -> None: ...

    def on_repaired(self, reason: str) -> None: ...


class PublisherSession:
    """``key`` is the publisher's stream key, None if the stream has no such key. ``since`` is monotonic seconds;
    ``on_ended`` is called exactly once. After the end all media is ignored."""

    def __init__(
        self,
        receiver: MediaReceiver,
        request: PublishRequest,
        link: PublisherLink,
        *,
        role: Role = Role.PRIMARY,
        key: NamedKey | None = None,
        since: float,
        on_ended: Callable[["PublisherSession", EndReason, str], None],
        log_context: LogContext = NO_CONTEXT,
    ) -> None:
        self.link = link
        self.log_context = log_context
        self.software = request.software
        self.role = role
        self.key = key
        self.since = since
        self._receiver = receiver
        self._on_ended = on_ended
        self._active = True
        # What a receiver has to know of the media that follows.
        self._metadata: Mapping[str, object] = {}
        self._configs: dict[type[TrackConfig], TrackConfig] = {}
        self._problems: dict[str, TimingProblem] = {}
        # The receiver's own method, without a wrapper: it is called for every frame.
        self.on_unit: Callable[[AccessUnit], None] = receiver.on_unit

    @property
    def key_name(self) -> str | None:
        return None if self.key is None else self.key.name

    def has_key(self, key: NamedKey | None) -> bool:
        """Whether the publisher came with ``key``."""
        one, other = self.key, key
        return (one and one.key_hash) == (other and other.key_hash)

    def feed(self, receiver: MediaReceiver) -> None:
        """Send what follows to ``receiver``, after the metadata and the configurations that have arrived."""
        self._receiver = receiver
        if self._metadata:
            receiver.on_metadata(self._metadata)
        for config in self._configs.values():
            receiver.on_config(config)
        for problem in self._problems.values():
            receiver.on_timing(problem)
        self.on_unit = receiver.on_unit

    def on_metadata(self, metadata: Mapping[str, object]) -> None:
        if not self._active:
            return
        if isinstance(encoder := metadata.get("encoder"), str) and encoder:
            self.software = encoder[:200]
        self._metadata = metadata
        self._receiver.on_metadata(metadata)

    def on_video_config(self, config: VideoConfig) -> None:
        self._on_config(config)

    def on_audio_config(self, config: AudioConfig) -> None:
        self._on_config(config)

    def _on_config(self, config: TrackConfig) -> None:
        if self._active:
            self._configs[type(config)] = config
            self._receiver.on_config(config)

    def on_discontinuity(self) -> None:
        self.on_dropped("timestamp-jump")

    def on_timing(self, problem: TimingProblem) -> None:
        if self._active:
            self._problems[problem.code] = problem
            self._receiver.on_timing(problem)

    def on_dropped(self, reason: str) -> None:
        if self._active:
            self._receiver.on_dropped(reason)

    def on_repaired(self, reason: str) -> None:
        if self._active:
            self._receiver.on_repaired(reason)

    def on_end(self, reason: EndReason, text: str) -> None:
        if not self._active:
            return
        self._active = False
        self.on_unit = _ignore
        self._on_ended(self, reason, text)


def _ignore(unit: AccessUnit) -> None:
    pass
