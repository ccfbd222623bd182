"""The interfaces between ingest and its application: authorization, and the receiver of the media."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from ingest.track_start import TimingProblem
from media.configs import AudioConfig, VideoConfig
from media.log_context import LogContext
from media.units import AccessUnit


@dataclass(frozen=True, slots=True)
class PublishRequest:
    """A request to publish. ``address`` is ``host:port``; ``software`` is the encoder's flashVer, if sent.
    ``encrypted``: the connection is RTMPS.

    ``key`` is secret, so the repr leaves it out.
    """

    app: str
    key: str = field(repr=False)
    address: str
    software: str | None
    encrypted: bool = False


class EndReason(StrEnum):
    """Why a publication ended."""

    UNPUBLISHED = "unpublished"
    """The publisher stopped on purpose."""
    LOST = "lost"
    """The connection broke, or the publisher sent no media for too long."""
    KICKED = "kicked"
    REVOKED = "revoked"
    """The publisher's stream key was revoked."""
    PROTOCOL_ERROR = "protocol-error"
    """The publisher sent malformed data or an unsupported codec."""
    TAKEN_OVER = "taken-over"


class Publication(Protocol):
    """Receives one publisher's media and metadata, in order, on the event loop. Methods must not block.

    ``on_unit`` and the methods for configurations may raise MediaLimit, which ends the publication with its text.
    Nothing else may be raised.
    """

    @property
    def log_context(self) -> LogContext:
        """The fields of log lines about the publication."""
        ...

    def on_metadata(self, metadata: Mapping[str, object]) -> None:
        """The scalar values of an ``onMetaData`` message: str, float, bool."""
        ...

    def on_video_config(self, config: VideoConfig) -> None:
        """Called before the first video unit, and again when the configuration changes."""
        ...

    def on_audio_config(self, config: AudioConfig) -> None:
        """Called before the first audio unit, and again when the configuration changes."""
        ...

    def on_unit(self, unit: AccessUnit) -> None: ...

    def on_discontinuity(self) -> None:
        """Called when the publisher's timestamps jump. The units that follow have a new time base."""
        ...

    def on_timing(self, problem: TimingProblem) -> None:
        """Called when the timestamps of the tracks do not fit each other. The operator is warned with the text."""
        ...

    def on_dropped(self, reason: str) -> None:
        """Called when a frame or a message was dropped; ``reason`` is a stable code."""
        ...

    def on_repaired(self, reason: str) -> None:
        """Called when a message was converted to the format of samples; ``reason`` is a stable code."""
        ...

    def on_end(self, reason: EndReason, text: str) -> None:
        """Called exactly once, as the last call."""
        ...


class PublisherLink(Protocol):
    """The connection of a publication."""

    @property
    def address(self) -> str: ...

    @property
    def bytes_received(self) -> int: ...

    def kick(self, text: str, reason: EndReason = EndReason.KICKED) -> None:
        """Send ``text`` to the publisher and disconnect it. The publication has ended when this returns."""
        ...

    def request_reconnect(self, text: str) -> bool:
        """Ask the publisher to open a new connection, and to publish there. Returns False if it does not support
        that (Enhanced RTMP v2)."""
        ...


class IngestHandler(Protocol):
    """Decides who may publish."""

    async def authorize(self, request: PublishRequest, link: PublisherLink) -> Publication:
        """Return the publication that receives the media. No media is read until then. Raises PublishRefused."""
        ...
