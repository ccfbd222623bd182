"""The errors of reading and writing playlists and manifests, all below :class:`packager.errors.PackagerError`.

MalformedPlaylist      the text is not a playlist (the peer is wrong)
PlaylistTooLong        a limit was hit
UnrepresentableValue   a value that a playlist or manifest cannot express (our mistake)
"""

from typing import ClassVar

from packager.errors import PackagerError


class MalformedPlaylist(PackagerError):
    """Text that does not follow the playlist grammar; the message names the line."""

    code: ClassVar[str] = "malformed-playlist"


class PlaylistTooLong(PackagerError):
    """A playlist or a line that is longer than the parser accepts."""

    code: ClassVar[str] = "playlist-too-long"


class UnrepresentableValue(PackagerError):
    """A value that a playlist or manifest cannot express: a quote, a line break, a negative time."""

    code: ClassVar[str] = "unrepresentable-value"
