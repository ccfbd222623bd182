"""What the RTMP core raises.

::

    RtmpError
    ├── PeerError             the peer did wrong
    │   ├── NotRtmp
    │   ├── MalformedChunk
    │   ├── MalformedMessage
    │   ├── MalformedAmf
    │   └── UnexpectedCommand
    ├── LimitError            a limit was hit
    │   ├── MessageTooLarge
    │   ├── TooManyPartialMessages
    │   ├── TooManyChunkStreams
    │   ├── TooManyMessageStreams
    │   └── AmfLimit
    └── LocalError            we did wrong
"""

from typing import ClassVar

from ingest.errors import IngestError


class RtmpError(IngestError):
    """Base of what the RTMP core raises; anything else that leaves it is a bug."""

    code: ClassVar[str] = "rtmp"


class PeerError(RtmpError):
    """The peer does not follow the specification; the connection is of no use any more."""

    code: ClassVar[str] = "rtmp-peer"


class NotRtmp(PeerError):
    """The first byte already says that this is another protocol."""

    code: ClassVar[str] = "not-rtmp"


class MalformedChunk(PeerError):
    code: ClassVar[str] = "malformed-chunk"


class MalformedMessage(PeerError):
    code: ClassVar[str] = "malformed-message"


class MalformedAmf(PeerError):
    code: ClassVar[str] = "malformed-amf"


class UnexpectedCommand(PeerError):
    """A command that has no place in the session's present state."""

    code: ClassVar[str] = "unexpected-command"


class LimitError(RtmpError):
    """The peer asks for more than it may have."""

    code: ClassVar[str] = "rtmp-limit"


class MessageTooLarge(LimitError):
    code: ClassVar[str] = "message-too-large"


class TooManyPartialMessages(LimitError):
    """Messages begun and not ended add up to too many bytes."""

    code: ClassVar[str] = "too-many-partial-messages"


class TooManyChunkStreams(LimitError):
    code: ClassVar[str] = "too-many-chunk-streams"


class TooManyMessageStreams(LimitError):
    code: ClassVar[str] = "too-many-message-streams"


class AmfLimit(LimitError):
    """AMF nested too deep or of too many values."""

    code: ClassVar[str] = "amf-limit"


class LocalError(RtmpError):
    """The caller used the connection in a way its state does not allow."""

    code: ClassVar[str] = "rtmp-local"
