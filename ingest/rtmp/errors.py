"""The errors that the RTMP core raises.

::

    RtmpError
    ├── PeerError             the peer violates the protocol
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
    │   ├── TooManyAggregated
    │   ├── TooMuchBeforePublish
    │   └── AmfLimit
    └── LocalError            the caller made a mistake
"""

from typing import ClassVar

from ingest.errors import IngestError


class RtmpError(IngestError):
    """Base of all errors of the RTMP core. Any other exception from it is a bug."""

    code: ClassVar[str] = "rtmp"


class PeerError(RtmpError):
    """The peer violates the specification. The connection must be closed."""

    code: ClassVar[str] = "rtmp-peer"


class NotRtmp(PeerError):
    """The first byte shows that the peer uses another protocol."""

    code: ClassVar[str] = "not-rtmp"


class MalformedChunk(PeerError):
    code: ClassVar[str] = "malformed-chunk"


class MalformedMessage(PeerError):
    code: ClassVar[str] = "malformed-message"


class MalformedAmf(PeerError):
    code: ClassVar[str] = "malformed-amf"


class UnexpectedCommand(PeerError):
    """A command that is not allowed in the session's current state."""

    code: ClassVar[str] = "unexpected-command"


class LimitError(RtmpError):
    """The peer exceeds a limit. The connection must be closed."""

    code: ClassVar[str] = "rtmp-limit"


class MessageTooLarge(LimitError):
    code: ClassVar[str] = "message-too-large"


class TooManyPartialMessages(LimitError):
    """The partial messages of all chunk streams have too many bytes in total."""

    code: ClassVar[str] = "too-many-partial-messages"


class TooManyChunkStreams(LimitError):
    code: ClassVar[str] = "too-many-chunk-streams"


class TooManyMessageStreams(LimitError):
    code: ClassVar[str] = "too-many-message-streams"


class TooManyAggregated(LimitError):
    """An aggregate message has too many messages."""

    code: ClassVar[str] = "too-many-aggregated"


class TooMuchBeforePublish(LimitError):
    """A peer sends more than any encoder does before it publishes."""

    code: ClassVar[str] = "too-much-before-publish"


class AmfLimit(LimitError):
    """AMF data is nested too deep or has too many values."""

    code: ClassVar[str] = "amf-limit"


class LocalError(RtmpError):
    """The caller used the connection in a way its state does not allow."""

    code: ClassVar[str] = "rtmp-local"
