"""The REST API's own errors; those of other packages pass through with their own codes."""

from typing import ClassVar

from media.errors import HeadwaterError


class ApiError(HeadwaterError):
    """Base of this package's errors; ``status`` is the HTTP status (RFC 9110, 15)."""

    code: ClassVar[str] = "api"
    status: ClassVar[int] = 400

    @property
    def headers(self) -> dict[str, str]:
        """Header fields that belong to the status."""
        return {}


class Unauthorized(ApiError):
    """The bearer token is missing, wrong, revoked or expired."""

    code: ClassVar[str] = "unauthorized"
    status: ClassVar[int] = 401

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": "Bearer"}


class ScopeMissing(ApiError):
    """The token does not allow the request (RFC 6750, 3.1)."""

    code: ClassVar[str] = "scope-missing"
    status: ClassVar[int] = 403

    def __init__(self, text: str, needed: str) -> None:
        super().__init__(text)
        self._needed = needed

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{self._needed}"'}


class BadConfiguration(ApiError):
    """The configuration that was to be reloaded has faults: a line for each."""

    code: ClassVar[str] = "bad-config"
    status: ClassVar[int] = 422


class TooManyWrongTokens(ApiError):
    """The client's address has sent too many wrong tokens (RFC 6585, 4)."""

    code: ClassVar[str] = "too-many-wrong-tokens"
    status: ClassVar[int] = 429

    def __init__(self, text: str, retry_after_s: int) -> None:
        super().__init__(text)
        self._retry_after_s = retry_after_s

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self._retry_after_s)}


class NotLive(ApiError):
    """The request needs a live stream."""

    code: ClassVar[str] = "not-live"
    status: ClassVar[int] = 409


class NotBanned(ApiError):
    """The request needs a banned stream."""

    code: ClassVar[str] = "not-banned"
    status: ClassVar[int] = 404


class TooManyFollowers(ApiError):
    """Too many requests wait for events."""

    code: ClassVar[str] = "too-many-followers"
    status: ClassVar[int] = 429

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": "5"}


class NoStandby(ApiError):
    """The stream has no publisher on standby that could go on air."""

    code: ClassVar[str] = "no-standby"
    status: ClassVar[int] = 409


class NoThumbnail(ApiError):
    """No picture has been made of the stream yet."""

    code: ClassVar[str] = "no-thumbnail"
    status: ClassVar[int] = 404


class BadHookTarget(ApiError):
    """The URL of a hook cannot be called, or must not be."""

    code: ClassVar[str] = "bad-hook-target"
    status: ClassVar[int] = 422
