"""The errors of the live window.

LiveError
├── NotYet              requested before it exists
├── TooFarAhead         requested so early that the window does not wait for it
├── HeldTooLong         the request waited, but it did not arrive in time
├── GoneFromWindow      it has left the window, and the store does not have it
├── SegmentUnfinished   the rest of a growing segment did not arrive
└── WindowGap           a message is missing: the window needs a new snapshot
"""

from typing import ClassVar

from media.errors import HeadwaterError


class LiveError(HeadwaterError):
    """Base of the live window's errors."""

    code: ClassVar[str] = "live"


class NotYet(LiveError):
    """The requested resource does not exist yet. ``after_s`` is the number of seconds until it is expected."""

    code: ClassVar[str] = "not-yet"

    def __init__(self, after_s: float) -> None:
        super().__init__(f"not available yet; expected in {after_s:.1f} s")
        self.after_s = after_s


class TooFarAhead(LiveError):
    """A blocking request for a position beyond the advance limits (draft-pantos-hls-rfc8216bis, 6.2.5.2)."""

    code: ClassVar[str] = "too-far-ahead"


class HeldTooLong(LiveError):
    """The request waited for the maximum time, but the media did not arrive."""

    code: ClassVar[str] = "held-too-long"


class GoneFromWindow(LiveError):
    """The requested resource has left the window, and the store does not have it."""

    code: ClassVar[str] = "gone-from-window"


class SegmentUnfinished(LiveError):
    """A growing segment was partly read, and the rest did not arrive."""

    code: ClassVar[str] = "segment-unfinished"


class WindowGap(LiveError):
    """A message does not continue the window's content. The window must be replaced by one from a snapshot."""

    code: ClassVar[str] = "window-gap"
