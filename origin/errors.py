"""The errors of media requests, each with its HTTP response.

OriginError
├── BadDirective        400  a malformed delivery directive
├── TooFarAhead         400  a blocking request for a distant position
├── Refused             403  a private stream without a valid token
├── NoSuchName          404  no object can have this name
├── NotYet              404  it does not exist, or does not exist yet
├── Gone                410  it has left the DVR window or the live window
├── Deleted             410  its broadcast was deleted
├── HeldTooLong         503  the request waited, but it did not arrive
└── StoreUnavailable    503  the store does not answer
"""

from math import ceil
from typing import ClassVar

from live import errors as live
from live.errors import LiveError
from media.errors import HeadwaterError
from origin.playback.errors import PlaybackRefused
from storage.interface import StorageError

# In seconds. Longer estimates are not reliable.
LONGEST_RETRY_S = 3600


class OriginError(HeadwaterError):
    """Base of the origin's errors. ``caching`` is Cache-Control, ``retry_after_s`` is Retry-After."""

    code: ClassVar[str] = "origin"
    status: ClassVar[int] = 500
    caching: ClassVar[str] = "no-store"
    retry_after_s: int | None = None


class BadDirective(OriginError):
    """The text names the directive."""

    code: ClassVar[str] = "bad-directive"
    status: ClassVar[int] = 400


class TooFarAhead(OriginError):
    """draft-pantos-hls-rfc8216bis, 6.2.5.2."""

    code: ClassVar[str] = "too-far-ahead"
    status: ClassVar[int] = 400

    def __init__(self) -> None:
        super().__init__("too far ahead: that part of the playlist will not exist for long")


class Refused(OriginError):
    """The text is the reason, for the viewer; ``reason`` is its code."""

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 403

    def __init__(self, refusal: PlaybackRefused) -> None:
        super().__init__(str(refusal))
        self.reason = refusal.code


class NoSuchName(OriginError):
    """It will not exist later either, so caches have no reason to spend memory on it."""

    code: ClassVar[str] = "no-such-name"
    status: ClassVar[int] = 404

    def __init__(self) -> None:
        super().__init__("nothing can have this name: it is not the path of a playlist, manifest or media file")


class NotYet(OriginError):
    """``after_s`` is the number of seconds until it is expected; None if that is unknown."""

    code: ClassVar[str] = "not-yet"
    status: ClassVar[int] = 404
    caching: ClassVar[str] = "public, max-age=1"

    def __init__(self, after_s: float | None = None) -> None:
        super().__init__("not there, or not yet")
        if after_s is not None:
            self.retry_after_s = min(max(1, ceil(after_s)), LONGEST_RETRY_S)


class Gone(OriginError):
    code: ClassVar[str] = "gone"
    status: ClassVar[int] = 410
    caching: ClassVar[str] = "public, max-age=60"

    def __init__(self) -> None:
        super().__init__("gone: it has left the window that viewers may go back")


class Deleted(OriginError):
    code: ClassVar[str] = "deleted"
    status: ClassVar[int] = 410
    caching: ClassVar[str] = "public, max-age=60"

    def __init__(self) -> None:
        super().__init__("gone: this recording was deleted")


class HeldTooLong(OriginError):
    code: ClassVar[str] = "held-too-long"
    status: ClassVar[int] = 503
    retry_after_s = 1

    def __init__(self) -> None:
        super().__init__("the broadcaster sends nothing; try again")


class StoreUnavailable(OriginError):
    code: ClassVar[str] = "store-unavailable"
    status: ClassVar[int] = 503
    retry_after_s = 2

    def __init__(self) -> None:
        super().__init__("the store does not answer; try again")


def origin_error(error: LiveError | PlaybackRefused | StorageError) -> OriginError:
    """The origin's error for a request that failed with ``error``."""
    match error:
        case live.NotYet():
            return NotYet(error.after_s)
        case live.GoneFromWindow():
            return Gone()
        case live.TooFarAhead():
            return TooFarAhead()
        case live.HeldTooLong():
            return HeldTooLong()
        case PlaybackRefused():
            return Refused(error)
        case StorageError():
            return StoreUnavailable()
    raise error
