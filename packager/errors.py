"""What the packager raises.

PackagerError
├── MalformedBox        the bytes are not ISO BMFF: a peer, or a store, did wrong
├── BoxLimitExceeded    more boxes or samples than a reader takes
├── UnsupportedTrack    a codec that Headwater does not put in CMAF
└── Unwritable          we did wrong: a value that its box cannot hold
"""

from typing import ClassVar

from media.errors import HeadwaterError


class PackagerError(HeadwaterError):
    """Base of what this package raises."""

    code: ClassVar[str] = "packager"


class MalformedBox(PackagerError):
    """A box whose size or contents cannot be; the text names the box."""

    code: ClassVar[str] = "malformed-box"


class BoxLimitExceeded(PackagerError):
    """More boxes, or samples in one run, than any file of ours has."""

    code: ClassVar[str] = "box-limit-exceeded"


class UnsupportedTrack(PackagerError):
    """A track whose codec Headwater does not put in CMAF; the text says which."""

    code: ClassVar[str] = "unsupported-track"


class Unwritable(PackagerError):
    """A value outside its field: a time, a duration or a size that the box cannot hold."""

    code: ClassVar[str] = "unwritable"
