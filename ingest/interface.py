"""What ingest asks of its surroundings: who may publish, and who takes the media."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from media.configs import AudioConfig, VideoConfig
from media.units import AccessUnit


@dataclass(frozen=True, slots=True)
class PublishRequest:
    """Someone asks to publish. ``address`` is ``host:port``; ``software`` is what the encoder calls itself.

    ``key`` is a secret and stays out of the value's repr.
    """

    app: str
    key: str = field(repr=False)
    address: str
    software: str | None


class EndReason(StrEnum):
    """Why a publication ended."""

    UNPUBLISHED = "unpublished"
    """The publisher stopped on purpose."""
    LOST = "lost"
    """The connection broke, or no media came for too long."""
    KICKED = "kicked"
    PROTOCOL_ERROR = "protocol-error"
    """The publisher sent what cannot be read or carried."""
    TAKEN_OVER = "taken-over"


class Publication(Protocol):
    """Takes what one publisher sends. Called on the event loop, in order; must neither block nor raise."""

    def on_metadata(self, metadata: Mapping[str, object]) -> None:
        """The scalar values of an ``onMetaData`` message: str, float, bool."""
        ...

    def on_video_config(self, config: VideoConfig) -> None:
        """Before the first video unit, and again when the configuration changes."""
        ...

    def on_audio_config(self, config: AudioConfig) -> None:
        """Before the first audio unit, and again when the configuration changes."""
        ...

    def on_unit(self, unit: AccessUnit) -> None: ...

    def on_discontinuity(self) -> None:
        """The publisher's timestamps jumped; the units from here on have a new base."""
        ...

    def on_dropped(self, reason: str) -> None:
        """A frame or message was left out; ``reason`` is a stable code."""
        ...

    def on_end(self, reason: EndReason, text: str) -> None:
        """The last call, exactly once."""
        ...


class PublisherLink(Protocol):
    """The connection behind a publication."""

    @property
    def address(self) -> str: ...

    @property
    def bytes_received(self) -> int: ...

    def kick(self, text: str, reason: EndReason = EndReason.KICKED) -> None:
        """Tell the publisher ``text`` and disconnect it. The publication has ended when this returns."""
        ...


class IngestHandler(Protocol):
    async def authorize(self, request: PublishRequest, link: PublisherLink) -> Publication:
        """Decide on a publisher before any of its media is read. Raises PublishRefused."""
        ...
