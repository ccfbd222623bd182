"""The path token, which gives access to a private stream's media below ``live/{stream}~{token}/``.

``{expires}-{mac}``: Unix seconds in decimal, and the first 128 bits of HMAC-SHA256 over stream and expiry, as
base64url (RFC 4648, 5). Time is divided into buckets: the tokens of one bucket are equal and expire together. ``~``
is unreserved in URLs (RFC 3986, 2.3) and occurs in no stream name or object key: the path without ``~{token}`` is
the object key.
"""

import base64
import hashlib
import hmac
import re

from origin.playback.errors import TokenExpired, TokenInvalid
from origin.playback.keys import PlaybackKeys

MAC_BYTES = 16
TOKEN = re.compile(r"([1-9][0-9]{0,11})-([A-Za-z0-9_-]{22})")
TOKEN_PATH = re.compile(r"([^/~]+)~([^/]*)/(.+)", re.DOTALL)


def make_path_token(keys: PlaybackKeys, stream: str, *, now: float, bucket_s: int) -> str:
    """Valid through the bucket of ``now`` (Unix seconds) and the next: for more than ``bucket_s`` seconds."""
    expires_at = (int(now) // bucket_s + 2) * bucket_s
    return f"{expires_at}-{_mac(keys, stream, expires_at)}"


def check_path_token(text: str, keys: PlaybackKeys, stream: str, *, now: float) -> int:
    """The Unix time in seconds at which the token expires. Raises TokenInvalid, TokenExpired."""
    match = TOKEN.fullmatch(text)
    if match is None or not hmac.compare_digest(match[2], _mac(keys, stream, int(match[1]))):
        raise TokenInvalid(f"this is not a valid path to the stream {stream}: open its link again")
    expires_at = int(match[1])
    if now >= expires_at:
        raise TokenExpired("this path to the stream has expired: open its link again")
    return expires_at


def split_path_token(path: str) -> tuple[str, str | None]:
    """``path``, which follows ``live/``, without its path token, and the token, or None if it has none."""
    match = TOKEN_PATH.fullmatch(path)
    return (path, None) if match is None else (f"{match[1]}/{match[3]}", match[2])


def below_path_token(path: str, token: str) -> str:
    """The relative reference (RFC 3986, 5.2) from ``live/{path}`` to the same name below ``token``.

    It is relative, so that it also works behind a proxy that serves ``live/`` under another path.
    """
    stream, _, rest = path.partition("/")
    return "../" * path.count("/") + f"{stream}~{token}/{rest}"


def _mac(keys: PlaybackKeys, stream: str, expires_at: int) -> str:
    digest = hmac.digest(keys.path, f"{stream}/{expires_at}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:MAC_BYTES]).decode().rstrip("=")
