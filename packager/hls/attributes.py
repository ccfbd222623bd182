"""The values that playlist lines are made of written safely (draft-pantos-hls-rfc8216bis, 4.1 and 4.2)."""

import re
from collections.abc import Iterable

from packager.playlist_errors import UnrepresentableValue

_LINE_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def quoted(text: str) -> str:
    """``text`` as a quoted-string; a double quote or control character has no escape there and is refused."""
    if '"' in text or _LINE_BREAKS.search(text):
        raise UnrepresentableValue(f"{text[:80]!r} cannot be written as a quoted playlist attribute")
    return f'"{text}"'


def uri_line(uri: str) -> str:
    """``uri`` as a line of its own: not empty, not taken for a tag, not two lines."""
    if not uri or uri[0] == "#" or uri != uri.strip() or _LINE_BREAKS.search(uri):
        raise UnrepresentableValue(f"{uri[:80]!r} cannot be written as a playlist URI")
    return uri


def attribute_list(attributes: Iterable[tuple[str, str | None]]) -> str:
    """``NAME=value`` pairs joined by commas; a pair whose value is None is left out."""
    return ",".join(f"{name}={value}" for name, value in attributes if value is not None)
