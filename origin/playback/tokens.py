"""The viewer token: a JWT (RFC 7519) signed with HS256 (RFC 7518, 3.2), for one stream until it expires.

Claims: ``sub``, the stream; ``exp``, Unix seconds; and optionally ``addr``, the client address or network.
"""

import re
from dataclasses import dataclass

import jwt

from media.addresses import canonical_network, is_in_network
from media.names import is_stream_name
from origin.playback.errors import (
    TokenExpired,
    TokenInvalid,
    TokenMissing,
    TokenWrongAddress,
    TokenWrongStream,
)
from origin.playback.keys import PlaybackKeys

ALGORITHM = "HS256"
# The longest token that this module signs has about 290 characters; a token over the limit is refused unread.
MAX_LENGTH = 512
COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class ViewerToken:
    """``expires_at`` is Unix seconds; with ``address`` None, any client may use the token."""

    stream: str
    expires_at: int
    address: str | None = None


def sign_viewer_token(token: ViewerToken, keys: PlaybackKeys) -> str:
    """Raises ValueError if the stream's name or the address is not valid."""
    if not is_stream_name(token.stream):
        raise ValueError(f"{token.stream[:80]!r} is not a stream name")
    claims: dict[str, str | int] = {"sub": token.stream, "exp": token.expires_at}
    if token.address is not None:
        claims["addr"] = canonical_network(token.address)
    return jwt.encode(claims, keys.viewer, ALGORITHM)


def verify_viewer_token(
    text: str | None, keys: PlaybackKeys, *, stream: str, address: str | None, now: float
) -> ViewerToken:
    """The token in ``text``, if it admits a client at ``address`` to ``stream`` at ``now`` (Unix seconds). Raises
    PlaybackRefused."""
    if not text:
        raise TokenMissing(f"the stream {stream} is private: it needs a link with a token")
    token = _read(text, keys)
    if token.stream != stream:
        raise TokenWrongStream(f"this link's token is for another stream than {stream}")
    if now >= token.expires_at:
        raise TokenExpired("this link has expired: ask for a new one")
    if token.address is not None and not is_in_network(address, token.address):
        raise TokenWrongAddress("this link is for another network address than yours: ask for a new one")
    return token


def _read(text: str, keys: PlaybackKeys) -> ViewerToken:
    """The signed token; the caller checks its stream, time and address."""
    refusal = TokenInvalid("this link's token is not one of this server: it was cut off, changed, or revoked")
    if len(text) > MAX_LENGTH or not COMPACT.fullmatch(text):
        raise refusal
    try:
        claims = jwt.decode(
            text,
            keys.viewer,
            algorithms=[ALGORITHM],
            options={"require": ["sub", "exp"], "verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )
    except jwt.PyJWTError:
        raise refusal from None
    stream, expires_at, address = claims["sub"], claims["exp"], claims.get("addr")
    if not isinstance(stream, str) or not isinstance(expires_at, int) or not isinstance(address, str | None):
        raise refusal
    return ViewerToken(stream, expires_at, address)
