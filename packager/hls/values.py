"""Parses the values of tags and attributes (draft-pantos-hls-rfc8216bis, 4.2).

Every function raises ValueError for malformed text.
"""

import re

from packager.hls.media import StartPoint
from packager.timestamps import parse_decimal_seconds

_ATTRIBUTE = re.compile(r'([A-Z0-9-]{1,64})=("[^"]*"|[^",\s][^",]*)(?:,|$)')
_INTEGER = re.compile(r"[0-9]{1,20}")
_BYTE_RANGE = re.compile(r"([0-9]{1,20})@([0-9]{1,20})")


def integer(text: str) -> int:
    """A decimal-integer (4.2), at most 20 digits."""
    if _INTEGER.fullmatch(text) is None:
        raise ValueError(f"{text[:40]!r} is not a whole number")
    return int(text)


class Attributes:
    """A parsed attribute-list. The accessors convert by type and raise ValueError if a required attribute is
    missing or malformed."""

    def __init__(self, text: str) -> None:
        self._values: dict[str, str] = {}
        position = 0
        while position < len(text):
            match = _ATTRIBUTE.match(text, position)
            if match is None or match[1] in self._values:
                raise ValueError(f"bad attribute list at {text[position : position + 40]!r}")
            self._values[match[1]] = match[2].rstrip()
            position = match.end()

    def text(self, name: str) -> str:
        """The unconverted value of a required attribute."""
        if name not in self._values:
            raise ValueError(f"{name} is missing")
        return self._values[name]

    def optional(self, name: str) -> str | None:
        """The unconverted value, or None if absent."""
        return self._values.get(name)

    def string(self, name: str) -> str:
        """The text of a required quoted-string."""
        value = self.text(name)
        if len(value) < 2 or value[0] != '"':
            raise ValueError(f"{name} is not quoted")
        return value[1:-1]

    def optional_string(self, name: str) -> str | None:
        return self.string(name) if name in self._values else None

    def integer(self, name: str) -> int:
        return integer(self.text(name))

    def optional_integer(self, name: str) -> int | None:
        return self.integer(name) if name in self._values else None

    def microseconds(self, name: str) -> int:
        return parse_decimal_seconds(self.text(name))

    def optional_microseconds(self, name: str) -> int | None:
        return self.microseconds(name) if name in self._values else None

    def yes(self, name: str) -> bool:
        """Whether the attribute is present and YES."""
        return self._values.get(name) == "YES"


def start_point(text: str) -> StartPoint:
    """EXT-X-START (4.4.2.2)."""
    attributes = Attributes(text)
    offset = attributes.text("TIME-OFFSET")
    sign = -1 if offset.startswith("-") else 1
    return StartPoint(sign * parse_decimal_seconds(offset.removeprefix("-")), attributes.yes("PRECISE"))


def byte_range(text: str) -> tuple[int, int]:
    """``length@offset`` as (length, offset)."""
    match = _BYTE_RANGE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a byte range")
    return int(match[1]), int(match[2])
