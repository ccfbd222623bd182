"""The errors that this package raises.

PackagerError
├── MalformedBox        the bytes are not valid ISO BMFF (the peer or the store is wrong)
├── BoxLimitExceeded    more boxes or samples than the reader accepts
├── UnsupportedTrack    a codec that Headwater does not package as CMAF
└── Unwritable          a value that does not fit its box (our mistake)
"""

from typing import ClassVar

from media.errors import HeadwaterError


class PackagerError(HeadwaterError):
    """Base of all errors of this package."""

    code: ClassVar[str] = "packager"


class MalformedBox(PackagerError):
    """A box with an impossible size or content; the text names the box."""

    code: ClassVar[str] = "malformed-box"


class BoxLimitExceeded(PackagerError):
    """More boxes, or more samples in one run, than any file that Headwater writes."""

    code: ClassVar[str] = "box-limit-exceeded"


class UnsupportedTrack(PackagerError):
    """A track whose codec Headwater does not package as CMAF; the text names the codec."""

    code: ClassVar[str] = "unsupported-track"


class Unwritable(PackagerError):
    """A time, duration or size that is out of range for its field."""

    code: ClassVar[str] = "unwritable"
