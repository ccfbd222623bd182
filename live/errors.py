"""What the live window raises.

LiveError
├── NotYet              requested before it exists
├── TooFarAhead         requested so early that the window does not wait for it
├── HeldTooLong         waited for, but it did not arrive in time
├── GoneFromWindow      it has left the window, and the store does not have it
├── SegmentUnfinished   a segment that is read while it grows stopped growing
└── WindowGap           a message is missing: only a new snapshot helps
"""

from typing import ClassVar

from media.errors import HeadwaterError


class LiveError(HeadwaterError):
    """Base of what the live window raises."""

    code: ClassVar[str] = "live"


class NotYet(LiveError):
    """It does not exist yet. ``after_s`` is the number of seconds until it is expected."""

    code: ClassVar[str] = "not-yet"

    def __init__(self, after_s: float) -> None:
        super().__init__(f"not available yet; expected in {after_s:.1f} s")
        self.after_s = after_s


class TooFarAhead(LiveError):
    """A blocking request for a position beyond the advance limits (draft-pantos-hls-rfc8216bis, 6.2.5.2)."""

    code: ClassVar[str] = "too-far-ahead"


class HeldTooLong(LiveError):
    """The request waited, and the broadcaster sent nothing."""

    code: ClassVar[str] = "held-too-long"


class GoneFromWindow(LiveError):
    """It has left the window, and the store does not have it."""

    code: ClassVar[str] = "gone-from-window"


class SegmentUnfinished(LiveError):
    """The reader of a growing segment has only a part of it, and the rest did not arrive."""

    code: ClassVar[str] = "segment-unfinished"


class WindowGap(LiveError):
    """A message does not continue what the window holds. The window answers nothing until it has a snapshot."""

    code: ClassVar[str] = "window-gap"
