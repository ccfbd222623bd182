"""What the FLV parsers raise.

::

    FlvError
    ├── OddFrame              one frame is left out and counted, the broadcast goes on
    │   ├── EmptyFrame
    │   ├── TruncatedTag
    │   ├── MalformedFrame
    │   ├── ImplausibleOffset
    │   ├── UnknownPacket
    │   └── NoConfig
    └── UnsupportedCodec      the broadcast cannot be carried
"""

from typing import ClassVar

from ingest.errors import IngestError


class FlvError(IngestError):
    """Base of what the FLV parsers raise."""

    code: ClassVar[str] = "flv"


class OddFrame(FlvError):
    code: ClassVar[str] = "odd-frame"


class EmptyFrame(OddFrame):
    """A tag without media in it."""

    code: ClassVar[str] = "empty-frame"


class TruncatedTag(OddFrame):
    """A tag that ends before its own header."""

    code: ClassVar[str] = "truncated-tag"


class MalformedFrame(OddFrame):
    """A frame whose NAL units do not add up to it."""

    code: ClassVar[str] = "malformed-frame"


class ImplausibleOffset(OddFrame):
    """A composition time further from the decoding time than any encoder reorders."""

    code: ClassVar[str] = "implausible-offset"


class UnknownPacket(OddFrame):
    """A packet type that the specification reserves, or that carries nothing for us."""

    code: ClassVar[str] = "unknown-packet"


class NoConfig(OddFrame):
    """Media before the sequence header that tells how to decode it."""

    code: ClassVar[str] = "no-config"


class UnsupportedCodec(FlvError):
    """A codec that is not carried; the text says what to choose instead."""

    code: ClassVar[str] = "unsupported-codec"
