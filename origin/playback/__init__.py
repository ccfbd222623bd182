"""Signed playback of private streams, in two steps, so that caches can share bytes between viewers.

A viewer requests the multivariant playlist or the MPD with a personal *viewer token*. The answer redirects to the
same name below ``live/{stream}~{path token}/``. All viewers of a period of time get the same *path token*, and
every reference in a playlist is relative, so all of them fetch the same bytes from the same URLs.
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
