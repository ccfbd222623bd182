"""The reasons to refuse a viewer, each answered with 403 (RFC 9110, 15.5.4)."""

from typing import ClassVar

from media.errors import HeadwaterError


class PlaybackRefused(HeadwaterError):
    """Base of this package's errors; the text is for the viewer."""

    code: ClassVar[str] = "playback-refused"


class TokenMissing(PlaybackRefused):
    """A private stream was requested without a token."""

    code: ClassVar[str] = "token-missing"


class TokenInvalid(PlaybackRefused):
    """The token is malformed, or this server did not sign it."""

    code: ClassVar[str] = "token-invalid"


class TokenExpired(PlaybackRefused):
    code: ClassVar[str] = "token-expired"


class TokenWrongStream(PlaybackRefused):
    """The token is for another stream."""

    code: ClassVar[str] = "token-wrong-stream"


class TokenWrongAddress(PlaybackRefused):
    """The token is for another client's address."""

    code: ClassVar[str] = "token-wrong-address"
