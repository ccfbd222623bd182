"""The refusal of a publisher that would need an encoder."""

from typing import ClassVar

from media.errors import MediaLimit


class NoEncodingRoom(MediaLimit):
    """The source cannot be passed through, and the node's budget has no room for any rendition of it."""

    code: ClassVar[str] = "no-encoding-room"
