"""RTMP as a sans-I/O protocol core: :class:`ServerConnection` knows nothing of sockets, clocks or streams.

After Adobe's Real Time Messaging Protocol specification 1.0 and what encoders in the field really send.
"""

from ingest.rtmp.connection import ServerConnection
from ingest.rtmp.errors import LimitError, LocalError, PeerError, RtmpError
from ingest.rtmp.events import (
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
