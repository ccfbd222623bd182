"""Writes URIs, quoted strings and attribute lists (draft-pantos-hls-rfc8216bis, 4.1 and 4.2)."""

import re
from collections.abc import Iterable

from packager.playlist_errors import UnrepresentableValue

_LINE_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def quoted(text: str) -> str:
    """``text`` as a quoted-string (4.2).

    Raises UnrepresentableValue for double quotes and control characters, which have no escape.
    """
    if '"' in text or _LINE_BREAKS.search(text):
        raise UnrepresentableValue(f"{text[:80]!r} cannot be written as a quoted playlist attribute")
    return f'"{text}"'


def uri_line(uri: str) -> str:
    """``uri`` as a URI line (4.1). Raises UnrepresentableValue if it is empty, starts like a tag or comment, or has
    surrounding space or a line break."""
    if not uri or uri[0] == "#" or uri != uri.strip() or _LINE_BREAKS.search(uri):
        raise UnrepresentableValue(f"{uri[:80]!r} cannot be written as a playlist URI")
    return uri


def attribute_list(attributes: Iterable[tuple[str, str | None]]) -> str:
    """An attribute-list (4.2) of ``(name, value)`` pairs; pairs whose value is None are left out."""
    return ",".join(f"{name}={value}" for name, value in attributes if value is not None)
