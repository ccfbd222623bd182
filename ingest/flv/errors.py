"""The errors of the FLV parsers.

::

    FlvError
    ├── OddFrame              one frame is dropped and counted, the broadcast continues
    │   ├── EmptyFrame
    │   ├── TruncatedTag
    │   ├── MalformedFrame
    │   ├── ImplausibleOffset
    │   ├── IncompletePicture
    │   ├── OversizedPicture
    │   ├── UnknownPacket
    │   ├── IgnoredTrack
    │   └── NoConfig
    └── UnsupportedCodec      the broadcast cannot continue
"""

from typing import ClassVar

from ingest.errors import IngestError


class FlvError(IngestError):
    """Base of the FLV parsers' errors."""

    code: ClassVar[str] = "flv"


class OddFrame(FlvError):
    """Base of the errors for which one frame is dropped."""

    code: ClassVar[str] = "odd-frame"


class EmptyFrame(OddFrame):
    """A tag without media."""

    code: ClassVar[str] = "empty-frame"


class TruncatedTag(OddFrame):
    """A tag that is shorter than its header."""

    code: ClassVar[str] = "truncated-tag"


class MalformedFrame(OddFrame):
    """A frame that does not follow its codec's format."""

    code: ClassVar[str] = "malformed-frame"


class ImplausibleOffset(OddFrame):
    """A composition time further from the decoding time than any encoder reorders."""

    code: ClassVar[str] = "implausible-offset"


class IncompletePicture(OddFrame):
    """A part of a picture without the part before it."""

    code: ClassVar[str] = "incomplete-picture"


class OversizedPicture(OddFrame):
    """More messages or bytes than one picture has."""

    code: ClassVar[str] = "oversized-picture"


class OversizedFrame(OddFrame):
    """An audio message with more bytes than audio frames have."""

    code: ClassVar[str] = "oversized-frame"


class UnknownPacket(OddFrame):
    """A packet type that is reserved, or that Headwater does not use."""

    code: ClassVar[str] = "unknown-packet"


class IgnoredTrack(OddFrame):
    """A track other than the first one of its kind."""

    code: ClassVar[str] = "unsupported-track"


class NoConfig(OddFrame):
    """Media before the sequence header that is needed to decode it."""

    code: ClassVar[str] = "no-config"


class UnsupportedCodec(FlvError):
    """An unsupported codec; the text names one to choose instead."""

    code: ClassVar[str] = "unsupported-codec"
