"""What reading and writing playlists and manifests raises, below :class:`packager.errors.PackagerError`.

MalformedPlaylist      the peer did wrong: text that is no playlist
PlaylistTooLong        a limit was hit
UnrepresentableValue   we did wrong: a value that a playlist or manifest has no way to write
"""

from typing import ClassVar

from packager.errors import PackagerError


class MalformedPlaylist(PackagerError):
    """Text that does not follow the playlist grammar; the message names the line."""

    code: ClassVar[str] = "malformed-playlist"


class PlaylistTooLong(PackagerError):
    """A playlist past the parser's bounds on length or line length."""

    code: ClassVar[str] = "playlist-too-long"


class UnrepresentableValue(PackagerError):
    """A value that a playlist or manifest cannot carry: a quote, a line break, a time below zero."""

    code: ClassVar[str] = "unrepresentable-value"
