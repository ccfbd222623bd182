"""Signed playback of private streams, in two steps so that caches go on sharing bytes.

A viewer's own *viewer token* opens the multivariant playlist or the MPD. It is answered with a redirect to the same
name below ``live/{stream}~{path token}/``. The *path token* is the same for all viewers of a time bucket, and every
reference in a playlist is relative: whatever is below is reached under it, and is the same bytes for everybody.
"""

from origin.playback.errors import (
    PlaybackRefused,
    TokenExpired,
    TokenInvalid,
    TokenMissing,
    TokenWrongAddress,
    TokenWrongStream,
)
from origin.playback.gate import Granted, PlaybackGate, Redirected, capped
from origin.playback.keys import PlaybackKeys, derive_keys
from origin.playback.paths import check_path_token, make_path_token
from origin.playback.privacy import PrivacyCache
from origin.playback.secret import PlaybackSecret
from origin.playback.tokens import ViewerToken, sign_viewer_token, verify_viewer_token

__all__ = [
    "Granted",
    "PlaybackGate",
    "PlaybackKeys",
    "PlaybackRefused",
    "PlaybackSecret",
    "PrivacyCache",
    "Redirected",
    "TokenExpired",
    "TokenInvalid",
    "TokenMissing",
    "TokenWrongAddress",
    "TokenWrongStream",
    "ViewerToken",
    "capped",
    "check_path_token",
    "derive_keys",
    "make_path_token",
    "sign_viewer_token",
    "verify_viewer_token",
]
