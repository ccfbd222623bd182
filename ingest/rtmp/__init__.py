"""RTMP as a sans-I/O protocol core: :class:`ServerConnection` uses no sockets and no clocks.

It implements Adobe's Real Time Messaging Protocol specification 1.0, and accepts the deviations of real encoders.
"""

from ingest.rtmp.connection import ServerConnection
from ingest.rtmp.errors import LimitError, LocalError, PeerError, RtmpError
from ingest.rtmp.events import (
    AGAIN,
    NEED_DATA,
    PAUSED,
    AudioMessage,
    MessageDropped,
    Metadata,
    PlayRefused,
    PublishRequested,
    Unpublished,
    VideoMessage,
)
from ingest.rtmp.limits import Limits
from ingest.rtmp.states import State

__all__ = [
    "AGAIN",
    "NEED_DATA",
    "PAUSED",
    "AudioMessage",
    "LimitError",
    "Limits",
    "LocalError",
    "MessageDropped",
    "Metadata",
    "PeerError",
    "PlayRefused",
    "PublishRequested",
    "RtmpError",
    "ServerConnection",
    "State",
    "Unpublished",
    "VideoMessage",
]
