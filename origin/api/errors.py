"""The REST API's own errors; those of other packages pass through with their own codes."""

from typing import ClassVar

from media.errors import HeadwaterError


class ApiError(HeadwaterError):
    """Base of this package's errors; ``status`` is the HTTP status (RFC 9110, 15)."""

    code: ClassVar[str] = "api"
    status: ClassVar[int] = 400


class Unauthorized(ApiError):
    """The bearer token is missing or wrong."""

    code: ClassVar[str] = "unauthorized"
    status: ClassVar[int] = 401


class NotLive(ApiError):
    """The request needs a live stream."""

    code: ClassVar[str] = "not-live"
    status: ClassVar[int] = 409


class NoThumbnail(ApiError):
    """No picture has been made of the stream yet."""

    code: ClassVar[str] = "no-thumbnail"
    status: ClassVar[int] = 404
