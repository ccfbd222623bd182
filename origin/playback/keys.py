"""The keys that sign tokens, one for each kind, so that a path token can never pass for a viewer token."""

import hashlib
import hmac
from dataclasses import dataclass, field

SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class PlaybackKeys:
    """32 bytes each, derived from the playback secret."""

    viewer: bytes = field(repr=False)
    path: bytes = field(repr=False)


def derive_keys(secret: bytes) -> PlaybackKeys:
    """HMAC-SHA256 as HKDF's expansion of one block (RFC 5869, 2.3); ``secret`` is ``SECRET_BYTES`` random bytes."""
    return PlaybackKeys(
        viewer=_expand(secret, b"headwater viewer token"), path=_expand(secret, b"headwater path token")
    )


def _expand(secret: bytes, purpose: bytes) -> bytes:
    return hmac.digest(secret, purpose + b"\x01", hashlib.sha256)
