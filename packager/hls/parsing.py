"""Parses playlists (draft-pantos-hls-rfc8216bis, section 4).

Parsing a rendered playlist returns an equal value. Unknown tags and attributes are ignored, as 6.3.1 requires of
clients. The only errors raised are :class:`MalformedPlaylist` and :class:`PlaylistTooLong`.
"""

from collections.abc import Iterator
from typing import Protocol

from packager.hls.media import MediaPlaylist
from packager.hls.media_reader import MediaReader
from packager.hls.multivariant import MultivariantPlaylist
from packager.hls.multivariant_reader import MultivariantReader
from packager.playlist_errors import MalformedPlaylist, PlaylistTooLong

MAX_LENGTH = 64 * 1024 * 1024
MAX_LINE_LENGTH = 8192


def parse(text: str) -> MediaPlaylist | MultivariantPlaylist:
    """Parse a media or a multivariant playlist. Raises MalformedPlaylist, PlaylistTooLong."""
    return parse_multivariant(text) if "\n#EXT-X-STREAM-INF:" in text else parse_media(text)


def parse_media(text: str) -> MediaPlaylist:
    """Raises MalformedPlaylist, PlaylistTooLong."""
    reader = MediaReader()
    _read(text, reader)
    try:
        return reader.finish()
    except ValueError as error:
        raise MalformedPlaylist(str(error)) from None


def parse_multivariant(text: str) -> MultivariantPlaylist:
    """Raises MalformedPlaylist, PlaylistTooLong."""
    reader = MultivariantReader()
    _read(text, reader)
    return reader.finish()


class Reader(Protocol):
    """Takes the tags and URIs of a playlist in order. Both methods raise ValueError for invalid text."""

    def tag(self, name: str, value: str) -> None: ...

    def uri(self, uri: str) -> None: ...


def _read(text: str, reader: Reader) -> None:
    for number, line in _lines(text):
        try:
            if line.startswith("#EXT"):
                name, _, value = line[1:].partition(":")
                reader.tag(name, value)
            elif not line.startswith("#"):
                reader.uri(line)
        except ValueError as error:
            raise MalformedPlaylist(f"line {number}: {error}") from None


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Each line after #EXTM3U with its number, without blank lines (4.1)."""
    if len(text) > MAX_LENGTH:
        raise PlaylistTooLong(f"the playlist has {len(text)} characters; the limit is {MAX_LENGTH}")
    # Not splitlines(): only LF and CRLF end a line here.
    first, *rest = text.removeprefix("\ufeff").split("\n")
    if first.rstrip("\r") != "#EXTM3U":
        raise MalformedPlaylist("line 1: a playlist must start with #EXTM3U")
    for number, line in enumerate(rest, start=2):
        if len(line) > MAX_LINE_LENGTH:
            raise PlaylistTooLong(f"line {number} has {len(line)} characters; the limit is {MAX_LINE_LENGTH}")
        stripped = line.removesuffix("\r")
        if stripped and not stripped.isspace():
            yield number, stripped
