"""The events that :meth:`ServerConnection.next_event` returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal, NamedTuple


class Signal(Enum):
    """NEED_DATA: more bytes are needed. PAUSED: the publish request must be answered first. AGAIN: there was work
    without an event, and there may be more: call again, now or after other work."""

    NEED_DATA = "need-data"
    PAUSED = "paused"
    AGAIN = "again"


NEED_DATA: Final[Literal[Signal.NEED_DATA]] = Signal.NEED_DATA
PAUSED: Final[Literal[Signal.PAUSED]] = Signal.PAUSED
AGAIN: Final[Literal[Signal.AGAIN]] = Signal.AGAIN


class VideoMessage(NamedTuple):
    """``payload`` is an FLV video tag's body. ``timestamp`` is milliseconds modulo 2^32."""

    timestamp: int
    payload: bytes


class AudioMessage(NamedTuple):
    """``payload`` is an FLV audio tag's body. ``timestamp`` is milliseconds modulo 2^32."""

    timestamp: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class PublishRequested:
    """The peer asks to publish. Answer with ``accept_publish`` or ``refuse_publish``.

    ``app`` and ``name`` are as the peer sent them. Either may contain the stream key, so the repr leaves both out.
    """

    app: str = field(repr=False)
    name: str = field(repr=False)
    software: str | None


@dataclass(frozen=True, slots=True)
class PlayRefused:
    """The peer asked to play, and was refused with a hint to HLS and DASH."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """The scalar values of an ``onMetaData`` message."""

    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class MessageDropped:
    """A message of the publisher could not be read. ``reason`` is the error's code."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unpublished:
    """The publisher ended the publication."""


Event = VideoMessage | AudioMessage | PublishRequested | PlayRefused | Metadata | MessageDropped | Unpublished
